"""Find the weekly retraining in DescribeRecommender's answer (pure).

Personalize retrains an ACTIVE recommender every 7 days, and names ``latestRecommenderUpdate`` as
the place to follow that ("Maintaining recommendation relevance", Developer Guide). No recorded
answer shows a retraining there. An update of the configuration shows at the same place, and only
the latest of all shows. So all results here stay right if retrainings never show.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from .config import Config
from .observed import Observed, Phase, Update
from .operation import Operation

_DAY: Final = 24 * 3600.0
PERIOD: Final = 7 * _DAY
"""Seconds from one retraining to the next; until then, none is overdue."""
_DEPLOYMENT: Final = 2 * _DAY
"""Seconds after which a deployment, with its rollback, sends no more updates.

A template waits for a training for 24 hours at most.
"""
_AT_ONCE: Final = 3600.0
"""The greatest difference, in seconds, between the times of one change."""


class Cause(StrEnum):
    """The cause of a training, in words."""

    CREATION = "creation"
    RETRAINING = "weekly retraining"
    UPDATE = "weekly retraining or change of the configuration"
    FAILED_RETRAINING = "failed weekly retraining"
    FAILED_UPDATE = "failed change of the configuration"


@dataclass(frozen=True)
class Training:
    """The latest training that shows: its cause, and when it began (epoch seconds)."""

    cause: Cause
    began: float


def latest(observed: Observed, operation: Operation) -> Training | None:
    """Return the latest training that shows, or None if none shows, or an update is under way.

    Args:
        observed: the recommender.
        operation: the stack's latest operation.
    """
    update = observed.latest_update
    if update is None:
        return Training(Cause.CREATION, observed.created) if observed.created else None
    if update.under_way:
        return None
    if update.failed:
        cause = Cause.FAILED_RETRAINING if failed(observed) else Cause.FAILED_UPDATE
    else:
        is_known = _is_retraining(update, observed, operation)
        cause = Cause.RETRAINING if is_known else Cause.UPDATE
    return Training(cause, update.created)


def changes_config(observed: Observed, update: Update) -> bool:
    """Return whether an update leads to another configuration than the effective one.

    A retraining does not. If a member does not show, that is no difference.
    """
    updated = Config.of_service(update.config, hidden=Config())
    effective = Config.of_service(observed.config, hidden=updated)
    return not effective.agrees_with(update.config)


def failed(observed: Observed) -> Update | None:
    """Return the latest update if it failed, and may have been a retraining."""
    update = observed.latest_update
    if update is None or not update.failed or changes_config(observed, update):
        return None
    return update


def has_failed(observed: Observed) -> bool | None:
    """Return whether the latest retraining failed, or None if something else shows in its place.

    In its place may show an update that has not ended, or a failed update of the configuration.
    """
    update = observed.latest_update
    if update and (update.under_way or (update.failed and changes_config(observed, update))):
        return None
    return failed(observed) is not None


def age(observed: Observed, operation: Operation, now: float) -> float | None:
    """Return the seconds since the latest training began, or None if that is unknown.

    The latest update counts as a training; before the first update, the creation does. After a
    week, the age is known only if it counts from a retraining. After a creation, or an update by
    this stack, there may be retrainings that do not show. If the latest update failed, the time of
    the training before it does not show.

    Args:
        observed: the recommender.
        operation: the stack's latest operation.
        now: epoch seconds.
    """
    update = observed.latest_update
    if update and update.failed:
        return None
    began = update.created if update else observed.created
    if not began:
        return None
    if now - began <= PERIOD or (update and _is_retraining(update, observed, operation)):
        return max(0.0, now - began)
    return None


def _is_retraining(update: Update, observed: Observed, operation: Operation) -> bool:
    """Return whether an update can only be the latest retraining of a recommender that serves.

    When it began, the stack had no operation under way; no stop and no start came after it.
    """
    deployed = max(operation.began, observed.created)
    is_ours = update.created <= deployed + _DEPLOYMENT
    has_paused = observed.updated > update.updated + _AT_ONCE
    return observed.phase is Phase.ACTIVE and not is_ours and not has_paused
