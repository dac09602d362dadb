"""uv installs what a lock pins; pip does where uv cannot; neither does without the hashes."""

import importlib.util
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from checks import install
from tests.support.project import ROOT

DEVELOPMENT = "requirements-dev.txt"
OTHER = "/other/bin/python"


class Tools:
    """uv and pip, which install nothing here."""

    def __init__(self, *, uv_fails: bool) -> None:
        self.calls: list[list[str]] = []
        self.locks: list[str] = []
        self.uv_fails = uv_fails

    def call(self, command: Sequence[str], **_: Any) -> int:
        """Note a call, and the text of the lock that it names last."""
        self.calls.append([str(one) for one in command[2:]])
        lock = Path(command[-1])
        self.locks.append(lock.read_text() if lock.is_file() else "")
        return 2 if self.uv_fails and command[2] == "uv" else 0


def installed(
    monkeypatch: pytest.MonkeyPatch, *arguments: str, has_uv: bool = True, uv_fails: bool = False
) -> Tools:
    tools = Tools(uv_fails=uv_fails)
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr(subprocess, "call", tools.call)
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: has_uv or None)
    assert install.main(*arguments) == 0
    return tools


def test_uv_installs_with_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    tools = installed(monkeypatch, DEVELOPMENT)

    (call,) = tools.calls
    assert call[:3] == ["uv", "pip", "install"]
    assert call[-5:] == ["--python", sys.executable, "--require-hashes", "-r", DEVELOPMENT]


def test_pip_installs_what_uv_could_not_with_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    tools = installed(monkeypatch, DEVELOPMENT, OTHER, uv_fails=True)

    uv, pip = tools.calls
    assert uv[:3] == ["uv", "pip", "install"]
    assert uv[uv.index("--python") + 1] == pip[pip.index("--python") + 1] == OTHER
    assert pip[0] == "pip"
    assert pip[-3:] == ["--require-hashes", "-r", DEVELOPMENT]


def test_uv_itself_is_installed_first_as_the_lock_pins_it(monkeypatch: pytest.MonkeyPatch) -> None:
    tools = installed(monkeypatch, DEVELOPMENT, has_uv=False)

    assert [call[0] for call in tools.calls] == ["pip", "uv"]
    assert "--require-hashes" in tools.calls[0]
    lines = tools.locks[0].splitlines()
    assert re.fullmatch(r"uv==[0-9.]+ \\", lines[0])
    assert all(re.fullmatch(r"    --hash=sha256:[0-9a-f]{64}(?: \\)?", one) for one in lines[1:])


def test_a_lock_without_uv_is_installed_by_pip(monkeypatch: pytest.MonkeyPatch) -> None:
    tools = installed(monkeypatch, "requirements.txt", has_uv=False, uv_fails=True)

    assert [call[0] for call in tools.calls] == ["uv", "pip"]
