"""The package alone, in an empty folder: an app of somebody else's, by the commands of the page."""

import os
import re
import shlex
import subprocess
from pathlib import Path

import pytest

from tests.support import wheel
from tests.unit.test_how_tos import PAGES, blocks

GROUP = "arn:aws:personalize:us-east-1:222222222222:dataset-group/films"
APP = f"""
from aws_cdk import App, Duration, Environment, Stack
from top_picks_recommender import RecommenderService, TopPicksRecommender

app = App()
stack = Stack(app, "Video", env=Environment(account="222222222222", region="us-east-1"))
RecommenderService.shared(stack, poll_interval=Duration.seconds(1))
TopPicksRecommender(stack, "TopPicks", dataset_group_arn="{GROUP}", training_gates=2, sweeps=2)
app.synth()
"""
SHOWN = {
    "start": f"Dataset groups:\n  {GROUP}\n",
    "cdk synth": "",
    "plan": "first training",
    "cdk deploy": "Video",
    "status": "Status       ACTIVE",
    "drift": "matches the stack's template",
    "cdk destroy": "Video: destroyed",
    "leftovers": "No recommender in us-east-1 carries",
    "stop": "The local AWS has been stopped.",
}
"""A part of each command's output."""
CODES = {"plan": 4}
"""The exit codes other than 0."""


@pytest.fixture
def team(tmp_path: Path) -> Path:
    """Return a folder with an app and the CDK CLI, and nothing of this repository."""
    folder = tmp_path / "team"
    folder.mkdir()
    (folder / "app.py").write_text(APP)
    (folder / "cdk.json").write_text('{"app": "python3 app.py"}')
    (folder / "node_modules").symlink_to(wheel.ROOT / "node_modules")
    return folder


@pytest.mark.long
def test_a_team_rehearses_its_own_app_with_the_package_alone(team: Path, tmp_path: Path) -> None:
    programs = wheel.environment(wheel.built(tmp_path / "wheel"), tmp_path / "venv")
    (commands,) = (one for one in blocks(PAGES["own-app.md"], "sh") if "--group" in one)
    env = {"HOME": str(tmp_path), "PATH": os.pathsep.join((str(programs), os.defpath))}
    printed = {}
    try:
        for command in commands.splitlines():
            ran = subprocess.run(
                shlex.split(command),
                cwd=team,
                env=env,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                timeout=300,
                check=False,
            )
            printed[command] = ran.stdout
            expected = next((CODES[name] for name in CODES if f" {name} " in command), 0)
            assert ran.returncode == expected, f"{command}\n{ran.stdout}"
    finally:
        subprocess.run(["top-picks-local", "stop"], cwd=team, env=env, check=False)

    for command, output in printed.items():
        (part,) = (part for name, part in SHOWN.items() if f" {name} " in f"{command} ")
        assert part in output, command
    assert not re.search(r"make [a-z]+-local|make status|python -m ", "".join(printed.values()))
