"""One page to look at: the recommenders of the local AWS, and the data that they are trained on.

It refers to nothing outside itself and runs no script; a user is looked up by an ordinary form.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from jinja2 import Environment, PackageLoader, StrictUndefined

from local_aws.page.plots import plots
from local_aws.personalize.recommender import Overview
from local_aws.personalize.training import Model
from local_aws.rehearsal import NOTICE
from local_aws.rehearsal.data import Data
from local_aws.rehearsal.findings import findings

SECURITY_POLICY: Final = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'self'"
)
"""The Content-Security-Policy under which the page works."""

_SHOWN: Final = 10
_SUGGESTED: Final = 50


def data_page(folder: str, data: Data, trained: Model | None) -> str:
    """Return the page about a folder of data, with what a training on it came to, if it did."""
    return _render(
        title=f"The data in {folder}",
        sections=[_section(folder, data)],
        recommenders=[_measured("Trained with the default configuration", trained)]
        if trained
        else [],
    )


def service_page(
    recommenders: Sequence[Overview], sources: Mapping[str, Data], *, user: str, now: float
) -> str:
    """Return the page about what runs.

    Args:
        recommenders: All of them.
        sources: The data of each dataset group that has some, by its name.
        user: Whom to show recommendations for; empty for nobody.
        now: The time, in epoch seconds.
    """
    return _render(
        title="Amazon Personalize, simulated on this machine",
        sections=[_section(name, data) for name, data in sources.items()],
        recommenders=[_shown(one, user, now) for one in recommenders],
        asks=True,
        user=user,
        suggested=sorted({one for data in sources.values() for one in data.users[:_SUGGESTED]}),
    )


def _render(**content: Any) -> str:
    empty = {"asks": False, "user": "", "suggested": []}
    return _TEMPLATE.render(**empty | content, notice=NOTICE, policy=SECURITY_POLICY)


def _section(name: str, data: Data) -> dict[str, Any]:
    return {
        "name": name,
        "findings": findings(data),
        "plots": plots(data) if len(data.user) else [],
    }


def _measured(name: str, trained: Model) -> dict[str, Any]:
    return {"name": name, "metrics": _compared(trained.metrics, trained.popularity_metrics)}


def _compared(
    metrics: Mapping[str, float], popularity: Mapping[str, float]
) -> list[tuple[str, float, float | None]]:
    return [(name, value, popularity.get(name)) for name, value in metrics.items()]


def _shown(one: Overview, user: str, now: float) -> dict[str, Any]:
    popularity = one.model.popularity_metrics if one.model else {}
    return {
        "name": one.name,
        "status": one.status,
        "for": _duration(now - one.since),
        "coming": [(status, _duration(when - now)) for when, status in one.coming],
        "failure": one.failure,
        "is_fixed": one.is_fixed,
        "metrics": _compared(one.metrics, {} if one.is_fixed else popularity),
        "answer": _answer(one.source.data, one.model, user)
        if user and one.source and one.model
        else None,
    }


def _answer(data: Data, model: Model, user: str) -> dict[str, Any]:
    history = data.history(user)
    done = zip(data.item[history], data.event_type[history], data.time[history], strict=True)
    return {
        "count": history.stop - history.start,
        "history": [
            (_day(int(time)), data.event_types[event_type], *_described(data, data.items[item]))
            for item, event_type, time in list(done)[: -_SHOWN - 1 : -1]
        ],
        "recommended": [
            (score, *_described(data, item_id)) for item_id, score in model.recommend(user, _SHOWN)
        ],
    }


def _described(data: Data, item_id: str) -> tuple[str, str, str]:
    row = data.metadata.get(item_id, {})
    return item_id, row.get("TITLE", ""), row.get("GENRES", "").replace("|", ", ")


def _day(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).date().isoformat()


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(max(seconds, 0)), 60)
    hours, minutes = divmod(minutes, 60)
    parts = [(hours, "h"), (minutes, "min"), (rest, "s")]
    return " ".join(f"{count} {unit}" for count, unit in parts if count) or "0 s"


_TEMPLATE: Final = Environment(
    loader=PackageLoader(__name__, ""),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
).get_template("page.html")
