"""Write the texts that the commands print, from the state that they read."""

import json
import re
import textwrap
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import takewhile
from typing import Any, Final

from botocore.exceptions import ClientError

from local_aws import program
from local_aws.engine import ACCOUNT, REGION, LocalAws
from local_aws.personalize.recipes import RECIPES
from local_aws.rehearsal import NOTICE
from local_aws.rehearsal.data import Data
from local_aws.rehearsal.evaluation import Compared, Evaluation, explanation
from local_aws.rehearsal.findings import Finding
from local_aws.rehearsal.recipes import STAND_INS, TOP_PICKS
from local_aws.rehearsal.training import StandIn
from local_aws.text import filled

_RECOMMENDATIONS: Final = 3
_LISTED: Final = 10
_COLUMNS: Final = ("TITLE", "GENRES")
_REASONS: Final = 3
"""The first failures; the later ones follow from these."""

_NOTICE: Final = filled(NOTICE)
_SIMULATED: Final = f"""\
{_NOTICE}

Real here: the stack, its Lambda code and the CDK CLI, unmodified. Simulated here:
  - Amazon Personalize, with a training of seconds; local_aws/rehearsal/training.py describes the
    stand-in and its limits.
  - AWS itself (CloudFormation, IAM, Lambda, Step Functions, S3, ...), by ministack.
A deployment that works here can still fail in an account: quotas, service limits and costs are
AWS's own."""

_KINDS: Final = (
    ("stacks", "cloudformation", "describe_stacks", "Stacks[].StackName"),
    ("recommenders", "personalize", "list_recommenders", "recommenders[].name"),
    ("Lambda functions", "lambda", "list_functions", "Functions[].FunctionName"),
    ("state machines", "stepfunctions", "list_state_machines", "stateMachines[].name"),
    ("schedules", "scheduler", "list_schedules", "Schedules[].Name"),
    ("rules", "events", "list_rules", "Rules[].Name"),
    ("alarms", "cloudwatch", "describe_alarms", "MetricAlarms[].AlarmName"),
    ("dashboards", "cloudwatch", "list_dashboards", "DashboardEntries[].DashboardName"),
    ("log groups", "logs", "describe_log_groups", "logGroups[].logGroupName"),
    ("IAM roles", "iam", "list_roles", "Roles[].RoleName"),
    ("SSM parameters", "ssm", "describe_parameters", "Parameters[].Name"),
    (
        "schedule groups",
        "scheduler",
        "list_schedule_groups",
        "ScheduleGroups[?Name!='default'].Name",
    ),
)
"""Kinds of resources: the name, and the service, paginated operation and JMESPath that list it."""
_STACK_TAG: Final = "top-picks:stack-id"
_BOOTSTRAP: Final = ("CDKToolkit", "cdk-", "/cdk-bootstrap/")
"""How the names begin that `cdk bootstrap` gives to its own, which stay, as they do on AWS."""


def leftovers(
    aws: LocalAws, *, account: str = ACCOUNT, region: str = REGION
) -> dict[str, list[str]]:
    """Return the names of all resources but those of the CDK bootstrap, by kind."""
    return {
        kind: [
            name
            for name in aws.client(service, account=account, region=region)
            .get_paginator(operation)
            .paginate()
            .search(names)
            if not name.startswith(_BOOTSTRAP)
        ]
        for kind, service, operation, names in _KINDS
    }


def owners(aws: LocalAws) -> dict[str, str]:
    """Map the names of stacks and of their resources to the stack's name.

    A recommender belongs to the stack that its tags name, even if the stack is gone.
    """
    cloudformation = aws.client("cloudformation")
    found: dict[str, str] = {}
    stacks = cloudformation.get_paginator("describe_stacks").paginate()
    for stack in stacks.search("Stacks[].StackName"):
        resources = cloudformation.get_paginator("list_stack_resources").paginate(StackName=stack)
        ids = resources.search("StackResourceSummaries[].PhysicalResourceId")
        found |= {_name_in(one): stack for one in ids if one} | {stack: stack}
    personalize = aws.client("personalize")
    recommenders = personalize.get_paginator("list_recommenders").paginate()
    for arn in recommenders.search("recommenders[].recommenderArn"):
        tags = personalize.list_tags_for_resource(resourceArn=arn)["tags"]
        ids = [tag["tagValue"] for tag in tags if tag["tagKey"] == _STACK_TAG]
        found |= {_name_in(arn): one.split("/")[1] for one in ids if "/" in one}
    return found


def whose(name: str, owners: Mapping[str, str]) -> str:
    """Return the stack that something belongs to, or nothing if no stack has it.

    A function's log group belongs to the function, even if no stack has it as a resource.
    """
    return owners.get(name) or owners.get(name.removeprefix("/aws/lambda/"), "")


def _name_in(physical_id: str) -> str:
    return re.split("[:/]", physical_id)[-1] if physical_id.startswith("arn:") else physical_id


def proof(left: Mapping[str, Sequence[str]], owners: Mapping[str, str]) -> str:
    """Return a table of the resources left in the account, and of their stacks."""
    table = _table(
        (kind, ", ".join(_of_a_stack(name, whose(name, owners)) for name in names) or "none")
        for kind, names in left.items()
    )
    return f"\nLeft in the account, in addition to the resources of `cdk bootstrap`:\n{table}\n"


def _of_a_stack(name: str, stack: str) -> str:
    return f"{name} (of {stack})" if stack not in ("", name) else name


def not_stopped(stack: str, others: Collection[str], *, is_clean: bool) -> str:
    """Return why the local AWS goes on running after a stack is destroyed.

    Args:
        stack: that stack.
        others: the other stacks that remaining resources belong to.
        is_clean: whether nothing is left that may be that stack's.
    """
    if is_clean:
        left = f"None of its resources is left. The others belong to {', '.join(sorted(others))}."
    else:
        left = "The list above has resources that belong to it, or to no stack."
    goes_on = f"The local AWS goes on running; `{program.STOP}` stops it."
    return f"{stack} is destroyed. {left}\n{goes_on}\n"


def way_out(stack: str, *, is_there: bool) -> str:
    """Return the commands that remove a stack's leftovers, and the stack if it exists."""
    lines = f"""\
The way out, when the cause is gone. Delete the leftover recommenders; the command names those that
it must not delete:
  {program.LOCAL_AWS} run {program.OPERATIONS} leftovers --delete --stack {stack}
"""
    if not is_there:
        return lines
    return f"""{lines}\
Then delete the stack again:
  {program.DESTROY}
Only if that fails, force it (`{program.STOP}` removes everything):
  {program.LOCAL_AWS} run aws cloudformation delete-stack --stack-name {stack} \\
    --deletion-mode FORCE_DELETE_STACK
"""


def on_data(name: str, found: Sequence[Finding]) -> str:
    """Return the findings about data, before anything is trained on it."""
    lines = "\n".join(
        f"  {one.verdict:8} {one.subject}: {one.found}\n{_indented(_with_source(one))}"
        for one in found
    )
    return f"""
The data in {name}, compared with the service's requirements and recommendations:
{lines}
  [In brackets]: the page under docs.aws.amazon.com/personalize/latest/dg/ with the source.
"""


def _with_source(one: Finding) -> str:
    return f"{one.meaning} [{one.source}]" if one.source else one.meaning


def _indented(text: str) -> str:
    return filled(text, " " * 11, " " * 11)


def trained(model: StandIn, data: Data) -> str:
    """Return the metrics of a model, how sure they are, and the choices that they depend on.

    A model without metrics has one list for all users, which is shown, too.
    """
    found = [item_id for item_id, _ in model.recommend("", _LISTED)] if model.unmeasured else []
    rows = [{"itemId": one, "metadata": _metadata(data, one)} for one in found]
    return _paragraphs(
        _rule(type(model)),
        measured(type(model), model.metrics, model.evaluation),
        f"{model.title}:\n{_items(rows)}" if rows else "",
        _NOTICE,
    )


def _paragraphs(*texts: str) -> str:
    return "\n\n".join(text for text in texts if text) + "\n"


def _metadata(data: Data, item_id: str) -> dict[str, str]:
    row = data.metadata.get(item_id, {})
    return {name.lower(): row[name] for name in _COLUMNS if name in row}


def _rule(stand_in: type[StandIn], name: str = "") -> str:
    """Return how a stand-in orders items; nothing for top picks, which is the main job."""
    if stand_in.recipe == TOP_PICKS:
        return ""
    return filled(f"{name or 'A model'} of recipe {stand_in.recipe}. {stand_in.rule}")


def measured(
    stand_in: type[StandIn], metrics: Mapping[str, float], evaluation: Evaluation | None
) -> str:
    """Return metrics, how sure they are, and the choices that they depend on.

    Args:
        stand_in: The stand-in for the recipe.
        metrics: The `modelMetrics`.
        evaluation: Those that were measured, if any were.
    """
    if not metrics:
        return filled(f"Metrics: n/a. {stand_in.unmeasured}".rstrip())
    if evaluation is None or metrics != evaluation.values:
        rows = ((name, f"{value:8.4f}") for name, value in metrics.items())
        return f"Metrics, fixed by a switch. Nothing was measured:\n{_table(rows)}"
    head = ("", f"measured          popularity  verdict{_splits_head(evaluation)}")
    lines = (
        (
            name,
            f"{one.value:.4f}{_plus_minus(one.error)}  {one.popularity:10.4f}  {one.verdict:7}"
            f"{_splits(one)}".rstrip(),
        )
        for name, one in evaluation.metrics.items()
    )
    words = "\n".join(filled(text, "  ", "  ") for text in explanation(evaluation))
    choices = "\n".join(filled(text, "  - ", "    ") for text in evaluation.choices)
    return f"""\
Metrics, measured on {evaluation.tested:,} of {evaluation.users:,} users, without training on them:
{_table([head, *lines])}

{words}
  AWS does not document these choices; other choices can double or halve a metric:
{choices}"""


def _plus_minus(error: float | None) -> str:
    return " " * 9 if error is None else f" ± {error:.4f}"


def _splits_head(evaluation: Evaluation) -> str:
    return "  ten splits" if evaluation.splits > 1 else ""


def _splits(one: Compared) -> str:
    return "" if one.mean is None else f"  {one.mean:.4f}{_plus_minus(one.deviation)}"


@dataclass(frozen=True)
class Recommended:
    """A recommender of a stack, and some recommendations of it."""

    described: Mapping[str, Any]
    """Its true state."""
    user: str
    item: str
    """The X of a recipe that has one."""
    items: Sequence[Mapping[str, Any]]
    """As an application would get them, with the existing metadata."""


def recommended(aws: LocalAws, outputs: Mapping[str, str], data: Data) -> list[Recommended]:
    """Ask each recommender of a stack that serves for the first user of the data.

    Args:
        aws: Where it is.
        outputs: Those of the stack.
        data: The data that it was trained on.
    """
    found = [
        one
        for one in aws.personalize_state()["recommenders"]
        if one["recommenderArn"] in outputs.values() and one["status"] == "ACTIVE"
    ]
    order = list(STAND_INS)
    found.sort(key=lambda one: (order.index(_recipe_of(one)), one["name"]))
    user = data.users[0]
    item = data.newest_watched(user) or data.items[data.items_of(data.history(user))[-1]]
    return [Recommended(one, user, item, _ask(aws, one, user, item, data)) for one in found]


def _recipe_of(described: Mapping[str, Any]) -> str:
    return str(described["recipeArn"]).rpartition("/")[2]


def _ask(
    aws: LocalAws, described: Mapping[str, Any], user: str, item: str, data: Data
) -> list[Mapping[str, Any]]:
    named = {"userId": user, "itemId": item}
    request: dict[str, Any] = {
        name: named[name] for name in RECIPES[_recipe_of(described)].parameters
    }
    if described["recommenderConfig"].get("enableMetadataWithRecommendations"):
        request["metadataColumns"] = {"ITEMS": [n for n in _COLUMNS if n in data.item_columns]}
    answer = aws.client("personalize-runtime").get_recommendations(
        recommenderArn=described["recommenderArn"], numResults=_RECOMMENDATIONS, **request
    )
    return list(answer["itemList"])


def _items(found: Iterable[Mapping[str, Any]]) -> str:
    return _table(
        (one["itemId"], json.dumps(one.get("metadata", {}), ensure_ascii=False)) for one in found
    )


def _row(one: Recommended) -> str:
    """Return the metrics of a recommender, and the items that it recommends."""
    described, stand_in = one.described, STAND_INS[_recipe_of(one.described)]
    evaluation = Evaluation.of(described["evaluation"]) if "evaluation" in described else None
    title = stand_in.title.format(you=one.user, item=one.item)
    return _paragraphs(
        _rule(stand_in, described["name"]),
        measured(stand_in, described.get("modelMetrics", {}), evaluation),
        f"{title}, returned by GetRecommendations with item metadata:\n{_items(one.items)}",
    )


def summary(aws: LocalAws, outputs: Mapping[str, str], found: Sequence[Recommended]) -> str:
    """Return the result of a deployment and the next steps.

    Args:
        aws: Where it is.
        outputs: Those of the stack.
        found: Its recommenders, with recommendations.
    """
    shown = ((name, value) for name, value in outputs.items() if not name.endswith("ModelMetrics"))
    rows = "\n".join(map(_row, found))
    return f"""
Outputs of the stack, without ModelMetrics (these metrics as JSON):
{_table(shown)}

{rows}
{_SIMULATED}

The local AWS goes on running. Next steps:
{_table(_next_steps(aws))}
"""


def observation(line: Mapping[str, Any]) -> str:
    """Return a line of monitoring, and the reason for its being written now."""
    return f"""
The observer writes this line. CloudWatch makes metrics from it, which dashboard and alarms read.
The local AWS runs no schedule, so this command has invoked the observer:
{json.dumps(line)}"""


def alarms(descriptions: Sequence[str]) -> str:
    """Return the alarms that are on, and which alarms the local engine evaluates."""
    shown = [filled(one, "  - ", "    ") for one in descriptions] or ["  none"]
    title = "Alarms on one metric that are on (others are not evaluated here):"
    return "\n".join(["", title, *shown])


def reasons(aws: LocalAws, stack: str, *, since: datetime) -> list[str]:
    """Return the first failures in a stack, each with its reason, in the order of the events."""
    events = [event for event in _events(aws, stack) if event["Timestamp"] >= since]
    return [
        f"{event['LogicalResourceId']} ({event['ResourceType']}), {event['ResourceStatus']}: "
        f"{event['ResourceStatusReason']}"
        for event in reversed(events)
        if event["ResourceStatus"].endswith("_FAILED")
        and event["ResourceType"] != "AWS::CloudFormation::Stack"
        and "cancelled" not in event.get("ResourceStatusReason", "cancelled")
    ][:_REASONS]


def deletion_began(aws: LocalAws, stack: str, *, at_latest: datetime) -> datetime:
    """Return when the first deletion of a stack began: after one that fails, only others follow.

    Failures in the later deletions follow from the first one, which has deleted the functions.
    """
    of_the_stack = (one for one in _events(aws, stack) if one["LogicalResourceId"] == stack)
    deletions = takewhile(lambda one: one["ResourceStatus"].startswith("DELETE_"), of_the_stack)
    return min((one["Timestamp"] for one in deletions), default=at_latest)


def _events(aws: LocalAws, stack: str) -> list[Mapping[str, Any]]:
    """Return the events of a stack, newest first; none if there is no such stack."""
    pages = aws.client("cloudformation").get_paginator("describe_stack_events")
    try:
        return [event for page in pages.paginate(StackName=stack) for event in page["StackEvents"]]
    except ClientError:
        return []


def why(reasons: Sequence[str]) -> str:
    """Return the reasons of a failure, for the end of the output."""
    lines = "\n".join(filled(reason, "  ", "    ") for reason in reasons)
    return f"\nReasons, from the events of the stack:\n{lines}"


def failure(problem: str, aws: LocalAws, reasons: Sequence[str] = ()) -> str:
    """Return the next steps after a failed command, and the reasons of its failure.

    Args:
        problem: The failure.
        aws: The local AWS, which goes on running.
        reasons: Those of the stack; without any, the CLI has just printed the reason.
    """
    if not reasons:
        return f"""
{problem}. The output of the CDK CLI above has the reason.
The local AWS goes on running: `{program.LOCAL_AWS} status`.
"""
    return f"""
The local AWS goes on running. Next steps:
{_table(_next_steps(aws))}

{problem}.
{why(reasons)}
"""


def status(
    aws: LocalAws,
    *,
    env: Mapping[str, str],
    groups: Sequence[str],
    settings: Mapping[str, object],
    faults: str,
) -> str:
    """Return the addresses of a local AWS, its dataset groups, its settings and its faults.

    Args:
        aws: Which one.
        env: The environment of the AWS CLI and SDKs.
        groups: The ARNs of the dataset groups.
        settings: The settings of the deployment of this repository's stack.
        faults: The switches of the simulated service that differ from the defaults.
    """
    exports = "\n".join(
        f"export {name}={value}" for name, value in env.items() if name.startswith("AWS_")
    )
    listed = "\n".join(groups)
    deployed = f"""
Settings of `{program.LOCAL_AWS} cdk ...`, in addition to those of cdk.json:
{_table((key, json.dumps(value)) for key, value in settings.items())}
"""
    return f"""
The local AWS runs at {aws.endpoint} (process {aws.pid}).
{_table(_next_steps(aws))}

For the AWS CLI and SDKs:
{textwrap.indent(exports, "  ")}

Dataset groups:
{textwrap.indent(listed, "  ")}
{deployed if program.IN_REPOSITORY else ""}
Switches of the simulated Personalize that differ from the defaults (`{program.LOCAL_AWS} faults`):
{textwrap.indent(faults, "  ")}
"""


def _next_steps(aws: LocalAws) -> Iterable[tuple[str, str]]:
    yield from program.NEXT_STEPS
    yield "make it fail", f"{program.LOCAL_AWS} faults"
    yield "logs of functions", f"{program.LOCAL_AWS} logs"
    yield "log of the local AWS", str(aws.log)
    yield "page for a browser", f"{aws.endpoint}/_personalize/"
    yield "the simulated Personalize", f"{aws.endpoint}/_personalize/state"


def _table(rows: Iterable[tuple[str, str]]) -> str:
    rows = list(rows)
    width = max((len(name) for name, _ in rows), default=0)
    return "\n".join(f"  {name:{width}}  {value}" for name, value in rows)
