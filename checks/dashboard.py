"""Draw the dashboard of monitoring for the documents: `make dashboard-picture`.

What is drawn, where, and under which names, is said by the dashboard's own definition, as it is
synthesised. The data are invented: there is no account to take any from.
"""

import json
import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final
from xml.sax.saxutils import escape

import pygal  # type: ignore[import-untyped]
from aws_cdk import App, Environment
from pygal.style import Style  # type: ignore[import-untyped]

from lambdas.recommender import vocabulary as v
from local_aws.page.plots import static
from stacks.settings import parse
from stacks.top_picks_stack import TopPicksStack

PICTURE: Final = Path(__file__).parents[1] / "docs" / "how-to" / "dashboard.svg"

_SETTINGS: Final = {
    "dataset_group_arn": "arn:aws:personalize:eu-west-1:111111111111:dataset-group/vod",
    "min_recommendation_requests_per_second": 5,
    "monitoring": True,
    "minimum_metrics": {"coverage": 0.5, "precision_at_10": 0.08},
}
_COLUMN: Final = 50
_ROW: Final = 45
_HEAD: Final = 44
"""Pixels: of the dashboard's grid, and above it."""
_STEP: Final = 3
_HOURS: Final = range(0, 7 * 24 + 1, _STEP)
_COLORS: Final = (
    *("#1f77b4", "#d62728", "#2ca02c", "#ff7f0e", "#9467bd"),
    *("#8c564b", "#e377c2", "#7f7f7f", "#17becf", "#bcbd22"),
)
_FONT: Final = "system-ui, sans-serif"
_NOTICE: Final = "sample data: invented"

Body = Mapping[str, Any]


def main() -> None:
    """Write the picture."""
    PICTURE.write_text(picture(), encoding="utf-8")


def picture() -> str:
    """Return the dashboard as it is defined, with sample data, in SVG."""
    resources = _template()["Resources"]
    (dashboard,) = [
        one["Properties"]
        for one in resources.values()
        if one["Type"] == "AWS::CloudWatch::Dashboard"
    ]
    body: Body = json.loads(_resolved(dashboard["DashboardBody"]))
    width = 24 * _COLUMN
    height = _HEAD + _ROW * max(one["y"] + one["height"] for one in body["widgets"])
    drawn = [_widget(number, one) for number, one in enumerate(body["widgets"])]
    heading = _text(16, 29, f"TopPicks: the last 7 days ({_NOTICE})", size=18, weight="bold")
    return "\n".join(
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
            f'font-family="{_FONT}" role="img">',
            f"<title>The dashboard of monitoring, with {_NOTICE}</title>",
            f'<rect width="{width}" height="{height}" fill="#f2f3f3"/>',
            heading,
            *drawn,
            "</svg>\n",
        )
    )


def _template() -> dict[str, Any]:
    settings = parse(_SETTINGS)
    app = App(analytics_reporting=False, context={"aws:cdk:version-reporting": False})
    env = Environment(account=settings.account, region=settings.region)
    TopPicksStack(app, "TopPicks", settings=settings, env=env)
    template: dict[str, Any] = app.synth().get_stack_by_name("TopPicks").template
    return template


def _resolved(value: Any) -> str:
    match value:
        case {"Fn::Join": [str(separator), list(parts)]}:
            return separator.join(map(_resolved, parts))
        case {"Fn::GetAtt": [str(name), str(_)]} | {"Ref": str(name)}:
            return name
        case _:
            return str(value)


# -- widgets ---------------------------------------------------------------------------------------


def _widget(number: int, widget: Body) -> str:
    x, y = widget["x"] * _COLUMN + 4, _HEAD + widget["y"] * _ROW + 4
    width, height = widget["width"] * _COLUMN - 8, widget["height"] * _ROW - 8
    inside = {"alarm": _alarms, "metric": _graph}[widget["type"]]
    return "\n".join(
        (
            f'<g transform="translate({x} {y})">',
            f'<rect width="{width}" height="{height}" fill="white" stroke="#d5dbdb"/>',
            _text(12, 22, widget["properties"]["title"], size=14, weight="bold"),
            *inside(number, widget["properties"], width, height),
            "</g>",
        )
    )


def _alarms(_number: int, properties: Body, width: int, height: int) -> Iterator[str]:
    """Draw alarms by the names of their constructs: one is on, to show how that looks."""
    names = [re.sub(r"^MonitoringAlarms|[0-9A-F]{8}$", "", one) for one in properties["alarms"]]
    each = (width - 24) / len(names)
    for number, name in enumerate(names):
        on = name == _ON
        x, color = 12 + number * each, "#d13212" if on else "#1d8102"
        yield (
            f'<rect x="{x:.1f}" y="36" width="{each - 6:.1f}" height="{height - 46}" rx="3" '
            f'fill="{color}"/>'
        )
        yield _text(x + 6, 56, "ALARM" if on else "OK", size=13, weight="bold", color="white")
        for line, words in enumerate(re.findall("[A-Z][a-z]+(?:At[0-9]+)?", name)):
            yield _text(x + 6, 74 + 13 * line, words, size=11, color="white")


def _graph(number: int, properties: Body, width: int, height: int) -> Iterator[str]:
    axis = properties.get("yAxis", {}).get("left", {})
    lines = properties.get("annotations", {}).get("horizontal", ())
    shown = [*_series(properties["metrics"])]
    chart = pygal.Line(
        disable_xml_declaration=True,
        dots_size=0,
        height=height - 30,
        js=(),
        legend_at_bottom=True,
        # pygal shows full rows of the legend only
        legend_at_bottom_columns=next(n for n in (2, 3, 1) if (len(shown) + len(lines)) % n == 0),
        legend_box_size=9,
        margin=4,
        max_scale=5,
        range=(axis["min"], axis["max"]) if "max" in axis else None,
        include_x_axis=True,
        show_dots=False,
        stroke_style={"width": 2},
        style=Style(
            background="white",
            colors=_COLORS,
            font_family=_FONT,
            label_font_size=11,
            legend_font_size=11,
            major_label_font_size=11,
            opacity="1",
            plot_background="white",
        ),
        truncate_label=-1,
        truncate_legend=-1,
        width=width,
    )
    chart.uuid = f"widget-{number}"  # or it would be another one every time
    ago = [(_HOURS[-1] - hour) / 24 for hour in _HOURS]
    chart.x_labels = [f"-{days:.0f} d" if days.is_integer() else "" for days in ago[:-1]]
    chart.x_labels += ["now"]
    for label, values in shown:
        chart.add(label, values)
    for line in lines:
        chart.add(line["label"], [line["value"]] * len(_HOURS), stroke_style={"dasharray": "4, 4"})
    chart.add_xml_filter(static)
    plot = chart.render(is_unicode=True)
    place = f'<svg x="0" y="30" width="{width}" height="{height - 30}" '
    yield re.sub(r"^\s*<svg ", place, plot, count=1)


def _series(rows: Sequence[Sequence[Any]]) -> Iterator[tuple[str, list[float]]]:
    """Return what a graph shows: a metric, or an expression of such that are hidden."""
    known = {row[-1]["id"]: _sample(row[1]) for row in rows if "id" in row[-1] and len(row) > 1}
    for row in rows:
        options = row[-1]
        if options.get("visible", True):
            if "expression" in options:
                yield options["label"], _used(options["expression"], known)
            else:
                yield options.get("label", row[1]), _sample(row[1])


def _used(expression: str, known: Mapping[str, list[float]]) -> list[float]:
    """Return the only expression that there is: a metric by the seconds of its period."""
    match = re.fullmatch(r"(\w+) / PERIOD\(\1\)", expression)
    if match is None:
        raise ValueError(f"there is no sample for {expression}")
    return [one / 300 for one in known[match[1]]]


# -- sample data -----------------------------------------------------------------------------------


def _sample(metric: str) -> list[float]:
    of = _SAMPLES[metric]
    return [round(of(hour), 4) for hour in _HOURS]


def _day(hour: float) -> float:
    """Return how busy an hour is, 0 to 1: evenings are."""
    return (1 - math.cos((hour - 8) / 24 * 2 * math.pi)) / 2


def _trained(before: float, after: float) -> Callable[[float], float]:
    """Return a metric that the weekly retraining has changed."""
    return lambda hour: before if hour < _RETRAINED else after


_RETRAINED: Final = 96
_EDITED: Final = range(120, 127)
_ON: Final = "Leftovers"
_SAMPLES: Final[Mapping[str, Callable[[float], float]]] = {
    "Coverage": _trained(0.71, 0.74),
    "MeanReciprocalRankAt25": _trained(0.17, 0.19),
    "NormalizedDiscountedCumulativeGainAt5": _trained(0.19, 0.2),
    "NormalizedDiscountedCumulativeGainAt10": _trained(0.23, 0.24),
    "NormalizedDiscountedCumulativeGainAt25": _trained(0.27, 0.29),
    "PrecisionAt5": _trained(0.12, 0.13),
    "PrecisionAt10": _trained(0.09, 0.1),
    "PrecisionAt25": _trained(0.06, 0.07),
    v.HOURS_SINCE_TRAINING: lambda hour: (hour - _RETRAINED) % 168,
    v.HOURS_SINCE_UPDATE: lambda hour: min((hour - start) % 168 for start in (_RETRAINED, 127)),
    v.ACTIVE: lambda _: 1,
    v.DRIFT: lambda hour: int(hour in _EDITED),
    v.LEFTOVERS: lambda hour: int(hour >= _HOURS[-3]),
    v.RETRAINING_FAILED: lambda _: 0,
    v.PROVISIONED: lambda _: 5,
    "GetRecommendations": lambda hour: 150 + 1100 * _day(hour),
    "GetRecommendations4xxErrors": lambda hour: 4 * _day(hour),
    "GetRecommendations5xxErrors": lambda hour: 2.0 if hour in (60, 63) else 0.0,
    "GetRecommendationsLatency": lambda hour: 48 + 30 * _day(hour),
}
"""By the hour of the week: a retraining, an edit that is put right, and one that is left over."""


# -- drawing ---------------------------------------------------------------------------------------


def _text(
    x: float, y: float, text: str, *, size: int, weight: str = "normal", color: str = "#16191f"
) -> str:
    return (
        f'<text x="{x:.1f}" y="{y}" font-size="{size}" font-weight="{weight}" fill="{color}">'
        f"{escape(text)}</text>"
    )


if __name__ == "__main__":
    main()
