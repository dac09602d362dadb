"""The observer: looks at a recommender, and writes what it sees. It changes nothing, ever."""

import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any, Protocol

from ..aws.cloudformation import Stacks
from ..aws.errors import InUseError, NotFoundError
from ..model.identity import Ownership
from ..model.observed import Observed
from ..model.request import Request
from .observation import Observation, ObservationRequest, emf_document


class PersonalizeReader(Protocol):
    """What is read of Personalize: all that the observer can do."""

    def describe(self, arn: str) -> Observed | None:
        """Return a recommender without its tags, or None."""

    def tags(self, arn: str) -> dict[str, str]:
        """Return the tags of a recommender."""

    def names(self) -> list[str]:
        """Return the names of all recommenders."""


class Observer:
    """Looks whenever the schedule asks it to."""

    def __init__(
        self,
        personalize: PersonalizeReader,
        stacks: Stacks,
        clock: Callable[[], float],
        write: Callable[[str], None],
    ) -> None:
        """Connect it.

        Args:
            personalize: what it looks at.
            stacks: tells whether a deployment is under way.
            clock: returns epoch seconds.
            write: writes a line of the log.
        """
        self._personalize = personalize
        self._stacks = stacks
        self._clock = clock
        self._write = write

    def observe(self, event: Mapping[str, Any]) -> None:
        """Look once, and write one line.

        Raises:
            BadRequestError: the event is not as it must be.
            TransientError, PermanentError: not all could be read: nothing is written, and the
                alarm that watches for observations sees it.
        """
        wanted = ObservationRequest.parse(event)
        request = wanted.request
        operation = self._stacks.operation(request.stack_id)
        seen = Observation(self._wanted(request.desired.arn), self._others(request), operation)
        self._write(json.dumps(emf_document(wanted, seen, self._clock())))

    def _wanted(self, arn: str) -> Observed | None:
        observed = self._personalize.describe(arn)
        with suppress(NotFoundError):
            return observed and replace(observed, tags=self._tags(arn))
        return None

    def _others(self, request: Request) -> tuple[str, ...] | None:
        """Return what else is the stack's, under any name that it can use, or None if unknown."""
        others = []
        for arn in sorted(request.arns_among(self._personalize.names()) - {request.desired.arn}):
            with suppress(NotFoundError):
                tags = self._tags(arn)
                if tags is None:
                    return None
                if request.owner.of(tags) is not Ownership.FOREIGN:
                    others.append(arn)
        return tuple(others)

    def _tags(self, arn: str) -> dict[str, str] | None:
        """Return the tags, or None where a change such as the weekly retraining holds them.

        ListTagsForResource declares ResourceInUseException (Personalize API reference); when it
        answers so is not documented. A retraining takes hours, in which the rest is observed.
        """
        with suppress(InUseError):
            return self._personalize.tags(arn)
        return None
