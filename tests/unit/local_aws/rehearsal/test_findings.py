"""What is said about data before it is trained on."""

from pathlib import Path
from typing import Any

import pytest

from local_aws.rehearsal.data import Data
from local_aws.rehearsal.findings import Finding, Verdict, findings, refusal
from local_aws.rehearsal.reading import read
from tests.unit.local_aws.rehearsal.folders import ITEMS, NOW, Interaction, folder_of, watching


def data_of(tmp_path: Path, *args: Any, **named: Any) -> Data:
    return read(folder_of(tmp_path, *args, **named), now=NOW)


def finding(data: Data, subject: str) -> Finding:
    (found,) = [one for one in findings(data) if one.subject == subject]
    return found


@pytest.mark.parametrize(
    ("users", "each", "expected"),
    [
        (27, 37, "Dataset has fewer than 1000 interactions after filtering by event type: Watch"),
        (25, 40, None),
        (24, 42, "Dataset has fewer than 25 users with at least 2 interactions each."),
        (1000, 1, "Dataset has fewer than 25 users with at least 2 interactions each."),
        (0, 0, "Dataset has fewer than 1000 interactions after filtering by event type: none"),
    ],
)
def test_what_the_service_refuses_is_refused_with_its_reason(
    tmp_path: Path, users: int, each: int, expected: str | None
) -> None:
    assert refusal(data_of(tmp_path, watching(users=users, each=each))) == expected


@pytest.mark.parametrize(
    ("rows", "subject", "verdict"),
    [
        (watching(users=27, each=37, items=40), "interactions", "refused"),
        (watching(users=25, each=40, items=40), "interactions", "warn"),
        (watching(users=1250, each=40, items=40), "interactions", "pass"),
        (watching(users=24, each=42, items=40), "users with two or more", "refused"),
        (watching(users=25, each=40, items=40), "users with two or more", "warn"),
        (watching(users=1000, each=2, items=40), "users with two or more", "pass"),
        (watching(users=49, each=24, items=40), "users with 24 or more", "warn"),
        (watching(users=50, each=24, items=40), "users with 24 or more", "pass"),
        (watching(users=50, each=24, items=99), "items interacted with", "warn"),
        (watching(users=50, each=24, items=100), "items interacted with", "pass"),
    ],
)
def test_counts_are_held_against_what_is_required_and_recommended(
    tmp_path: Path, rows: list[Interaction], subject: str, verdict: str
) -> None:
    assert finding(data_of(tmp_path, rows), subject).verdict == verdict


def test_items_without_metadata_and_new_items_are_counted(tmp_path: Path) -> None:
    rows = [("u", "i", 1, "Watch"), ("u", "j", 2, "Watch"), ("u", "j", 3, "Watch")]
    data = data_of(tmp_path, rows, items=[ITEMS, "i,Drama,1", "k,Drama,1", "l,Drama,1"])
    without = finding(data, "interactions whose item has no metadata")
    assert (without.verdict, without.found) == (Verdict.WARN, "66.7%")
    assert "2 of them, with 1 items that items.csv does not have" in without.meaning
    assert finding(data, "new items").found == "2 of 3"


def test_copies_of_an_interaction_do_not_count(tmp_path: Path) -> None:
    rows = watching(users=27, each=37)
    data = data_of(tmp_path, [*rows, *rows[:9]])
    found = finding(data, "interactions")
    assert (found.verdict, found.found) == (Verdict.REFUSED, "1,008, 9 of them another's copy")
    assert refusal(data)


def test_event_types_are_counted_and_watch_is_missed(tmp_path: Path) -> None:
    both = data_of(tmp_path / "both", [("u", "i", 1, "Watch"), ("u", "i", 1, "Click")])
    found = finding(both, "event types")
    assert (found.verdict, found.found) == (Verdict.PASS, "Click 1, Watch 1")
    clicks = data_of(tmp_path / "clicks", [("u", "i", 1, "Click")])
    assert finding(clicks, "event types").verdict == Verdict.WARN


def test_the_time_span_is_in_days_of_utc(tmp_path: Path) -> None:
    data = data_of(tmp_path, [("u", "i", 0, "Watch"), ("u", "i", 1_767_225_599, "Watch")])
    assert finding(data, "time span").found == "1970-01-01 to 2025-12-31"


def test_users_without_interactions_are_new(tmp_path: Path) -> None:
    lines = ["USER_ID,PLAN", "u,free", "v,free"]
    data = data_of(tmp_path, [("u", "i", 1, "Watch")], users=lines)
    assert finding(data, "new users").found == "1 of 2"


def test_ids_that_come_again_are_warned_of(tmp_path: Path) -> None:
    data = data_of(
        tmp_path,
        [("u", "i", 1, "Watch")],
        items=[ITEMS, "i,Drama,1", "i,Comedy,1"],
        users=["USER_ID,PLAN", "u,free", "u,basic", "u,basic"],
    )
    assert finding(data, "ids that are in items.csv again").found == "1"
    assert finding(data, "ids that are in users.csv again").found == "2"
    assert data.metadata["i"]["GENRES"] == "Drama"


def test_no_interactions_at_all_are_judged_as_well(tmp_path: Path) -> None:
    verdicts = {one.subject: one.verdict for one in findings(data_of(tmp_path, []))}
    assert verdicts["interactions"] == Verdict.REFUSED
    assert verdicts["time span"] == Verdict.PASS
