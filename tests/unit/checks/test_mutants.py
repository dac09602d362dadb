import pytest

from checks import mutants
from checks.mutants import Mutant, wrong_with

MODULES = sorted(path.stem for path in mutants.PACKAGE.glob("*.py"))
CHANGE = ("@ plan.settle", "- return done", "+ return None")


@pytest.fixture(autouse=True)
def _in_the_repository(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mutants, "modules", lambda: ["plan"])
    monkeypatch.setattr(mutants, "named", lambda: {CHANGE})


def run(*survivors: tuple[str, ...], killed: int = 98) -> list[Mutant]:
    noticed = [Mutant("plan", ("@ plan.other", f"+ {n}"), True) for n in range(killed)]
    return noticed + [Mutant("plan", change, False) for change in survivors]


@pytest.mark.parametrize("module", MODULES)
def test_every_module_that_decides_or_talks_is_changed(
    module: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()

    assert (module in mutants.modules()) is (module not in mutants.UNCHANGED)


def test_a_module_that_is_no_more_is_not_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()

    assert set(mutants.modules()) <= set(MODULES)


def test_nothing_is_wrong_where_what_survives_is_what_is_named() -> None:
    assert list(wrong_with(run(CHANGE))) == []


@pytest.mark.parametrize(
    ("survivors", "wrong"),
    [
        ([CHANGE, ("@ plan.new", "- 1", "+ 2")], "survives, and docs/mutants.md does not name it:"),
        ([], "does not survive, but docs/mutants.md names it:"),
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
    change = ("@ identity.Owner.of", "- and", "+ or")
    monkeypatch.setattr(mutants, "named", lambda: {change})

    assert next(iter(wrong_with(run(change)))) == "must not survive:"


def test_most_are_killed() -> None:
    assert list(wrong_with(run(CHANGE, killed=8))) == ["fewer than 90% are killed"]


def test_a_module_in_which_nothing_is_changed_is_missed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mutants, "modules", lambda: ["plan", "events"])

    assert list(wrong_with(run(CHANGE))) == [
        "nothing is changed in events, which pyproject.toml names"
    ]
