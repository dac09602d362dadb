"""The training gates: they wait for a training, and return its metrics."""

import json
import logging
import math
from collections.abc import Mapping
from typing import Final

from . import vocabulary as v
from .config import not_shown
from .errors import PermanentError, TransientError
from .observed import Observed
from .operation import Operation, RequestType
from .personalize import Personalize
from .plan import readiness
from .resource import NOTHING_TO_DO, CustomResource
from .steps import AtDeadline, Done, Fail, Verdict, Wait

LOG = logging.getLogger(__name__)

MAX_METRICS_BYTES: Final = 2000
"""An answer may have 4096 bytes in all (crpg-ref-responses)."""


class TrainingGate(CustomResource):
    """``Custom::RecommenderTraining``: waits for a training, and changes nothing."""

    def look(self, personalize: Personalize) -> tuple[Verdict, Observed | None]:
        """Return whether the recommender is ready."""
        if self.request.type is RequestType.DELETE:
            return NOTHING_TO_DO, None
        observed = None
        verdict: Verdict
        try:
            observed = personalize.describe(self.request.get(v.RECOMMENDER_ARN))
        except TransientError as error:
            verdict = Wait(str(error))
        except PermanentError as error:
            verdict = Fail(str(error))
        else:
            verdict = readiness(
                self.request.config,
                observed,
                running=self.request.get(v.RUNNING, True),
                updated_after=self.request.get(v.UPDATED_AFTER, math.inf),
            )
        if isinstance(verdict, Wait) and not self._is_last:
            verdict = Wait(verdict.reason, AtDeadline.HAND_OVER, grace=verdict.grace)
        hidden = not_shown(observed.config) if observed else []
        if isinstance(verdict, Done) and self._is_last and hidden:
            LOG.warning(
                "Not shown by DescribeRecommender, so not checked", extra={"members": hidden}
            )
        return verdict, observed

    def attributes(self, verdict: Verdict, observed: Observed | None) -> dict[str, str]:
        """Return the ARN and the model metrics, as they are now."""
        del verdict
        if self.request.type is RequestType.DELETE:
            return {}
        metrics: Mapping[str, float] = observed.metrics if observed else {}
        reported = {name: metrics.get(key) for name, key in v.METRICS.items()}
        whole = dict(sorted(metrics.items()))
        while len(json.dumps(whole)) > MAX_METRICS_BYTES:
            whole.popitem()
        return {
            v.RECOMMENDER_ARN_ATTRIBUTE: self.request.get(v.RECOMMENDER_ARN),
            **{
                name: v.NOT_REPORTED if value is None else str(value)
                for name, value in reported.items()
            },
            v.MODEL_METRICS_ATTRIBUTE: json.dumps(whole),
        }

    def out_of_time(self, waited: str, reason: str, operation: Operation | None) -> str:
        """Return why the last one has failed."""
        del waited, operation
        return (
            f"The recommender was not ready when the last training gate closed: {reason}. "
            "Raise max_training_hours, then deploy again."
        )

    @property
    def _is_last(self) -> bool:
        number, of = self.request.link
        return number == of
