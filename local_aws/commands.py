"""Run the commands of `python -m local_aws`, such as `make deploy-local` and `destroy-local`."""

import contextlib
import json
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from local_aws import faults, logs, monitoring, processes, program, report, toolchain
from local_aws.engine import ACCOUNT, REGION, LocalAws, LocalAwsError, PortTakenError
from local_aws.personalize import Behaviour
from local_aws.rehearsal import sample
from local_aws.rehearsal.data import WATCH, Data
from local_aws.rehearsal.findings import findings
from local_aws.rehearsal.reading import BadDataError, read
from local_aws.rehearsal.recipes import STAND_INS, TOP_PICKS
from local_aws.rehearsal.training import RefusedError, StandIn

PREFERRED_PORT: Final = 4566

_STACK: Final = "TopPicks"
_DATASET_GROUP: Final = "vod"
"""The dataset group of the sample; for other files the name ends with their digest.

So other files need another dataset group, which needs another recommender, which trains on them.
"""
_DIGEST: Final = 8
_GATE_SECONDS: Final = 6
_SIX_GATES: Final = 0.01
"""Hours."""
_MORE_INTERACTIONS: Final = 500_000
_MORE_ITEMS: Final = 2_000
"""So many each get six gates more, since they take longer to train on."""
_MOST_ITEMS: Final = 12_000
"""More items than these take no longer: not every pair of them is learnt about."""
NO_TEAM_ACCOUNTS: Final = {
    "environments": "",
    "pipeline": "",
    "@aws-cdk/core:permissionsBoundary": "",
    "@aws-cdk/core:bootstrapQualifier": "hnb659fds",
}
"""Context that removes a team's accounts from its cdk.json: they would not work here."""
_CONTEXT: Final = NO_TEAM_ACCOUNTS | {
    "training_gate_minutes": _GATE_SECONDS / 60,
    "poll_interval_seconds": 1,
    "monitoring": True,
}
_BEHAVIOUR: Final = {
    "metrics": None,  # no fixed ones: those that are measured
    "create_pending": 2.0,
    "create_in_progress": 4.0 * _GATE_SECONDS,  # so three gates hand over; a fourth sees it end
    "update_pending": 1.0,
    "update_in_progress": 4.0,
    "stop": 4.0,
    "start": 4.0,
    "delete": 4.0,
}
"""Seconds instead of the hour and more that each takes on AWS; a training may take longer."""
_CONSENT: Final = {"deploy": "--require-approval=never", "destroy": "--force"}
"""For the commands that would ask: the CLI gets no standard input here."""


def deploy(folder: Path, port: int | None, files: Path | None = None) -> int:
    """Start the local AWS if need be, deploy the stack to it, and show the result."""
    files = (files or sample.FOLDER).resolve()
    imported = _read(files)
    name = "the sample (invented data)" if files == sample.FOLDER else str(files)
    print(report.on_data(name, findings(imported)), flush=True)
    group = _dataset_group(files, imported)
    outputs_file = folder / "outputs.json"
    outputs_file.unlink(missing_ok=True)
    with _kept_running(folder, port) as aws:
        aws.bootstrap()
        aws.seed_dataset_group(group, data=str(files))
        settings = _settings(
            group=group, interactions=len(imported.user), items=len(imported.items)
        )
        _settings_file(aws).write_text(json.dumps(settings))
        print(f"Deploying {_STACK} with the stock CDK CLI.", flush=True)
        began = datetime.now(UTC)
        code = aws.cdk("synth", "--quiet", *_as_arguments(folder, settings)).returncode
        if not code:
            print(f"Plan: {_plan(aws, folder)}", flush=True)
            code = aws.cdk(
                "deploy",
                _STACK,
                _CONSENT["deploy"],
                f"--outputs-file={outputs_file}",
                f"--app={_assembly(folder)}",
            ).returncode
    if code:
        reasons = report.reasons(aws, _STACK, since=began)
        print(report.failure(f"cdk deploy failed (exit code {code})", aws, reasons))
        return code
    outputs = json.loads(outputs_file.read_text())[_STACK]
    found = report.recommended(aws, outputs, imported)
    for line in monitoring.observe(aws, _STACK):
        print(report.observation(line))
    print(report.summary(aws, outputs, found))
    return 0


def _plan(aws: LocalAws, folder: Path) -> str:
    """Return the first line of `operations plan`; if that fails, it is the reason."""
    command = (sys.executable, "-m", "operations", "plan", "--app", str(_assembly(folder)))
    ended = processes.run(
        (*command, "--stack", _STACK), env=aws.env(), cwd=toolchain.ROOT, capture=True
    )
    return ended.stdout.partition("\n")[0]


def data(files: Path, html: Path | None, recipe: str = TOP_PICKS) -> int:
    """Report on a folder of data, train on it, and measure; exit code 1 if it is refused."""
    if html:
        _check_page(html, files)
    imported = _read(files)
    stand_in = STAND_INS[recipe]
    found = findings(imported, watched=stand_in.event_type == WATCH)
    print(report.on_data(str(files), found), flush=True)
    trained: StandIn | str
    try:
        trained = stand_in(imported)
        print(report.trained(trained, imported))
    except RefusedError as refused:
        trained = str(refused)
        print(f"A training on this ends in CREATE FAILED: {refused}")
    if html:
        from local_aws import page  # noqa: PLC0415  # its library of plots is slow to import

        shown = page.data_page(str(files), imported, found, trained)
        html.write_text(shown, encoding="utf-8", errors="backslashreplace")
        print(f"Open in a browser: {html}")
    return int(isinstance(trained, str))


def _check_page(html: Path, files: Path) -> None:
    """Fail, before anything is read, if a page cannot be written; leave nothing behind."""
    if not html.parent.is_dir():
        raise LocalAwsError(
            f"The folder {html.parent} does not exist. Create it, or name another file."
        )
    if html.suffix == ".csv" and html.parent.resolve() == files.resolve():
        raise LocalAwsError(f"{html} is a file of the data. Name another file for the page.")
    is_new = not html.exists()
    html.open("a").close()
    if is_new:
        html.unlink()


def _read(files: Path) -> Data:
    try:
        return read(files, now=time.time())
    except BadDataError as error:
        raise LocalAwsError(
            f"{files} cannot be imported. Nothing was imported:\n{error}"
        ) from error


def _dataset_group(files: Path, imported: Data) -> str:
    if files == sample.FOLDER:
        return _DATASET_GROUP
    return f"{_DATASET_GROUP}-{imported.digest[:_DIGEST]}"


def destroy(folder: Path, _: int | None) -> int:
    """Destroy the stack, prove that nothing of it is left, and stop the local AWS."""
    aws = LocalAws.find(folder)
    if aws is None:
        print(f"There is nothing to destroy: no local AWS runs in {folder}.")
        return 0
    if not aws.is_healthy():
        aws.stop()
        print("The local AWS did not answer. It was stopped, and its state in memory is lost.")
        return 0
    with _ended_if_interrupted(aws):
        print(f"Destroying {_STACK} with the stock CDK CLI.", flush=True)
        began = datetime.now(UTC)
        code = aws.cdk("destroy", _STACK, _CONSENT["destroy"], *_app_arguments(folder)).returncode
        left, owners = report.leftovers(aws), report.owners(aws)
        print(report.proof(left, owners))
        whose = {report.whose(name, owners) for names in left.values() for name in names}
        others = whose - {"", _STACK}  # a resource of no stack may be ours
        is_clean = whose == others
        if not code and not any(left.values()):
            aws.stop()
            print("The local AWS has been stopped.")
            return 0
    if code:
        since = report.deletion_began(aws, _STACK, at_latest=began)
        reasons = report.reasons(aws, _STACK, since=since)
        print(report.failure(f"cdk destroy failed (exit code {code})", aws, reasons))
    else:
        print(report.not_stopped(_STACK, others, is_clean=is_clean))
    if not is_clean:
        print(report.way_out(_STACK, is_there=_STACK in left.get("stacks", ())))
    return code or int(not is_clean)


def cdk(folder: Path, arguments: Sequence[str]) -> int:
    """Run the stock CDK CLI on the local AWS, with the settings of its deployment."""
    aws = _running(folder)
    began = datetime.now(UTC)
    match [*arguments]:
        case [command, *others] if not command.startswith("-"):
            consent = [_CONSENT[command]] if command in _CONSENT else []
            settings = _effective_settings(aws)
            ours = _as_arguments(folder, settings)
            account, region = _place(settings["dataset_group_arn"])
            arguments = (command, *consent, *ours, *others)
            code = aws.cdk(*arguments, account=account, region=region).returncode
        case _:
            code = aws.cdk(*arguments).returncode
    if code and (reasons := report.reasons(aws, _STACK, since=began)):
        print(report.why(reasons))
    return code


def observe(folder: Path, _: int | None) -> int:
    """Invoke the observer of the stack in place of its schedule, and show the alarms."""
    aws = _running(folder)
    lines = monitoring.observe(aws, _STACK)
    if not lines:
        raise LocalAwsError(f"No stack {_STACK} with monitoring is deployed.")
    for line in lines:
        print(report.observation(line))
    print(report.alarms(monitoring.alarms(aws)))
    return 0


def show_faults(folder: Path, assignments: Sequence[str]) -> int:
    """List the faults of the simulated service, or set them (name=value ..., or reset)."""
    aws = _running(folder)
    if not assignments:
        print(faults.listed(aws.personalize_behaviour(), _usual_behaviour()))
        return 0
    fields = _usual_behaviour() if [*assignments] == [faults.RESET] else faults.given(assignments)
    aws.adjust_personalize(fields)
    print(faults.differing(aws.personalize_behaviour(), _usual_behaviour()))
    return 0


def show_logs(folder: Path, *, follow: bool) -> int:
    """Print the log of the functions."""
    for line in logs.lines(_running(folder), follow=follow):
        print(line, flush=True)
    return 0


def start(
    folder: Path, port: int | None, groups: Sequence[str] = (), files: Path | None = None
) -> int:
    """Start the local AWS, bootstrapped and with dataset groups, without deploying to it."""
    folder_of_data = (files or sample.FOLDER).resolve()
    imported = _read(folder_of_data)
    settings = _settings(interactions=len(imported.user), items=len(imported.items))
    arns = groups or [str(settings["dataset_group_arn"])]
    with _kept_running(folder, port) as aws:
        for arn in arns:
            account, region = _place(arn)
            name = arn.rpartition("/")[2]
            aws.bootstrap(account=account, region=region)
            aws.seed_dataset_group(name, account=account, region=region, data=str(folder_of_data))
        if groups or files:
            _settings_file(aws).write_text(json.dumps({**settings, "dataset_group_arn": arns[0]}))
    _show_status(aws)
    return 0


def _env(aws: LocalAws) -> dict[str, str]:
    """Return the environment of commands: the account and region of the first dataset group."""
    account, region = _place(_effective_settings(aws)["dataset_group_arn"])
    return aws.env(account=account, region=region)


def _place(dataset_group_arn: object) -> tuple[str, str]:
    """Return the account and region of a dataset group."""
    _, _, _, region, account, _ = str(dataset_group_arn).split(":")
    return account, region


def stop(folder: Path, _: int | None) -> int:
    """Stop the local AWS; its state is lost."""
    aws = LocalAws.find(folder)
    if aws:
        aws.stop()
    print("The local AWS has been stopped." if aws else "No local AWS runs.")
    return 0


def status(folder: Path, _: int | None) -> int:
    """Show whether the local AWS runs, how to reach it, and its faults; exit code 1 if not."""
    aws = LocalAws.find(folder)
    if aws is None or not aws.is_healthy():
        print("The local AWS does not answer." if aws else "No local AWS runs.")
        return 1
    _show_status(aws)
    return 0


def run(folder: Path, command: Sequence[str]) -> int:
    """Run a command against the local AWS, and return its exit code: 2 if none runs."""
    if not command:
        raise LocalAwsError("No command given. For example: run aws cloudformation describe-stacks")
    if command[0] == "npx":
        raise LocalAwsError("npx cannot be run. Leave it out, for example: run cdk deploy")
    try:
        aws = _running(folder)
    except LocalAwsError as error:
        print(error, file=sys.stderr)
        return 2
    return subprocess.call(command, env=_env(aws), cwd=toolchain.ROOT)  # noqa: S603  # the user's


def _show_status(aws: LocalAws) -> None:
    set_here = faults.differing(aws.personalize_behaviour(), _usual_behaviour())
    settings = {
        key: value for key, value in _effective_settings(aws).items() if key not in NO_TEAM_ACCOUNTS
    }
    groups = [one["datasetGroupArn"] for one in aws.personalize_state()["datasetGroups"]]
    print(report.status(aws, env=_env(aws), groups=groups, settings=settings, faults=set_here))


def _running(folder: Path) -> LocalAws:
    aws = LocalAws.find(folder)
    if aws is None or not aws.is_healthy():
        raise LocalAwsError(
            f"{'The local AWS does not answer' if aws else 'No local AWS runs'}: {program.START}"
        )
    return aws


@contextlib.contextmanager
def _kept_running(folder: Path, port: int | None) -> Iterator[LocalAws]:
    """Yield a local AWS that is ready to be deployed to and stays, unless this is interrupted."""
    aws = LocalAws.find(folder)
    if aws and not aws.is_healthy():
        aws.stop()
        aws = None
    if aws:
        print(f"Using the local AWS that runs at {aws.endpoint}.", flush=True)
        if port not in (None, aws.port):
            print(f"To move it to port {port}, run `{program.STOP}` first.", flush=True)
    else:
        aws = _start(folder, port)
        print(f"Started a local AWS at {aws.endpoint}.", flush=True)
        with _ended_if_interrupted(aws):
            aws.adjust_personalize(_BEHAVIOUR)
    with _ended_if_interrupted(aws):
        yield aws
    aws.detach()


@contextlib.contextmanager
def _ended_if_interrupted(aws: LocalAws) -> Iterator[None]:
    try:
        yield
    except BaseException:
        print("Stopping the local AWS and everything that runs in it.", file=sys.stderr, flush=True)
        aws.stop()
        raise


def _start(folder: Path, port: int | None) -> LocalAws:
    if port is not None:
        return LocalAws.start(folder, port=port)
    try:
        return LocalAws.start(folder, port=PREFERRED_PORT)
    except PortTakenError:
        print(f"Port {PREFERRED_PORT} is in use. Using another one.")
        return LocalAws.start(folder)


def _usual_behaviour() -> dict[str, Any]:
    """Return all fields of the simulated service as they are until `faults` sets them."""
    return {**json.loads(Behaviour().to_json()), **_BEHAVIOUR}


def _settings(
    *, group: str = _DATASET_GROUP, interactions: int = 0, items: int = 0
) -> dict[str, object]:
    more = interactions // _MORE_INTERACTIONS + min(items, _MOST_ITEMS) // _MORE_ITEMS
    return {
        **_CONTEXT,
        "dataset_group_arn": f"arn:aws:personalize:{REGION}:{ACCOUNT}:dataset-group/{group}",
        "max_training_hours": round(_SIX_GATES * (1 + more), 2),
    }


def _settings_file(aws: LocalAws) -> Path:
    return aws.data / "settings.json"


def _effective_settings(aws: LocalAws) -> dict[str, object]:
    """Return the settings of the last deployment, or those of a first one."""
    try:
        return dict(json.loads(_settings_file(aws).read_text()))
    except FileNotFoundError:
        return _settings()


def _app_arguments(
    folder: Path, *, group: str = _DATASET_GROUP, interactions: int = 0, items: int = 0
) -> list[str]:
    settings = _settings(group=group, interactions=interactions, items=items)
    return _as_arguments(folder, settings)


def _as_arguments(folder: Path, settings: Mapping[str, object]) -> list[str]:
    return [
        f"--output={_assembly(folder)}",
        *(f"--context={key}={_as_context(value)}" for key, value in settings.items()),
    ]


def _assembly(folder: Path) -> Path:
    return folder / "cdk.out"


def _as_context(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)
