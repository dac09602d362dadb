"""The loop of AWS's notebooks: create, then describe each minute until it is ACTIVE.

As in github.com/aws-samples/amazon-personalize-immersion-day, which gives up after ten hours. It
needs a kernel, and credentials, that last as long. A deletion during the training waits in the same
way.
"""

from collections.abc import Callable
from typing import Final

from types_boto3_personalize import PersonalizeClient

from benchmarks.rivals import POLL_SECONDS, create, is_active, is_gone
from tests.support.personalize import VirtualClock

_MOST_SECONDS: Final = 10 * 3600


def deploy(api: PersonalizeClient, clock: VirtualClock) -> None:
    """Create a recommender, and wait until it is ACTIVE."""
    create(api)
    _wait_until(is_active, api, clock)


def delete(api: PersonalizeClient, clock: VirtualClock) -> None:
    """Delete a recommender, once that is possible, and wait until it is gone."""
    _wait_until(is_gone, api, clock)


def _wait_until(
    is_done: Callable[[PersonalizeClient], bool], api: PersonalizeClient, clock: VirtualClock
) -> None:
    """Poll each minute.

    Raises:
        TimeoutError: it is not done after ten hours.
    """
    end = clock.now + _MOST_SECONDS
    while clock.now < end:
        if is_done(api):
            return
        clock.advance(POLL_SECONDS)
    raise TimeoutError
