"""What `make deploy-local` and `make destroy-local` do."""

import contextlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from local_aws import report
from local_aws.engine import ACCOUNT, REGION, LocalAws, PortTakenError

PREFERRED_PORT: Final = 4566

_STACK: Final = "TopPicks"
_DATASET_GROUP: Final = "vod"
_GATE_SECONDS: Final = 6
NO_TEAM_ACCOUNTS: Final = {
    "environments": "",
    "pipeline": "",
    "@aws-cdk/core:permissionsBoundary": "",
    "@aws-cdk/core:bootstrapQualifier": "hnb659fds",
}
"""Context that takes away what a cdk.json says about a team's accounts: it would not work here."""
_CONTEXT: Final = NO_TEAM_ACCOUNTS | {
    "dataset_group_arn": f"arn:aws:personalize:{REGION}:{ACCOUNT}:dataset-group/{_DATASET_GROUP}",
    "training_gate_minutes": _GATE_SECONDS / 60,
    "max_training_hours": 6 * _GATE_SECONDS / 3600,
    "poll_interval_seconds": 1,
}
_BEHAVIOUR: Final = {
    "create_pending": 2.0,
    "create_in_progress": 4.0 * _GATE_SECONDS,  # so three gates hand over; a fourth sees it end
    "update_pending": 1.0,
    "update_in_progress": 4.0,
    "stop": 4.0,
    "start": 4.0,
    "delete": 4.0,
}
"""Seconds instead of the hour and more that each takes on AWS."""


def deploy(folder: Path, port: int | None) -> int:
    """Start the local AWS if need be, deploy the stack to it, and show what came of it."""
    outputs_file = folder / "outputs.json"
    outputs_file.unlink(missing_ok=True)
    with _kept_running(folder, port) as aws:
        print(f"Deploying {_STACK} with the stock CDK CLI.", flush=True)
        code = aws.cdk(
            "deploy",
            _STACK,
            "--require-approval=never",
            f"--outputs-file={outputs_file}",
            *_app_arguments(folder),
        ).returncode
    if code:
        print(report.failure(f"cdk deploy failed (exit code {code}): the reason is above.", aws))
        return code
    outputs = json.loads(outputs_file.read_text())[_STACK]
    recommendations = report.recommendations(aws, outputs["RecommenderArn"])
    print(report.summary(aws, outputs, recommendations))
    return 0


def destroy(folder: Path, _: int | None) -> int:
    """Destroy the stack, prove that nothing of it is left, and stop the local AWS."""
    aws = LocalAws.find(folder)
    if aws is None:
        print(f"There is nothing to destroy: no local AWS runs in {folder}.")
        return 0
    if not aws.is_healthy():
        aws.stop()
        print("The local AWS did not answer and has been ended; its state was in memory.")
        return 0
    with _ended_if_interrupted(aws):
        print(f"Destroying {_STACK} with the stock CDK CLI.", flush=True)
        code = aws.cdk("destroy", _STACK, "--force", *_app_arguments(folder)).returncode
        left = report.leftovers(aws)
        print(report.proof(left))
        if code:
            problem = f"cdk destroy failed (exit code {code}): the reason is above."
        elif any(left.values()):
            problem = "The stack is gone, but not all that belonged to it."
        else:
            aws.stop()
            print("The local AWS has been stopped.")
            return 0
    print(report.failure(problem, aws))
    return code or 1


def start(folder: Path, port: int | None) -> int:
    """Start the local AWS, bootstrapped and with a dataset group, without deploying to it."""
    with _kept_running(folder, port) as aws:
        pass
    print(report.status(aws))
    return 0


def stop(folder: Path, _: int | None) -> int:
    """Stop the local AWS; its state is lost."""
    aws = LocalAws.find(folder)
    if aws:
        aws.stop()
    print("The local AWS has been stopped." if aws else "No local AWS runs.")
    return 0


def status(folder: Path, _: int | None) -> int:
    """Say whether the local AWS runs, and how to reach it; exit code 1 if it does not."""
    aws = LocalAws.find(folder)
    if aws is None or not aws.is_healthy():
        print("The local AWS does not answer." if aws else "No local AWS runs.")
        return 1
    print(report.status(aws))
    return 0


@contextlib.contextmanager
def _kept_running(folder: Path, port: int | None) -> Iterator[LocalAws]:
    """Yield a local AWS that is ready to be deployed to and stays, unless this is interrupted."""
    aws = LocalAws.find(folder)
    if aws and not aws.is_healthy():
        aws.stop()
        aws = None
    if aws:
        print(f"Using the local AWS that runs at {aws.endpoint}.", flush=True)
    else:
        aws = _start(folder, port)
        print(f"Started a local AWS at {aws.endpoint}.", flush=True)
    with _ended_if_interrupted(aws):
        aws.adjust_personalize(_BEHAVIOUR)
        aws.seed_dataset_group(_DATASET_GROUP)
        aws.bootstrap()
        yield aws
    aws.detach()


@contextlib.contextmanager
def _ended_if_interrupted(aws: LocalAws) -> Iterator[None]:
    try:
        yield
    except BaseException:
        print("Ending the local AWS and all that runs in it.", file=sys.stderr, flush=True)
        aws.stop()
        raise


def _start(folder: Path, port: int | None) -> LocalAws:
    if port is not None:
        return LocalAws.start(folder, port=port)
    try:
        return LocalAws.start(folder, port=PREFERRED_PORT)
    except PortTakenError:
        print(f"Port {PREFERRED_PORT} is taken; taking another one.")
        return LocalAws.start(folder)


def _app_arguments(folder: Path) -> list[str]:
    context = (f"--context={key}={value}" for key, value in _CONTEXT.items())
    return [f"--output={folder / 'cdk.out'}", *context]
