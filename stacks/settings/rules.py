"""Rules about several settings, for the context and for the construct's own arguments alike."""

from collections.abc import Iterator
from typing import Final

from ..functions import Recipe
from .declarations import RecommenderSettings
from .errors import Refusal

MAX_LINKS: Final = 200
"""Training gates and sweeps together.

CloudFormation allows 500 resources in a stack, of which each of them is one. The rest is for the
other resources: some thirty here, and those that a stack has besides the construct.
"""


def rules_of_a_recommender(settings: RecommenderSettings) -> Iterator[Refusal]:
    """Yield each setting that does not fit the others, and why it is refused."""
    if settings.adopt_existing and settings.recommender_name is None:
        yield Refusal(
            "adopt_existing",
            True,
            "true together with recommender_name",
            "Name the recommender to take over in recommender_name.",
        )
    if settings.active_hours is not None and not settings.running:
        yield Refusal(
            "active_hours",
            dict(settings.active_hours),
            "hours together with running: true",
            "running: false keeps it stopped at any hour: remove one of the two.",
        )
    yield from _rules_of_its_recipe(settings)


def _rules_of_its_recipe(settings: RecommenderSettings) -> Iterator[Refusal]:
    """Yield each setting that the recipe does not have, and why it is refused."""
    recipe, facts = settings.recipe, settings.recipe.facts
    explores = [one for one in Recipe if one.facts.explores]
    for name in ("exploration_weight", "exploration_item_age_cut_off"):
        value = getattr(settings, name)
        if not facts.explores and value != getattr(RecommenderSettings, name):
            yield Refusal(
                name,
                value,
                f"a recipe that explores: {', '.join(explores)}",
                f"{recipe} does not: remove it, or give it to other recommenders only.",
            )
    trains_on = (*facts.required, *facts.optional)
    for dataset, columns in settings.excluded_columns.items():
        if dataset not in trains_on:
            yield Refusal(
                "excluded_columns",
                {dataset: columns},
                f"columns of datasets that {recipe} trains on: {', '.join(trains_on)}",
                f"Remove {dataset}, or give it to other recommenders only.",
            )
    if settings.minimum_metrics and settings.quality_gate == "fail" and not facts.shows_metrics:
        yield Refusal(
            "minimum_metrics",
            settings.minimum_metrics,
            "minimums of a recipe of which AWS shows metrics, or a quality_gate of warn",
            f"If Personalize reports no metrics of {recipe}, each deployment would fail after "
            "its training.",
        )


def topic_is_of_the_region(name: str, topic_arn: str, region: str) -> Refusal | None:
    """Refuse a topic of another region: an alarm notifies a topic of its own region only."""
    if topic_arn.split(":")[3] == region:
        return None
    return Refusal(
        name,
        topic_arn,
        f"a topic of the region of the alarms, {region}",
        "Give a topic of the dataset group's region.",
    )


def topic_is_of_the_place(
    name: str, topic_arn: str, *, region: str, account: str
) -> Refusal | None:
    """Refuse a topic of another region, or of another account.

    An EventBridge rule delivers within its region. To another account it delivers only by a role of
    its own ("Sending events to an AWS service in another account", EventBridge User Guide).
    """
    if topic_arn.split(":")[3:5] == [region, account]:
        return None
    return Refusal(
        name,
        topic_arn,
        f"a topic of the stack's region and account, {region} and {account}",
        "Give a topic of that place. A subscription of it may be of another account.",
    )


def chains_fit_into_a_stack(name: str, *, training_gates: int, sweeps: int) -> Refusal | None:
    """Refuse chains that are too long together."""
    if training_gates + sweeps <= MAX_LINKS:
        return None
    return Refusal(
        name,
        f"{training_gates} training gates and {sweeps} sweeps",
        f"{MAX_LINKS} of them together",
        "Let each wait longer, or all of them together less long.",
    )


def key_is_of_the_region(name: str, key_arn: str, region: str) -> Refusal | None:
    """Refuse a key of another region."""
    if key_arn.split(":")[3] == region:
        return None
    return Refusal(
        name,
        key_arn,
        f"a key of the region of the log groups, {region}",
        "Give a key of that region, or the replica there of a multi-Region key.",
    )
