"""The plan: from what is desired and what is observed to the one next step (pure).

Observe, plan, do one thing, look again. Whatever CloudFormation, a retry, a rollback or a person in
the console did before, it shows in what is there; so every situation is a row of these tables, and
none needs a memory of how it came about.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from .. import vocabulary as v
from ..model.config import NOT_ASKED_FOR, Config
from ..model.identity import Owner, Ownership
from ..model.observed import Observed, Phase
from ..model.operation import Operation
from ..model.request import Desired
from .verdict import (
    AtDeadline,
    Change,
    CreateRecommender,
    DeleteRecommender,
    Done,
    Fail,
    Progress,
    StartRecommender,
    Step,
    StopRecommender,
    TagResource,
    UntagResource,
    UpdateRecommender,
    Verdict,
    Wait,
)

GONE: Final = Done("gone", Progress.GONE)
IN_FORCE: Final = {
    True: Done("ACTIVE, as asked", Progress.IN_FORCE),
    False: Done("INACTIVE, as asked", Progress.IN_FORCE),
}
UNSEEN: Final = Wait("nothing shows yet of what was changed just before", unseen=True)

_WAIT_FOR_TRAINING: Final = "the training gates wait for it"


@dataclass(frozen=True)
class Situation:
    """What a plan depends on beside what is desired and what is observed.

    Attributes:
        operation: the stack's operation that asks for it.
        began: since when (epoch seconds) what failed has failed in this operation, so that it is
            not begun again and its reason is not lost.
        may_show_late: whether what was changed just before need not show yet.
        looked_before: whether this request has looked before.
        now: the time of this look (epoch seconds).
        updated_after: if this request has had an update accepted, it is newer than this (epoch
            seconds, the service's clock).
    """

    operation: Operation
    began: float = math.inf
    may_show_late: bool = False
    looked_before: bool = False
    now: float = 0.0
    updated_after: float | None = None


# -- towards the recommender that is desired ---------------------------------------------------


def plan(
    desired: Desired,
    observed: Observed | None,
    situation: Situation,
    *,
    before: Config | None = None,
    retired_tags: frozenset[str] = frozenset(),
) -> Step:
    """Return the next step towards the recommender that is desired.

    Without tags, ``observed`` is taken as ours: enough to say whether there is something to wait
    for, never enough to change anything. A training or an update that leads to what is desired is
    ``Done``, for the training gates wait for it; not so in a rollback, which has to end with what
    there was.

    Args:
        desired: what the template asks for.
        observed: what is there under that name, or None.
        situation: the stack's operation, and since when.
        before: the configuration that the template asked for before, if of this recommender.
        retired_tags: keys of tags that the template asked for before and no longer does.
    """
    step = _plan(desired, observed, situation, before, retired_tags)
    return finish_rollback(step, situation) if isinstance(step, Done) else step


def with_observed_running_state(desired: Desired, observed: Observed | None) -> Desired:
    """Return what is desired by who changes nothing about whether it runs, if its hours decide."""
    if not desired.active_hours or not observed:
        return desired
    return replace(desired, running=observed.phase not in (Phase.STOPPING, Phase.INACTIVE))


def finish_rollback(done: Done, situation: Situation) -> Verdict:
    """Return what it means in an operation of the stack that there is nothing more to do."""
    if not situation.operation.rolls_back:
        return done
    if done.progress is not Progress.IN_FORCE:
        return Wait(done.reason, AtDeadline.HAND_OVER, previous_update=done.previous_update)
    return UNSEEN if situation.may_show_late else done


def after_accept(desired: Desired, arn: str, change: Change) -> Verdict:
    """Return how things stand when Personalize has accepted a change of a desired recommender."""
    match change:
        case CreateRecommender():
            return Done("CreateRecommender is accepted", Progress.TRAINING)
        case UpdateRecommender(previous_update=previous) if desired.running:
            return Done("UpdateRecommender is accepted", Progress.CHANGING, previous)
        case UpdateRecommender(previous_update=previous):
            return Wait(f"UpdateRecommender of {arn} is accepted", previous_update=previous)
        case _:
            return Wait(f"{type(change).__name__} of {arn} is accepted")


def _plan(
    desired: Desired,
    observed: Observed | None,
    situation: Situation,
    before: Config | None,
    retired_tags: frozenset[str],
) -> Step:
    if observed is None:
        return CreateRecommender(desired)
    if observed.phase is Phase.DELETING:
        return Wait(f"{observed.arn} is being deleted; its name is free after that")
    began = situation.began
    earlier = _earlier(desired.config, observed, before)
    assumed = _assumed(desired.config, observed, began, earlier)
    changed = _changed(desired.config, observed, assumed)
    return (
        _whose(desired, observed)
        or _broken(observed, began)
        or _retagged(desired, observed, retired_tags)
        or _in_transit(desired, observed, assumed, earlier)
        or _update_failed(desired, observed, began, changed)
        or _overtaken(desired, observed, situation, changed)
        or _settled(desired, observed, changed)
    )


def _whose(desired: Desired, observed: Observed) -> Step | None:
    differing = _differing(desired, observed)
    if observed.tags is None or desired.owner.of(observed.tags) is not Ownership.FOREIGN:
        return Fail(_cannot_replace(desired, differing)) if differing else None
    if not desired.adopt:
        return Fail(_is_taken(desired, observed, observed.tags))
    if not desired.owner.may_adopt(observed.tags):
        return Fail(
            f"The recommender {desired.name!r} belongs to {desired.owner.other(observed.tags)}. If "
            f"that stack is gone, take the tag {v.OWNER_STACK_TAG} off the recommender, then "
            "deploy again."
        )
    if differing:
        return Fail(_cannot_adopt(desired, differing))
    if observed.phase.has_failed:
        return Fail(f"{observed.arn} cannot be adopted: it is {observed.status}: {observed.reason}")
    if not observed.is_stable:
        return Wait(f"{observed.arn} is {observed.description}; it is adopted when that has ended")
    if v.ON_DESTROY_TAG in observed.tags:  # of a stack that is gone; there may be no room for both
        return UntagResource.of([v.ON_DESTROY_TAG])
    return TagResource({**desired.tags, **desired.owner.tags(adopted=True)})


def _broken(observed: Observed, began: float) -> Step | None:
    if observed.phase is Phase.CREATE_FAILED and observed.created < began:
        return DeleteRecommender()
    if observed.phase.has_failed:
        return Fail(f"{observed.arn} is {observed.status}: {observed.reason}")
    if observed.phase is Phase.UNKNOWN:
        return Wait(
            f"{observed.arn} has the status {observed.status!r}, which this version does not know"
        )
    return None


def _retagged(desired: Desired, observed: Observed, retired: frozenset[str]) -> Step | None:
    if observed.tags is None:
        return None
    tags, wanted = observed.tags, desired.tags_beside(observed.tags)
    if missing := {key: text for key, text in wanted.items() if tags.get(key) != text}:
        return TagResource(missing)
    retired = retired - set(v.RESERVED_TAGS) | {v.ON_DESTROY_TAG}
    if surplus := (retired - set(wanted)) & set(tags):
        return UntagResource(surplus)
    return None


def _in_transit(
    desired: Desired, observed: Observed, assumed: Config, earlier: Config
) -> Step | None:
    if observed.is_stable:
        return None
    as_asked = assumed.shown_by(observed.config_after_update) == desired.config
    in_force = earlier.shown_by(observed.config) == desired.config
    update_is_new = None if in_force or not observed.updating else 0.0
    if as_asked and observed.phase is Phase.CREATING:
        return Done(f"{observed.description}; {_WAIT_FOR_TRAINING}", Progress.TRAINING)
    if as_asked and desired.running and observed.phase is Phase.ACTIVE:
        return Done(
            f"{observed.description}; {_WAIT_FOR_TRAINING}",
            Progress.CHANGING,
            previous_update=update_is_new,
        )
    if as_asked and not desired.running and observed.phase is Phase.STOPPING:
        return Done(f"{observed.description}, as asked", Progress.CHANGING)
    starts = desired.running and observed.phase is Phase.STARTING
    others_wait = as_asked and (observed.updating or starts)
    return Wait(
        f"{observed.arn} is {observed.description}; the next step is taken when that has ended",
        AtDeadline.HAND_OVER if others_wait else AtDeadline.FAIL,
        previous_update=update_is_new if as_asked else None,
    )


def _assumed(config: Config, observed: Observed, began: float, earlier: Config) -> Config:
    """Return what a member is taken for that DescribeRecommender does not show.

    What has been sent in this operation; else what it was before.
    """
    update = observed.latest_update
    return config if update and update.created >= began and not update.failed else earlier


def _earlier(config: Config, observed: Observed, before: Config | None) -> Config:
    """Return what such a member was before this operation.

    What was asked for before; else what the recommender was created with, which is Personalize's
    defaults where it is adopted.
    """
    if before is None and v.ADOPTED_TAG in (observed.tags or {}):
        return Config()
    return before or config


def _changed(config: Config, observed: Observed, assumed: Config) -> UpdateRecommender | None:
    there = assumed.shown_by(observed.config)
    if there == config:
        return None
    update = observed.latest_update
    sent = config.request(observed.config, replaced=there)
    hidden = config.shown_by(observed.config) == config
    return UpdateRecommender(sent, update.created if update else 0.0, hidden)


def _update_failed(
    desired: Desired, observed: Observed, began: float, changed: UpdateRecommender | None
) -> Step | None:
    update = observed.latest_update
    if update is None or not update.failed or update.created < began or not changed:
        return None
    if desired.config.shown_by(update.config) != desired.config:
        return None
    return Fail(f"The update of {observed.arn} failed: {update.reason}")


def _overtaken(
    desired: Desired, observed: Observed, situation: Situation, changed: UpdateRecommender | None
) -> Step | None:
    """Stop, in a rollback, once another update has come after this request's own.

    An Update that is first delivered when its rollback has begun cannot be told from the reversed
    one. Each would undo the other's change, for as long as both wait.
    """
    update = observed.latest_update
    if not changed or update is None or not situation.operation.rolls_back:
        return None
    if situation.updated_after is None or update.created <= situation.updated_after:
        return None
    if desired.config.shown_by(update.config) == desired.config:
        return None
    return Fail(
        f"{observed.arn} was updated by something else after this rollback had updated it. Nothing "
        "more is changed."
    )


def _settled(desired: Desired, observed: Observed, changed: UpdateRecommender | None) -> Step:
    if observed.phase is Phase.INACTIVE:
        return StartRecommender() if desired.running or changed else IN_FORCE[False]
    if changed:
        return changed
    return IN_FORCE[True] if desired.running else StopRecommender()


# -- towards its not being there ---------------------------------------------------------------


def plan_deletion(
    owner: Owner,
    observed: Observed | None,
    *,
    remedy: str = "",
    retired_tags: frozenset[str] = frozenset(),
) -> Step:
    """Return the next step towards a recommender's not being there, or not being ours.

    What its tags do not prove to be ours is left alone; an adopted one is released.

    Args:
        owner: who wants it gone.
        observed: what is there, or None.
        remedy: what to do if its tags do not prove it ours though its name is this owner's alone:
            then leaving it alone must not pass for a success.
        retired_tags: keys of the template's tags, which an adopted recommender is rid of too.
    """
    if observed is None:
        return GONE
    whose = None if observed.tags is None else owner.of(observed.tags)
    if whose is Ownership.FOREIGN:
        if remedy:
            unproven = _unproven(owner, observed.arn, observed.tags or {})
            return Fail(f"It is left alone. {unproven} If it is the stack's, {remedy}")
        return Done(f"{observed.arn} is not ours by its tags; it is left alone")
    if whose is Ownership.ADOPTED:
        ours = retired_tags | set(v.RESERVED_TAGS)
        return UntagResource.of(ours & set(observed.tags or {}))
    if observed.phase in (Phase.ACTIVE, Phase.INACTIVE) or observed.phase.has_failed:
        return DeleteRecommender()
    return Wait(
        f"{observed.arn} is {observed.description} and cannot be deleted before that has ended"
    )


def after_delete(verdict: Verdict, situation: Situation) -> Verdict:
    """Return what the deletion of a recommender's own resource has come to.

    When a creation is rolled back, a last sweep waits for what shows late, for a Delete that never
    came; else this Delete does, of which the sweeps know nothing.
    """
    operation = situation.operation
    if isinstance(verdict, Wait) and operation.removes_the_stack:
        return replace(verdict, at_deadline=AtDeadline.HAND_OVER)
    if verdict != GONE:
        return verdict
    if situation.may_show_late and not operation.undoes_the_creation:
        return UNSEEN
    return replace(GONE, certain=not situation.looked_before)


def after_sweep(verdict: Verdict, situation: Situation, *, last: bool) -> Verdict:
    """Return what a sweep has come to; the ``last`` one has the last word."""
    if isinstance(verdict, Wait):
        return verdict if last else replace(verdict, at_deadline=AtDeadline.HAND_OVER)
    shows_late = last and situation.operation.undoes_the_creation and situation.may_show_late
    return UNSEEN if shows_late else verdict


def first_unfinished(verdicts: Iterable[Verdict]) -> Verdict:
    """Return what sweeping several recommenders has come to."""
    unfinished = (verdict for verdict in verdicts if not isinstance(verdict, Done))
    return next(unfinished, Done("nothing else is owned"))


# -- towards its being started or stopped ------------------------------------------------------


def plan_state(owner: Owner, observed: Observed | None, *, running: bool = False) -> Step:
    """Return the next step towards an INACTIVE recommender, once the training gates have passed.

    Or towards an ACTIVE one, if its hours want it ``running``.
    """
    if observed is None:
        return Wait("the recommender does not exist", grace=True)
    if observed.tags is not None and owner.of(observed.tags) is Ownership.FOREIGN:
        return Fail(f"{observed.arn} is not ours by its tags; it is neither started nor stopped")
    if observed.phase.has_failed:
        return Fail(f"{observed.arn} is {observed.status}: {observed.reason}")
    if observed.phase is (Phase.ACTIVE if running else Phase.INACTIVE):
        return IN_FORCE[running]
    if observed.phase is Phase.INACTIVE:
        return StartRecommender()
    if observed.phase is Phase.ACTIVE and not observed.updating:
        return StopRecommender()
    return Wait(f"{observed.arn} is {observed.description}")


# -- whether it is ready -----------------------------------------------------------------------


def readiness(
    config: Config,
    observed: Observed | None,
    *,
    running: bool,
    updated_after: float,
    before: Config | None = None,
) -> Verdict:
    """Return whether a recommender has what is asked: what a training gate waits for.

    A member that DescribeRecommender does not show is no difference by itself, unless this
    deployment's update does not show yet, or has failed. A failed update that shows just what is in
    force was the weekly retraining, unless this deployment changes what does not show.

    Args:
        config: the configuration that must be in force.
        observed: what is there, or None.
        running: whether it must be ACTIVE; else it may be stopped, too.
        updated_after: this deployment's update is newer (epoch seconds, on the service's clock);
            infinite if it has sent none. In a rollback it may be of the deployment before: what
            failed since then was to become something else.
        before: the configuration that the template asked for before, if any.
    """
    if observed is None:
        return Wait("the recommender does not exist", grace=True)
    if observed.phase.has_failed:
        return Fail(f"{observed.status}: {observed.reason} {_ANEW}")
    if observed.phase is Phase.DELETING:
        return Fail("It is being deleted, but not by this deployment.")
    update = observed.latest_update
    newer = update if update and update.created > updated_after else None
    awaited = newer is None and not math.isinf(updated_after)
    failed = newer is not None and newer.failed and config.shown_by(newer.config) == config
    assumed = NOT_ASKED_FOR if awaited or failed else config
    if newer and failed and newer.config == observed.config:
        assumed = before or NOT_ASKED_FOR
    in_force = assumed.shown_by(observed.config) == config
    if newer and failed and not in_force:
        return Fail(f"Its update failed: {newer.reason} {_ANEW}")
    there = observed.phase is Phase.ACTIVE or (
        not running and observed.phase in (Phase.INACTIVE, Phase.STOPPING)
    )
    if observed.updating or not there:
        return Wait(observed.description)
    if in_force:
        return Done(observed.status, Progress.IN_FORCE)
    return Wait("the configuration asked for is not in force, nor on its way", grace=True)


_ANEW: Final = (
    "If this failure is kept (--no-rollback), change force_update when you deploy again: it asks "
    "for everything anew."
)


# -- words -------------------------------------------------------------------------------------


def _differing(desired: Desired, observed: Observed) -> str:
    pairs = (
        ("dataset group", desired.dataset_group_arn, observed.dataset_group_arn),
        ("recipe", desired.recipe_arn, observed.recipe_arn),
    )
    return ", ".join(
        f"{what} {there} (asked for: {asked})" for what, asked, there in pairs if asked != there
    )


def _cannot_replace(desired: Desired, differing: str) -> str:
    return (
        f"The recommender {desired.name!r} has the {differing}. That cannot be changed in place, "
        "and a new recommender cannot have the same fixed name while the old one serves. "
        "Change recommender_name together with it, or remove recommender_name."
    )


def put_back(owner: Owner, arn: str) -> str:
    """Return the command that makes a recommender's tags prove whose it is."""
    tags = " ".join(f"tagKey={key},tagValue={value}" for key, value in owner.tags().items())
    return f"aws personalize tag-resource --resource-arn {arn} --tags {tags}"


def _unproven(owner: Owner, arn: str, tags: Mapping[str, str]) -> str:
    proof = owner.tags()
    wrong = [f"{key} is {tags.get(key, 'missing')}" for key in proof if tags.get(key) != proof[key]]
    return (
        f"A recommender named {arn.rpartition('/')[2]!r} exists and is not this stack's by its "
        f"tags: {', '.join(wrong)}."
    )


def _is_taken(desired: Desired, observed: Observed, tags: Mapping[str, str]) -> str:
    """Explain who has the name; no command is offered that would take it away from an owner."""
    owner = desired.owner
    if not (other := owner.other(tags)):
        return (
            f"{_unproven(owner, observed.arn, tags)} If it is the stack's, put them back: "
            f"{put_back(owner, observed.arn)} If it is somebody else's, choose another "
            "recommender_name, or set adopt_existing to take it over."
        )
    is_earlier = tags[v.OWNER_STACK_TAG] != owner.stack_id and owner.may_adopt(tags)
    adopt = ", or set adopt_existing to take it over from that earlier stack" if is_earlier else ""
    return (
        f"The recommender {desired.name!r} belongs to {other}. Choose another recommender_name"
        f"{adopt}."
    )


def _cannot_adopt(desired: Desired, differing: str) -> str:
    return (
        f"The recommender {desired.name!r} cannot be adopted: it has the {differing}. "
        "Name a recommender of the same dataset group and recipe, or remove recommender_name."
    )
