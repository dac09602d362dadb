"""Part 3: measure a cold start against a bare client, from nothing to the end of the first poll.

Each start is a process of its own, against a stub of AWS on this machine that answers one
recommender in training: import, clients, first call. The end of a process is not in it, since a
function comes to none. The bare client is boto3's for Personalize, with one DescribeRecommender.
All of boto3 is compiled, as in Lambda's runtime; our own files are not, as in the asset that is
deployed, and then they are.
"""

import compileall
import json
import shutil
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final

from benchmarks.processes import ROOT, Used, in_turn, run, seconds
from benchmarks.table import Pairs, Row
from lambdas.recommender.protocol.execution import Execution

_ROUNDS: Final = 9
_TARGET: Final = "1.05"
_OTHER: Final = "bare client"
_PACKAGE: Final = ROOT / "lambdas" / "recommender"
_ARN: Final = "arn:aws:personalize:eu-west-1:111111111111:recommender/one"
_STACK: Final = "arn:aws:cloudformation:eu-west-1:111111111111:stack/TopPicks/1"

_END: Final = """
import os, re, resource, sys
if sys.platform == "linux":  # where ru_maxrss has in it what the process was forked from
    with open("/proc/self/status") as status:
        print("peak KiB", re.search(r"VmHWM:\\s+([0-9]+)", status.read())[1])
else:
    print("peak KiB", resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
sys.stdout.flush()
os._exit(0)  # a function is frozen after a poll: it ends nothing
"""
_BARE: Final = f"""
import boto3
boto3.client("personalize").describe_recommender(recommenderArn={_ARN!r})
{_END}"""
_SDK: Final = f"""
import botocore.session
api = botocore.session.get_session().create_client("personalize")
api.describe_recommender(recommenderArn={_ARN!r})
{_END}"""
_OURS: Final = f"""
import json, sys
from recommender import handler
getattr(handler, sys.argv[1])(json.loads(sys.argv[2]), None)
{_END}"""

_RECOMMENDER: Final = {
    "recommender": {
        "recommenderArn": _ARN,
        "name": "one",
        "status": "CREATE IN_PROGRESS",
        "creationDateTime": 1767225600.0,
        "lastUpdatedDateTime": 1767225600.0,
    }
}
_STACKS: Final = f"""<DescribeStacksResponse><DescribeStacksResult><Stacks><member>
<StackId>{_STACK}</StackId><StackName>TopPicks</StackName><StackStatus>CREATE_IN_PROGRESS</StackStatus>
<CreationTime>2026-01-01T00:00:00Z</CreationTime></member></Stacks></DescribeStacksResult>
</DescribeStacksResponse>"""


class _Region(ThreadingHTTPServer):
    """A region with one recommender, which trains.

    Attributes:
        asked: the operations that were called; ``PUT`` is an answer to CloudFormation.
    """

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Stub)
        self.asked: list[str] = []

    @property
    def endpoint(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self.server_port}"


class _Stub(BaseHTTPRequestHandler):
    """Answers the requests of the functions."""

    server: _Region

    def do_POST(self) -> None:  # http.server's name
        """Answer a call."""
        operation = self.headers.get("X-Amz-Target", "").rpartition(".")[2] or "DescribeStacks"
        answers = {
            "DescribeRecommender": json.dumps(_RECOMMENDER),
            "StartExecution": json.dumps({"executionArn": "arn", "startDate": 1767225600.0}),
        }
        self._answer(operation, answers.get(operation, _STACKS))

    def do_PUT(self) -> None:
        """Take an answer to CloudFormation."""
        self._answer("PUT", "")

    def _answer(self, operation: str, text: str) -> None:
        self.server.asked.append(operation)
        self.rfile.read(int(self.headers["Content-Length"]))
        body = text.encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def region() -> Iterator[_Region]:
    """Have one answer on this machine."""
    with _Region() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


def _event(endpoint: str, resource_type: str, **properties: object) -> dict[str, Any]:
    return {
        "RequestType": "Create",
        "ResponseURL": f"{endpoint}/answer",
        "StackId": _STACK,
        "RequestId": "1",
        "LogicalResourceId": "Link",
        "ResourceType": resource_type,
        "ResourceProperties": {"ServiceToken": "arn", "WaitSeconds": "3300", **properties},
    }


def starts(endpoint: str, folder: Path) -> dict[str, Callable[[], Used]]:
    """Return the starts, each a process of its own, with copies of our files in a folder."""
    as_text, compiled = folder / "text", folder / "compiled"
    for place in (as_text, compiled):
        shutil.copytree(
            _PACKAGE, place / "recommender", ignore=shutil.ignore_patterns("__pycache__")
        )
    compileall.compile_dir(compiled, quiet=1)
    waiting = _event(  # a training gate
        endpoint,
        "Custom::RecommenderTraining",
        RecommenderArn=_ARN,
        Link="1",
        Links="11",
        Running="true",
        UpdatedAfter="none",
        RecommenderConfig={"minRecommendationRequestsPerSecond": "1"},
    )
    finished = _event(  # a sweep that is created is answered at once
        endpoint, "Custom::RecommenderSweep", NamePrefix="TopPicks", Link="1", Links="11"
    )
    later = 4_102_444_800.0  # so that there is time left
    polled = Execution(
        waiting, interval=60.0, sent=later, begun=later, attempts=1, seconds=60
    ).to_json()
    return {
        "bare": partial(_start, endpoint, as_text, _BARE),
        "sdk": partial(_start, endpoint, as_text, _SDK),
        "poll": partial(_start, endpoint, as_text, _OURS, "poll", polled),
        "compiled": partial(_start, endpoint, compiled, _OURS, "poll", polled),
        "finished": partial(_start, endpoint, as_text, _OURS, "begin", finished),
        "waiting": partial(_start, endpoint, as_text, _OURS, "begin", waiting),
    }


def cold_start() -> list[Row]:
    """Part 3."""
    with tempfile.TemporaryDirectory() as name, region() as server:
        measured = in_turn(_ROUNDS, **starts(server.endpoint, Path(name)))
    bare = measured["bare"]
    files = shipped()
    named = {
        "sdk": "a bare client of botocore's, as ours is",
        "poll": "cold start of `poll`, a training gate",
        "compiled": "the same, with our files compiled",
        "finished": "cold start of `begin`, answered at once",
        "waiting": "cold start of `begin`, which has it waited for",
    }
    how = (
        f"Processor time of {_ROUNDS} processes each, in turn, from nothing to the end of the "
        "first poll, against a stub on this machine"
    )
    return [
        *(
            Pairs(seconds(measured[name]), seconds(bare)).row(
                what, how, other=_OTHER, target="" if name in ("sdk", "waiting") else _TARGET
            )
            for name, what in named.items()
        ),
        Pairs([_mib(one) for one in measured["poll"]], [_mib(one) for one in bare]).row(
            "peak memory of `poll`",
            "The same processes; resident memory at most",
            other=_OTHER,
            target=_TARGET,
            digits=1,
            unit=" MiB",
        ),
        Row(
            what="asset",
            ours=f"{sum(one.stat().st_size for one in files):,} bytes in {len(files)} files",
            how="The files that are deployed, before they are zipped",
        ),
    ]


def shipped() -> list[Path]:
    """Return the files of the functions, which are deployed."""
    return sorted(_PACKAGE.rglob("*.py"))


def _start(endpoint: str, package: Path, code: str, *arguments: Any) -> Used:
    return run(
        ["-c", code, *(one if isinstance(one, str) else json.dumps(one) for one in arguments)],
        environment={
            "PYTHONPATH": str(package),
            "PYTHONDONTWRITEBYTECODE": "1",
            "AWS_ENDPOINT_URL": endpoint,
            "AWS_ACCESS_KEY_ID": "none",
            "AWS_SECRET_ACCESS_KEY": "none",
            "AWS_REGION": "eu-west-1",
            "AWS_DEFAULT_REGION": "eu-west-1",
            "STATE_MACHINE_ARN": "arn:aws:states:eu-west-1:111111111111:stateMachine:one",
            "POLL_INTERVAL_SECONDS": "60",
        },
        folder=package,
    )


def _mib(used: Used) -> float:
    return int(used.said.rpartition("peak KiB ")[2]) / 1024
