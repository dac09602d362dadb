"""What is said about data before it is trained on."""

import re
import subprocess
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from local_aws import toolchain
from local_aws.rehearsal import findings as judged
from local_aws.rehearsal.data import Data
from local_aws.rehearsal.findings import Finding, Verdict, findings, refusal
from local_aws.rehearsal.reading import read
from tests.unit.local_aws.rehearsal.folders import ITEMS, NOW, Interaction, folder_of, watching

TOO_FEW = "Dataset has fewer than 1000 interactions after filtering by event type: Watch"


def data_of(tmp_path: Path, *args: Any, **named: Any) -> Data:
    return read(folder_of(tmp_path, *args, **named), now=NOW)


def finding(data: Data, subject: str) -> Finding:
    (found,) = [one for one in findings(data) if one.subject == subject]
    return found


@pytest.mark.parametrize(
    ("users", "each", "expected"),
    [
        (27, 37, TOO_FEW),
        (25, 40, None),
        (24, 42, "Dataset has fewer than 25 users with at least 2 interactions each."),
        (1000, 1, "Dataset has fewer than 25 users with at least 2 interactions each."),
        (0, 0, "Dataset has fewer than 1000 interactions after filtering by event type: none"),
    ],
)
def test_data_that_the_service_refuses_has_its_reason(
    tmp_path: Path, users: int, each: int, expected: str | None
) -> None:
    assert refusal(data_of(tmp_path, watching(users=users, each=each))) == expected


@pytest.mark.parametrize(
    ("rows", "subject", "verdict"),
    [
        (watching(users=27, each=37), "interactions", "refused"),
        (watching(users=25, each=40), "interactions", "warn"),
        (watching(users=1250, each=40), "interactions", "pass"),
        (watching(users=24, each=42), "users with two or more interactions", "refused"),
        (watching(users=25, each=40), "users with two or more interactions", "warn"),
        (watching(users=1000, each=2), "users with two or more interactions", "pass"),
        (watching(users=49, each=24), "users with 24 or more interactions", "warn"),
        (watching(users=50, each=24), "users with 24 or more interactions", "pass"),
        (watching(users=50, each=24, items=99), "items with interactions", "warn"),
        (watching(users=50, each=24, items=100), "items with interactions", "pass"),
    ],
)
def test_counts_are_held_against_what_is_required_and_recommended(
    tmp_path: Path, rows: list[Interaction], subject: str, verdict: str
) -> None:
    assert finding(data_of(tmp_path, rows), subject).verdict == verdict


@pytest.mark.parametrize(("watched", "verdict"), [(999, "refused"), (1000, "pass")])
def test_different_watch_events_are_counted_for_the_recipes_that_require_them(
    tmp_path: Path, watched: int, verdict: str
) -> None:
    rows = watching(users=60, each=25)
    rows = [
        (user, item, time, "Watch" if number < watched else "Click")
        for number, (user, item, time, _) in enumerate(rows)
    ]
    data = data_of(tmp_path, [*rows, rows[0]])
    (found,) = [one for one in findings(data, watched=True) if one.subject == "Watch events"]
    assert (found.found, found.verdict) == (f"{watched:,}", verdict)
    assert findings(data) == [one for one in findings(data, watched=True) if one != found]
    assert refusal(data) is None
    assert refusal(data, watched=True) == (TOO_FEW if watched < 1000 else None)


def test_one_percent_of_all_users_has_to_have_two_interactions(tmp_path: Path) -> None:
    rows = watching(users=25, each=40)
    for everybody, expected in ((2500, ""), (2501, "Fewer than 1% of users have at least")):
        lines = ["USER_ID,PLAN", *(f"u{number:03},free" for number in range(everybody))]
        data = data_of(tmp_path / str(everybody), rows, users=lines)
        found = finding(data, "share of users with two or more interactions")
        assert (found.verdict == Verdict.REFUSED) == bool(expected)
        assert found.found == f"1.0% of {everybody:,}"
        assert (refusal(data) or "").startswith(expected)
        assert bool(refusal(data)) == bool(expected)


def test_an_import_takes_a_thousand_records(tmp_path: Path) -> None:
    rows = watching(users=27, each=37)
    few, copies = data_of(tmp_path / "few", rows), data_of(tmp_path / "copies", [*rows, rows[0]])
    assert finding(few, "records of one import").verdict == Verdict.REFUSED
    assert finding(copies, "records of one import").verdict == Verdict.PASS


def series(*, users: int = 60, titles: int = 20, again: int) -> list[Interaction]:
    """Return users who watch title after title, each in so many events."""
    return [
        (f"u{user:02}", f"i{(7 * user + title) % 40:02}", 1_700_000_000 + 60 * turn, "Watch")
        for user in range(users)
        for turn, title in enumerate(title for title in range(titles) for _ in range(again))
    ]


@pytest.mark.parametrize(("again", "events"), [(1, "0.0%"), (4, "75.0%"), (3, "66.7%")])
def test_what_ends_with_its_title_is_not_out_of_reach(
    tmp_path: Path, again: int, events: str
) -> None:
    found = finding(data_of(tmp_path, series(again=again)), "watched again")
    assert found.found == f"{events} of the Watch events, 0.0% of the items to be found"
    assert found.verdict == Verdict.PASS


def test_what_the_filter_hides_from_the_list_it_is_to_be_found_in_is_warned_of(
    tmp_path: Path,
) -> None:
    """Of 35 events, the newest three are of a title with two earlier events, so it is hidden."""
    found = finding(data_of(tmp_path, series(titles=7, again=5)), "watched again")
    assert found.found == "80.0% of the Watch events, 100.0% of the items to be found"
    assert found.verdict == Verdict.WARN
    clicks = [(user, item, time, "Click") for user, item, time, _ in series(titles=7, again=5)]
    found = finding(data_of(tmp_path / "clicks", clicks), "watched again")
    assert found.found == "0.0% of the Watch events, 0.0% of the items to be found"


def test_the_command_of_the_how_to_keeps_one_event_for_each_title(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, series(titles=7, again=5))
    page = (toolchain.ROOT / "docs" / "how-to" / "rehearsal.md").read_text()
    (command,) = re.findall(r"```sh\n(python3 -c .*)\n```", page)
    subprocess.run(command, shell=True, cwd=folder, check=True)
    (folder / "new.csv").replace(folder / "interactions.csv")
    data = read(folder, now=NOW)
    assert len(data.user) == 60 * 7
    assert finding(data, "watched again").verdict == Verdict.PASS


def test_items_with_a_later_creation_timestamp_are_read_and_warned_of(tmp_path: Path) -> None:
    lines = [ITEMS, f"i,Drama,{int(NOW)}", f"j,Drama,{int(NOW) + 1}"]
    found = finding(
        data_of(tmp_path, [("u", "i", 1, "Watch")], items=lines),
        "items with a later CREATION_TIMESTAMP",
    )
    assert (found.verdict, found.found) == (Verdict.WARN, "1")


def test_an_empty_column_is_warned_of_and_a_patchy_one_is_told(tmp_path: Path) -> None:
    rows = [("u", "i", 1, "Watch")]
    patchy = data_of(tmp_path / "patchy", rows, items=[f"{ITEMS},TITLE", "i,A,1,x", "j,A,1,"])
    found = finding(patchy, "completeness")
    assert (found.verdict, found.found) == (Verdict.PASS, "items.csv TITLE 50.0%")
    empty = data_of(tmp_path / "empty", rows, items=[f"{ITEMS},TITLE", "i,A,1,"])
    assert finding(empty, "completeness").verdict == Verdict.WARN
    full = data_of(tmp_path / "full", rows)
    assert finding(full, "completeness").found == "100%"


@pytest.mark.parametrize(("types", "verdict"), [(9, "pass"), (10, "warn")])
def test_event_types_that_only_one_of_two_pages_allows_are_warned_of(
    tmp_path: Path, types: int, verdict: str
) -> None:
    data = data_of(tmp_path, [("u", "i", 1, f"type-{number}") for number in range(types)])
    found = finding(data, "event types and columns")
    assert (found.verdict, found.found) == (verdict, f"{types} (event types)")


def test_more_items_than_are_considered_are_warned_of(tmp_path: Path) -> None:
    data = data_of(tmp_path, watching(users=2, each=5))
    assert finding(data, "all items").verdict == Verdict.PASS
    with patch.object(judged, "_ITEMS_CONSIDERED", 3):
        assert finding(data, "all items").verdict == Verdict.WARN


def test_users_without_a_recent_interaction_are_counted(tmp_path: Path) -> None:
    newest, day = 1_700_000_000, 86_400
    rows = [
        ("new", "i", newest, "Watch"),
        ("old", "i", newest - 91 * day, "Watch"),
        ("both", "i", newest - 91 * day, "Watch"),
        ("both", "i", newest - 90 * day, "Watch"),
    ]
    found = finding(data_of(tmp_path, rows), "users without a recent interaction")
    assert found.found == "1 of 3"


def test_sparsity_counts_pairs_once(tmp_path: Path) -> None:
    rows = [("u", "i", 1, "Watch"), ("u", "i", 2, "Watch"), ("v", "j", 1, "Watch")]
    data = data_of(tmp_path, rows, items=[ITEMS, "i,A,1", "j,A,1", "k,A,1", "l,A,1"])
    assert finding(data, "sparsity").found == "75.00%"


def test_every_requirement_names_the_page_that_it_is_from(tmp_path: Path) -> None:
    unsourced = {
        "interactions whose item has no metadata",
        "sparsity",
        "time span",
        "items with a later CREATION_TIMESTAMP",
        "completeness",
        "users.csv",
    }
    found = findings(data_of(tmp_path, watching(users=2, each=5)))
    assert {one.subject for one in found if not one.source} == unsourced


def test_what_a_terminal_would_obey_is_shown_escaped(tmp_path: Path) -> None:
    data = data_of(tmp_path, [("u", "i", 1, "\x1b[2J")])
    assert finding(data, "event types").found == r"\x1b[2J 1"


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
    assert (found.verdict, found.found) == (Verdict.REFUSED, "1,008, 9 of them copies")
    assert refusal(data) == TOO_FEW


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


def test_repeated_ids_are_warned_of(tmp_path: Path) -> None:
    data = data_of(
        tmp_path,
        [("u", "i", 1, "Watch")],
        items=[ITEMS, "i,Drama,1", "i,Comedy,1"],
        users=["USER_ID,PLAN", "u,free", "u,basic", "u,basic"],
    )
    assert finding(data, "repeated ids in items.csv").found == "1"
    assert finding(data, "repeated ids in users.csv").found == "2"
    assert data.metadata["i"]["GENRES"] == "Drama"


def test_headers_alone_are_judged_as_well(tmp_path: Path) -> None:
    data = data_of(tmp_path, [], items=[ITEMS], users=["USER_ID,PLAN"])
    verdicts = {one.subject: one.verdict for one in findings(data)}
    assert verdicts["interactions"] == Verdict.REFUSED
    assert verdicts["time span"] == Verdict.PASS
