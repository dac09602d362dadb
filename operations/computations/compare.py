"""Compare a stack's recommenders with its template, and tell what is wrong (pure)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from lambdas.recommender.decision import drift as d
from lambdas.recommender.model import retraining
from lambdas.recommender.model.config import Config
from lambdas.recommender.model.history import Change, Sample, latest_change
from lambdas.recommender.model.observed import Observed, Phase, Update
from lambdas.recommender.model.quality import QualityGate
from lambdas.recommender.model.throughput import Use
from operations.computations.chain import Chain, Position
from operations.computations.stack import Event, Stack, failures, status_since
from operations.computations.template import UnreadableError


@dataclass(frozen=True)
class Measured:
    """CloudWatch's metrics of a recommender, or the reasons why they are not known.

    Attributes:
        history: of the model's metrics, by the observer.
        use: of the provisioned throughput.
    """

    history: tuple[Sample, ...] | str
    use: Use | str


@dataclass(frozen=True)
class RecommenderStatus:
    """A recommender of a stack.

    Attributes:
        arn: its ARN.
        observed: the recommender, or None if it does not exist.
        drift: how it differs from the template, or None if the template has another one, which
            replaces it.
        hour: the state that its hours of service want now, or nothing.
        requests_per_second: `minRecommendationRequestsPerSecond`.
        gate: the quality gate of the template.
        measured: its metrics, if it exists.
    """

    arn: str
    observed: Observed | None
    drift: d.Drift | None
    hour: str
    requests_per_second: int
    gate: QualityGate
    measured: Measured | None

    @property
    def change(self) -> Change | None:
        """The latest change of the model's metrics, if the history shows one."""
        if self.observed is None or self.measured is None or isinstance(self.measured.history, str):
            return None
        return latest_change(self.measured.history, self.observed.metrics)

    @property
    def worse(self) -> list[str]:
        """The metrics that fell too far at their latest change, in words."""
        if self.observed is None or self.change is None:
            return []
        return self.gate.regressions(self.observed.metrics, self.change.before)

    def wrong(self, name: str, *, at_rest: bool) -> str:
        """Return its failure or difference; nothing if all is fine, or the template has another.

        Args:
            name: its name after a space, or nothing if it needs none.
            at_rest: whether no operation of the stack is under way.
        """
        if self.drift is None:
            return ""
        if self.observed and self.observed.phase.has_failed:
            return f"the recommender{name} is {self.observed.status}"
        if not at_rest:
            return ""
        if self.drift.status is d.DriftStatus.DRIFTED:
            return f"the recommender{name} differs from its template"
        if self.observed and retraining.failed(self.observed):
            return f"the latest retraining{name and f' of{name}'} has failed"
        if self.worse and self.gate.fails:
            return f"the model{name and f' of{name}'} got worse than max_metric_regression allows"
        return ""


@dataclass(frozen=True)
class ChainStatus:
    """A recommender of the template: where its operation is, and the recommenders of AWS."""

    chain: Chain
    position: Position | None
    recommenders: tuple[RecommenderStatus, ...]


@dataclass(frozen=True)
class StackStatus:
    """A stack, and its recommenders.

    Attributes:
        stack: the stack.
        since: since when (epoch seconds) it has its status, or None.
        chains: the recommenders.
        failed: the first failure of its latest operation, or None.
        now: epoch seconds.
    """

    stack: Stack
    since: float | None
    chains: tuple[ChainStatus, ...]
    failed: Event | None
    now: float

    @property
    def wrong(self) -> str:
        """The failure, or, at rest, the difference from the template; empty if all is fine."""
        if self.stack.failure:
            return self.stack.failure
        at_rest = not self.stack.is_under_way
        found = (
            one.wrong(self._name(chain), at_rest=at_rest)
            for chain in self.chains
            for one in chain.recommenders
        )
        return ", ".join(filter(None, found))

    def _name(self, chain: ChainStatus) -> str:
        """Return a recommender's name after a space, or nothing if the stack has no other."""
        return f" {chain.chain.construct}" if len(self.chains) > 1 else ""


def compare(
    stack: Stack,
    chains: Sequence[Chain],
    events: Sequence[Event],
    observed: Mapping[str, Observed | None],
    measured: Mapping[str, Measured],
    *,
    now: float,
) -> StackStatus:
    """Compare each recommender with the template.

    Args:
        stack: the stack.
        chains: the recommenders of its template.
        events: of its latest operation, newest first.
        observed: the recommenders of AWS by ARN, with tags.
        measured: their metrics by ARN.
        now: epoch seconds.
    """
    return StackStatus(
        stack,
        status_since(events),
        tuple(
            ChainStatus(
                chain,
                chain.position(events, now=now),
                tuple(
                    _recommender(chain, arn, observed.get(arn), measured.get(arn), now)
                    for arn in chain.arns_among(events)
                    if observed.get(arn) or arn in chain.arns[:1]
                ),
            )
            for chain in chains
        ),
        next(iter(failures(events)), None),
        now,
    )


def _recommender(
    chain: Chain, arn: str, observed: Observed | None, measured: Measured | None, now: float
) -> RecommenderStatus:
    config, hour = Config(), ""
    found: d.Drift | None
    try:
        desired = chain.desired_for(observed)
    except UnreadableError as error:
        found = _unknown(f"nothing to compare with: {error}")
    else:
        config = desired.config
        found = d.drift(desired, observed) if arn == desired.arn else None
        hour = d.hour(desired, now)
    if found and chain.stack.needs_nothing:
        found, hour = _unknown(f"a stack that is {chain.stack.status} needs no recommender"), ""
    effective = Config.of_service(observed.config if observed else {}, hidden=config)
    return RecommenderStatus(
        arn,
        observed,
        found,
        hour,
        effective.min_requests_per_second,
        _gate(chain),
        measured,
    )


def _gate(chain: Chain) -> QualityGate:
    """Return the quality gate, or one that demands nothing if only CloudFormation knows it."""
    try:
        return chain.quality_gate
    except UnreadableError:
        return QualityGate()


def _unknown(reason: str) -> d.Drift:
    return d.Drift(d.DriftStatus.CANNOT_TELL, reason=reason)


def served_through(observed: Observed) -> Update | None:
    """Return the update that a recommender has served through, if it is the latest change.

    Only one that is ACTIVE is updated, and serves meanwhile ("Updating a recommender", Personalize
    Developer Guide); the end of the update is a change of the recommender, too. So it was ACTIVE
    before the update began.
    """
    update = observed.latest_update
    if update is None or observed.updating or observed.phase is not Phase.ACTIVE:
        return None
    return update if observed.updated <= update.updated else None


def has_been_so_since(observed: Observed) -> float:
    """Return since when (epoch seconds) a recommender has its status at least, or 0."""
    if update := served_through(observed):
        return update.created
    if observed.updating and observed.latest_update:
        return observed.latest_update.created
    return observed.updated or observed.created
