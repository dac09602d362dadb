"""One page for a browser: the recommenders of the local AWS, and their training data.

It refers to nothing outside itself and runs no script; a user is looked up by an ordinary form.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from jinja2 import Environment, PackageLoader, StrictUndefined

from local_aws.page.plots import plots
from local_aws.personalize.recommender import Overview
from local_aws.personalize.training import Model, Source
from local_aws.rehearsal import NOTICE
from local_aws.rehearsal.data import Data
from local_aws.rehearsal.evaluation import CHOICES, Compared, Evaluation, explanation, in_order
from local_aws.rehearsal.findings import Finding, findings
from local_aws.rehearsal.training import SCORE

SECURITY_POLICY: Final = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'self'"
)
"""The Content-Security-Policy under which the page works."""

_NOTHING_TRAINED: Final = (
    "Amazon Personalize is simulated on this machine. No model has been trained here yet."
)
_SHOWN: Final = 10
_SUGGESTED: Final = 50


def data_page(folder: str, data: Data, trained: Model | str) -> str:
    """Return the page about a folder of data.

    Args:
        folder: Where it is.
        data: The data in it.
        trained: The model of a training with the default configuration, or the reason of a failure.
    """
    section = _section(folder, folder, data, findings(data))
    title = f"The data in {folder}"
    if isinstance(trained, str):
        notice = f"A training on this data ends in CREATE FAILED: {trained}"
        return _render(title=title, notice=notice, sections=[section], recommenders=[])
    shown = {
        "name": "Trained with the default configuration",
        "facts": _facts(folder, trained),
        **_measured(trained.metrics, trained.evaluation),
    }
    return _render(title=title, notice=NOTICE, sections=[section], recommenders=[shown])


def service_page(
    recommenders: Sequence[Overview], sources: Mapping[str, Source], *, user: str, now: float
) -> str:
    """Return the page about the running service.

    Args:
        recommenders: All of them.
        sources: The data of each dataset group that has some, by its name.
        user: The user to recommend to; empty for no user.
        now: The time, in epoch seconds.
    """
    is_trained = any(one.model for one in recommenders)
    users = [source.data.users[:_SUGGESTED] for source in sources.values()]
    return _render(
        title="Amazon Personalize, simulated on this machine",
        notice=NOTICE if is_trained else _NOTHING_TRAINED,
        sections=[
            _section(name, one.folder, one.data, one.findings) for name, one in sources.items()
        ],
        recommenders=[_shown(one, user, now) for one in recommenders],
        asks=True,
        user=user,
        suggested=sorted({one for of_source in users for one in of_source}),
    )


def _render(**content: Any) -> str:
    empty = {"asks": False, "user": "", "suggested": []}
    return _TEMPLATE.render(**empty | content, policy=SECURITY_POLICY, choices=CHOICES, score=SCORE)


def _section(name: str, folder: str, data: Data, found: Sequence[Finding]) -> dict[str, Any]:
    return {
        "name": name,
        "folder": folder,
        "findings": found,
        "plots": plots(data) if len(data.user) else [],
    }


def _facts(folder: str, model: Model) -> list[tuple[str, str]]:
    """Return the facts about a model: the effective configuration, and the data."""
    options, evaluation = model.options, model.evaluation
    excluded = ", ".join(sorted(options.excluded_item_columns)) or "none"
    return [
        ("Folder", folder),
        ("Exploration weight", f"{options.exploration_weight:g}"),
        ("Item age cut-off", f"{options.exploration_item_age_cut_off:g} days"),
        ("Excluded columns of Items", excluded),
        ("Tested users", f"{evaluation.tested:,} of {evaluation.users:,}"),
        ("Items learnt about", f"{evaluation.learnt:,} of {evaluation.items:,}"),
    ]


def _measured(metrics: Mapping[str, float], evaluation: Evaluation | None) -> dict[str, Any]:
    """Return metrics for the template; without an evaluation, they are fixed."""
    if evaluation is None or metrics != evaluation.values:
        return {"metrics": in_order(metrics), "compared": [], "explanation": []}
    most = max(one.value + (one.error or 0) for one in evaluation.metrics.values())
    most = max(most, *(one.popularity for one in evaluation.metrics.values()), 1e-9)
    compared = [(name, one, _bar(one, most)) for name, one in evaluation.metrics.items()]
    return {"metrics": [], "compared": compared, "explanation": explanation(evaluation)}


def _bar(one: Compared, most: float) -> dict[str, str]:
    """Return the places of a bar, of its error bar and of the popularity list, in percent."""
    error = one.error or 0
    places = {
        "value": one.value,
        "low": max(one.value - error, 0),
        "high": one.value + error,
        "popularity": one.popularity,
    }
    return {name: f"{100 * place / most:.1f}" for name, place in places.items()}


def _shown(one: Overview, user: str, now: float) -> dict[str, Any]:
    evaluation = one.model.evaluation if one.model else None
    return {
        "name": one.name,
        "status": one.status,
        "for": _duration(now - one.since),
        "coming": [(status, _duration(when - now)) for when, status in one.coming],
        "failure": one.failure,
        "is_fixed": one.is_fixed,
        "facts": _facts(one.source.folder, one.model) if one.source and one.model else [],
        **_measured(one.metrics, None if one.is_fixed else evaluation),
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
