"""The table that `make bench` prints and keeps (pure)."""

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

BEGIN: Final = "<!-- {}: written by make bench -->"
END: Final = "<!-- the end of {} -->"

_HEAD: Final = ("ratio", "target", "what", "ours", "the other", "how, and on which data")


@dataclass(frozen=True)
class Row:
    """One figure.

    Attributes:
        ratio: ours over the other's, as it is shown; empty where there is no other.
        what: the thing that is measured.
        ours: the figure itself, with its unit and its spread.
        other: the alternative, and its figure.
        how: how it was taken, and on which data or clock.
        target: the figure to reach, if there is a target.
    """

    what: str
    ours: str
    how: str
    ratio: str = ""
    other: str = ""
    target: str = ""


@dataclass(frozen=True)
class Pairs:
    """Measurements of two things, taken in turn, so that whatever disturbs one disturbs both."""

    ours: Sequence[float]
    other: Sequence[float]

    @property
    def ratio(self) -> str:
        """The median of the ratios of the pairs, and their spread."""
        ratios = [ours / other for ours, other in zip(self.ours, self.other, strict=True)]
        return spread(ratios, digits=2)

    def row(
        self,
        what: str,
        how: str,
        *,
        other: str,
        target: str = "",
        digits: int = 2,
        unit: str = " s",
    ) -> Row:
        """Return the row of both, with the name of the other one."""
        return Row(
            what=what,
            ratio=self.ratio,
            target=target,
            ours=spread(self.ours, digits=digits, unit=unit),
            other=f"{other} {spread(self.other, digits=digits, unit=unit)}",
            how=how,
        )


def spread(values: Sequence[float], *, digits: int, unit: str = "") -> str:
    """Return the median of the measurements, and their least and most."""
    middle, least, most = statistics.median(values), min(values), max(values)
    shown = f"{middle:.{digits}f}{unit}"
    return shown if least == most else f"{shown} ({least:.{digits}f} to {most:.{digits}f})"


def duration(seconds: float) -> str:
    """Return a duration as a reader takes it in."""
    two_minutes, two_hours = 120, 7200
    if seconds < two_minutes:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < two_hours else f"{seconds / 3600:.1f} h"


def rendered(rows: Iterable[Row]) -> str:
    """Return the rows as a table of Markdown."""
    lines = [_HEAD, ("---",) * len(_HEAD)]
    lines += [(one.ratio, one.target, one.what, one.ours, one.other, one.how) for one in rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def replaced(document: str, name: str, table: str) -> str:
    """Return a document with another table between the two marks of that name.

    Raises:
        ValueError: it has not both marks, once each.
    """
    begin, end = BEGIN.format(name), END.format(name)
    once = document.count(begin) == document.count(end) == 1
    if not once or document.index(begin) > document.index(end):
        raise ValueError(f"The document must have {begin} and {end}, once each, in this order.")
    before, after = document.partition(begin)[0], document.partition(end)[2]
    return f"{before}{begin}\n\n{table}\n\n{end}{after}"
