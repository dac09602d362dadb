"""The app as `cdk synth` runs it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from aws_cdk import App

from app import main
from stacks.settings import SettingsError

APP = Path(__file__).parents[2] / "app.py"


def test_a_wrong_setting_ends_in_one_message_and_no_traceback() -> None:
    run = subprocess.run(
        [sys.executable, APP],
        env={**os.environ, "CDK_CONTEXT_JSON": '{"dataset_group_arn": "vod"}'},
        capture_output=True,
        text=True,
        check=False,
    )

    assert run.returncode == 1
    assert run.stdout == ""
    assert run.stderr.strip().splitlines() == [run.stderr.strip()]
    assert run.stderr.strip().startswith('Setting dataset_group_arn: got "vod"; allowed: arn:')


def test_nothing_is_built_of_wrong_settings() -> None:
    app = App(context={"dataset_group_arn": "vod"})

    with pytest.raises(SettingsError):
        main(app)

    assert not app.node.try_find_child("TopPicks")
