"""Reading a folder of CSV files as Amazon Personalize imports them: all of it, or nothing.

Source: docs.aws.amazon.com/personalize/latest/dg/data-prep-formatting.html, and `columns`.
"""

import csv
import hashlib
import io
import json
import os
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from local_aws.rehearsal.columns import Dataset, datasets, printable
from local_aws.rehearsal.data import Data, Ints, Row

csv.field_size_limit(2**31 - 1)  # of the whole process; what is too long is told by `columns`

_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_QUOTED: Final = re.compile('"[^"]*"')
_SHOWN: Final = 60
"""Characters of a bad value that a message shows."""


@dataclass(frozen=True, kw_only=True)
class Problem:
    """A problem in a file, its first place, and the number of other lines that have it."""

    file: str
    line: int | None = None
    column: str | None = None
    found: str
    allowed: str
    more: int = 0
    remedy: str = ""
    """A command that mends it, in the folder; empty if none is known."""

    def __str__(self) -> str:
        place = [
            self.file,
            *([f"line {self.line}"] if self.line else []),
            *([f"column {self.column}"] if self.column else []),
        ]
        more = f" ({self.more} more such line{'s'[: self.more > 1]})" if self.more else ""
        remedy = f"\n  this may mend it: {self.remedy}" if self.remedy else ""
        return f"{', '.join(place)}: found {self.found}; allowed: {self.allowed}{more}{remedy}"


class BadDataError(ValueError):
    """The folder cannot be imported, and nothing of it has been.

    Attributes:
        problems: Everything that is wrong with it, one for each kind of mistake in a column.
    """

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = problems


@dataclass(frozen=True)
class _Table:
    header: Sequence[str]
    lines: Sequence[int]
    """The line that each row is on."""
    columns: Mapping[str, Sequence[str]]

    def rows(self) -> list[Row]:
        """Return the rows in the order of their values, whatever their order in the file."""
        names = sorted(self.columns)
        columns = [self.columns[name] for name in names]
        return [
            dict(zip(names, values, strict=True)) for values in sorted(zip(*columns, strict=True))
        ]

    def completeness(self) -> dict[str, float]:
        """Return the share of rows that have a value, by column."""
        return {
            name: 1 - values.count("") / (len(values) or 1) for name, values in self.columns.items()
        }


def read(folder: Path, *, now: float, event_type_counts: bool = False) -> Data:
    """Read interactions.csv, items.csv and, if it exists, users.csv.

    Args:
        folder: Where they are.
        now: The time, in epoch seconds; a later time lies in the future.
        event_type_counts: A switch where two pages of AWS differ: see `columns`.

    Raises:
        BadDataError: Something is wrong with any of them.
    """
    interactions, items, users = datasets(now, event_type_counts=event_type_counts)
    problems: list[Problem] = []
    tables: dict[str, _Table] = {}
    for dataset in (interactions, items, users):
        path = folder / dataset.file
        if dataset.may_be_missing and not os.path.lexists(path):
            continue
        try:
            tables[dataset.file] = _table(dataset, _content(path))
        except BadDataError as error:
            problems += error.problems
    if problems:
        raise BadDataError(problems)
    return _data(
        tables[interactions.file],
        tables[items.file],
        tables.get(users.file),
        others=sorted(set(tables[interactions.file].header) - interactions.required.keys()),
        completeness={file: table.completeness() for file, table in tables.items()},
        now=now,
    )


def _content(path: Path) -> bytes:
    try:
        if path.exists() and not path.is_file():
            raise OSError(0, "it is no regular file")
        return path.read_bytes()
    except OSError as error:
        found = f"no file that can be read ({error.strerror})"
        raise BadDataError(
            [Problem(file=path.name, found=found, allowed="a CSV file of that name in the folder")]
        ) from error


def _table(dataset: Dataset, content: bytes) -> _Table:
    text = _decoded(dataset, content)
    header = _header(dataset, text.partition("\n")[0].removesuffix("\r"))
    table = _rows(dataset, header, text)
    if problems := [*_bad_values(dataset, table), *_too_many_event_types(dataset, table)]:
        raise BadDataError(problems)
    return table


def _filter(command: str, file: str) -> str:
    """Return a line that sends a file through a command."""
    return f"{command} < {file} > new.csv && mv new.csv {file}"


_OTHER_FORMATS: Final = (
    (b"\x1f\x8b", "a gzip file", "gzip -dc"),
    (b"\xff\xfe", "UTF-16", "iconv -f UTF-16 -t UTF-8"),
    (b"\xfe\xff", "UTF-16", "iconv -f UTF-16 -t UTF-8"),
    (b"\xef\xbb\xbf", "a byte order mark", "tail -c +4"),
    (b"PK\x03\x04", "a zip archive, or a workbook of Excel", ""),
    (b"PAR1", "a Parquet file", ""),
)
"""The first bytes of other formats, their names, and a command that makes CSV in UTF-8."""


def _decoded(dataset: Dataset, content: bytes) -> str:
    file = dataset.file
    for beginning, found, command in _OTHER_FORMATS:
        if content.startswith(beginning):
            raise BadDataError(
                [
                    Problem(
                        file=file,
                        line=1,
                        found=found,
                        allowed="CSV in UTF-8 that begins with the first column's name",
                        remedy=_filter(command, file) if command else "",
                    )
                ]
            )
    if (place := content.find(0)) >= 0:
        line = content.count(b"\n", 0, place) + 1
        allowed = "text in UTF-8, without such bytes"
        raise BadDataError([Problem(file=file, line=line, found="the byte 0x00", allowed=allowed)])
    try:
        text = content.decode()
    except UnicodeDecodeError:
        raise BadDataError([_not_utf8(dataset, content)]) from None
    if "\r" in text.partition("\n")[0].removesuffix("\r"):
        raise BadDataError(
            [
                Problem(
                    file=file,
                    line=1,
                    found="carriage returns alone between lines, as on old Macs",
                    allowed="a line feed at the end of each line",
                    remedy=_filter(r"tr '\r' '\n'", file),
                )
            ]
        )
    return text


def _not_utf8(dataset: Dataset, content: bytes) -> Problem:
    lines = content.split(b"\n")
    bad = [(n, error) for n, line in enumerate(lines, start=1) if (error := _decode_error(line))]
    line, error = bad[0]
    before = error.object[: error.start].decode()
    names = lines[0].decode(errors="replace").removesuffix("\r").split(",")
    place = _QUOTED.sub("", before).count(",")
    return Problem(
        file=dataset.file,
        line=line,
        column=printable(names[place]) if line > 1 and place < len(names) else None,
        found=f"the byte 0x{error.object[error.start]:02x}",
        allowed="UTF-8",
        more=len(bad) - 1,
        remedy=f"if it is Latin-1: {_filter('iconv -f WINDOWS-1252 -t UTF-8', dataset.file)}",
    )


def _decode_error(line: bytes) -> UnicodeDecodeError | None:
    try:
        line.decode()
    except UnicodeDecodeError as error:
        return error
    return None


def _header(dataset: Dataset, line: str) -> list[str]:
    """Return the names in the first line of a file, or raise an error if they are wrong."""
    names = line.split(",")
    for found, allowed in _bad_headers(dataset, line, names):
        remedy = _other_separator(dataset, line)
        raise BadDataError(
            [Problem(file=dataset.file, line=1, found=found, allowed=allowed, remedy=remedy)]
        )
    return names


def _other_separator(dataset: Dataset, line: str) -> str:
    """Return a command that puts commas in place of another separator, if there is another."""
    for separator, name in ((";", "';'"), ("\t", r"'\t'")):
        if dataset.required.keys() <= set(line.replace('"', "").split(separator)):
            rows = f"csv.reader(sys.stdin, delimiter={name})"
            code = f"import csv, sys; csv.writer(sys.stdout).writerows({rows})"
            return _filter(f'python3 -c "{code}"', dataset.file)
    return ""


def _bad_headers(dataset: Dataset, line: str, names: list[str]) -> Iterable[tuple[str, str]]:
    """Yield each error in a header and the allowed form, the most telling first."""
    if not line.strip():
        yield "no header", "the names of the columns in the first line"
    if '"' in line:
        yield f"quotation marks in the header: {_shown(line)}", "names without them"
    if missing := dataset.required.keys() - set(names):
        yield (
            f"no column {', '.join(sorted(missing))} among {_shown(line)}",
            f"{', '.join(dataset.required)} and others",
        )
    if doubled := [name for name, count in Counter(names).items() if count > 1]:
        yield f"the column {_shown(doubled[0])} more than once", "each column once"
    if unfit := [name for name in names if not _NAME.fullmatch(name)]:
        yield f"the column name {_shown(unfit[0])}", "letters, digits and _, no digit first"
    if len(names) - len(dataset.required) < dataset.least_optional:
        yield "no metadata", f"{dataset.least_optional} column at least in addition to the id"
    custom = set(names) - dataset.required.keys() - dataset.reserved.keys()
    if len(custom) > dataset.most_custom:
        yield (
            f"{len(custom)} metadata columns that are not reserved",
            f"{dataset.most_custom} of them",
        )


def _rows(dataset: Dataset, header: Sequence[str], text: str) -> _Table:
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    next(reader)
    lines, rows, unfit, last = [], [], [], 1
    try:
        for row in reader:
            if row:
                lines.append(last + 1)
                rows.append(row)
                if len(row) != len(header) or reader.line_num > last + 1:
                    unfit.append((last + 1, len(row), reader.line_num - last))
            last = reader.line_num
    except csv.Error as error:
        raise BadDataError(
            [
                Problem(
                    file=dataset.file,
                    line=last + 1,
                    found=f"broken CSV ({printable(str(error))})",
                    allowed='values with commas or quotes in quotes, quotes in them as ""',
                )
            ]
        ) from None
    if unfit:
        line, values, spread = unfit[0]
        raise BadDataError(
            [
                Problem(
                    file=dataset.file,
                    line=line,
                    found=f"{values} values" if spread == 1 else f"a record on {spread} lines",
                    allowed=f"a record of {len(header)} values on each line",
                    more=len(unfit) - 1,
                )
            ]
        )
    by_column = zip(*rows, strict=True) if rows else ([] for _ in header)
    return _Table(header, lines, dict(zip(header, by_column, strict=True)))


def _bad_values(dataset: Dataset, table: _Table) -> Iterable[Problem]:
    for column, values in table.columns.items():
        kind = dataset.kind(column)
        refused = {value for value in set(values) if not kind.accepts(value)}
        if not refused:
            continue
        bad = [(n, value) for n, value in zip(table.lines, values, strict=True) if value in refused]
        line, value = bad[0]
        hint = kind.hint(value)
        yield Problem(
            file=dataset.file,
            line=line,
            column=column,
            found=f"{_shown(value)} ({hint})" if hint else _shown(value),
            allowed=kind.allowed,
            more=len(bad) - 1,
            remedy=kind.remedy(value).replace("FILE", dataset.file).replace("COLUMN", column),
        )


def _too_many_event_types(dataset: Dataset, table: _Table) -> Iterable[Problem]:
    if (most := dataset.most_event_types) is None:
        return
    optional = len(dataset.counted(table.header))
    first_lines: dict[str, int] = {}
    for line, event_type in zip(table.lines, table.columns["EVENT_TYPE"], strict=True):
        first_lines.setdefault(event_type, line)
    if len(first_lines) + optional > most:
        yield Problem(
            file=dataset.file,
            line=list(first_lines.values())[max(most - optional, 0)],
            column="EVENT_TYPE",
            found=f"{len(first_lines)} event types and {optional} columns that count with them",
            allowed=f"{most} together",
        )


def _shown(value: str) -> str:
    if not value:
        return "nothing"
    more = f"... ({len(value)} characters)" if len(value) > _SHOWN else ""
    return f"{printable(value[:_SHOWN])}{more}"


def _data(
    interactions: _Table,
    items: _Table,
    users: _Table | None,
    *,
    others: Sequence[str],
    completeness: Mapping[str, Mapping[str, float]],
    now: float,
) -> Data:
    """Return the data; of the `others`, columns of Interactions, only the digest knows."""
    user_ids, user = _numbered(interactions.columns["USER_ID"])
    item_ids, item = _numbered(interactions.columns["ITEM_ID"], beside=items.columns["ITEM_ID"])
    event_types, event_type = _numbered(interactions.columns["EVENT_TYPE"])
    time = np.array([int(text) for text in interactions.columns["TIMESTAMP"]], np.int64)
    more = [_numbered(interactions.columns[name]) for name in others]
    keys = [user, time, item, event_type, *(numbers for _, numbers in more)]
    order = np.lexsort(keys[::-1])
    item_rows, user_rows = items.rows(), None if users is None else users.rows()
    values = [others, user_ids, item_ids, event_types, *(values for values, _ in more)]
    return Data(
        digest=_digest([*values, item_rows, user_rows], [key[order] for key in keys]),
        users=user_ids,
        items=item_ids,
        event_types=event_types,
        user=user[order],
        item=item[order],
        event_type=event_type[order],
        time=time[order],
        item_rows=item_rows,
        user_rows=user_rows,
        completeness=completeness,
        created_later=sum(int(text) > now for text in items.columns["CREATION_TIMESTAMP"]),
    )


def _digest(values: Iterable[object], arrays: Iterable[Ints]) -> str:
    digest = hashlib.sha256()
    for value in values:
        digest.update(json.dumps(value).encode() + b"\n")
    for array in arrays:
        digest.update(array.astype("<i8").tobytes())
    return digest.hexdigest()


def _numbered(values: Sequence[str], beside: Iterable[str] = ()) -> tuple[list[str], Ints]:
    """Return all different values, sorted, and the place of each value among them."""
    different = sorted({*values, *beside})
    places = {value: place for place, value in enumerate(different)}
    return different, np.fromiter(map(places.__getitem__, values), np.int64, len(values))
