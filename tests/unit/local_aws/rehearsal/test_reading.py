"""A folder is read as a whole, or refused with the places of all mistakes."""

import contextlib
import csv
import gzip
import os
import subprocess
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from local_aws.rehearsal.reading import BadDataError, read
from tests.unit.local_aws.rehearsal.folders import INTERACTIONS, ITEMS, NOW, folder_of

ROW = "u,i,1700000000,Watch"
ITEM = "i,Drama,1500000000"
GOOD = {"interactions.csv": f"{INTERACTIONS}\n{ROW}\n", "items.csv": f"{ITEMS}\n{ITEM}\n"}
TYPES = "".join(f"u,i,1700000000,type-{number}\n" for number in range(11))


Files = dict[str, str | bytes | None]


def written(folder: Path, files: Files) -> Path:
    """Write a folder of one item and one interaction, but with these files; None leaves one out."""
    for name, content in {**GOOD, **files}.items():
        if content is not None:
            raw = content if isinstance(content, bytes) else content.encode()
            (folder / name).write_bytes(raw)
    return folder


def refusal_of(folder: Path) -> BadDataError:
    with pytest.raises(BadDataError) as refused:
        read(folder, now=NOW)
    return refused.value


def interactions(*rows: str, header: str = INTERACTIONS) -> Files:
    return {"interactions.csv": "\n".join([header, *rows, ""])}


def items(*rows: str, header: str = ITEMS) -> Files:
    return {"items.csv": "\n".join([header, *rows, ""])}


def users(*rows: str, header: str) -> Files:
    return {"users.csv": "\n".join([header, *rows, ""])}


BAD: dict[str, tuple[Files, str]] = {
    # files
    "no interactions": (
        {"interactions.csv": None},
        "interactions.csv: found no file that can be read (No such file or directory); "
        "allowed: a CSV file of that name in the folder",
    ),
    "no items": (
        {"items.csv": None},
        "items.csv: found no file that can be read (No such file or directory); allowed: ",
    ),
    "an empty file": (
        {"items.csv": ""},
        "items.csv, line 1: found no header; allowed: the names of the columns in the first line",
    ),
    "latin-1": (
        {"items.csv": f"{ITEMS},TITLE\n{ITEM},Ebb\ni,Drama,1500000000,Émile\n".encode("latin-1")},
        "items.csv, line 3, column TITLE: found the byte 0xc9; allowed: UTF-8",
    ),
    "latin-1 in the header": (
        {"items.csv": "ITEM_ID,GENRÉS\n".encode("latin-1")},
        "items.csv, line 1: found the byte 0xc9; allowed: UTF-8",
    ),
    "UTF-16": (
        {"items.csv": ITEMS.encode("utf-16")},
        "items.csv, line 1: found UTF-16; allowed: CSV in UTF-8 that begins with the first column",
    ),
    "a byte order mark": (
        {"items.csv": f"\ufeff{ITEMS}\n{ITEM}\n"},
        "items.csv, line 1: found a byte order mark; allowed: CSV in UTF-8 that begins with the",
    ),
    "gzip": (
        {"items.csv": gzip.compress(GOOD["items.csv"].encode())},
        "items.csv, line 1: found a gzip file; allowed: CSV in UTF-8",
    ),
    "a workbook": (
        {"items.csv": b"PK\x03\x04\x14\x00"},
        "items.csv, line 1: found a zip archive, or a workbook of Excel; allowed: CSV in UTF-8",
    ),
    "Parquet": (
        {"items.csv": b"PAR1\x15\x04"},
        "items.csv, line 1: found a Parquet file; allowed:",
    ),
    "zero bytes": (
        {"items.csv": f"{ITEMS}\ni,Dra\0ma,1500000000\n"},
        "items.csv, line 2: found the byte 0x00; allowed: text in UTF-8, without such bytes",
    ),
    "any bytes": (
        {"interactions.csv": bytes(range(1, 256)) * 3},
        "interactions.csv, line 2: found the byte 0x80; allowed: UTF-8 (2 more such lines)",
    ),
    "lines of old Macs": (
        {"items.csv": GOOD["items.csv"].replace("\n", "\r")},
        "items.csv, line 1: found carriage returns alone between lines, as on old Macs; allowed: ",
    ),
    # headers
    "a missing column": (
        interactions("u,i,1700000000", header="USER_ID,ITEM_ID,TIMESTAMP"),
        "interactions.csv, line 1: found no column EVENT_TYPE among USER_ID,ITEM_ID,TIMESTAMP; "
        "allowed: USER_ID, ITEM_ID, TIMESTAMP, EVENT_TYPE and others",
    ),
    "columns in lower case": (
        interactions(ROW, header=INTERACTIONS.lower()),
        "interactions.csv, line 1: found no column EVENT_TYPE, ITEM_ID, TIMESTAMP, USER_ID among",
    ),
    "another separator": (
        interactions(ROW.replace(",", ";"), header=INTERACTIONS.replace(",", ";")),
        "interactions.csv, line 1: found no column EVENT_TYPE, ITEM_ID, TIMESTAMP, USER_ID among "
        "USER_ID;ITEM_ID;TIMESTAMP;EVENT_TYPE; allowed: ",
    ),
    "quotes in the header": (
        items(ITEM, header='"ITEM_ID","GENRES","CREATION_TIMESTAMP"'),
        "items.csv, line 1: found quotation marks in the header: "
        '"ITEM_ID","GENRES","CREATION_TIMESTAMP"; allowed: names without them',
    ),
    "a doubled column": (
        items(f"{ITEM},Comedy", header=f"{ITEMS},GENRES"),
        "items.csv, line 1: found the column GENRES more than once; allowed: each column once",
    ),
    "a space in a name": (
        items(f"{ITEM},Ebb", header=f"{ITEMS}, TITLE"),
        "items.csv, line 1: found the column name  TITLE; allowed: letters, digits and _, no digit",
    ),
    "a column without a name": (
        items(f"{ITEM},", header=f"{ITEMS},"),
        "items.csv, line 1: found the column name nothing; allowed: letters, digits and _",
    ),
    "too many custom columns of interactions": (
        interactions(f"{ROW},1,2,3,4,5,6", header=f"{INTERACTIONS},A,B,C,D,E,F"),
        "interactions.csv, line 1: found 6 metadata columns that are not reserved; "
        "allowed: 5 of them",
    ),
    "too many custom columns of items": (
        items(header=",".join([ITEMS, *(f"C{n}" for n in range(101))])),
        "items.csv, line 1: found 101 metadata columns that are not reserved; allowed: 100 of them",
    ),
    "too many custom columns of users": (
        users(header=",".join(["USER_ID", *(f"C{n}" for n in range(26))])),
        "users.csv, line 1: found 26 metadata columns that are not reserved; allowed: 25 of them",
    ),
    "users without metadata": (
        users("u", header="USER_ID"),
        "users.csv, line 1: found no metadata; allowed: 1 column at least in addition to the id",
    ),
    # records
    "a value too few": (
        interactions(ROW, "u,i,1700000000", ROW),
        "interactions.csv, line 3: found 3 values; allowed: a record of 4 values on each line",
    ),
    "a value too many, twice": (
        items("i,Drama,Comedy,1500000000", "i,Drama,Comedy,1500000000"),
        "items.csv, line 2: found 4 values; allowed: a record of 3 values on each line "
        "(1 more such line)",
    ),
    "a line break in a value": (
        items(f'{ITEM},"Ebb\nTide"', header=f"{ITEMS},TITLE"),
        "items.csv, line 2: found a record on 2 lines; allowed: a record of 4 values on each line",
    ),
    "a quote that does not end": (
        items(f'{ITEM},"Ebb', header=f"{ITEMS},TITLE"),
        "items.csv, line 2: found broken CSV (unexpected end of data); allowed: values with",
    ),
    "a quote within a value in quotes": (
        items(f'{ITEM},"Ebb "and" Tide"', header=f"{ITEMS},TITLE"),
        "items.csv, line 2: found broken CSV (',' expected after '\"'); allowed: values with",
    ),
    # other values
    "an item without metadata": (
        items(ITEM, "j,,1500000000", "k,,1500000000"),
        "items.csv, line 3, column GENRES: found nothing; allowed: one category at least, each of "
        "at most 1000 characters, separated by | (1 more such line)",
    ),
    "what a terminal would obey, in the header": (
        items(ITEM, header=f"{ITEMS},\x1b[2J"),
        r"items.csv, line 1: found the column name \x1b[2J; allowed: letters",
    ),
    "too many event types": (
        {"interactions.csv": f"{INTERACTIONS}\n{TYPES}"},
        "interactions.csv, line 12, column EVENT_TYPE: found 11 event types and 0 columns "
        "that count with them; allowed: 10 together",
    ),
    "too many event types beside a column": (
        interactions(
            *(f"u,i,1700000000,type-{number},web" for number in range(10)),
            header=f"{INTERACTIONS},DEVICE",
        ),
        "interactions.csv, line 11, column EVENT_TYPE: found 10 event types and 1 columns "
        "that count with them; allowed: 10 together",
    ),
    "too many event types beside the value of events": (
        interactions(
            *(f"u,i,1700000000,type-{number},1" for number in range(10)),
            header=f"{INTERACTIONS},EVENT_VALUE",
        ),
        "interactions.csv, line 11, column EVENT_TYPE: found 10 event types and 1 columns "
        "that count with them; allowed: 10 together",
    ),
}


@pytest.mark.parametrize(("files", "expected"), BAD.values(), ids=BAD)
def test_a_bad_folder_is_refused_with_the_place(
    tmp_path: Path, files: Files, expected: str
) -> None:
    refusal = refusal_of(written(tmp_path, files))

    assert str(refusal).startswith(expected)
    assert len(refusal.problems) == 1


ID = "1 to 256 characters"
CREATED = "whole seconds since 1970-01-01"
SECONDS = "whole seconds since 1970-01-01, not in the future"
TEXT = "at most 1000 characters"
CATEGORY = "one category at least, each of at most 1000 characters, separated by |"
VALUES = [
    ("interactions.csv", "USER_ID", "", "nothing", ID),
    ("interactions.csv", "USER_ID", "u" * 257, f"{'u' * 60}... (257 characters)", ID),
    ("items.csv", "ITEM_ID", "", "nothing", ID),
    ("users.csv", "USER_ID", "", "nothing", ID),
    ("interactions.csv", "TIMESTAMP", "1700000000000", "1700000000000 (milliseconds?)", SECONDS),
    ("interactions.csv", "TIMESTAMP", f"{int(NOW) + 1}", "1767225601 (in the future)", SECONDS),
    ("interactions.csv", "TIMESTAMP", "2025-01-01", "2025-01-01 (a date?)", SECONDS),
    ("interactions.csv", "TIMESTAMP", "1700000000.5", "1700000000.5", SECONDS),
    ("interactions.csv", "TIMESTAMP", "-1", "-1", SECONDS),
    ("interactions.csv", "TIMESTAMP", "\u0661\u0667", "\u0661\u0667", SECONDS),
    ("interactions.csv", "TIMESTAMP", "9" * 5000, f"{'9' * 60}... (5000 characters)", SECONDS),
    ("interactions.csv", "TIMESTAMP", "\x1b[2J\u202e", r"\x1b[2J\u202e", SECONDS),
    ("items.csv", "CREATION_TIMESTAMP", "", "nothing", CREATED),
    ("items.csv", "CREATION_TIMESTAMP", "1900000000000", "1900000000000 (milliseconds?)", CREATED),
    ("interactions.csv", "EVENT_TYPE", "", "nothing", "1 to 1000 characters"),
    ("items.csv", "GENRES", "g" * 1001, f"{'g' * 60}... (1001 characters)", CATEGORY),
    ("items.csv", "GENRES", "||", "||", CATEGORY),
    ("items.csv", "TITLE", "t" * 1001, f"{'t' * 60}... (1001 characters)", TEXT),
    ("items.csv", "PRICE", "1_000", "1_000", "a number"),
    ("items.csv", "PRICE", "", "nothing", "a number"),
    ("items.csv", "DURATION", "nan", "nan", "a number"),
    ("items.csv", "DURATION", "", "nothing", "a number"),
    ("items.csv", "AVERAGE_RATING", "1e999", "1e999", "a number, or nothing"),
    ("interactions.csv", "EVENT_VALUE", "high", "high", "a number, or nothing"),
    (  # longer than Python's csv allows by default
        "items.csv",
        "PRODUCT_DESCRIPTION",
        "d" * 200_000,
        f"{'d' * 60}... (200000 characters)",
        "at most 20000 characters",
    ),
]
"""Values that a column of a file does not take: as written, as shown, and the allowed values."""


@pytest.mark.parametrize("case", VALUES, ids=[f"{one[1]}: {one[2][:9]}" for one in VALUES])
def test_a_value_that_a_column_does_not_take_is_refused_with_the_place(
    tmp_path: Path, case: tuple[str, str, str, str, str]
) -> None:
    file, column, value, found, allowed = case
    header, row = {
        "interactions.csv": (INTERACTIONS, ROW),
        "items.csv": (ITEMS, ITEM),
        "users.csv": ("USER_ID,PLAN", "u,basic"),
    }[file]
    values = dict(zip(header.split(","), row.split(","), strict=True)) | {column: value}
    content = f"{','.join(values)}\n{','.join(values.values())}\n"

    refusal = refusal_of(written(tmp_path, {file: content}))

    expected = f"{file}, line 2, column {column}: found {found}; allowed: {allowed}"
    assert str(refusal).startswith(expected)
    assert len(refusal.problems) == 1


SEVERAL = f"{INTERACTIONS},DEVICE\nu,i,1700000000,Watch,tv\nü,j,1700003600,Click,phone\n"


@pytest.mark.parametrize(
    "content",
    [
        SEVERAL.encode("utf-16"),
        SEVERAL.encode("utf-8-sig"),
        SEVERAL.encode("latin-1"),
        gzip.compress(SEVERAL.encode()),
        SEVERAL.replace("\n", "\r").encode(),
        SEVERAL.replace(",", ";").encode(),
        SEVERAL.replace(",", "\t").encode(),
        SEVERAL.replace("1700000000", "2023-11-14T22:13:20Z")
        .replace("1700003600", "2023-11-15 00:13:20+01:00")
        .encode(),
        SEVERAL.replace("1700000000", "2023-11-14T22:13:20")
        .replace("1700003600", "2023-11-14T23:13:20")
        .encode(),
    ],
    ids=["UTF-16", "BOM", "Latin-1", "gzip", "old Mac", "semicolons", "tabs", "zones", "no zones"],
)
def test_the_command_that_a_message_names_mends_the_file(tmp_path: Path, content: bytes) -> None:
    folder = folder_of(tmp_path, [])
    (folder / "interactions.csv").write_bytes(SEVERAL.encode())
    expected = read(folder, now=NOW).digest
    (folder / "interactions.csv").write_bytes(content)

    _, command = str(refusal_of(folder)).split("\n  this may mend it: ")
    subprocess.run(command.removeprefix("if it is Latin-1: "), shell=True, cwd=folder, check=True)

    assert read(folder, now=NOW).digest == expected


def test_what_is_no_file_is_told_and_not_waited_for(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, [])
    (folder / "users.csv").symlink_to("nowhere")
    (folder / "interactions.csv").unlink()
    os.mkfifo(folder / "interactions.csv")
    (folder / "items.csv").unlink()
    (folder / "items.csv").mkdir()
    assert [(one.file, one.found) for one in refusal_of(folder).problems] == [
        ("interactions.csv", "no file that can be read (it is no regular file)"),
        ("items.csv", "no file that can be read (it is no regular file)"),
        ("users.csv", "no file that can be read (No such file or directory)"),
    ]


def test_headers_alone_are_read(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, [], items=[ITEMS], users=["USER_ID,PLAN"])
    data = read(folder, now=NOW)
    assert (len(data.user), data.items, data.item_rows, data.user_rows) == (0, [], [], [])


@pytest.mark.parametrize("event_types", [9, 10])
def test_reserved_columns_do_not_count_with_the_event_types(
    tmp_path: Path, event_types: int
) -> None:
    folder = folder_of(tmp_path, [])
    rows = [f"u,i,1700000000,type-{number},,," for number in range(event_types)]
    header = f"{INTERACTIONS},IMPRESSION,RECOMMENDATION_ID,EVENT_ATTRIBUTION_SOURCE"
    (folder / "interactions.csv").write_text("\n".join([header, *rows, ""]))
    assert len(read(folder, now=NOW).event_types) == event_types


def test_how_complete_columns_are_is_kept(tmp_path: Path) -> None:
    folder = folder_of(
        tmp_path,
        [("u", "i", 1, "Watch")],
        items=[f"{ITEMS},TITLE", "i,Drama,1,Ebb", "j,Drama,1,", "k,Drama,1,", "l,Drama,1,"],
    )
    assert read(folder, now=NOW).completeness == {
        "interactions.csv": dict.fromkeys(INTERACTIONS.split(","), 1.0),
        "items.csv": {**dict.fromkeys(ITEMS.split(","), 1.0), "TITLE": 0.25},
    }


def test_mistakes_in_several_files_and_columns_are_told_together(tmp_path: Path) -> None:
    files = interactions(",i,1,Watch", "u,,1,Watch") | {"items.csv": "ITEM_ID"}
    problems = refusal_of(written(tmp_path, files)).problems
    assert [(one.file, one.line, one.column) for one in problems] == [
        ("interactions.csv", 2, "USER_ID"),
        ("interactions.csv", 3, "ITEM_ID"),
        ("items.csv", 1, None),
    ]


def test_what_is_read_is_ordered_by_user_time_item_and_event_type(tmp_path: Path) -> None:
    rows = [
        ("b", "j", 5, "Watch"),
        ("b", "j", 5, "Click"),
        ("a", "i", 9, "Click"),
        ("b", "i", 5, "Watch"),
        ("b", "j", 3, "Watch"),
    ]
    data = read(folder_of(tmp_path, rows, users=["USER_ID,PLAN", "c,basic"]), now=NOW)
    assert (data.users, data.items) == (["a", "b"], ["i", "j"])
    assert data.event_types == ["Click", "Watch"]
    assert data.user.tolist() == [0, 1, 1, 1, 1]
    assert data.item.tolist() == [0, 1, 0, 1, 1]
    assert data.time.tolist() == [9, 3, 5, 5, 5]
    assert data.event_type.tolist() == [0, 1, 1, 0, 1]
    assert data.user_rows == [{"USER_ID": "c", "PLAN": "basic"}]
    assert data.metadata["i"] == dict(zip(ITEMS.split(","), ITEM.split(","), strict=True))


@pytest.mark.parametrize(
    "other",
    [
        ("v", "i", 1, "Watch"),
        ("u", "j", 1, "Watch"),
        ("u", "i", 2, "Watch"),
        ("u", "i", 1, "Click"),
    ],
)
def test_interactions_that_differ_in_one_column_are_two(
    tmp_path: Path, other: tuple[str, str, int, str]
) -> None:
    one = ("u", "i", 1, "Watch")

    assert read(folder_of(tmp_path / "two", [one, other, one]), now=NOW).different == 2
    assert read(folder_of(tmp_path / "one", [one, one, one]), now=NOW).different == 1
    assert read(folder_of(tmp_path / "none", []), now=NOW).different == 0


def test_carriage_returns_empty_lines_and_quotes_are_taken(tmp_path: Path) -> None:
    text = f'{ITEMS},TITLE\r\ni,Drama,1500000000,"Ebb, ""Tide"""\r\n\r\n'
    folder = written(tmp_path, {"items.csv": text})
    assert read(folder, now=NOW).metadata["i"]["TITLE"] == 'Ebb, "Tide"'


@pytest.mark.parametrize("price", ["0", "1.50", "-3", "+4.", ".5", "1e3", "2.5E-7"])
def test_numbers_are_taken_in_all_usual_spellings(tmp_path: Path, price: str) -> None:
    folder = written(tmp_path, items(f"{ITEM},{price}", header=f"{ITEMS},PRICE"))
    assert read(folder, now=NOW).metadata["i"]["PRICE"] == price


names = st.text(st.characters(codec="utf-8", exclude_characters="\r\n\0"), min_size=1, max_size=9)


@settings(max_examples=50)
@given(
    rows=st.lists(
        st.tuples(names, names, st.integers(0, int(NOW)), st.sampled_from(["Watch", "Click"])),
        max_size=20,
    )
)
def test_whatever_is_written_is_read_again(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str, int, str]]
) -> None:
    folder = tmp_path_factory.mktemp("folder")
    (folder / "items.csv").write_text(GOOD["items.csv"])
    with (folder / "interactions.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, lineterminator="\n").writerows([INTERACTIONS.split(","), *rows])
    data = read(folder, now=time.time())
    found = [
        (data.users[u], data.items[i], int(t), data.event_types[e])
        for u, i, t, e in zip(data.user, data.item, data.time, data.event_type, strict=True)
    ]
    assert found == sorted(rows, key=lambda row: (row[0], row[2], row[1], row[3]))


@settings(max_examples=200)
@given(
    file=st.sampled_from(["interactions.csv", "items.csv", "users.csv"]),
    content=st.one_of(
        st.binary(max_size=60),
        st.text(st.sampled_from('\r\n\t\0",;|u1é\ufeff\x1b'), max_size=40).map(str.encode),
        st.text(st.sampled_from('\r\n",|u1é'), max_size=40).map(
            lambda text: f"{ITEMS}\n{text}".encode()
        ),
    ),
)
def test_whatever_a_file_holds_it_is_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, file: str, content: bytes
) -> None:
    folder = folder_of(tmp_path_factory.mktemp("folder"), [])
    (folder / file).write_bytes(content)
    with contextlib.suppress(BadDataError):
        read(folder, now=NOW)
