"""The quality gate: decide whether model metrics are good enough for service (pure).

Only metrics of trainings on the same data can be compared ("Evaluating an Amazon Personalize domain
recommender", Personalize Developer Guide).
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from .. import vocabulary as v
from ..model import properties as p

_MEMBERS = {
    v.MINIMUM_METRICS: p.WEIGHTS,
    v.MAX_METRIC_REGRESSION: p.WEIGHT,
    v.ON_MISS: p.Reader(lambda value: {"fail": True, "warn": False}[p.text(value)], "fail or warn"),
}


Minimum = tuple[str, Decimal, str]
"""The service's name of a metric, its least value, and that value with its rule, in words."""


@dataclass(frozen=True)
class QualityGate:
    """The minimum for the metrics.

    Attributes:
        minimum: by the service's names.
        max_regression: the greatest loss of each metric, as a fraction of its value before.
        fails: whether a miss fails the deployment; else the gate reports it.
    """

    minimum: Mapping[str, Decimal] = field(default_factory=dict)
    max_regression: Decimal | None = None
    fails: bool = True

    @classmethod
    def from_template(cls, properties: Mapping[str, Any]) -> "QualityGate":
        """Read the gate of a template.

        Raises:
            BadRequestError: a member is malformed or unknown.
        """
        read = p.members(properties, _MEMBERS, v.QUALITY_GATE)
        return cls(
            read.get(v.MINIMUM_METRICS, {}),
            read.get(v.MAX_METRIC_REGRESSION),
            read.get(v.ON_MISS, True),
        )

    def misses(
        self, metrics: Mapping[str, float], before: Mapping[str, float] | None = None
    ) -> list[str]:
        """Describe each metric that is not good enough: its value, and its minimum.

        Args:
            metrics: of the new recommender.
            before: of the recommender that it replaces, if any.
        """
        return _missed(metrics, self.minimums(before))

    def regressions(self, metrics: Mapping[str, float], before: Mapping[str, float]) -> list[str]:
        """Describe each metric that has fallen too far since ``before``, as ``misses`` does."""
        return _missed(metrics, self._after(before, "before"))

    def minimums(self, before: Mapping[str, float] | None = None) -> Iterator[Minimum]:
        """Yield the minimum of each metric.

        Args:
            before: the metrics of the recommender that is replaced, if any.
        """
        for name, least in sorted(self.minimum.items()):
            yield name, least, f"{least} (minimum_metrics)"
        yield from self._after(before or {}, "previous recommender")

    def _after(self, before: Mapping[str, float], of: str) -> Iterator[Minimum]:
        if self.max_regression is None:
            return
        percent = f"{(self.max_regression * 100).normalize():f}"
        rule = f"max_metric_regression {self.max_regression} = {percent} %"
        for name, earlier in sorted(before.items()):
            least = Decimal(str(earlier)) * (1 - self.max_regression)
            yield name, least, f"{least.normalize():f} ({of} {earlier}, {rule})"


def _missed(metrics: Mapping[str, float], minimums: Iterable[Minimum]) -> list[str]:
    return [
        f"{name} is {'not reported' if actual is None else actual}; minimum {minimum}"
        for name, least, minimum in minimums
        if (actual := metrics.get(name)) is None or Decimal(str(actual)) < least
    ]
