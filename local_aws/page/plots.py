"""Plots of data as SVG that needs nothing outside itself, readable without colour."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import numpy as np
import pygal  # type: ignore[import-untyped]
from markupsafe import Markup
from pygal.style import Style  # type: ignore[import-untyped]

from local_aws.rehearsal.data import Data, Ints

# pygal puts a finder for its plug-ins in place that Python 3.11 warns of at every import after it.
sys.meta_path[:] = [one for one in sys.meta_path if not isinstance(one, pygal.PluginImportFixer)]

_PERIODS: Final = 24
_LABELLED: Final = 4
"""One period in so many bears its date."""
_FONT: Final = "system-ui, sans-serif"


@dataclass(frozen=True)
class Plot:
    """A plot, and its summary in words."""

    title: str
    summary: str
    svg: Markup


def plots(data: Data) -> list[Plot]:
    """Return the plots of a dataset group's data; there must be interactions."""
    return [
        _over_time(data),
        _by_count(
            "users",
            "Users by number of interactions",
            data.per_user,
            f"Half of the users have {_median(data.per_user)} interactions or fewer, "
            f"the busiest has {data.per_user.max():,}.",
        ),
        _by_count(
            "items",
            "Items by number of interactions",
            data.per_item,
            f"Half of the items have {_median(data.per_item)} interactions or fewer, the most "
            f"popular has {data.per_item.max():,}; the most popular tenth has "
            f"{_share_of_top_tenth(data.per_item):.0%} of all.",
        ),
    ]


def _over_time(data: Data) -> Plot:
    counts, edges = np.histogram(data.time, bins=_PERIODS)
    days = [datetime.fromtimestamp(edge, UTC).date().isoformat() for edge in edges[:-1].tolist()]
    labels = [day if n % _LABELLED == 0 else "" for n, day in enumerate(days)]
    each = (edges[1] - edges[0]) / 86_400
    busiest = int(counts.argmax())
    return Plot(
        "Interactions over time",
        f"{_PERIODS} periods of {each:.1f} days each; the busiest, from {days[busiest]}, has "
        f"{counts[busiest]:,}.",
        _bars("time", "Interactions over time", labels, counts, print_values=False),
    )


def _by_count(name: str, title: str, per: Ints, summary: str) -> Plot:
    """Plot how many have 0, 1, 2 to 3, 4 to 7, ... interactions."""
    bins = np.bincount([int(count).bit_length() for count in per])
    labels = [_doubling(n) for n in range(len(bins))]
    return Plot(title, summary, _bars(name, title, labels, bins, print_values=True))


def _doubling(n: int) -> str:
    low, high = 2**n // 2, 2**n - 1
    return str(low) if low >= high else f"{low}-{high}"


def _bars(
    name: str, title: str, labels: Sequence[str], counts: Ints, *, print_values: bool
) -> Markup:
    chart = pygal.Bar(
        js=(),
        disable_xml_declaration=True,
        width=720,
        height=260,
        margin=8,
        show_legend=False,
        truncate_label=-1,
        print_values=print_values,
        print_values_position="top",
        max_scale=5,
        formatter=lambda value: f"{value:,.0f}",
        style=Style(
            background="white",
            plot_background="white",
            colors=("#1d4f91",),
            font_family=_FONT,
            label_font_size=12,
            value_font_size=12,
            opacity="1",
        ),
        title=None,
    )
    chart.uuid = name  # or it would be another one every time
    chart.x_labels = labels
    chart.add(title, counts.tolist())
    chart.add_xml_filter(_static)
    return Markup(chart.render())  # noqa: S704  # numbers and our own words only


def _static(svg: Any) -> Any:
    """Remove the parts that do nothing without pygal's script: its settings, and comments."""
    for parent in list(svg.iter()):
        for child in list(parent):
            if callable(child.tag) or child.tag == "script":
                parent.remove(child)
    svg.set("aria-hidden", "true")  # the summary says it in words
    return svg


def _median(counts: Ints) -> str:
    return f"{int(np.median(counts)):,}"


def _share_of_top_tenth(counts: Ints) -> float:
    top = np.sort(counts)[::-1][: max(1, len(counts) // 10)]
    return float(top.sum() / counts.sum())
