"""One page for a browser: the recommenders of the local AWS, and their training data.

It refers to nothing outside itself and runs no script; a user is looked up by an ordinary form.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from jinja2 import Environment, PackageLoader, StrictUndefined

from local_aws.page.plots import plots
from local_aws.page.rows import SHOWN, described, history, row, start_pages
from local_aws.personalize.recommender import Overview
from local_aws.personalize.training import Source
from local_aws.rehearsal import NOTICE
from local_aws.rehearsal.data import Data
from local_aws.rehearsal.evaluation import Compared, Evaluation, explanation, in_order
from local_aws.rehearsal.findings import Finding
from local_aws.rehearsal.recipes import TOP_PICKS
from local_aws.rehearsal.training import StandIn

SECURITY_POLICY: Final = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'self'"
)
"""The Content-Security-Policy under which the page works."""

_NOTHING_TRAINED: Final = (
    "Amazon Personalize is simulated on this machine. No model has been trained here yet."
)
_SUGGESTED: Final = 50


def data_page(folder: str, data: Data, found: Sequence[Finding], trained: StandIn | str) -> str:
    """Return the page about a folder of data.

    Args:
        folder: Where it is.
        data: The data in it.
        found: The findings about it.
        trained: The result of a training with the default configuration, or the reason of a
            failure.
    """
    section = _section(folder, folder, data, found)
    title = f"The data in {folder}"
    if isinstance(trained, str):
        notice = f"A training on this data ends in CREATE FAILED: {trained}"
        return _render(title=title, notice=notice, sections=[section], recommenders=[])
    shown = {
        "name": "Trained with the default configuration",
        "recipe": "" if trained.recipe == TOP_PICKS else trained.recipe,
        "row": row(trained, data) if trained.unmeasured else None,
        **_trained(folder, trained),
        **_measured(trained.metrics, trained.evaluation),
    }
    return _render(title=title, notice=NOTICE, sections=[section], recommenders=[shown])


def service_page(
    recommenders: Sequence[Overview],
    sources: Mapping[str, Source],
    *,
    user: str,
    item: str,
    now: float,
) -> str:
    """Return the page about the running service.

    Args:
        recommenders: All of them.
        sources: The data of each dataset group that has some, by its name.
        user: The user to recommend to; empty for no user.
        item: The X of recipes that have one; empty for the item that the user watched last.
        now: The time, in epoch seconds.
    """
    is_trained = any(one.model for one in recommenders)
    users = [source.data.users[:_SUGGESTED] for source in sources.values()]
    starts = start_pages(recommenders, sources, user=user, item=item)
    return _render(
        title="Amazon Personalize, simulated on this machine",
        notice=NOTICE if is_trained else _NOTHING_TRAINED,
        sections=[
            _section(name, one.folder, one.data, one.findings) for name, one in sources.items()
        ],
        starts=list(starts.values()),
        recommenders=[
            _shown(one, "" if one.dataset_group_arn in starts else user, now)
            for one in recommenders
        ],
        asks=True,
        asks_for_item=any("itemId" in one.recipe.parameters for one in recommenders),
        user=user,
        item=item,
        suggested=sorted({one for of_source in users for one in of_source}),
    )


def _render(**content: Any) -> str:
    empty = {"asks": False, "user": "", "suggested": [], "starts": []}
    return _TEMPLATE.render(**empty | content, policy=SECURITY_POLICY)


def _section(name: str, folder: str, data: Data, found: Sequence[Finding]) -> dict[str, Any]:
    return {
        "name": name,
        "folder": folder,
        "findings": found,
        "plots": plots(data) if len(data.user) else [],
    }


def _trained(folder: str, model: StandIn) -> dict[str, Any]:
    """Return the facts about a model: the effective configuration, and the data."""
    facts = [("Folder", folder), *model.facts]
    if evaluation := model.evaluation:
        facts += [
            ("Tested users", f"{evaluation.tested:,} of {evaluation.users:,}"),
            ("Items learnt about", f"{evaluation.learnt:,} of {evaluation.items:,}"),
        ]
    return {"facts": facts, "rule": model.rule, "unmeasured": model.unmeasured}


_UNTRAINED: Final = {"facts": [], "rule": "", "unmeasured": ""}


def _measured(metrics: Mapping[str, float], evaluation: Evaluation | None) -> dict[str, Any]:
    """Return metrics for the template; without an evaluation, they are fixed, if there are any."""
    if evaluation is None or metrics != evaluation.values:
        return {"metrics": in_order(metrics), "compared": []}
    most = max(one.value + (one.error or 0) for one in evaluation.metrics.values())
    most = max(most, *(one.popularity for one in evaluation.metrics.values()), 1e-9)
    compared = [(name, one, _bar(one, most)) for name, one in evaluation.metrics.items()]
    return {
        "metrics": [],
        "compared": compared,
        "explanation": explanation(evaluation),
        "choices": evaluation.choices,
    }


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
        "recipe": "" if one.recipe.name == TOP_PICKS else one.recipe.name,
        "status": one.status,
        "for": _duration(now - one.since),
        "coming": [(status, _duration(when - now)) for when, status in one.coming],
        "failure": one.failure,
        "is_fixed": one.is_fixed,
        **(_trained(one.source.folder, one.model) if one.source and one.model else _UNTRAINED),
        **_measured(one.metrics, None if one.is_fixed else evaluation),
        "answer": _answer(one.source.data, one.model, user)
        if user and one.source and one.model
        else None,
    }


def _answer(data: Data, trained: StandIn, user: str) -> dict[str, Any]:
    return {
        "history": history(data, user),
        "recommended": [
            (score, described(data, item_id)) for item_id, score in trained.recommend(user, SHOWN)
        ],
    }


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
