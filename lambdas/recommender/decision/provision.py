"""Decide the next step towards the recommender of a template (pure).

Observe, decide, make the next change, observe again. CloudFormation, a retry, a rollback or a
person in the console may have changed the recommender before: its state shows that. So every
situation is a row of these tables, and needs no memory of its history.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from .. import vocabulary as v
from ..model.config import Config
from ..model.identity import Ownership
from ..model.observed import Observed, Phase, Update
from ..model.request import Desired
from .proof import command_to_put_back, lacking_proof
from .situation import Situation, unless_late
from .verdict import (
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

_WAIT_FOR_TRAINING: Final = "the training gates wait for it"


def plan(
    desired: Desired,
    observed: Observed | None,
    situation: Situation,
    *,
    before: Config | None = None,
    retired_tags: frozenset[str] = frozenset(),
) -> Step:
    """Decide the next step towards the desired recommender.

    Without tags, ``observed`` counts as ours: enough to decide on a wait, never enough to change
    anything. A training or an update that leads to the desired state is ``Done``: the training
    gates wait for it. In a rollback it is a ``Wait``, until the state before the update is back.

    Args:
        desired: the recommender of the template.
        observed: the recommender of that name, or None.
        situation: the stack's operation, and its beginning.
        before: the earlier configuration in the template, if of this recommender.
        retired_tags: keys of tags that the template had before and no longer has.
    """
    if observed is None:
        return CreateRecommender(desired)
    if observed.phase is Phase.DELETING:
        return Wait(f"{observed.arn} is being deleted, which must end first")
    # A member that does not show has the value that this operation has sent, else the earlier one.
    earlier = _earlier(desired.config, observed, situation, before)
    sent = _sent_update(desired.config, observed, situation, earlier)
    hidden = desired.config if sent and not sent.failed else earlier
    update = _update(desired.config, observed, hidden)
    step = (
        _ownership(desired, observed)
        or _broken(observed, situation.began)
        or _retagged(desired, observed, retired_tags)
        or _in_transit(desired, observed, hidden, earlier)
        or _update_failed(desired, observed, sent, update)
        or _overtaken(desired, observed, situation, update)
        or _stable(desired, observed, update)
    )
    return _finish_rollback(step, situation) if isinstance(step, Done) else step


def after_accept(desired: Desired, situation: Situation, arn: str, change: Change) -> Verdict:
    """Return the verdict after Personalize has accepted a change of a desired recommender."""
    match change:
        case CreateRecommender():
            done = Done("CreateRecommender is accepted", Progress.TRAINING)
        case UpdateRecommender(updated_after=updated_after) if desired.running:
            done = Done("UpdateRecommender is accepted", Progress.CHANGING, updated_after)
        case _:
            return wait_for(arn, change)
    return _finish_rollback(done, situation)


def wait_for(arn: str, change: Change) -> Wait:
    """Wait for an accepted change."""
    updated_after = change.updated_after if isinstance(change, UpdateRecommender) else None
    return Wait(f"{type(change).__name__} of {arn} is accepted", updated_after=updated_after)


def effective(*, running: bool) -> Done:
    """Return the verdict on a recommender that runs, or is stopped, as expected."""
    return Done(f"{'ACTIVE' if running else 'INACTIVE'}, as configured", Progress.EFFECTIVE)


def _finish_rollback(done: Done, situation: Situation) -> Verdict:
    """End a request that has nothing more to do; in a rollback, only in the state before."""
    if not situation.operation.undoes_an_update:
        return done
    if done.progress is not Progress.EFFECTIVE:
        return done.awaited()
    return unless_late(done, situation)


# -- configurations ----------------------------------------------------------------------------


def _earlier(
    config: Config, observed: Observed, situation: Situation, before: Config | None
) -> Config:
    """Return the value of each member that does not show, unless this operation has sent it.

    It is the earlier value in the template, else that of the creation. If the recommender is
    adopted, the latter is Personalize's default. If expected columns do not show, but any other
    member does, there are none.
    """
    is_adopted = v.ADOPTED_TAG in (observed.tags or {})
    is_new = observed.created >= situation.began and not situation.operation.undoes_an_update
    if is_new and not is_adopted:
        return config
    earlier = before or (Config(explores=config.explores) if is_adopted else config)
    if observed.config and config.excluded_columns:
        return replace(earlier, excluded_columns={})
    return earlier


def _sent_update(
    config: Config, observed: Observed, situation: Situation, earlier: Config
) -> Update | None:
    """Return the latest update if this operation has sent it.

    A weekly retraining can begin before this operation sends its update, and a rollback in the
    second in which the update that it reverses is accepted. So an update that this request does not
    remember must show that it leads to the expected configuration.
    """
    if own := observed.update_after(situation.updated_after):
        return own
    update = observed.latest_update
    if update is None or not situation.began or update.created < situation.began:
        return None
    return update if Config.of_service(update.config, hidden=earlier) == config else None


def _update(config: Config, observed: Observed, hidden: Config) -> UpdateRecommender | None:
    effective = Config.of_service(observed.config, hidden=hidden)
    if effective == config:
        return None
    return UpdateRecommender(
        config.request(observed.config, replaced=effective),
        observed.last_updated,
        hidden=config.agrees_with(observed.config),
    )


# -- obstacles, in this order ------------------------------------------------------------------


def _ownership(desired: Desired, observed: Observed) -> Step | None:
    differing = _differing(desired, observed)
    if observed.tags is None or desired.owner.of(observed.tags) is not Ownership.FOREIGN:
        return Fail(_cannot_replace(desired, differing)) if differing else None
    if not desired.adopt:
        return Fail(_is_taken(desired, observed, observed.tags))
    if not desired.owner.may_adopt(observed.tags):
        return Fail(
            f"The recommender {desired.name!r} belongs to {desired.owner.other(observed.tags)}. If "
            f"that stack is gone, remove the tag {v.OWNER_STACK_TAG} from the recommender, then "
            "deploy again."
        )
    if differing:
        return Fail(_cannot_adopt(desired, differing))
    if observed.phase.has_failed:
        return Fail(
            f"{observed.arn} cannot be adopted, because it is {observed.status}: {observed.reason} "
            "Delete it, or set recommender_name to another one."
        )
    if not observed.is_stable:
        return Wait(f"{observed.arn} is {observed.description}, which must end before adoption")
    if v.ON_DESTROY_TAG in observed.tags:  # a deleted stack's; there may be no room for both
        return UntagResource(frozenset([v.ON_DESTROY_TAG]))
    return TagResource({**desired.tags, **desired.owner.tags(adopted=True)})


def _broken(observed: Observed, began: float) -> Step | None:
    if observed.phase is Phase.CREATE_FAILED and observed.created < began:
        return DeleteRecommender()
    if observed.phase.has_failed:
        return Fail(
            f"{observed.arn} is {observed.status}: {observed.reason} Remove the cause or the "
            "recommender, then deploy again."
        )
    if observed.phase is Phase.UNKNOWN:
        return Wait(
            f"{observed.arn} has the status {observed.status!r}, which this version does not know"
        )
    return None


def _retagged(desired: Desired, observed: Observed, retired: frozenset[str]) -> Step | None:
    if observed.tags is None:
        return None
    tags, expected = observed.tags, desired.tags_beside(observed.tags)
    if missing := {key: text for key, text in expected.items() if tags.get(key) != text}:
        return TagResource(missing)
    retired = retired - set(v.RESERVED_TAGS) | {v.ON_DESTROY_TAG}
    if surplus := (retired - set(expected)) & set(tags):
        return UntagResource(surplus)
    return None


def _in_transit(
    desired: Desired, observed: Observed, hidden: Config, earlier: Config
) -> Step | None:
    if observed.is_stable:
        return None
    config = desired.config
    arrives = Config.of_service(observed.config_after_update, hidden=hidden) == config
    is_ours = observed.updating and Config.of_service(observed.config, hidden=earlier) != config
    updated_after = observed.created if is_ours else None
    if arrives and observed.phase is Phase.CREATING:
        return Done(f"{observed.description}; {_WAIT_FOR_TRAINING}", Progress.TRAINING)
    if arrives and desired.running and observed.phase is Phase.ACTIVE:
        return Done(
            f"{observed.description}; {_WAIT_FOR_TRAINING}", Progress.CHANGING, updated_after
        )
    if arrives and not desired.running and observed.phase is Phase.STOPPING:
        return Done(f"{observed.description}, as configured", Progress.CHANGING)
    starts = desired.running and observed.phase is Phase.STARTING
    return Wait(
        f"{observed.arn} is {observed.description}, which must end first",
        hands_over=arrives and (observed.updating or starts),
        updated_after=updated_after if arrives else None,
    )


def _update_failed(
    desired: Desired, observed: Observed, sent: Update | None, update: UpdateRecommender | None
) -> Step | None:
    if not (update and sent and sent.failed and desired.config.agrees_with(sent.config)):
        return None
    return Fail(
        f"The update of {observed.arn} failed: {sent.reason} Its configuration stays as it was. "
        "Remove the cause, then deploy again."
    )


def _overtaken(
    desired: Desired, observed: Observed, situation: Situation, update: UpdateRecommender | None
) -> Step | None:
    """In a rollback, stop once another update has come after this request's own.

    If an Update is first delivered after its rollback began, it looks like the reversed one. Each
    would undo the other's change, for as long as both wait.
    """
    newer = observed.update_after(situation.updated_after)
    if not update or not newer or not situation.operation.undoes_an_update:
        return None
    if desired.config.agrees_with(newer.config):
        return None
    return Fail(
        f"Another caller updated {observed.arn} after this rollback had updated it, so the "
        "rollback stops. Find that caller and stop it, then continue the rollback (aws "
        "cloudformation continue-update-rollback)."
    )


def _stable(desired: Desired, observed: Observed, update: UpdateRecommender | None) -> Step:
    if observed.phase is Phase.INACTIVE:
        return StartRecommender() if desired.running or update else effective(running=False)
    if update:
        return update
    return effective(running=True) if desired.running else StopRecommender()


# -- words -------------------------------------------------------------------------------------


_ADOPT: Final = "set recommender_name to this name, and adopt_existing, to take it over"


def _differing(desired: Desired, observed: Observed) -> str:
    pairs = (
        ("dataset group", desired.dataset_group_arn, observed.dataset_group_arn),
        ("recipe", desired.recipe_arn, observed.recipe_arn),
    )
    return ", ".join(
        f"{what} {actual} (expected: {expected})"
        for what, expected, actual in pairs
        if expected != actual
    )


def _cannot_replace(desired: Desired, differing: str) -> str:
    return (
        f"The recommender {desired.name!r} has the {differing}. Personalize cannot change that in "
        "place, and a new recommender needs another name while the old one serves. Change "
        "recommender_name in the same deployment, or remove recommender_name."
    )


def _is_taken(desired: Desired, observed: Observed, tags: Mapping[str, str]) -> str:
    """Name the owner of the name; offer no command that would take it from that owner."""
    owner = desired.owner
    if not (other := owner.other(tags)):
        return (
            f"{lacking_proof(owner, observed.arn, tags)} If it is not this stack's, choose another "
            f"recommender_name, or {_ADOPT}. If it is this stack's, put its tags back, then deploy "
            f"again: {command_to_put_back(owner, observed.arn)}"
        )
    is_earlier = tags[v.OWNER_STACK_TAG] != owner.stack_id and owner.may_adopt(tags)
    adopt = f", or {_ADOPT} from that earlier stack" if is_earlier else ""
    return (
        f"The recommender {desired.name!r} belongs to {other}. Choose another recommender_name"
        f"{adopt}."
    )


def _cannot_adopt(desired: Desired, differing: str) -> str:
    return (
        f"The recommender {desired.name!r} cannot be adopted, because it has the {differing}. Set "
        "recommender_name to one of the same dataset group and recipe, or remove it."
    )
