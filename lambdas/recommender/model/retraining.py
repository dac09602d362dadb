"""What DescribeRecommender shows of the weekly retraining (pure).

Personalize retrains an ACTIVE recommender every 7 days, and names ``latestRecommenderUpdate`` as
the place to follow that ("Maintaining recommendation relevance", Developer Guide). No recorded
answer shows a retraining there, an update of the configuration shows at the same place, and only
the latest of all shows. So nothing here is claimed that is wrong if retrainings never show.
"""

from typing import Final

from .config import Config
from .observed import Observed, Phase, Update
from .operation import Operation

_DAY: Final = 24 * 3600.0
PERIOD: Final = 7 * _DAY
"""Seconds from one retraining to the next: so long, none is overdue."""
_DEPLOYMENT: Final = 2 * _DAY
"""Seconds after which a deployment, its rollback included, sends no update any more.

A template waits for a training for 24 hours at most.
"""
_AT_ONCE: Final = 3600.0
"""Seconds by which the times of one change may differ."""


def changes_config(observed: Observed, update: Update) -> bool:
    """Return whether an update leads to another configuration than the effective one.

    A retraining does not. A member that does not show is no difference.
    """
    updated = Config.of_service(update.config, hidden=Config())
    effective = Config.of_service(observed.config, hidden=updated)
    return not effective.agrees_with(update.config)


def failed(observed: Observed) -> Update | None:
    """Return the latest update if it failed, and was a retraining as far as that shows."""
    update = observed.latest_update
    if update is None or not update.failed or changes_config(observed, update):
        return None
    return update


def has_failed(observed: Observed) -> bool | None:
    """Return whether the latest retraining failed, or None if something else shows in its place.

    That is an update that has not ended, or one of the configuration that failed.
    """
    update = observed.latest_update
    if update and (update.under_way or (update.failed and changes_config(observed, update))):
        return None
    return failed(observed) is not None


def age(observed: Observed, operation: Operation, now: float) -> float | None:
    """Return the seconds since the latest training began, or None if that is not known.

    The latest update counts as a training, and before the first one the creation does. Beyond a
    week, no age is known unless it counts from a retraining: of the creation, or of an update that
    this stack sent, there may have been retrainings since that do not show. When the last training
    before a failed update was, does not show.

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

    Nothing of the stack was under way when it began, and neither a stop nor a start came after it.
    """
    deployed = max(operation.began, observed.created)
    is_ours = update.created <= deployed + _DEPLOYMENT
    has_paused = observed.updated > update.updated + _AT_ONCE
    return observed.phase is Phase.ACTIVE and not is_ours and not has_paused
