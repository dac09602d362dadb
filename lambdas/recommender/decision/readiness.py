"""Decide whether a recommender is ready; a training gate waits for that (pure)."""

from typing import Final

from ..model.config import Config
from ..model.observed import Observed, Phase, Update
from ..model.timing import GRACE_SECONDS
from .verdict import Done, Fail, Progress, Verdict, Wait

_AGAIN: Final = (
    "Remove the cause, then deploy again; after --no-rollback, with another force_update."
)
_FORCE: Final = "Change force_update, then deploy again."


def not_found(name: str) -> Fail:
    """Fail because Personalize does not show a recommender, if that lasts."""
    return Fail(
        f"Personalize does not show {name}. If something outside this stack deleted it, change "
        "force_update, then deploy again.",
        confirm=GRACE_SECONDS,
    )


def readiness(
    config: Config,
    observed: Observed | None,
    *,
    running: bool,
    updated_after: float | None,
    before: Config | None = None,
    name: str = "the recommender",
) -> Verdict:
    """Decide whether a recommender serves with the expected configuration.

    If DescribeRecommender does not show a member, that alone is no difference, unless this
    deployment's update does not show yet, or has failed. If an update shows the effective
    configuration, it is the weekly retraining, unless this deployment changes members that do not
    show. The model before a retraining serves, so a wait for a retraining may be handed over.

    Args:
        config: the configuration that must be effective.
        observed: the recommender, or None.
        running: whether it must be ACTIVE; else it may also be stopped.
        updated_after: if this deployment has sent an update, that is newer (epoch seconds, the
            service's clock). In a rollback this may be of the deployment before: an update that
            failed since then led to another configuration.
        before: the earlier configuration in the template, if any.
        name: the recommender's name in messages.
    """
    if observed is None:
        return not_found(name)
    if observed.phase.has_failed:
        return Fail(f"The recommender is {observed.status}: {observed.reason} {_AGAIN}")
    if observed.phase is Phase.DELETING:
        return Fail(
            f"The recommender is {observed.status}, and this deployment did not delete it. "
            f"Something outside this stack may have deleted it. {_FORCE}"
        )
    update = observed.update_after(updated_after)
    is_awaited = updated_after is not None and update is None
    failed = update if update and update.failed and config.agrees_with(update.config) else None
    is_effective = _is_effective(config, observed, failed, before, is_awaited=is_awaited)
    if failed and not is_effective:
        return Fail(f"The update of the recommender failed: {failed.reason} {_AGAIN}")
    serves = observed.phase is Phase.ACTIVE or (
        not running and observed.phase in (Phase.INACTIVE, Phase.STOPPING)
    )
    if observed.updating or not serves:
        retrains = serves and observed.config_after_update == observed.config
        return Wait(
            observed.description,
            hands_over=retrains and config.is_shown_in_full(observed.config),
        )
    if is_effective:
        return Done(observed.status, Progress.EFFECTIVE)
    return Fail(
        "The recommender has another configuration and no update is running. Something outside "
        f"this stack may have changed it. {_FORCE}",
        confirm=GRACE_SECONDS,
    )


def _is_effective(
    config: Config,
    observed: Observed,
    failed: Update | None,
    before: Config | None,
    *,
    is_awaited: bool,
) -> bool:
    if not failed and not is_awaited:
        return config.agrees_with(observed.config)
    if before and (failed is None or failed.config == observed.config):
        return Config.of_service(observed.config, hidden=before) == config
    return config.is_shown_in_full(observed.config)
