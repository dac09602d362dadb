"""What there is to say of a stack and its recommenders (pure)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from lambdas.recommender.decision import drift as d
from lambdas.recommender.model import retraining
from lambdas.recommender.model.config import Config
from lambdas.recommender.model.observed import Observed, Phase, Update
from operations.progress import Progress, progress
from operations.stack import Event, Stack, failures, since
from operations.template import Chain, UnreadableError, is_recommender

SECONDS_AN_HOUR = 3600


@dataclass(frozen=True)
class Billed:
    """What a recommender costs by the hour, in what AWS bills: recommendations.

    An ACTIVE recommender is billed for its minimum, be it asked or not, and for more if it is
    asked more, averaged over an hour. Source: "Creating domain recommenders", Personalize
    Developer Guide. Prices are on Amazon Personalize's pricing page.

    Attributes:
        requests_per_second: `minRecommendationRequestsPerSecond`.
        now: whether it is billed now, or None where AWS documents nothing.
    """

    requests_per_second: int
    now: bool | None

    @property
    def recommendations_an_hour(self) -> int:
        """How many are billed at least, while it is ACTIVE."""
        return self.requests_per_second * SECONDS_AN_HOUR


@dataclass(frozen=True)
class RecommenderStatus:
    """One recommender of a stack.

    Attributes:
        arn: its ARN.
        observed: what is there, or None.
        since: since when (epoch seconds) it has its status, or 0.
        through: the update through which it was ACTIVE, if nothing else has changed it since: then
            it was so when the update began, and before.
        is_asked_for: whether it is the one that the template asks for; else it is the one that is
            being replaced, or was.
        drift: how it differs from that, or None if that cannot be compared.
        not_compared: why not, for people.
        hour: what its hour wants, if it has hours of service.
        billed: what it costs, or None if it is not there.
    """

    arn: str
    observed: Observed | None
    since: float
    through: Update | None
    is_asked_for: bool
    drift: d.Drift | None
    not_compared: str
    hour: str
    billed: Billed | None


@dataclass(frozen=True)
class ChainStatus:
    """A recommender of the template: where its operation is, and what is there of it."""

    chain: Chain
    progress: Progress | None
    recommenders: tuple[RecommenderStatus, ...]


@dataclass(frozen=True)
class Status:
    """A stack, and its recommenders.

    Attributes:
        stack: the stack.
        since: since when (epoch seconds) it has its status, or None.
        chains: the recommenders.
        failed: what failed first in its latest operation, or None.
        now: epoch seconds.
    """

    stack: Stack
    since: float | None
    chains: tuple[ChainStatus, ...]
    failed: Event | None
    now: float

    @property
    def is_fine(self) -> bool:
        """Whether nothing has failed, and, at rest, all is there as it is asked for."""
        return not self.wrong

    @property
    def wrong(self) -> str:
        """What is not fine, or nothing."""
        if self.stack.has_failed:
            return self.stack.has_come_to
        there = [one for chain in self.chains for one in chain.recommenders if one.is_asked_for]
        for one in there:
            if one.observed and one.observed.phase.has_failed:
                return f"the recommender is {one.observed.status}"
        if self.stack.is_under_way:
            return ""
        if any(one.drift and one.drift.status is d.DriftStatus.DRIFTED for one in there):
            return "what is there differs from what is wanted"
        if any(one.observed and retraining.failed(one.observed) for one in there):
            return "the latest retraining has failed"
        return ""


def status(
    stack: Stack,
    chains: Sequence[Chain],
    events: Sequence[Event],
    observed: Mapping[str, Observed | None],
    *,
    now: float,
) -> Status:
    """Return what there is to say.

    Args:
        stack: the stack.
        chains: the recommenders of its template.
        events: of its latest operation, newest first.
        observed: what there is, by ARN, with tags.
        now: epoch seconds.
    """
    return Status(
        stack,
        since(events, stack.id),
        tuple(
            ChainStatus(
                chain,
                progress(stack, chain, events, now=now),
                tuple(
                    _recommender(chain, arn, observed.get(arn), now)
                    for arn in arns(chain, events)
                    if observed.get(arn) or arn in chain.arns[:1]
                ),
            )
            for chain in chains
        ),
        next(iter(failures(events, stack.id)), None),
        now,
    )


def arns(chain: Chain, events: Sequence[Event]) -> tuple[str, ...]:
    """Return the ARNs of a chain's recommenders: the one that is asked for is the first.

    What an update has replaced shows in the events only, until clean-up has deleted it.
    """
    replaced = (event.physical_id for event in events if event.logical_id == chain.logical_id)
    there = (arn for arn in replaced if is_recommender(arn))
    return tuple(dict.fromkeys((*chain.arns, *there)))


def _recommender(
    chain: Chain, arn: str, observed: Observed | None, now: float
) -> RecommenderStatus:
    desired, compared, why = None, None, ""
    through = _through(observed) if observed else None
    try:
        desired = chain.desired_beside(observed)
    except UnreadableError as error:
        why = f"nothing to compare with: {error}"
    is_asked_for = desired is None or arn == desired.arn
    if chain.stack.wants_nothing:
        why = f"nothing is wanted of a stack that is {chain.stack.status}"
    elif desired and is_asked_for:
        compared = d.drift(desired, observed)
    return RecommenderStatus(
        arn=arn,
        observed=observed,
        since=_since(observed, through) if observed else 0.0,
        through=through,
        is_asked_for=is_asked_for,
        drift=compared,
        not_compared=why,
        hour=d.hour(desired, now) if compared and desired else "",
        billed=_billed(desired.config if desired else Config(), observed) if observed else None,
    )


def _through(observed: Observed) -> Update | None:
    """Return the update that a recommender has served through, if nothing has changed it since.

    Only one that is ACTIVE is updated, and serves meanwhile ("Updating a recommender", Personalize
    Developer Guide); the end of the update is a change of the recommender's, too.
    """
    update = observed.latest_update
    if update is None or observed.updating or observed.phase is not Phase.ACTIVE:
        return None
    return update if observed.updated <= update.updated else None


def _since(observed: Observed, through: Update | None) -> float:
    if through:
        return through.created
    if observed.updating and observed.latest_update:
        return observed.latest_update.created
    return observed.updated or observed.created


def _billed(config: Config, observed: Observed) -> Billed:
    now = {Phase.ACTIVE: True, Phase.INACTIVE: False}.get(observed.phase)
    return Billed(Config.of_service(observed.config, hidden=config).min_requests_per_second, now)
