"""The training gates: they wait for a training, and return its metrics."""

import json
import logging
import math
from collections.abc import Mapping
from typing import Final

from .. import vocabulary as v
from ..aws.cloudformation import Stacks
from ..aws.errors import PermanentError, TransientError
from ..aws.personalize import Personalize
from ..decision.plan import readiness
from ..decision.verdict import AtDeadline, Done, Fail, Verdict, Wait
from ..model.config import not_shown
from ..model.observed import Observed
from ..model.operation import Operation, RequestType
from ..model.request import Request
from ..text import sentence, truncate
from .base import NOTHING_TO_DO, CustomResource

LOG = logging.getLogger(__name__)

MAX_METRICS_BYTES: Final = 2000
"""An answer may have 4096 bytes in all (crpg-ref-responses)."""


class TrainingGate(CustomResource):
    """``Custom::RecommenderTraining``: waits for a training, and changes nothing."""

    def __init__(self, request: Request) -> None:
        super().__init__(request)
        self.misses: list[str] = []

    def look(self, personalize: Personalize, stacks: Stacks) -> tuple[Verdict, Observed | None]:
        """Return whether the recommender is ready, and whether its metrics are good enough."""
        if self.request.type is RequestType.DELETE:
            return NOTHING_TO_DO, None
        observed = None
        verdict: Verdict
        try:
            observed = personalize.describe(self.request.get(v.RECOMMENDER_ARN))
            verdict = readiness(
                self.request.config,
                observed,
                running=self.request.get(v.RUNNING, True),
                updated_after=self.request.get(v.UPDATED_AFTER, math.inf),
                before=self.request.old_config,
            )
            if isinstance(verdict, Done) and self._is_last and observed:
                verdict = self._judged(verdict, observed, personalize, stacks)
        except TransientError as error:
            verdict = Wait(str(error))
        except PermanentError as error:
            verdict = Fail(str(error))
        if isinstance(verdict, Wait) and not self._is_last:
            verdict = Wait(verdict.reason, AtDeadline.HAND_OVER, grace=verdict.grace)
        return verdict, observed

    def _judged(
        self, ready: Done, observed: Observed, personalize: Personalize, stacks: Stacks
    ) -> Verdict:
        if hidden := not_shown(observed.config):
            LOG.warning(
                f"DescribeRecommender does not show {', '.join(hidden)}: not checked",
                extra={"members": hidden},
            )
        gate = self.request.quality_gate
        replaced = self.request.old_recommender_arn
        compares = gate.max_regression is not None
        before = personalize.describe(replaced) if replaced and compares else None
        self.misses = gate.misses(observed.metrics, before.metrics if before else None)
        if not self.misses:
            return ready
        LOG.warning(f"{_MISSED}: {'; '.join(self.misses)}", extra={"misses": self.misses})
        # What a rollback returns to has been in service: its metrics may have changed since.
        if not gate.fails or stacks.operation(self.request.stack_id).rolls_back:
            return ready
        return Fail(f"{_MISSED}: {'; '.join(self.misses)}. {_stays(self.request)}")

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
            v.QUALITY_GATE_ATTRIBUTE: self._quality,
        }

    def out_of_time(self, waited: str, reason: str, operation: Operation | None) -> str:
        """Return why the last one has failed."""
        del waited, operation
        return (
            f"The recommender was not ready when the last training gate closed: {sentence(reason)} "
            "Raise max_training_hours (training_gates of the construct), then deploy again."
        )

    @property
    def _quality(self) -> str:
        return truncate(f"warned: {'; '.join(self.misses)}", 400) if self.misses else "passed"

    @property
    def _is_last(self) -> bool:
        number, of = self.request.link
        return number == of


_MISSED: Final = "The quality gate is missed"


def _stays(request: Request) -> str:
    """Return what serves when a deployment fails for its metrics."""
    if request.type is RequestType.CREATE:
        return "Nothing goes into service: the deployment is rolled back."
    if request.old_recommender_arn:
        return f"{request.old_recommender_arn} stays in service."
    return "The recommender stays in service as it was before this deployment."
