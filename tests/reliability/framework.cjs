// Runs the CDK's own provider framework, from an asset of the synthesised app, with its outbound
// functions replaced, as its own unit tests do, and prints what it did. A scenario says what the
// two functions of the user return or raise, how often the waiter looks, and how PUTs end.
"use strict";

const path = require("node:path");
const Module = require("node:module");

const [folder, input] = process.argv.slice(2);
const { scenarios } = JSON.parse(require("node:fs").readFileSync(input, "utf8"));

// The Lambda runtime has the SDK; here nothing may call AWS.
const resolve = Module._resolveFilename;
Module._resolveFilename = (name, ...rest) =>
  name.startsWith("@aws-sdk/") ? path.join(__dirname, "framework.cjs.sdk") : resolve(name, ...rest);
require.cache[path.join(__dirname, "framework.cjs.sdk")] = { exports: {}, loaded: true };

process.env.USER_ON_EVENT_FUNCTION_ARN = "arn:aws:lambda:eu-west-1:111111111111:function:on_event";
process.env.USER_IS_COMPLETE_FUNCTION_ARN =
  "arn:aws:lambda:eu-west-1:111111111111:function:is_complete";
process.env.WAITER_STATE_MACHINE_ARN = "arn:aws:states:eu-west-1:111111111111:stateMachine:waiter";

const outbound = require(path.join(folder, "outbound.js"));
const framework = require(path.join(folder, "framework.js"));
const cfnResponse = require(path.join(folder, "cfn-response.js"));

async function play(scenario) {
  const seen = { puts: [], invoked: [], waits: [], started: 0, logged: "", threw: "" };
  const functions = { on_event: [...scenario.on_event], is_complete: [...scenario.is_complete] };
  const puts = [...(scenario.puts ?? [])];
  let waiting;
  console.log = (...words) => (seen.logged += words.join(" ") + "\n");
  global.setTimeout = (done, ms) => (seen.waits.push(ms), setImmediate(done));

  outbound.invokeFunction = async (request) => {
    const name = request.FunctionName.split(":").pop();
    seen.invoked.push([name, JSON.parse(request.Payload)]);
    const { returns, raises } = functions[name].shift();
    if (raises === undefined) return { Payload: JSON.stringify(returns) };
    return { FunctionError: "Unhandled", Payload: JSON.stringify({ errorMessage: raises }) };
  };
  outbound.startExecution = async (request) => {
    seen.started += 1;
    waiting = JSON.parse(request.input);
  };
  outbound.httpRequest = async (options, body) => {
    seen.puts.push({ ...options, body });
    const fault = puts.shift();
    if (fault) throw new Error(fault);
  };

  try {
    await framework.onEvent(structuredClone(scenario.event));
    for (let looks = 0; waiting && looks < scenario.looks; looks++) {
      if (scenario.dies_at_last && looks === scenario.looks - 1) {
        seen.retry = scenario.dies_at_last;
        break;
      }
      try {
        await framework.isComplete(structuredClone(waiting));
        waiting = undefined;
      } catch (error) {
        if (!(error instanceof cfnResponse.Retry)) throw error;
        seen.retry = error.message;
      }
    }
    if (waiting)
      await framework.onTimeout({ Cause: JSON.stringify({ errorMessage: seen.retry }) });
  } catch (error) {
    seen.threw = error.message;
  }
  return seen;
}

(async () => {
  const results = [];
  for (const scenario of scenarios) results.push(await play(scenario));
  process.stdout.write(JSON.stringify(results));
})();
