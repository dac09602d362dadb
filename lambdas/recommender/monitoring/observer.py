"""The observer: it observes a recommender and writes metrics. It changes nothing, ever."""

import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, Protocol

from ..aws.cloudformation import Stacks
from ..aws.cloudwatch import CloudWatch
from ..aws.errors import InUseError, NotFoundError
from ..model.identity import Ownership
from ..model.observed import Observed
from ..model.request import Request
from .observation import Observation, ObservationRequest, emf_document


class PersonalizeReader(Protocol):
    """The reads of Personalize; the observer can make no other call."""

    def describe(self, arn: str) -> Observed | None:
        """Return a recommender without its tags, or None."""

    def tags(self, arn: str) -> dict[str, str]:
        """Return the tags of a recommender."""

    def names(self) -> list[str]:
        """Return the names of all recommenders."""


@dataclass(frozen=True)
class Observer:
    """Observes once at each event of the schedule.

    Attributes:
        personalize: shows recommenders.
        stacks: tells whether a deployment is under way.
        cloudwatch: shows earlier metrics, if the event wants a comparison with them.
        clock: returns epoch seconds.
        write: writes a line of the log.
    """

    personalize: PersonalizeReader
    stacks: Stacks
    cloudwatch: CloudWatch
    clock: Callable[[], float]
    write: Callable[[str], None]

    def observe(self, event: Mapping[str, Any]) -> None:
        """Observe once, and write one line.

        Raises:
            BadRequestError: the event is malformed.
            TransientError, PermanentError: a read failed. Then no line is written, and the alarm
                for missing observations goes off.
        """
        wanted = ObservationRequest.parse(event)
        request = wanted.request
        operation = self.stacks.operation(request.stack_id)
        observed = self._wanted(request.desired.arn)
        now = self.clock()
        seen = Observation(observed, self._others(request), operation)
        if observed and wanted.compares(observed):
            history = self.cloudwatch.model_metrics(wanted.recommender, observed.metrics, now)
            seen = replace(seen, history=history)
        if observed and wanted.measures_use_of(observed, now):
            seen = replace(seen, use=self.cloudwatch.use(observed.arn, now))
        self.write(json.dumps(emf_document(wanted, seen, now)))

    def _wanted(self, arn: str) -> Observed | None:
        observed = self.personalize.describe(arn)
        with suppress(NotFoundError):
            return observed and replace(observed, tags=self._tags(arn))
        return None

    def _others(self, request: Request) -> tuple[str, ...] | None:
        """Return the stack's other recommenders, by all names it can use, or None if unknown."""
        others = []
        for arn in sorted(request.arns_among(self.personalize.names()) - {request.desired.arn}):
            with suppress(NotFoundError):
                tags = self._tags(arn)
                if tags is None:
                    return None
                if request.owner.of(tags) is not Ownership.FOREIGN:
                    others.append(arn)
        return tuple(others)

    def _tags(self, arn: str) -> dict[str, str] | None:
        """Return the tags, or None while a change such as the weekly retraining blocks them.

        ListTagsForResource declares ResourceInUseException (Personalize API reference), without its
        conditions. A retraining takes hours; the observer reports the rest meanwhile.
        """
        with suppress(InUseError):
            return self.personalize.tags(arn)
        return None
