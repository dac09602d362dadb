"""A local AWS as the end-to-end tests use it."""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, Self

from aws_cdk import App

from app import main
from local_aws import toolchain
from local_aws.commands import NO_TEAM_ACCOUNTS
from local_aws.engine import ACCOUNT, REGION, LocalAws
from local_aws.report import leftovers
from tests.support.template import FLAGS

STACK: Final = "TopPicks"
DATASET_GROUP: Final = "vod"

_TIMEOUT: Final = 300.0
_FAST: Final = {
    "create_pending": 0.5,
    "create_in_progress": 1.0,
    "update_pending": 0.5,
    "update_in_progress": 1.0,
    "stop": 1.0,
    "start": 1.0,
    "delete": 1.0,
}
"""Seconds for what takes an hour and more on AWS."""

_OF_THE_CLI: Final = {
    "aws:cdk:enable-path-metadata": True,
    "aws:cdk:enable-asset-metadata": True,
    "aws:cdk:version-reporting": True,
}
"""The context that the CDK CLI adds."""


def local_aws(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command of `python -m local_aws`, as the targets of make do; stderr is in stdout."""
    return subprocess.run(
        [sys.executable, "-m", "local_aws", "--folder", str(folder), *arguments],
        cwd=toolchain.ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=_TIMEOUT,
        check=False,
    )


def operations(world: "LocalWorld", *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command as somebody types it, but not in a terminal."""
    return subprocess.run(
        [sys.executable, "-m", "operations", *arguments],
        env=world.aws.env(),
        cwd=toolchain.ROOT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


class LocalWorld:
    """A bootstrapped local AWS with a dataset group, in which everything is over in seconds."""

    def __init__(self, aws: LocalAws) -> None:
        self.aws = aws
        self.dataset_group_arn = aws.seed_dataset_group(DATASET_GROUP)
        self._behaviour = aws.personalize_state()["behaviour"]
        self._clients: dict[str, Any] = {}
        self._assemblies: dict[str, Path] = {}

    @classmethod
    def start(cls, folder: Path, *bootstrap_options: str) -> Self:
        """Start one; it ends with the process that does, if it is not ended before."""
        aws = LocalAws.start(folder)
        try:
            aws.bootstrap(*bootstrap_options)
            world = cls(aws)
            world.set_behaviour()
        except BaseException:
            aws.stop()
            raise
        return world

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for client in self._clients.values():
            client.close()
        self.aws.stop()

    def cdk(
        self, command: str, *arguments: str, context: Mapping[str, object] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run the CDK CLI on the real app and return all its output.

        Args:
            command: `deploy`, `destroy`, `diff`, ...; those that ask are not let ask.
            arguments: Further arguments.
            context: Settings beside the dataset group; six gates wait 3 s each.
        """
        full = self.arguments(command, *arguments, context=context)
        return self.aws.cdk(*full, capture=True, timeout=_TIMEOUT)

    def deploy(self, **settings: object) -> tuple[int, str]:
        """Deploy the stack; return the exit code and what the terminal shows, as one line."""
        ran = self.cdk("deploy", STACK, context=settings)
        return ran.returncode, " ".join(ran.stdout.split())

    def deployed(self, **settings: object) -> list[str]:
        """Deploy successfully, and return the changing calls that it made, in order."""
        before = len(self.personalize_journal())
        code, shown = self.deploy(**settings)
        assert code == 0, shown
        return self.changes(before)

    def fails(self, **settings: object) -> str:
        """Deploy without success, and return what the terminal shows, as one line."""
        code, shown = self.deploy(**settings)
        assert code != 0, shown
        return shown

    def changes(self, since: int) -> list[str]:
        """Return the calls after so many others that have changed something, in order."""
        made = self.personalize_journal()[since:]
        return [call["operation"] for call in made if call["mutating"] and call["outcome"] == "OK"]

    def destroy(self) -> None:
        """Destroy the stack, if it exists."""
        destroyed = self.cdk("destroy", STACK)
        assert destroyed.returncode == 0, destroyed.stdout

    def destroy_all(self) -> None:
        """Destroy the stack, if it exists, and prove that nothing is left in the account."""
        self.destroy()
        assert not any(leftovers(self.aws).values())

    @property
    def recommender(self) -> dict[str, Any]:
        """The only recommender that there is."""
        (only,) = self.recommenders
        return only

    @property
    def exploration_weight(self) -> str:
        """The exploration weight of that recommender."""
        exploration = self.recommender["recommenderConfig"]["itemExplorationConfig"]
        return str(exploration["explorationWeight"])

    def arguments(
        self, command: str, *arguments: str, context: Mapping[str, object] | None = None
    ) -> list[str]:
        """Return the arguments of the CDK CLI with which `cdk` would run it."""
        consent = {"deploy": ["--require-approval=never"], "destroy": ["--force"]}
        assembly = self.assembly(context)
        return [command, *arguments, *consent.get(command, []), f"--app={assembly}"]

    def assembly(self, context: Mapping[str, object] | None = None) -> Path:
        """Synthesise the app in this process, where it takes a tenth of what `app.py` takes.

        That it is what the CLI synthesises is tested, by deploying one after the other.
        """
        given = self.context(context)
        key = json.dumps(given, sort_keys=True)
        if key not in self._assemblies:
            output = self.aws.folder / f"cdk.out-{len(self._assemblies) + 1}"
            main(App(outdir=str(output), context=_OF_THE_CLI | FLAGS | given)).synth()
            self._assemblies[key] = output
        return self._assemblies[key]

    def context(self, settings: Mapping[str, object] | None = None) -> dict[str, str]:
        """Return settings, and those that all deployments have here, as the CLI takes them."""
        full: dict[str, object] = {
            **NO_TEAM_ACCOUNTS,
            "dataset_group_arn": self.dataset_group_arn,
            "training_gate_minutes": 0.05,
            "max_training_hours": 0.005,
            "poll_interval_seconds": 1,
            **(settings or {}),
        }
        return {name: _as_context(value) for name, value in full.items()}

    def client(self, service: str) -> Any:
        """Return a boto3 client with all permissions in the account."""
        if service not in self._clients:
            self._clients[service] = self.aws.client(service)
        return self._clients[service]

    def outputs(self, stack: str = STACK) -> dict[str, str]:
        """Return the outputs of a stack by their names."""
        stacks = self.client("cloudformation").describe_stacks(StackName=stack)["Stacks"]
        return {one["OutputKey"]: one["OutputValue"] for one in stacks[0].get("Outputs", [])}

    @property
    def recommenders(self) -> list[dict[str, Any]]:
        """All recommenders, as the simulated Personalize holds them."""
        return list(self.aws.personalize_state()["recommenders"])

    def personalize_journal(self) -> list[dict[str, Any]]:
        """Return all calls to the simulated Personalize so far."""
        return self.aws.personalize_journal()

    def set_behaviour(self, **fields: Any) -> None:
        """Let the simulated Personalize behave as it does by default, fast, but for the fields."""
        self.aws.adjust_personalize(self._behaviour | _FAST | fields)

    def seed(self, name: str, **properties: Any) -> str:
        """Put a dataset group in place and return its ARN."""
        return self.aws.seed_dataset_group(name, **properties)


def until(holds: Callable[[], object], seconds: float = 60.0) -> None:
    """Wait for something that another process does."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def statuses(aws: LocalAws) -> set[str]:
    """Return the statuses of all recommenders."""
    return {one["status"] for one in aws.personalize_state()["recommenders"]}


def _as_context(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)


__all__ = ["ACCOUNT", "DATASET_GROUP", "REGION", "STACK", "LocalWorld", "operations", "until"]
