"""A local AWS as the end-to-end tests use it."""

import itertools
import json
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, Self

from local_aws import toolchain
from local_aws.commands import NO_TEAM_ACCOUNTS
from local_aws.engine import ACCOUNT, REGION, LocalAws

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


class LocalWorld:
    """A bootstrapped local AWS with a dataset group, in which everything is over in seconds."""

    def __init__(self, aws: LocalAws) -> None:
        self.aws = aws
        self.dataset_group_arn = aws.seed_dataset_group(DATASET_GROUP)
        self._behaviour = aws.personalize_state()["behaviour"]
        self._clients: dict[str, Any] = {}
        self._runs = itertools.count(1)
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
            context: Settings beside the dataset group; gates wait 6 s, half a minute in all.
        """
        full = self.arguments(command, *arguments, context=context)
        return self.aws.cdk(*full, capture=True, timeout=_TIMEOUT)

    def destroy(self, stack: str = STACK) -> str:
        """Destroy a stack that may exist, and return what the terminal shows of it."""
        destroyed = self.cdk("destroy", stack)
        assert destroyed.returncode == 0, destroyed.stdout
        return destroyed.stdout

    def arguments(
        self, command: str, *arguments: str, context: Mapping[str, object] | None = None
    ) -> list[str]:
        """Return the arguments of the CDK CLI with which `cdk` would run it.

        What has been synthesised from the same settings is not synthesised again, nor anything for
        a `destroy`, which looks at the names of the stacks only.
        """
        settings = self._settings(context)
        key = "" if command == "destroy" else _key(settings)
        known = self._assemblies.get(key)
        if known and (known / "manifest.json").exists():
            app = [f"--app={known}"]
        else:
            output = self.aws.folder / f"cdk.out-{next(self._runs)}"
            self._assemblies |= {key: output, "": output}
            app = [
                f"--output={output}",
                *(f"--context={name}={_as_context(value)}" for name, value in settings.items()),
            ]
        consent = {"deploy": ["--require-approval=never"], "destroy": ["--force"]}
        return [command, *arguments, *consent.get(command, []), *app]

    def assembly(self, context: Mapping[str, object]) -> Path:
        """Synthesise, and return the assembly that `cdk` deploys for these settings from now on."""
        synthesised = self.cdk("synth", "--quiet", context=context)
        assert synthesised.returncode == 0, synthesised.stdout
        return self._assemblies[_key(self._settings(context))]

    def client(self, service: str) -> Any:
        """Return a boto3 client with all permissions in the account."""
        if service not in self._clients:
            self._clients[service] = self.aws.client(service)
        return self._clients[service]

    def outputs(self, stack: str = STACK) -> dict[str, str]:
        """Return the outputs of a stack by their names."""
        stacks = self.client("cloudformation").describe_stacks(StackName=stack)["Stacks"]
        return {one["OutputKey"]: one["OutputValue"] for one in stacks[0].get("Outputs", [])}

    def personalize_state(self) -> dict[str, Any]:
        """Return all that the simulated Personalize holds."""
        return self.aws.personalize_state()

    def personalize_journal(self) -> list[dict[str, Any]]:
        """Return all calls to the simulated Personalize so far."""
        return self.aws.personalize_journal()

    def set_behaviour(self, **fields: Any) -> None:
        """Let the simulated Personalize behave as it does by default, fast, but for the fields."""
        self.aws.adjust_personalize(self._behaviour | _FAST | fields)

    def seed(self, name: str, **properties: Any) -> str:
        """Put a dataset group in place and return its ARN."""
        return self.aws.seed_dataset_group(name, **properties)

    def _settings(self, context: Mapping[str, object] | None) -> dict[str, object]:
        return {
            **NO_TEAM_ACCOUNTS,
            "dataset_group_arn": self.dataset_group_arn,
            "training_gate_minutes": 0.1,
            "max_training_hours": 0.0085,
            "poll_interval_seconds": 1,
            **(context or {}),
        }


def until(holds: Callable[[], object], seconds: float = 60.0) -> None:
    """Wait for something that another process does."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def _key(settings: Mapping[str, object]) -> str:
    return json.dumps(settings, sort_keys=True)


def _as_context(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)


__all__ = ["ACCOUNT", "DATASET_GROUP", "REGION", "STACK", "LocalWorld", "until"]
