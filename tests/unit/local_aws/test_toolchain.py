from pathlib import Path

import pytest

from local_aws import toolchain
from tests.support.project import run_command


def test_the_users_aws_proxies_and_tool_settings_are_not_seen(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("AWS_PROFILE", "AWS_ACCESS_KEY_ID", "HTTPS_PROXY", "CDK_HOME", "NODE_OPTIONS"):
        monkeypatch.setenv(name, "mine")
    assert "mine" not in toolchain.environment(tmp_path).values()


def test_the_cdks_validation_can_be_turned_off(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("CDK_VALIDATION", "false")
    assert toolchain.environment(tmp_path)["CDK_VALIDATION"] == "false"
    monkeypatch.delenv("CDK_VALIDATION")
    assert "CDK_VALIDATION" not in toolchain.environment(tmp_path)


def test_node_is_that_of_the_venv_itself(tmp_path: Path) -> None:
    environment = toolchain.environment(tmp_path)
    shown = run_command("node", "--print", "process.execPath", env=environment)
    assert Path(shown.stdout.strip()).samefile(toolchain.CDK[0])


def test_the_home_directory_is_not_the_users(tmp_path: Path) -> None:
    assert toolchain.environment(tmp_path)["HOME"] == str(tmp_path)
