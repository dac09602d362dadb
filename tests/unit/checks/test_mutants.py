import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from checks import mutants
from checks.mutants import Mutant, wrong_with

MODULES = sorted(
    mutants.module_of(path)
    for path in mutants.PACKAGE.rglob("*.py")
    if path.stem != "__init__" or "def " in path.read_text()
)
CHANGE = ("@ decision.plan.settle", "- return done", "+ return None")


@pytest.fixture(autouse=True)
def _in_the_repository(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mutants, "modules", lambda: ["decision.plan"])
    monkeypatch.setattr(mutants, "named", lambda: {CHANGE})


def run(*survivors: tuple[str, ...], killed: int = 98) -> list[Mutant]:
    noticed = [
        Mutant("decision.plan", ("@ decision.plan.other", f"+ {n}"), True) for n in range(killed)
    ]
    return noticed + [Mutant("decision.plan", change, False) for change in survivors]


def test_every_module_that_decides_or_talks_is_changed_and_no_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.undo()

    assert sorted([*mutants.modules(), *mutants.UNCHANGED]) == MODULES


def test_nothing_is_wrong_where_what_survives_is_what_is_named() -> None:
    assert list(wrong_with(run(CHANGE))) == []


@pytest.mark.parametrize(
    ("survivors", "wrong"),
    [
        (
            [CHANGE, ("@ decision.plan.new", "- 1", "+ 2")],
            "survives, and docs/internals/mutants.md does not name it:",
        ),
        ([], "does not survive, but docs/internals/mutants.md names it:"),
    ],
)
def test_what_survives_is_named_and_nothing_else(
    survivors: list[tuple[str, ...]], wrong: str
) -> None:
    said, _change = wrong_with(run(*survivors))

    assert said == wrong


def test_nothing_survives_in_what_says_whose_a_recommender_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    change = ("@ model.identity.Owner.of", "- and", "+ or")
    monkeypatch.setattr(mutants, "named", lambda: {change})

    assert next(iter(wrong_with(run(change)))) == "must not survive:"


def test_most_are_killed() -> None:
    assert list(wrong_with(run(CHANGE, killed=8))) == ["fewer than 90% are killed"]


def test_a_module_in_which_nothing_is_changed_is_missed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mutants, "modules", lambda: ["decision.plan", "events"])

    assert list(wrong_with(run(CHANGE))) == [
        "nothing is changed in events, which pyproject.toml names"
    ]


MUTATED = """\
def x_add__mutmut_orig(one, other):
    return one + other

def x_add__mutmut_1(one, other):
    return one - other
"""
NAME = "lambdas.recommender.decision.plan.x_add__mutmut_1"
ADDED = ("@ decision.plan.add", "- return one + other", "+ return one - other")


def recorded(folder: Path, code: int | None) -> None:
    """Write what mutmut leaves behind after a mutant has ended with a code, or was never run."""
    mutated = folder / mutants.COPY / mutants.PACKAGE / "decision" / "plan.py"
    mutated.parent.mkdir(parents=True)
    mutated.write_text(MUTATED)
    Path(f"{mutated}.meta").write_text(json.dumps({"exit_code_by_key": {NAME: code}}))


KILLED = [1, 3, 36, -24, 24, 152, 255]
SURVIVED = [0, 5, 33, 34, 2, 35, 37, -11, None]


@pytest.mark.parametrize("code", [*KILLED, *SURVIVED])
def test_a_mutant_is_killed_only_if_a_test_noticed_it_or_it_never_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int | None
) -> None:
    monkeypatch.chdir(tmp_path)
    recorded(tmp_path, code)

    assert list(mutants.made()) == [Mutant("decision.plan", ADDED, code in KILLED)]


@pytest.mark.parametrize(("code", "fails"), [(1, False), (0, True), (33, True)])
def test_make_mutants_fails_by_what_mutmut_has_recorded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int, fails: bool
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: recorded(tmp_path, code))
    monkeypatch.setattr(mutants, "named", set)

    with pytest.raises(SystemExit) as ended:
        mutants.main()

    assert ("survives" in str(ended.value.code)) is fails


def test_a_mutmut_that_fails_is_no_result(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "mutmut").symlink_to("/bin/false")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "executable", os.fspath(tmp_path / "bin" / "python"))

    with pytest.raises(subprocess.CalledProcessError):
        mutants.main()
