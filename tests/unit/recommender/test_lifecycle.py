"""The decision, as tables: what is wanted and what is there, to the one next step."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdas.recommender import vocabulary as v
from lambdas.recommender.events import Config, Wanted
from lambdas.recommender.identity import Owner
from lambdas.recommender.lifecycle import (
    CREATE,
    DELETE,
    START,
    STOP,
    Change,
    Done,
    Fail,
    Phase,
    Recommender,
    Step,
    Update,
    Wait,
    at_rest,
    away,
    merged,
    readiness,
    request_config,
    tag,
    toward,
    untag,
)

OWNER = Owner("arn:aws:cloudformation:eu-west-1:111111111111:stack/TopPicks/1", "Recommender")
GROUP = "arn:aws:personalize:eu-west-1:111111111111:dataset-group/vod"
RECIPE = "arn:aws:personalize:::recipe/aws-vod-top-picks"
WANTED = Wanted(
    name="TopPicks-0123456789abcdef",
    arn="arn:aws:personalize:eu-west-1:111111111111:recommender/TopPicks-0123456789abcdef",
    dataset_group_arn=GROUP,
    recipe_arn=RECIPE,
    config=Config(),
    running=True,
    adopt=False,
    tags={"team": "video"},
    owner=OWNER,
)
IN_FORCE = request_config(Config(), {})
OTHER = request_config(Config(min_requests_per_second=7), {})
OWN = {**OWNER.tags(), "team": "video"}
FOREIGN = {"team": "other"}


def seen(status: str, **changes: Any) -> Recommender:
    """Return an own recommender with everything as wanted, but for the changes."""
    as_wanted = Recommender(WANTED.arn, status, GROUP, RECIPE, IN_FORCE, tags=OWN)
    return replace(as_wanted, **changes)


def update(status: str, config: Mapping[str, Any] = IN_FORCE, created: float = 100.0) -> Update:
    return Update(status, config, created, "the reason")


def change_to(config: Mapping[str, Any], replaces: float = 0.0) -> Change:
    return Change("UpdateRecommender", {"recommenderConfig": dict(config)}, replaces)


STOPPED = replace(WANTED, running=False)
ADOPTING = replace(WANTED, adopt=True)
ADOPTED = {**WANTED.tags, **OWNER.tags(adopted=True)}
EARLIER_LIFE = {v.OWNER_STACK_TAG: OWNER.stack_id.removesuffix("1") + "0"}
OTHERS = {v.OWNER_STACK_TAG: "arn:aws:cloudformation:eu-west-1:111111111111:stack/Other/1"}
UNDER_WAY = update("CREATE IN_PROGRESS", OTHER)
RETRAINING = update("CREATE PENDING")
FAILED = update("CREATE FAILED")
SERVING = Done("", serves=True)
BRIEFLY = Wait("", brief=True)

TOWARD: Mapping[str, tuple[Wanted, Recommender | None, Any]] = {
    # nothing there, or on its way out
    "nothing is there": (WANTED, None, CREATE),
    "nothing is there, and it is wanted stopped": (STOPPED, None, CREATE),
    "it is being deleted": (WANTED, seen("DELETE IN_PROGRESS"), Wait),
    "another's is being deleted": (WANTED, seen("DELETE PENDING", tags=FOREIGN), Wait),
    # whose it is
    "another's": (WANTED, seen("ACTIVE", tags=FOREIGN), Fail),
    "another's, while it trains": (WANTED, seen("CREATE PENDING", tags=FOREIGN), Fail),
    "another's that failed": (WANTED, seen("CREATE FAILED", tags=FOREIGN), Fail),
    "ours, of another dataset group": (WANTED, seen("ACTIVE", dataset_group_arn="x"), Fail),
    "ours, of another recipe": (WANTED, seen("ACTIVE", recipe_arn="x"), Fail),
    "to adopt": (ADOPTING, seen("ACTIVE", tags=FOREIGN), tag(ADOPTED)),
    "to adopt, while stopped": (ADOPTING, seen("INACTIVE", tags={}), tag(ADOPTED)),
    "to adopt, of an earlier life": (ADOPTING, seen("ACTIVE", tags=EARLIER_LIFE), tag(ADOPTED)),
    "to adopt, while it trains": (ADOPTING, seen("CREATE PENDING", tags={}), Wait),
    "to adopt, while updated": (
        ADOPTING,
        seen("ACTIVE", tags={}, latest_update=UNDER_WAY),
        Wait,
    ),
    "to adopt, but its training failed": (ADOPTING, seen("CREATE FAILED", tags={}), Fail),
    "to adopt, but another stack's": (ADOPTING, seen("ACTIVE", tags=OTHERS), Fail),
    "to adopt, but of another group": (
        ADOPTING,
        seen("ACTIVE", tags={}, dataset_group_arn="x"),
        Fail,
    ),
    "adopted before": (ADOPTING, seen("ACTIVE", tags=ADOPTED), SERVING),
    # broken
    "its training failed": (WANTED, seen("CREATE FAILED"), DELETE),
    "some other failure": (WANTED, seen("STOP FAILED"), Fail),
    "an unknown status": (WANTED, seen("MIGRATING"), Wait),
    "a status in small letters": (WANTED, seen("active"), Wait),
    "no status": (WANTED, seen(""), Wait),
    # on its way
    "it trains": (WANTED, seen("CREATE IN_PROGRESS"), Done),
    "it trains, as the guide spells it": (WANTED, seen("CREATE IN PROGRESS"), Done),
    "it trains, and is wanted stopped": (STOPPED, seen("CREATE PENDING"), Done),
    "it trains with another configuration": (WANTED, seen("CREATE PENDING", config=OTHER), Wait),
    "it starts": (WANTED, seen("START PENDING"), Wait("", others_follow=True)),
    "it starts, updated before": (
        WANTED,
        seen("START PENDING", latest_update=update("ACTIVE", OTHER)),
        Wait("", others_follow=True),
    ),
    "it starts, and is wanted stopped": (STOPPED, seen("START IN_PROGRESS"), Wait),
    "it starts with another configuration": (WANTED, seen("START PENDING", config=OTHER), Wait),
    "it stops": (WANTED, seen("STOP IN_PROGRESS"), Wait),
    "it stops, as wanted": (STOPPED, seen("STOP PENDING"), SERVING),
    "another update is under way": (WANTED, seen("ACTIVE", latest_update=UNDER_WAY), Wait),
    "our update is under way": (
        WANTED,
        seen("ACTIVE", config=OTHER, latest_update=update("CREATE PENDING")),
        SERVING,
    ),
    "our update is under way, to be stopped after": (
        STOPPED,
        seen("ACTIVE", config=OTHER, latest_update=update("CREATE PENDING")),
        Wait("", others_follow=True),
    ),
    "it is retrained": (WANTED, seen("ACTIVE", latest_update=RETRAINING), SERVING),
    "it is retrained with another configuration": (
        WANTED,
        seen("ACTIVE", config=OTHER, latest_update=update("CREATE PENDING", OTHER)),
        Wait,
    ),
    # settled
    "all as wanted": (WANTED, seen("ACTIVE"), SERVING),
    "another configuration": (WANTED, seen("ACTIVE", config=OTHER), change_to(IN_FORCE)),
    "another configuration, updated before": (
        WANTED,
        seen("ACTIVE", config=OTHER, latest_update=update("ACTIVE", OTHER, created=5.0)),
        change_to(IN_FORCE, replaces=5.0),
    ),
    "an update that failed before": (
        WANTED,
        seen("ACTIVE", config=OTHER, latest_update=update("CREATE FAILED", created=5.0)),
        change_to(IN_FORCE, replaces=5.0),
    ),
    "a tag is missing": (WANTED, seen("ACTIVE", tags=OWNER.tags()), tag({"team": "video"})),
    "a tag has another value": (
        WANTED,
        seen("ACTIVE", tags={**OWN, "team": "x"}),
        tag({"team": "video"}),
    ),
    "a tag is no longer wanted": (WANTED, seen("ACTIVE", tags={**OWN, "old": "x"}), untag(["old"])),
    "a tag of somebody else's": (WANTED, seen("ACTIVE", tags={**OWN, "cost": "1"}), SERVING),
    "tags before configuration": (
        WANTED,
        seen("ACTIVE", config=OTHER, tags=OWNER.tags()),
        tag({"team": "video"}),
    ),
    "a tag is missing while it is retrained": (
        WANTED,
        seen("ACTIVE", tags=OWNER.tags(), latest_update=RETRAINING),
        tag({"team": "video"}),
    ),
    "it is stopped": (WANTED, seen("INACTIVE"), START),
    "it is stopped, as wanted": (STOPPED, seen("INACTIVE"), SERVING),
    "it is stopped, with another configuration": (STOPPED, seen("INACTIVE", config=OTHER), START),
    "it is to be stopped": (STOPPED, seen("ACTIVE"), STOP),
    "update before it is stopped": (STOPPED, seen("ACTIVE", config=OTHER), change_to(IN_FORCE)),
}


@pytest.mark.parametrize("row", TOWARD)
def test_the_next_step_towards_what_is_wanted(row: str) -> None:
    wanted, there, expected = TOWARD[row]

    step = toward(wanted, there, retired_tags=frozenset({"old", v.OWNER_STACK_TAG}))

    _assert_step(step, expected)


def _assert_step(step: object, expected: Any) -> None:
    """Compare a step with the expected one, whatever the words in which a verdict gives reasons."""
    if isinstance(expected, type):
        expected = expected("")
    if isinstance(step, Wait | Done | Fail):
        step = replace(step, why="")
    assert step == expected


def test_a_training_that_failed_since_the_operation_began_is_not_begun_again() -> None:
    failed = seen("CREATE FAILED", created=100.0)

    assert toward(WANTED, failed, began=100.5) == DELETE
    assert isinstance(toward(WANTED, failed, began=100.0), Fail)


def test_an_update_that_failed_since_the_operation_began_is_not_begun_again() -> None:
    failed = seen("ACTIVE", config=OTHER, latest_update=FAILED)

    assert toward(WANTED, failed, began=100.5) == change_to(IN_FORCE, replaces=100.0)
    assert isinstance(toward(WANTED, failed, began=100.0), Fail)


@pytest.mark.parametrize("config", [IN_FORCE, OTHER])
def test_an_update_that_failed_is_no_matter_if_it_is_not_ours_or_not_needed(config: Any) -> None:
    failed = update("CREATE FAILED", OTHER if config == OTHER else IN_FORCE, created=100.0)
    there = seen("ACTIVE", config=config, latest_update=failed)
    needed = change_to(IN_FORCE, replaces=100.0) if config == OTHER else SERVING

    _assert_step(toward(WANTED, there, began=0.0), needed)


AWAY: Mapping[str, tuple[Recommender | None, Any]] = {
    "nothing is there": (None, Done),
    "ours": (seen("ACTIVE"), DELETE),
    "ours, stopped": (seen("INACTIVE"), DELETE),
    "ours, its training failed": (seen("CREATE FAILED"), DELETE),
    "ours, while it is updated": (seen("ACTIVE", latest_update=UNDER_WAY), DELETE),
    "ours, while it trains": (seen("CREATE IN_PROGRESS"), Wait),
    "ours, while it starts": (seen("START PENDING"), Wait),
    "ours, while it stops": (seen("STOP PENDING"), Wait),
    "ours, being deleted": (seen("DELETE IN_PROGRESS"), Wait),
    "ours, with an unknown status": (seen("MIGRATING"), Wait),
    "another's": (seen("ACTIVE", tags=FOREIGN), Done),
    "another's, while it trains": (seen("CREATE PENDING", tags=FOREIGN), Done),
    "adopted": (
        seen("ACTIVE", tags={**ADOPTED, "old": "x", "cost": "1"}),
        untag(["old", v.ADOPTED_TAG, v.OWNER_RESOURCE_TAG, v.OWNER_STACK_TAG]),
    ),
    "adopted, while it stops": (
        seen("STOP PENDING", tags=OWNER.tags(adopted=True)),
        untag([v.ADOPTED_TAG, v.OWNER_RESOURCE_TAG, v.OWNER_STACK_TAG]),
    ),
}


@pytest.mark.parametrize("row", AWAY)
def test_the_next_step_towards_its_being_gone(row: str) -> None:
    there, expected = AWAY[row]

    _assert_step(away(OWNER, there, retired_tags=frozenset({"old"})), expected)


@pytest.mark.parametrize("missing", OWNER.tags())
def test_our_own_without_its_tags_is_neither_changed_nor_left_in_silence(missing: str) -> None:
    there = seen("ACTIVE", tags={k: tag for k, tag in OWN.items() if k != missing})

    for step in (toward(WANTED, there), away(OWNER, there, derived=True)):
        assert isinstance(step, Fail)
        assert f"{missing} is missing" in step.why
        assert f"tagKey={missing},tagValue={OWNER.tags()[missing]}" in step.why


AT_REST: Mapping[str, tuple[Recommender | None, Any]] = {
    "not there": (None, BRIEFLY),
    "active": (seen("ACTIVE"), STOP),
    "stopped": (seen("INACTIVE"), Done),
    "stopping": (seen("STOP PENDING"), Wait),
    "training": (seen("CREATE PENDING"), Wait),
    "updated": (seen("ACTIVE", latest_update=UNDER_WAY), Wait),
    "failed": (seen("CREATE FAILED"), Fail),
    "another's": (seen("ACTIVE", tags=FOREIGN), Fail),
}


@pytest.mark.parametrize("row", AT_REST)
def test_the_next_step_towards_its_being_stopped(row: str) -> None:
    there, expected = AT_REST[row]

    _assert_step(at_rest(OWNER, there), expected)


READY: Mapping[str, tuple[bool, Recommender | None, Any]] = {
    "serving": (True, seen("ACTIVE"), Done),
    "training": (True, seen("CREATE IN_PROGRESS"), Wait),
    "its training failed": (True, seen("CREATE FAILED", failure_reason="too little"), Fail),
    "updating": (True, seen("ACTIVE", config=OTHER, latest_update=RETRAINING), Wait),
    "updated": (True, seen("ACTIVE", latest_update=update("ACTIVE")), Done),
    "our update failed": (
        True,
        seen("ACTIVE", config=OTHER, latest_update=update("CREATE FAILED", created=51.0)),
        Fail,
    ),
    "an earlier update failed, ours does not show yet": (
        True,
        seen("ACTIVE", config=OTHER, latest_update=update("CREATE FAILED", created=50.0)),
        BRIEFLY,
    ),
    "an update failed, but what is wanted is in force": (
        True,
        seen("ACTIVE", latest_update=update("CREATE FAILED", OTHER)),
        Done,
    ),
    "another configuration": (True, seen("ACTIVE", config=OTHER), BRIEFLY),
    "retraining": (True, seen("ACTIVE", latest_update=RETRAINING), Wait),
    "stopped": (True, seen("INACTIVE"), Wait),
    "stopped, as wanted": (False, seen("INACTIVE"), Done),
    "stopping, as wanted": (False, seen("STOP PENDING"), Done),
    "to be stopped next": (False, seen("ACTIVE"), Done),
    "starting": (True, seen("START PENDING"), Wait),
    "being deleted": (True, seen("DELETE PENDING"), Fail),
    "not there": (True, None, BRIEFLY),
    "an unknown status": (True, seen("MIGRATING"), Wait),
    "no status": (True, seen(""), Wait),
    "some other failure": (True, seen("START FAILED"), Fail),
}


@pytest.mark.parametrize("row", READY)
def test_a_training_gate_opens_when_what_is_wanted_serves(row: str) -> None:
    running, there, expected = READY[row]

    _assert_step(readiness(Config(), there, running=running, updated_after=50.0), expected)


def ready(there: Recommender | None, *, running: bool = True) -> Step:
    return readiness(Config(), there, running=running, updated_after=0.0)


NAME = "'TopPicks-0123456789abcdef'"
ELSEWHERE = {"dataset_group_arn": "another-group", "recipe_arn": "another-recipe"}
DIFFERENCES = (
    f"dataset group another-group (wanted: {GROUP}), recipe another-recipe (wanted: {RECIPE})"
)
BROKEN = {"failure_reason": "too little data"}
SAYS: Mapping[str, tuple[Callable[[], Step], list[str]]] = {
    "its name is not free": (lambda: toward(WANTED, seen("DELETE PENDING")), [WANTED.arn]),
    "it cannot be moved": (
        lambda: toward(WANTED, seen("ACTIVE", **ELSEWHERE)),
        [NAME, DIFFERENCES],
    ),
    "it is somebody else's": (
        lambda: toward(WANTED, seen("ACTIVE", tags=FOREIGN)),
        [NAME, "recommender_name", "adopt_existing"],
    ),
    "it is another stack's": (
        lambda: toward(ADOPTING, seen("ACTIVE", tags=OTHERS)),
        [NAME, OTHERS[v.OWNER_STACK_TAG], v.OWNER_STACK_TAG],
    ),
    "what to adopt is elsewhere": (
        lambda: toward(ADOPTING, seen("ACTIVE", tags={}, **ELSEWHERE)),
        [NAME, DIFFERENCES],
    ),
    "what to adopt is broken": (
        lambda: toward(ADOPTING, seen("CREATE FAILED", tags={}, **BROKEN)),
        [WANTED.arn, "CREATE FAILED", "too little data"],
    ),
    "what to adopt is not ready": (
        lambda: toward(ADOPTING, seen("CREATE PENDING", tags={})),
        [WANTED.arn, "CREATE PENDING"],
    ),
    "it is broken": (
        lambda: toward(WANTED, seen("STOP FAILED", **BROKEN)),
        [WANTED.arn, "STOP FAILED", "too little data"],
    ),
    "it is broken, without a reason": (lambda: toward(WANTED, seen("STOP FAILED")), ["no reason"]),
    "its status is unknown": (
        lambda: toward(WANTED, seen("MIGRATING")),
        [WANTED.arn, "'MIGRATING'"],
    ),
    "it trains": (lambda: toward(WANTED, seen("CREATE PENDING")), ["CREATE PENDING"]),
    "it starts": (lambda: toward(WANTED, seen("START PENDING")), ["START PENDING"]),
    "it stops": (lambda: toward(STOPPED, seen("STOP PENDING")), ["STOP PENDING"]),
    "it is retrained": (
        lambda: toward(WANTED, seen("ACTIVE", latest_update=RETRAINING)),
        ["updated (CREATE PENDING)"],
    ),
    "its update failed, and is not made again": (
        lambda: toward(WANTED, seen("ACTIVE", config=OTHER, latest_update=FAILED), began=0.0),
        [WANTED.arn, "the reason"],
    ),
    "it is not changed yet": (
        lambda: toward(WANTED, seen("ACTIVE", latest_update=UNDER_WAY)),
        [WANTED.arn, "updated (CREATE IN_PROGRESS)"],
    ),
    "it stops while it is updated": (
        lambda: toward(WANTED, seen("STOP PENDING", latest_update=UNDER_WAY)),
        [WANTED.arn, "is STOP PENDING"],
    ),
    "it is left alone": (lambda: away(OWNER, seen("ACTIVE", tags=FOREIGN)), [WANTED.arn]),
    "it is not deleted yet": (
        lambda: away(OWNER, seen("CREATE PENDING")),
        [WANTED.arn, "CREATE PENDING"],
    ),
    "it is not stopped": (lambda: at_rest(OWNER, seen("ACTIVE", tags=FOREIGN)), [WANTED.arn]),
    "what to stop is broken": (
        lambda: at_rest(OWNER, seen("CREATE FAILED", **BROKEN)),
        [WANTED.arn, "CREATE FAILED", "too little data"],
    ),
    "it is stopped": (lambda: at_rest(OWNER, seen("INACTIVE")), ["INACTIVE"]),
    "it is not stopped yet": (
        lambda: at_rest(OWNER, seen("START PENDING")),
        [WANTED.arn, "START PENDING"],
    ),
    "what to stop is not there": (lambda: at_rest(OWNER, None), ["does not exist"]),
    "it is not there": (lambda: ready(None), ["does not exist"]),
    "it serves": (lambda: ready(seen("ACTIVE")), ["ACTIVE"]),
    "its training failed": (
        lambda: ready(seen("CREATE FAILED", **BROKEN)),
        ["CREATE FAILED", "too little data"],
    ),
    "its update failed": (
        lambda: ready(seen("ACTIVE", config=OTHER, latest_update=update("CREATE FAILED"))),
        ["the reason"],
    ),
    "it vanishes": (lambda: ready(seen("DELETE PENDING")), ["deleted"]),
    "it is not ready yet": (lambda: ready(seen("CREATE PENDING")), ["CREATE PENDING"]),
    "it has no status yet": (lambda: ready(seen("")), ["without a status"]),
    "what is wanted is not in force": (
        lambda: ready(seen("ACTIVE", config=OTHER)),
        ["not in force"],
    ),
}


@pytest.mark.parametrize("row", SAYS)
def test_a_verdict_says_what_a_person_needs_to_know(row: str) -> None:
    decide, words = SAYS[row]

    verdict = decide()

    assert isinstance(verdict, Wait | Done | Fail)
    for word in words:
        assert word in verdict.why


@pytest.mark.parametrize(
    ("tags", "wrong"),
    [
        ({}, f"{v.OWNER_STACK_TAG} is missing, {v.OWNER_RESOURCE_TAG} is missing"),
        (OWNER.tags() | OTHERS, f"{v.OWNER_STACK_TAG} is {OTHERS[v.OWNER_STACK_TAG]}"),
        (OWNER.tags() | {v.OWNER_RESOURCE_TAG: "Old"}, f"{v.OWNER_RESOURCE_TAG} is Old"),
    ],
)
def test_a_command_to_paste_puts_right_what_does_not_prove_the_ownership(
    tags: dict[str, str], wrong: str
) -> None:
    repair = " ".join(f"tagKey={key},tagValue={value}" for key, value in OWNER.tags().items())

    for step in (
        toward(WANTED, seen("ACTIVE", tags=tags)),
        away(OWNER, seen("ACTIVE", tags=tags), derived=True),
    ):
        assert isinstance(step, Fail)
        assert f"A recommender named {NAME} exists" in step.why
        assert f"by its tags: {wrong}. " in step.why
        assert f"tag-resource --resource-arn {WANTED.arn} --tags {repair}" in step.why


@pytest.mark.parametrize("status", ["CREATE", "STOP", "START", "DELETE"])
@pytest.mark.parametrize("stage", ["PENDING", "IN_PROGRESS", "IN PROGRESS"])
def test_every_spelling_of_a_transition_is_one_phase(status: str, stage: str) -> None:
    assert Phase.of(f"{status} {stage}") is Phase.of(f"{status} PENDING")
    assert Phase.of(f"{status} {stage}") not in (Phase.UNKNOWN, Phase.ACTIVE, Phase.INACTIVE)


@pytest.mark.parametrize("status", ["", "MIGRATING", "RESIZE PENDING", "RESIZE IN_PROGRESS"])
def test_a_status_that_no_list_has_is_unknown(status: str) -> None:
    assert Phase.of(status) is Phase.UNKNOWN


@given(st.text())
def test_no_unknown_status_counts_as_settled(status: str) -> None:
    known = {"ACTIVE": Phase.ACTIVE, "INACTIVE": Phase.INACTIVE}

    assert (Phase.of(status) in known.values()) == (status in known)


def test_tags_are_changed_in_the_service_s_own_words_and_in_order() -> None:
    assert tag({"b": "2", "a": "1"}) == Change(
        "TagResource",
        {"tags": [{"tagKey": "a", "tagValue": "1"}, {"tagKey": "b", "tagValue": "2"}]},
    )
    assert untag({"b", "a"}) == Change("UntagResource", {"tagKeys": ["a", "b"]})


CONFIGS = st.builds(
    Config,
    min_requests_per_second=st.integers(1, 100),
    exploration_weight=st.decimals(0, 1, places=3),
    exploration_item_age_cut_off=st.integers(1, 365),
    enable_metadata=st.booleans(),
    excluded_columns=st.dictionaries(
        st.sampled_from(["ITEMS", "USERS"]),
        st.lists(st.sampled_from(["A", "B", "C"]), min_size=1, unique=True).map(sorted).map(tuple),
    ),
)
NOT_OURS = st.fixed_dictionaries(
    {},
    optional={
        "aMemberOfTomorrow": st.integers(),
        "itemExplorationConfig": st.just({"aKeyOfTomorrow": "x"}),
        "trainingDataConfig": st.just({"includedDatasetColumns": {"ITEMS": ["D"]}}),
    },
)


@given(CONFIGS, NOT_OURS)
def test_what_was_sent_is_in_force(config: Config, current: dict[str, Any]) -> None:
    assert merged(config, request_config(config, current)) is None


@given(CONFIGS, CONFIGS)
def test_any_difference_is_seen_and_sent_whole(config: Config, other: Config) -> None:
    sent = merged(config, request_config(other, {}))

    assert (sent is None) == (config == other)
    if sent is not None:
        assert merged(config, sent) is None


@given(CONFIGS, NOT_OURS)
def test_members_that_are_not_ours_are_carried_over(
    config: Config, current: dict[str, Any]
) -> None:
    sent = request_config(config, current)

    for member, value in current.items():
        if isinstance(value, dict):
            assert value.items() <= sent[member].items()
        else:
            assert sent[member] == value


@pytest.mark.parametrize(
    "echoed",
    [
        {"enableMetadataWithRecommendations": True},
        {"enableMetadataWithRecommendations": True, "minRecommendationRequestsPerSecond": 1},
        {
            "enableMetadataWithRecommendations": True,
            "itemExplorationConfig": {"explorationWeight": "0.30"},
        },
        {
            "enableMetadataWithRecommendations": True,
            "itemExplorationConfig": {"explorationItemAgeCutOff": "30.0"},
            "trainingDataConfig": {"excludedDatasetColumns": {"ITEMS": []}},
        },
    ],
)
def test_absent_members_and_other_spellings_of_a_number_are_no_difference(
    echoed: dict[str, Any],
) -> None:
    assert merged(Config(), echoed) is None


def test_a_number_that_is_none_is_a_difference() -> None:
    echoed = {**IN_FORCE, "itemExplorationConfig": {"explorationWeight": "high"}}

    assert merged(Config(), echoed) is not None


def test_columns_are_cleared_when_they_are_no_longer_excluded() -> None:
    before = request_config(Config(excluded_columns={"ITEMS": ("A",)}), {})

    sent = merged(Config(), before)

    assert sent is not None
    assert sent["trainingDataConfig"] == {"excludedDatasetColumns": {}}


def test_numbers_are_sent_as_the_service_takes_them() -> None:
    sent = request_config(Config(exploration_weight=Decimal("0.30")), {})

    assert sent["itemExplorationConfig"] == {
        "explorationWeight": "0.30",
        "explorationItemAgeCutOff": "30",
    }
    assert sent["minRecommendationRequestsPerSecond"] == 1
