"""Wait for a training, and return its metrics."""

import json
import logging
from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from .. import vocabulary as v
from ..aws.errors import TransientError
from ..decision.readiness import readiness
from ..decision.verdict import Done, Fail, Verdict, Wait
from ..model.observed import Observed
from ..model.operation import RequestType
from ..model.request import Request
from ..reconcile.reconciler import Reconciler
from ..text import sentence, truncate
from .base import CustomResource

LOG = logging.getLogger(__name__)

MAX_METRICS_BYTES: Final = 2000
"""A whole answer may have 4096 bytes (crpg-ref-responses)."""


class TrainingGate(CustomResource):
    """``Custom::RecommenderTraining``: waits for a training, and changes nothing.

    Attributes:
        observed: the recommender, or None if it did not show.
        misses: the metrics that are not good enough, for people.
        compares_nothing: whether it should compare, and no earlier recommender is known.
    """

    is_fenced = False

    def __init__(self, request: Request) -> None:
        super().__init__(request)
        self.arn = request.get(v.RECOMMENDER_ARN)
        self.config = request.config
        self.observed: Observed | None = None
        self.misses: list[str] = []
        self.compares_nothing = False

    def attempt(self, reconciler: Reconciler) -> Verdict:
        """Observe whether the recommender is ready, and whether its metrics are good enough."""
        try:
            self.observed = reconciler.observe(self.arn)
            verdict = readiness(
                self.config,
                self.observed,
                running=self.request.get(v.RUNNING, True),
                updated_after=self.request.updated_after,
                before=self.request.old_config,
                name=self.arn,
            )
            if isinstance(verdict, Done) and self._is_last and self.observed:
                verdict = self._judge(verdict, self.observed, reconciler)
            # A retraining alone fails no rollback.
            if isinstance(verdict, Wait) and verdict.hands_over and self._is_last:
                verdict = replace(verdict, hands_over=self._rolls_back(reconciler))
        except TransientError as error:
            return Wait(str(error))
        return verdict

    def _judge(self, ready: Done, observed: Observed, reconciler: Reconciler) -> Verdict:
        if hidden := self.config.not_shown(observed.config):
            LOG.warning(
                f"DescribeRecommender does not show {', '.join(hidden)}: not checked",
                extra={"members": hidden},
            )
        gate = self.request.quality_gate
        replaced = self.request.old_recommender_arn
        compares = gate.max_regression is not None
        before = reconciler.personalize.describe(replaced) if replaced and compares else None
        self.compares_nothing = compares and before is None
        self.misses = gate.misses(observed.metrics, before.metrics if before else None)
        if not self.misses:
            return ready
        LOG.warning(f"{_MISSED}: {', '.join(self.misses)}", extra={"misses": self.misses})
        # A rollback returns to a recommender that was in service; its metrics may have changed.
        if not gate.fails or self._rolls_back(reconciler):
            return ready
        return Fail(f"{_MISSED}: {', '.join(self.misses)}. {_stays(self.request)} {_NEXT}")

    def _rolls_back(self, reconciler: Reconciler) -> bool:
        return reconciler.stacks.operation(self.request.stack_id).undoes_an_update

    @property
    def hands_over(self) -> bool:
        """Whether another gate waits on."""
        return not self._is_last

    @property
    def attributes(self) -> dict[str, str]:
        """The ARN and the model metrics, as they are now."""
        metrics: Mapping[str, float] = self.observed.metrics if self.observed else {}
        whole = dict(sorted(metrics.items()))
        while len(json.dumps(whole)) > MAX_METRICS_BYTES:
            whole.popitem()
        return {
            v.RECOMMENDER_ARN_ATTRIBUTE: self.arn,
            **{name: str(metrics.get(key, v.NOT_REPORTED)) for name, key in v.METRICS.items()},
            v.MODEL_METRICS_ATTRIBUTE: json.dumps(whole),
            v.QUALITY_GATE_ATTRIBUTE: self._quality,
        }

    def out_of_time(self, reason: str, _waited: float) -> str:
        """Explain the failure of the last gate."""
        return (
            f"The recommender was not ready when the last training gate ended: {sentence(reason)} "
            "If it needs more time, raise max_training_hours (in your own app: training_gates), "
            "then deploy again."
        )

    @property
    def _quality(self) -> str:
        if self.misses:
            return truncate(f"warned: {', '.join(self.misses)}", 400)
        return f"passed ({_COMPARED_NOTHING})" if self.compares_nothing else "passed"

    @property
    def _is_last(self) -> bool:
        number, of = self.request.link
        return number == of


_COMPARED_NOTHING: Final = "no earlier recommender to compare with"
_MISSED: Final = "The model metrics do not reach the quality gate"
_NEXT: Final = (
    "Improve the data, or change minimum_metrics, max_metric_regression or quality_gate, then "
    "deploy again."
)


def _stays(request: Request) -> str:
    """Name the recommender that serves if the metrics fail the deployment."""
    if request.type is RequestType.CREATE:
        return "Nothing goes into service: the deployment is rolled back."
    if request.old_recommender_arn:
        return f"{request.old_recommender_arn} stays in service."
    return "The recommender stays in service as it was before this deployment."
