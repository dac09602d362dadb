import pytest

from benchmarks.table import BEGIN, END, Pairs, Row, duration, rendered, replaced, spread


def test_a_ratio_is_the_median_of_pairs_taken_in_turn() -> None:
    """The ratio of the medians would be 1.00: a disturbance hits both of a pair."""
    pairs = Pairs(ours=[2.0, 30.0, 9.0], other=[1.0, 10.0, 9.0])

    assert pairs.ratio == "2.00 (1.00 to 3.00)"


def test_pairs_are_of_the_same_number() -> None:
    with pytest.raises(ValueError, match="shorter"):
        _ = Pairs(ours=[1.0, 2.0], other=[1.0]).ratio


@pytest.mark.parametrize(
    ("values", "shown"),
    [
        ([1.0], "1.0 s"),
        ([3.0, 1.0, 2.0], "2.0 s (1.0 to 3.0)"),
        ([1.0, 2.0], "1.5 s (1.0 to 2.0)"),
        ([4.0, 4.0], "4.0 s"),
    ],
)
def test_what_was_measured_has_a_median_and_its_spread(values: list[float], shown: str) -> None:
    assert spread(values, digits=1, unit=" s") == shown


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(0.0, "0 s"), (119.0, "119 s"), (120.0, "2 min"), (3900.0, "65 min"), (34200.0, "9.5 h")],
)
def test_a_duration_is_in_the_unit_that_fits(seconds: float, shown: str) -> None:
    assert duration(seconds) == shown


def test_the_table_has_a_line_for_each_row_and_the_ratio_first() -> None:
    table = rendered([Row(what="this", ratio="1.2", ours="6 s", other="5 s", how="twice")])

    assert table.splitlines()[0].startswith("| ratio | target | what ")
    assert table.splitlines()[2:] == ["| 1.2 |  | this | 6 s | 5 s | twice |"]


FIRST, LAST = BEGIN.format("one"), END.format("one")


def test_a_table_is_replaced_and_nothing_else() -> None:
    other = f"{BEGIN.format('other')}\n\nold\n\n{END.format('other')}\n"
    document = f"# Title\n\n{FIRST}\n\nold\n\n{LAST}\n\nafter\n{other}"

    once = replaced(document, "one", "new")

    assert once == f"# Title\n\n{FIRST}\n\nnew\n\n{LAST}\n\nafter\n{other}"
    assert replaced(once, "one", "new") == once


@pytest.mark.parametrize(
    "document", ["", FIRST, LAST, f"{LAST}{FIRST}", f"{FIRST}{FIRST}{LAST}", f"{FIRST}{LAST}{LAST}"]
)
def test_a_document_without_its_marks_is_not_written(document: str) -> None:
    with pytest.raises(ValueError, match="once each"):
        replaced(document, "one", "new")
