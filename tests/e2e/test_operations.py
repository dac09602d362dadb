"""`python -m operations` on the local AWS: along a deployment, after an edit, out of a dead end."""

import json
import os
import pty
import re
import subprocess
import sys
from typing import Any

from local_aws import toolchain
from local_aws.report import leftovers
from operations.account import CHECKS, READS
from tests.support.local_world import STACK, LocalWorld, operations, until

_ERASE = "\r\x1b[K"


class Terminal:
    """A command that runs in a terminal."""

    def __init__(self, world: LocalWorld, *arguments: str) -> None:
        self._reader, writer = pty.openpty()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "operations", *arguments],
            env=world.aws.env(),
            cwd=toolchain.ROOT,
            stdin=writer,
            stdout=writer,
            stderr=writer,
        )
        os.close(writer)

    def read(self) -> str:
        """Return all that is written to it until the command ends."""
        parts = []
        try:
            while part := os.read(self._reader, 65536):
                parts.append(part)
        except OSError:  # Linux: nobody has the other end any more
            pass
        self.process.wait(60)
        os.close(self._reader)
        return b"".join(parts).decode().replace("\r\n", "\n")


def deploying(world: LocalWorld, **settings: Any) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [*toolchain.CDK, *world.arguments("deploy", STACK, context=settings)],
        env=world.aws.env(),
        cwd=toolchain.ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def stack_status(world: LocalWorld) -> str:
    cloudformation = world.client("cloudformation")
    try:
        return str(cloudformation.describe_stacks(StackName=STACK)["Stacks"][0]["StackStatus"])
    except cloudformation.exceptions.ClientError:
        return ""


def test_a_whole_deployment_is_followed_in_a_terminal_of_80_columns(world: LocalWorld) -> None:
    missing = operations(world, "status")
    assert missing.returncode == 2
    assert f"There is no stack {STACK} in eu-west-1" in missing.stdout
    world.set_behaviour(create_in_progress=8.0)
    deployment = deploying(world)
    try:
        until(lambda: stack_status(world) == "CREATE_IN_PROGRESS")
        terminal = Terminal(world, "status", "--follow", "--interval", "0.4")
        shown = terminal.read()
        assert deployment.wait(60) == 0
    finally:
        deployment.kill()
        deployment.wait()

    assert terminal.process.returncode == 0, shown
    lines = [line for part in shown.split("\n") for line in part.split(_ERASE)]
    assert all(len(line) < 80 for line in lines), shown
    assert lines[0] == f"{STACK} in eu-west-1 is CREATE_IN_PROGRESS."
    polls = [line for line in lines if "at most" in line]
    hours = [match[1] for line in polls if (match := re.search(r"Hour(\d\d)Of06", line))]
    assert len(set(hours)) >= 3
    assert hours == sorted(hours)
    shares = [line.count("#") for line in polls]
    assert shares == sorted(shares)
    assert any("CREATE IN_PROGRESS" in line for line in polls)
    assert re.fullmatch(rf"{STACK} is CREATE_COMPLETE after \d+ s\.", lines[-2])

    status = operations(world, "status")
    assert status.returncode == 0, status.stdout + status.stderr
    assert f"Stack        {STACK} in eu-west-1\nOperation    CREATE_COMPLETE for " in status.stdout
    assert "ACTIVE for " in status.stdout
    assert "3600 recommendations an hour at least" in status.stdout
    assert "ACTIVE, as configured, by the stack's template (GetTemplate)" in status.stdout
    assert max(map(len, status.stdout.splitlines())) < 80
    world.destroy()
    assert operations(world, "drift").returncode == 2


def test_plan_says_before_each_step_what_it_does_and_changes_nothing(world: LocalWorld) -> None:
    def plan(context: dict[str, Any] | None = None, *options: str) -> tuple[int, list[str]]:
        app = str(world.assembly(context))
        ran = operations(world, "plan", "--app", app, *options)
        assert not ran.stderr
        return ran.returncode, ran.stdout.splitlines()

    code, lines = plan()
    assert (code, lines[0]) == (4, f"first training: {STACK}-{'?' * 16} is created and trained")
    world.deployed()
    one = world.recommender
    before = len(world.personalize_journal())
    assert plan() == (0, [f"nothing: {one['name']} stays as it is", *plan()[1][1:]])
    code, lines = plan({"exploration_weight": 0.7})
    assert (code, lines[0]) == (3, f"in place: {one['name']} is updated")
    assert "Settings     exploration_weight: 0.3 -> 0.7" in lines
    code, lines = plan(None, "--destroy", "--format", "json")
    shown = json.loads("\n".join(lines))
    assert (code, shown["kind"], shown["exit_code"]) == (4, "removal", 4)
    calls = {call["operation"] for call in world.personalize_journal()[before:]}
    assert calls <= {*READS, *CHECKS}

    missing = operations(world, "plan", "--app", "nowhere")
    assert missing.returncode == 2
    assert "Could not read the cloud assembly: nowhere has no manifest.json." in missing.stderr
    assert "Run npx cdk synth first" in missing.stderr
    world.destroy()


def test_a_stack_that_has_lost_its_functions_is_got_rid_of(world: LocalWorld) -> None:
    world.deployed()
    functions = world.client("lambda")
    for one in functions.list_functions()["Functions"]:
        if one["FunctionName"].startswith(STACK):
            functions.delete_function(FunctionName=one["FunctionName"])

    cloudformation = world.client("cloudformation")
    cloudformation.delete_stack(StackName=STACK)
    followed = operations(world, "status", "--follow", "--interval", "0.5")
    assert followed.returncode == 1, followed.stdout
    assert f"{STACK} is DELETE_FAILED after" in followed.stdout
    assert "not found" in followed.stdout
    assert len(world.recommenders) == 1
    assert any(leftovers(world.aws).values())

    asked = operations(world, "leftovers", "--delete")
    assert asked.returncode == 2
    assert "add --yes" in asked.stdout
    assert len(world.recommenders) == 1

    removed = operations(world, "leftovers", "--delete", "--yes", "--interval", "0.5")
    assert removed.returncode == 0, removed.stdout + removed.stderr
    assert world.recommenders == []
    command = f"aws cloudformation delete-stack --stack-name {STACK} --region eu-west-1 "
    assert command + "--deletion-mode FORCE_DELETE_STACK" in removed.stdout

    cloudformation.delete_stack(StackName=STACK, DeletionMode="FORCE_DELETE_STACK")
    until(lambda: stack_status(world) == "")
    assert operations(world, "leftovers").returncode == 0
