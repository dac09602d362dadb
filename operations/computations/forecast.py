"""Forecast the effects of a deployment on the recommenders of a stack (pure).

The functions' own code answers the requests of CloudFormation, on a copy of the account.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Any, Final, NamedTuple

from lambdas.recommender import vocabulary as v
from lambdas.recommender.decision.drift import (
    Difference,
    differences,
    with_observed_running_state,
)
from lambdas.recommender.decision.verdict import (
    Change,
    CreateRecommender,
    Done,
    Fail,
    StartRecommender,
    StopRecommender,
    TagResource,
    UntagResource,
    UpdateRecommender,
    Verdict,
    Wait,
)
from lambdas.recommender.model.config import Config
from lambdas.recommender.model.observed import Observed, Phase
from lambdas.recommender.model.properties import BadRequestError
from lambdas.recommender.model.request import Desired, Request
from operations.computations.chain import Chain, is_recommender
from operations.computations.deployment import CLEAN_UP, DELETION, Deployment, Others, RefusedError
from operations.computations.dry_run import AccountCopy, Answer, Call, answer
from operations.computations.settings import SettingChange, changed_settings
from operations.computations.template import UnreadableError


class Kind(Enum):
    """The effect of a deployment on a recommender; each outweighs those before it."""

    NOTHING = "nothing"
    STOP_OR_START = "stop or start"
    IN_PLACE = "in place"
    ADOPTION = "adoption"
    FIRST_TRAINING = "first training"
    REPLACEMENT = "replacement"
    REMOVAL = "removal"
    CANNOT_TELL = "cannot tell"
    REFUSED = "refused"

    @property
    def weight(self) -> int:
        """Its place among them."""
        return list(Kind).index(self)


class Obstacle(NamedTuple):
    """The reason why a deployment has no effect, or why its effect is unknown."""

    kind: Kind
    reason: str


@dataclass(frozen=True)
class RecommenderForecast:
    """The effect of a deployment on one recommender of a template.

    Attributes:
        chain: the recommender of the template.
        kind: the effect.
        arn: its ARN after the deployment.
        seconds: how long its links may wait, together.
        reason: the reason of a refusal, or the reason why the effect is unknown; else nothing.
        before: the recommender that the stack has now, or else the one that it adopts, or None.
        replaces: the ARN of the recommender that it replaces, or nothing.
        settings: the settings that change.
        calls: the calls that change a recommender, in order.
        trains: whether a training in full begins.
        waits_for: a state that must end before the first change, or nothing.
        minimums: the minimums with which the quality gate compares the metrics.
        warnings: known problems that do not fail the deployment.
        corrected: drift that the deployment corrects.
        remaining: drift that the deployment does not correct.
        kept: ARNs of recommenders that a deletion policy keeps.
    """

    chain: Chain
    kind: Kind
    arn: str
    seconds: float
    reason: str = ""
    before: Observed | None = None
    replaces: str = ""
    settings: tuple[SettingChange, ...] = ()
    calls: tuple[Call, ...] = ()
    trains: bool = False
    waits_for: str = ""
    minimums: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    corrected: tuple[Difference, ...] = ()
    remaining: tuple[Difference, ...] = ()
    kept: tuple[str, ...] = ()

    @property
    def created(self) -> Desired | None:
        """The recommender that is created, or None."""
        changes = (call.change for call in self.calls)
        return next((one.desired for one in changes if isinstance(one, CreateRecommender)), None)


@dataclass(frozen=True)
class StackForecast:
    """The effect of a deployment, or of `cdk destroy`, on a stack.

    Attributes:
        name: the stack's name.
        region: its region.
        account: its account.
        status: its status, or nothing if it does not exist.
        destroys: whether this is `cdk destroy`.
        creates: whether the deployment creates the stack.
        recommenders: the effects on its recommenders.
        others: the other resources that change.
        protection: the change of its termination protection, or None.
        warnings: known problems that do not fail the deployment.
        obstacle: the reason why there are no effects, with its kind, or None.
    """

    name: str
    region: str
    account: str
    status: str = ""
    destroys: bool = False
    creates: bool = False
    recommenders: tuple[RecommenderForecast, ...] = ()
    others: Others = field(default_factory=Others)
    protection: SettingChange | None = None
    warnings: tuple[str, ...] = ()
    obstacle: Obstacle | None = None

    @property
    def main(self) -> RecommenderForecast | None:
        """The effect that outweighs the others, or None."""
        return max(self.recommenders, key=lambda one: one.kind.weight, default=None)

    @property
    def kind(self) -> Kind:
        """The effect of the whole."""
        if self.obstacle:
            return self.obstacle.kind
        return self.main.kind if self.main else Kind.NOTHING

    @property
    def changes_something(self) -> bool:
        """Whether CloudFormation changes anything, if there is no obstacle."""
        if self.destroys or self.creates or self.status.endswith("_FAILED"):
            return not self.obstacle
        recommenders = any(one.settings or one.calls for one in self.recommenders)
        return bool(recommenders or self.others.number or self.protection)


def forecast_deployment(
    deployment: Deployment, recommenders: Mapping[str, Observed]
) -> list[RecommenderForecast]:
    """Forecast the effects of a deployment.

    Args:
        deployment: the deployment.
        recommenders: the recommenders of ``Deployment.arns_among``, by ARN; without tags if they
            cannot be read now.

    Raises:
        UnreadableError: only CloudFormation knows how long a link waits.
    """
    forecaster = _Forecaster(deployment, recommenders)
    found = [forecaster.deploy(chain) for chain in deployment.chains]
    if any(one.reason for one in found):
        return found
    if any(one.trains for one in found):
        forecaster.wait_for_training()
    kept = {chain.logical_id for chain in deployment.chains}
    removed = [one for name, one in deployment.deployed_chains.items() if name not in kept]
    return [
        *(forecaster.clean_up(one) for one in found),
        *(forecaster.remove(one, CLEAN_UP) for one in removed),
    ]


def forecast_destruction(
    deployment: Deployment, recommenders: Mapping[str, Observed]
) -> list[RecommenderForecast]:
    """Forecast the effects of `cdk destroy`; otherwise as ``forecast_deployment``."""
    forecaster = _Forecaster(deployment, recommenders)
    return [forecaster.remove(one, DELETION) for one in deployment.deployed_chains.values()]


@dataclass
class _Course:
    """The course of a deployment for one recommender, as far as it has been computed."""

    trains: bool = False
    waits_for: str = ""
    minimums: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


_KEPT_FAILURE: Final = (
    "The last update failed and was not rolled back. If it replaced a recommender, CloudFormation "
    "deletes the old one after this deployment; no API shows that before."
)


class _Forecaster:
    """Lets the functions answer CloudFormation's requests on a copy of the account."""

    def __init__(self, deployment: Deployment, recommenders: Mapping[str, Observed]) -> None:
        self._deployment = deployment
        self._recommenders = recommenders
        self._copy = AccountCopy(recommenders, deployment.now)
        self._before: dict[str, str] = {}
        self._after: dict[str, str] = {}

    def deploy(self, chain: Chain) -> RecommenderForecast:
        """Forecast the effect on a recommender of the new template, before the clean-up."""
        before, began = self._copy.shown(chain.physical_id), len(self._copy.calls)
        course = _Course()
        kind, reason = Kind.NOTHING, ""
        attributes = _attributes(chain)
        self._before |= attributes
        self._after |= attributes
        try:
            self._provide(chain, before, course)
        except (RefusedError, BadRequestError) as error:
            kind, reason = Kind.REFUSED, str(error)
        except UnreadableError as error:
            kind, reason = Kind.CANNOT_TELL, str(error)
        if self._deployment.finished is not None:
            course.warnings += (_KEPT_FAILURE,)
        calls = tuple(self._copy.calls[began:])
        arn = self._after[f"{chain.logical_id}.{v.ARN_ATTRIBUTE}"]
        is_replaced = is_recommender(chain.physical_id) and chain.physical_id != arn
        if not reason:
            kind = Kind.REPLACEMENT if is_replaced else _kind(calls, arn)
        found = self._with_drift(
            RecommenderForecast(
                chain=chain,
                kind=kind,
                arn=arn,
                seconds=sum(link.wait for link in chain.created),
                reason=reason,
                before=before or self._recommenders.get(arn),
                replaces=chain.physical_id if is_replaced else "",
                settings=self._settings(chain, before),
                calls=calls,
                **vars(course),
            )
        )
        is_derived = self._deployment.has_derived_name(chain.logical_id)
        return _unnamed(found) if is_derived and not self._deployment.has_id else found

    def wait_for_training(self) -> None:
        """End all that is under way: the clean-up comes after the training gates."""
        self._copy.settle()

    def clean_up(self, found: RecommenderForecast) -> RecommenderForecast:
        """Add the clean-up after a replacement."""
        old = self._deployment.deployed_chains.get(found.chain.logical_id)
        if old is None or not found.replaces:
            return found
        if old.is_retained_by("UpdateReplacePolicy"):
            return replace(found, kept=(found.replaces,))
        began = len(self._copy.calls)
        deleted = self._delete(old.logical_id, CLEAN_UP)
        return replace(
            found,
            calls=(*found.calls, *self._copy.calls[began:]),
            warnings=(*found.warnings, *_obstacles(deleted.verdict)),
        )

    def remove(self, chain: Chain, status: str) -> RecommenderForecast:
        """Forecast the deletion of a recommender, and the sweeps if its stack is deleted.

        Args:
            chain: the recommender.
            status: the stack's in the operation that deletes the recommender.
        """
        before = self._copy.shown(chain.physical_id)
        found = RecommenderForecast(
            chain,
            Kind.NOTHING,
            chain.physical_id,
            seconds=sum(link.wait for link in chain.deleted),
            before=before,
        )
        if self._deployment.is_unfinished(chain.logical_id):
            return replace(
                found,
                kind=Kind.CANNOT_TELL,
                reason="only CloudFormation knows whether it keeps the recommender: its update "
                "failed and was not rolled back, so it may have an earlier deletion policy",
            )
        if chain.is_retained:
            return replace(found, kept=(chain.physical_id,) if before else ())
        began = len(self._copy.calls)
        answers = [self._delete(chain.logical_id, status)]
        last = chain.deleted[-1].logical_id
        if status == DELETION and last != chain.logical_id and last in self._deployment.existing:
            answers.append(self._delete(last, status))
        calls = tuple(self._copy.calls[began:])
        waiting = [one.verdict.reason for one in answers if isinstance(one.verdict, Wait)]
        if waiting and not calls:
            return replace(
                found, kind=Kind.CANNOT_TELL, reason=f"the deletion waits now: {waiting[0]}"
            )
        return replace(
            found,
            kind=Kind.REMOVAL if calls else Kind.NOTHING,
            calls=calls,
            waits_for=answers[0].waits_for,
            warnings=tuple(text for one in answers for text in _obstacles(one.verdict)),
        )

    # -- requests ----------------------------------------------------------------------------------

    def _provide(self, chain: Chain, before: Observed | None, course: _Course) -> None:
        """Answer the requests to a recommender, and to the links after it that may change it.

        Raises:
            RefusedError, BadRequestError: the deployment fails.
            UnreadableError: nothing that can be read tells the effect.
        """
        if self._deployment.is_created_again(chain.logical_id):
            self._delete(chain.logical_id)
        began, tags = len(self._copy.calls), before.tags if before else None
        if request := self._request(chain.logical_id, tags):
            answered = self._answer(request)
            course.waits_for = answered.waits_for
            for name, value in answered.attributes.items():
                self._after[f"{chain.logical_id}.{name}"] = value
            course.trains = self._trains(request, before, self._copy.calls[began:])
            is_in_place = request.desired.arn == request.physical_id
            if is_in_place and self._deployment.is_unfinished(chain.logical_id):
                raise UnreadableError(
                    f"only CloudFormation knows the properties that {chain.logical_id} had before "
                    "its update, which failed and was not rolled back"
                )
        for link in chain.gates[-1:]:
            self._judge(link.logical_id, course)
        for link in chain.end_states:
            if request := self._request(link.logical_id):
                self._answer(request)

    def _judge(self, logical_id: str, course: _Course) -> None:
        """Let the last training gate judge, unless a training ends before it, with its metrics.

        That training may have begun before the deployment: of a recommender to be adopted, too.
        """
        request = self._request(logical_id)
        if request is None:
            return
        replaced = request.old_recommender_arn
        earlier = self._copy.shown(replaced) if replaced else None
        gate = request.quality_gate
        course.minimums = tuple(
            f"{name} at least {minimum}"
            for name, _, minimum in gate.minimums(earlier.metrics if earlier else None)
        )
        if course.minimums and not gate.fails:
            course.warnings += ("The quality gate only warns (quality_gate is warn).",)
        arn = request.get(v.RECOMMENDER_ARN)
        judged = self._recommenders.get(arn)
        if course.trains or (judged and judged.phase is Phase.CREATING):
            return
        if self._deployment.finished is not None and _failed_unseen(self._copy.shown(arn), request):
            raise UnreadableError(
                f"the latest update of {arn} failed and was not rolled back, and "
                "DescribeRecommender does not show whether the training gates fail again"
            )
        quality = self._answer(request).attributes[v.QUALITY_GATE_ATTRIBUTE]
        if quality.startswith("warned"):
            course.warnings += (f"The quality gate warns now: {quality.partition(': ')[2]}.",)

    def _request(self, logical_id: str, tags: Mapping[str, str] | None = None) -> Request | None:
        return self._deployment.request(
            logical_id, before=self._before, after=self._after, tags=tags
        )

    def _answer(self, request: Request) -> Answer:
        answered = answer(request, self._copy, self._deployment.operation())
        match answered.verdict:
            case Done():
                return answered
            case Fail(reason=reason):
                raise RefusedError(reason)
            case wait:
                raise UnreadableError(f"the deployment waits now: {wait.reason}")

    def _delete(self, logical_id: str, status: str = "") -> Answer:
        request = self._deployment.delete_request(logical_id, self._before)
        return answer(request, self._copy, self._deployment.operation(status))

    # -- facts -------------------------------------------------------------------------------------

    def _trains(self, request: Request, before: Observed | None, calls: Sequence[Call]) -> bool:
        """Tell whether a training in full begins: at a creation, or for other columns.

        Source of the latter: "Updating a recommender", Personalize Developer Guide.
        """
        changes = {type(call.change) for call in calls if call.arn == request.desired.arn}
        if UpdateRecommender not in changes:
            return CreateRecommender in changes
        same = before if before and before.arn == request.desired.arn else None
        actual = Config.of_service(same.config_after_update if same else {}, hidden=Config())
        wanted = request.config
        return (actual.excluded_columns, actual.included_columns) != (
            wanted.excluded_columns,
            wanted.included_columns,
        )

    def _settings(self, chain: Chain, before: Observed | None) -> tuple[SettingChange, ...]:
        """Return the settings that change; none if the recommender is new."""
        old = self._deployment.deployed_chains.get(chain.logical_id)
        if old is None:
            return ()
        deployment, tags = self._deployment, before.tags if before else None
        earlier = (deployment.values(one, self._before, tags=tags) for one in _judged(old))
        later = (deployment.new_values(one, self._after) for one in _judged(chain))
        return changed_settings(_with_links(old, *earlier), _with_links(chain, *later))

    def _with_drift(self, found: RecommenderForecast) -> RecommenderForecast:
        """Add the drift that the deployment finds, if it does not replace the recommender."""
        old = self._deployment.deployed_chains.get(found.chain.logical_id)
        if old is None or found.replaces or found.before is None:
            return found
        drifted = remaining = _drift(old, found.before)
        if found.calls and not found.reason:
            remaining = _drift(found.chain, self._copy.shown(found.arn), self._deployment.now)
        corrected = tuple(one for one in drifted if one not in remaining)
        return replace(found, corrected=corrected, remaining=remaining)


def _failed_unseen(observed: Observed | None, gate: Request) -> bool:
    """Return whether the latest update failed, and a member does not show that it did."""
    if observed is None or observed.latest_update is None:
        return False
    return observed.latest_update.failed and bool(gate.config.not_shown(observed.config))


def _kind(calls: Sequence[Call], arn: str) -> Kind:
    """Return the effect of calls on the recommender of an ARN, which replaces none."""
    kinds = (_kind_of(call.change) for call in calls if call.arn == arn)
    return max(kinds, key=lambda one: one.weight, default=Kind.NOTHING)


def _kind_of(change: Change) -> Kind:
    match change:
        case CreateRecommender():
            return Kind.FIRST_TRAINING
        case TagResource(tags=tags) if v.ADOPTED_TAG in tags:
            return Kind.ADOPTION
        case UpdateRecommender() | TagResource() | UntagResource():
            return Kind.IN_PLACE
        case StartRecommender() | StopRecommender():
            return Kind.STOP_OR_START
        case _:
            return Kind.NOTHING


def _unnamed(found: RecommenderForecast) -> RecommenderForecast:
    """Hide the hash in a name: the id of a new stack, which it depends on, is not known yet."""
    arn = f"{found.arn[: -v.DIGEST_LENGTH]}{'?' * v.DIGEST_LENGTH}"
    calls = tuple(replace(call, arn=arn) if call.arn == found.arn else call for call in found.calls)
    return replace(found, arn=arn, calls=calls)


def _drift(
    chain: Chain, observed: Observed | None, now: float | None = None
) -> tuple[Difference, ...]:
    """Return the differences from a template; with ``now``, of its state at that time."""
    try:
        desired = chain.desired_for(observed)
    except UnreadableError:
        return ()
    desired = with_observed_running_state(desired, observed) if now is None else desired.at(now)
    return tuple(differences(desired, observed))


def _attributes(chain: Chain) -> dict[str, str]:
    """Return the attributes of a recommender as it is deployed, as far as they are known here."""
    known = {
        v.ARN_ATTRIBUTE: chain.physical_id,
        v.NAME_ATTRIBUTE: chain.physical_id.rpartition("/")[2],
        v.REVISION_ATTRIBUTE: "deployed",
        v.UPDATED_AFTER_ATTRIBUTE: v.NO_UPDATE,
    }
    return {f"{chain.logical_id}.{name}": value for name, value in known.items()}


def _judged(chain: Chain) -> list[str]:
    """Return the logical ids of a recommender, and of the gate that judges it, if it has one."""
    return [chain.logical_id, *(link.logical_id for link in chain.gates[-1:])]


def _with_links(
    chain: Chain, values: Mapping[str, Any], *gates: Mapping[str, Any]
) -> dict[str, Any]:
    """Add the quality gate, and the numbers of links, to the properties of a recommender."""
    own = {name: one for name, one in values.items() if name != "ServiceToken"}
    judged = [one[v.QUALITY_GATE] for one in gates if v.QUALITY_GATE in one]
    quality = {v.QUALITY_GATE: judged[0]} if judged else {}
    links = {"training gates": len(chain.gates), "sweeps": len(chain.deleted) - 1}
    return {**own, **quality, **links}


def _obstacles(verdict: Verdict) -> tuple[str, ...]:
    return () if isinstance(verdict, Done) else (verdict.reason,)
