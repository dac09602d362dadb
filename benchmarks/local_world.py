"""Part 6: the local AWS, by the clock on the wall, and the virtual clock compared with it."""

import os
import re
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from benchmarks.deployments import TimedAccount
from benchmarks.processes import ROOT
from benchmarks.table import Row
from lambdas.recommender import vocabulary as v
from tests.support.local_world import STACK, LocalWorld
from tests.support.synthesis import Deployable

_TRAINING: Final = 75.0
_POLL: Final = 10
_CREATE, _DESCRIBE, _OK = "CreateRecommender", "DescribeRecommender", "OK"
_LINKS: Final = (v.SWEEP_TYPE, v.TRAINING_GATE_TYPE, v.RECOMMENDER_TYPE)


def fresh_clone() -> Iterator[Row]:
    """Clone the last commit, set it up, deploy it and destroy it."""
    with tempfile.TemporaryDirectory() as name, socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        free.close()
        clone = Path(name) / "clone"
        steps = {
            "git clone": ["git", "clone", "--quiet", str(ROOT), str(clone)],
            "make setup": ["make", "-C", str(clone), "setup"],
            "make deploy-local": ["make", "-C", str(clone), "deploy-local", f"PORT={port}"],
            "make destroy-local": ["make", "-C", str(clone), "destroy-local"],
        }
        for step, command in steps.items():
            yield Row(
                what=f"fresh clone: {step}",
                ours=f"{_wall(command):.0f} s",
                how="By the clock; packages from the registries of this machine",
            )


def suites() -> Iterator[Row]:
    """Run `make check` suite by suite, if the part is named: it takes longer than all others."""
    for target in targets_of_check():
        took = _wall(["make", "-C", str(ROOT), target])
        yield Row(what=f"make {target}", ours=f"{took:.0f} s", how="By the clock")


def targets_of_check() -> list[str]:
    """Return the targets that `make check` goes through."""
    (targets,) = re.findall(r"^check: (.+?) ##", (ROOT / "Makefile").read_text(), re.MULTILINE)
    return str(targets).split()


def local_aws() -> list[Row]:
    """Deploy to the local AWS: with all links finished, and with a training that is waited for."""
    with tempfile.TemporaryDirectory() as folder, LocalWorld.start(Path(folder)) as world:
        return [_finished_links(world), *_unscaled(world)]


def _finished_links(world: LocalWorld) -> Row:
    world.set_behaviour(create_pending=0.0, create_in_progress=0.0, delete=0.0)
    _deploy(world, {"training_gate_minutes": 55, "max_training_hours": 10})
    links: dict[str, list[float]] = {}
    for event in _events(world):
        if event["ResourceType"] in _LINKS:
            links.setdefault(event["LogicalResourceId"], []).append(event["Timestamp"].timestamp())
    took = sorted(max(times) - min(times) for times in links.values())
    world.destroy()
    return Row(
        what=f"{len(links)} links with everything finished",
        ours=f"{sum(took):.1f} s together, of which {took[-1]:.1f} s the recommender, which polls",
        how="Unscaled, local AWS: from CREATE_IN_PROGRESS to CREATE_COMPLETE, a training of 0 s",
    )


def _unscaled(world: LocalWorld) -> list[Row]:
    settings = {
        "training_gate_minutes": 55,
        "max_training_hours": 2.5,
        "max_deletion_hours": 2.5,
        "poll_interval_seconds": _POLL,
    }
    world.set_behaviour(create_pending=0.0, create_in_progress=_TRAINING, delete=0.0)
    _deploy(world, settings)
    unscaled = Waited.of(
        [
            (call["operation"], call["time"])
            for call in world.personalize_journal()
            if call["outcome"] == _OK
        ],
        complete=max(event["Timestamp"].timestamp() for event in _events(world)),
    )
    world.destroy()
    account = TimedAccount(_TRAINING)
    stack = account.cloud.stack()
    stack.create(Deployable.of("TopPicks", settings))
    virtual = Waited.of(
        [(call.operation, call.time) for call in account.service.journal if call.outcome == _OK],
        complete=stack.events[-1].time,
    )
    return [
        Row(
            what=f"polls of a training of {_TRAINING:.0f} s",
            ratio=f"{unscaled.polls / virtual.polls:.2f}",
            ours=f"{unscaled.polls} unscaled, on the local AWS; the last one {unscaled.late:.1f} s "
            "after its end",
            other=f"virtual clock: {virtual.polls}; {virtual.late:.1f} s",
            how=f"The same settings, polls every {_POLL} s, three gates; checks the virtual clock. "
            "How late the last one is, is by chance: up to a poll",
        ),
        Row(
            what="from that poll to complete",
            ours=f"{unscaled.rest:.2f} s unscaled, on the local AWS",
            other=f"virtual clock: {virtual.rest:.2f} s",
            how="The same. The virtual clock assumes more: a second for each gate that is left",
        ),
    ]


@dataclass(frozen=True)
class Waited:
    """How a training was waited for.

    Attributes:
        polls: calls of DescribeRecommender while it lasted, and the one that saw its end.
        late: seconds from its end to that one.
        rest: seconds from that one to the stack's being complete.
    """

    polls: int
    late: float
    rest: float

    @classmethod
    def of(cls, calls: Iterable[tuple[str, float]], *, complete: float) -> "Waited":
        """Read it from the calls that the service has answered, and their times."""
        calls = list(calls)
        end = _TRAINING + max(time for operation, time in calls if operation == _CREATE)
        polls = [time for operation, time in calls if operation == _DESCRIBE]
        saw = min(time for time in polls if time >= end)
        during = sum(end - _TRAINING < time <= saw for time in polls)
        return cls(during, saw - end, complete - saw)


def _deploy(world: LocalWorld, settings: Mapping[str, object]) -> None:
    deployed = world.cdk("deploy", context=settings)
    if deployed.returncode:
        raise RuntimeError(deployed.stdout)


def _events(world: LocalWorld) -> list[dict[str, Any]]:
    pages = world.client("cloudformation").get_paginator("describe_stack_events")
    return [event for page in pages.paginate(StackName=STACK) for event in page["StackEvents"]]


def _wall(command: list[str]) -> float:
    began = time.monotonic()
    environment = {name: text for name, text in os.environ.items() if name not in _OWN}
    done = subprocess.run(  # noqa: S603  # our own commands
        command, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}:\n{done.stdout}{done.stderr}")
    return time.monotonic() - began


_OWN: Final = ("MAKEFLAGS", "MAKELEVEL", "MFLAGS", "VIRTUAL_ENV", "PYTHONPATH")
"""Variables that the surrounding make passes on; a fresh clone is set up without them."""
