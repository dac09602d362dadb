"""Describe a recommender in metrics and in a line of the log (pure).

The line is a document in CloudWatch's embedded metric format. CloudWatch Logs makes metrics of it,
so the function needs no permission and no call for them. Source: "Specification: Embedded metric
format", CloudWatch User Guide.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from .. import vocabulary as v
from ..decision.drift import Drift, DriftStatus, drift
from ..model import properties as p
from ..model import retraining
from ..model.config import Config
from ..model.history import HOUR, Sample, latest_change
from ..model.observed import Observed, Phase
from ..model.operation import Operation, RequestType
from ..model.quality import QualityGate
from ..model.request import Desired, Request
from ..model.throughput import WEEK, Use

_UNITS: Final = {v.LEFTOVERS: "Count", v.PROVISIONED: "Count/Second"}
_MAX_METRICS: Final = 100
"""The limit for one document (the specification)."""


@dataclass(frozen=True)
class ObservationRequest:
    """The schedule's event: the recommender to observe, and its expected state.

    Attributes:
        recommender: the dimension of its metrics, which outlasts a replacement.
        request: the request that CloudFormation would send now.
        gate: the quality gate of its deployments.
        measures_use: whether the use of the provisioned throughput is measured.
    """

    recommender: str
    request: Request
    gate: QualityGate
    measures_use: bool

    @classmethod
    def parse(cls, event: Mapping[str, Any]) -> "ObservationRequest":
        """Read the schedule's event.

        Raises:
            BadRequestError: a member is absent or malformed.
        """
        properties = p.MAP.read("event.ResourceProperties", event.get("ResourceProperties"))
        request = Request.parse(
            {
                **event,
                "RequestType": RequestType.UPDATE,
                "ResourceType": v.RECOMMENDER_TYPE,
                "RequestId": "observation",
                "ResourceProperties": p.stringified(properties),
            }
        )
        return cls(
            p.TEXT.read("event.Recommender", event.get(v.DIMENSION)),
            request,
            QualityGate.from_template(p.stringified(event.get(v.QUALITY_GATE, {}))),
            event.get(v.THROUGHPUT_USE) is True,
        )

    def compares(self, observed: Observed) -> bool:
        """Return whether the metrics of a recommender are compared with their history."""
        return self.gate.max_regression is not None and bool(observed.metrics)

    def measures_use_of(self, observed: Observed, now: float) -> bool:
        """Return whether a recommender has existed for the week whose use is measured."""
        return self.measures_use and now - observed.created >= WEEK

    def provisioned(self, observed: Observed) -> int:
        """Return the provisioned requests per second of a recommender while it is ACTIVE."""
        shown = Config.of_service(observed.config, hidden=self.request.config)
        return shown.min_requests_per_second


@dataclass(frozen=True)
class Observation:
    """The result of one observation.

    Attributes:
        observed: the expected recommender, or None if it does not exist; without tags if they
            cannot be read now.
        others: ARNs of other recommenders with the stack's tags, or None if tags cannot be read.
        operation: the stack's.
        history: of the model's metrics, if they are compared with it.
        use: of the provisioned throughput, if that is measured.
    """

    observed: Observed | None
    others: tuple[str, ...] | None
    operation: Operation
    history: tuple[Sample, ...] = ()
    use: Use | None = None


def emf_document(wanted: ObservationRequest, seen: Observation, now: float) -> dict[str, Any]:
    """Return the line of the log.

    While a deployment is under way, the expected and the actual state change, so the line has
    neither drift nor leftovers. While a recommender changes, the line has no drift. The line
    says why.

    Args:
        wanted: the schedule's event.
        seen: the observation.
        now: epoch seconds.
    """
    found = drift(wanted.request.desired, seen.observed)
    metrics = _state(wanted, seen, now)
    if not seen.operation.is_under_way:
        if seen.others is not None:
            metrics[v.LEFTOVERS] = len(seen.others)
        if found.status is not DriftStatus.CANNOT_TELL:
            metrics[v.DRIFT] = int(found.status is DriftStatus.DRIFTED)
    worse = _worse(wanted, seen)
    if worse is not None:
        metrics[v.METRICS_WORSE] = len(worse)
    model = seen.observed.metrics if seen.observed else {}
    shown = sorted(model)[: _MAX_METRICS - len(metrics)]
    metrics |= {v.METRIC_NAMES.get(key, key): model[key] for key in shown}
    details = {
        "Unmeasured": _unmeasured(found, seen),
        "Differs": [str(one) for one in found.differences],
        "NotShown": list(found.hidden),
        "LeftOver": list(seen.others or ()),
        "Worse": worse,
        "EnoughRequestsPerSecond": seen.use and seen.use.enough,
        **(_trainings(seen.observed, seen.operation) if seen.observed else {}),
    }
    directive = {
        "Namespace": v.NAMESPACE,
        "Dimensions": [[v.DIMENSION]],
        "Metrics": [{"Name": name, "Unit": _UNITS.get(name, "None")} for name in metrics],
    }
    return {
        v.DIMENSION: wanted.recommender,
        "RecommenderArn": wanted.request.desired.arn,
        "Status": seen.observed.description if seen.observed else "not there",
        "StackStatus": seen.operation.status,
        **metrics,
        **{name: detail for name, detail in details.items() if detail},
        "_aws": {"Timestamp": round(now * 1000), "CloudWatchMetrics": [directive]},
    }


def _unmeasured(found: Drift, seen: Observation) -> str:
    if seen.operation.is_under_way:
        return f"{v.DRIFT}, {v.LEFTOVERS}: the stack is {seen.operation.status}"
    drifts = [f"{v.DRIFT}: {found.reason}"] if found.status is DriftStatus.CANNOT_TELL else []
    others = [f"{v.LEFTOVERS}: tags cannot be read now"] if seen.others is None else []
    return "; ".join(drifts + others)


def _worse(wanted: ObservationRequest, seen: Observation) -> list[str] | None:
    """Describe the metrics that are worse than before their latest change, or None if unknown."""
    if seen.observed is None or not seen.observed.metrics or not seen.history:
        return None
    change = latest_change(seen.history, seen.observed.metrics)
    before = change.before if change else {}
    return wanted.gate.regressions(seen.observed.metrics, before)


def _trainings(observed: Observed, operation: Operation) -> dict[str, str]:
    """Return the latest training that shows, as the dashboard's table needs it, and failures."""
    training, update = retraining.latest(observed, operation), observed.latest_update
    return {
        "Training": training.cause.value if training else "",
        "TrainingBegan": _time(training.began) if training else "",
        "FailureReason": observed.reason if observed.phase.has_failed else "",
        "UpdateFailureReason": update.reason if update and update.failed else "",
    }


def _state(wanted: ObservationRequest, seen: Observation, now: float) -> dict[str, float]:
    observed = seen.observed
    is_active = observed is not None and observed.phase is Phase.ACTIVE
    state: dict[str, float] = {v.PROVISIONED: 0}
    if not _is_out_of_hours(wanted.request.desired, now):
        state[v.ACTIVE] = int(is_active)
    if observed is None:
        return state
    if is_active:
        state[v.PROVISIONED] = wanted.provisioned(observed)
    if seen.use:
        state[v.THROUGHPUT_USE] = round(seen.use.enough / wanted.provisioned(observed), 4)
    if (age := retraining.age(observed, seen.operation, now)) is not None:
        state[v.HOURS_SINCE_TRAINING] = _hours(age)
    if (failed := retraining.has_failed(observed)) is not None:
        state[v.RETRAINING_FAILED] = int(failed)
    if changed := observed.updated or observed.created:
        state[v.HOURS_SINCE_UPDATE] = _hours(now - changed)
    return state


def _is_out_of_hours(desired: Desired, now: float) -> bool:
    """Return whether its hours want it stopped, or have just begun: a start takes a while."""
    if not desired.active_hours:
        return False
    return not all(desired.at(moment).running for moment in (now - HOUR, now))


def _hours(seconds: float) -> float:
    return round(max(0.0, seconds) / HOUR, 2)


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")
