"""Bad input is refused at both doors by name, changes nothing, and stands in nobody's way."""

import itertools
import json
import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

import pytest
from aws_cdk import App, CfnParameter, Duration, Environment
from aws_cdk import Stack as CdkStack
from aws_cdk.assertions import Template

from lambdas.recommender import vocabulary as v
from lambdas.recommender.model.operation import Operation
from lambdas.recommender.protocol.execution import Execution
from stacks.recommender import TopPicksRecommender
from stacks.settings import SettingsError
from tests.reliability.world import MINUTE, QUICKER, World, texts
from tests.support.cloudformation import SentRequest, Stack
from tests.support.place import ACCOUNT, GROUP, REGION
from tests.support.serverless import Event
from tests.support.synthesis import Deployable
from tests.unit.stacks.test_settings import REFUSED, read

Record = Callable[[str, object], None]
DURATIONS: Final = QUICKER
HOURS: Final = 0.9

# -- settings ----------------------------------------------------------------------------------

MORE_REFUSED: Final[Mapping[str, tuple[Any, ...]]] = {
    "recommender_name": ("films\n-", "^films$", "fi\uff21lms", "films\u200b", "x" * 1000, True),
    "min_recommendation_requests_per_second": ("01", "1.0", "1e3", "1_000", "\u00b2", 1.0),
    "exploration_weight": ("01", "00.5", ".5", "0.", "-0", "nan", "9" * 400, 1e-7),
    "running": ("tru\u0435", '"true"', "1.0", 1.0),
    "max_training_hours": ("01", "1e1", "24.1", 24.01, []),
    "poll_interval_seconds": ("060", "1.0", 0.5, True),
    "excluded_columns": ({"ITEMS": None}, {"ITEMS": ["1A"]}, {"ITEMS": ["A-B"]}, {"ITEMS": [{}]}),
    "tags": ({"a\x00": "x"}, {"k": None}, {"k": ["x"]}, {"top-picks:": "x"}),
}
"""Beside what the tests of settings refuse."""

GOOD_SETTINGS: Final[Mapping[str, tuple[Any, ...]]] = {
    "recommender_name": ("x", "0", "x" * 63, "a-_", "A9"),
    "min_recommendation_requests_per_second": ("1", 1, str(2**31 - 1), 2**31 - 1),
    "exploration_weight": ("0", "1", "0.000001", "1.0", 0, 1, 0.5),
    "exploration_item_age_cut_off": ("1", 365),
    "running": ("true", "false", True, False),
    "max_training_hours": ("24", "0.1", 24, 0.1),
    "training_gate_minutes": ("55", 6, "6.5"),
    "poll_interval_seconds": ("1", 120),
    "excluded_columns": ({}, "{}", {"ITEMS": ["x" * 150]}, {"USERS": [f"C{n}" for n in range(50)]}),
    "tags": ({}, {"k" * 128: "x" * 256}, {f"k{n}": "x" for n in range(47)}, {"awsome": "é 1"}),
}


def _ways(key: str, value: object) -> Iterator[tuple[dict[str, Any], str]]:
    """Yield the contexts by which a value can come, each with how a message on it begins."""
    settings = {"dataset_group_arn": GROUP, key: value}
    yield settings, f"Setting {key}: got {json.dumps(value)}; allowed: "
    for environments in ({"dev": settings}, json.dumps({"dev": settings})):
        message = f"Setting dev.{key}: got {json.dumps(value)}; allowed: "
        yield {"environments": environments}, message
    text = json.dumps(value)
    if not isinstance(value, str) and key not in ("recommender_name", "force_update"):
        yield {**settings, key: text}, f"Setting {key}: got {json.dumps(text)}; allowed: "


@pytest.mark.rows("B1", "B2", "B3", "B4", "B5", "B6")
@pytest.mark.parametrize("key", REFUSED)
def test_a_bad_setting_is_refused_by_name_however_it_comes(
    key: str, record_property: Record
) -> None:
    tried = set()
    for value in (*REFUSED[key], *MORE_REFUSED.get(key, ())):
        for context, message in _ways(key, value):
            with pytest.raises(SettingsError) as refusal:
                read(**context)
            assert str(refusal.value).startswith(message)
            tried.add(json.dumps(context))
    record_property("inputs", len(tried))


@pytest.mark.rows("B1", "B2", "B3", "B4", "B6")
@pytest.mark.parametrize("key", GOOD_SETTINGS)
def test_a_good_setting_that_looks_like_a_bad_one_is_accepted(key: str) -> None:
    for value in GOOD_SETTINGS[key]:
        settings = [
            getattr(one, key)
            for context, _ in _ways(key, value)
            for one in read(**context).environments.values()
        ]
        assert len(settings) >= 3
        assert settings == settings[:1] * len(settings), value


# -- properties --------------------------------------------------------------------------------

BAD_PROPERTIES: Final[Mapping[str, tuple[Any, ...]]] = {
    v.FIXED_NAME: ("-films", ["films"], {}),
    v.DATASET_GROUP_ARN: (
        *("", GROUP.replace(ACCOUNT, "222222222222"), GROUP.replace(REGION, "us-east-1")),
        *(GROUP.replace("aws", "aws-cn"), [], {"true": "1"}),
    ),
    v.RECIPE_ARN: ("aws-vod-top-picks", GROUP, [], {}),
    v.RUNNING: ("True", ["true"], {}),
    v.ADOPT_EXISTING: ("yes", [], {"true": "1"}),
    v.WAIT_SECONDS: ("1h", ["1"], {}),
    v.TAGS: (
        "team",
        ["team"],
        {"team": ["x"]},
        {"": "x"},
        *({tag: "x"} for tag in v.RESERVED_TAGS),
    ),
    v.CONFIG: ("", "x", ["x"]),
    **{name: ("true", {}, []) for name in ("Unknown", "running", "Runing", "recommenderName")},
}
BAD_CONFIG: Final[Mapping[str, tuple[Any, ...]]] = {
    v.MIN_REQUESTS_PER_SECOND: ("0", ["1"], {}),
    v.EXPLORATION_WEIGHT: ("1.1", [], {"true": "1"}),
    v.EXPLORATION_ITEM_AGE_CUT_OFF: ("0.5", [], {}),
    v.ENABLE_METADATA: ("TRUE", ["true"], {}),
    v.EXCLUDED_COLUMNS: ("ITEMS", ["ITEMS"], {"": ["A"]}, {"ITEMS": "A"}, {"ITEMS": [["A"]]}),
    **{name: ("0.3", {}) for name in ("ExplorationWeight", "Unknown", "INCLUDED", v.RUNNING)},
}
"""Of each type something; `tests/unit/recommender/model` lists the values that are refused."""
BAD: Final = [(name, False) for name in BAD_PROPERTIES] + [(name, True) for name in BAD_CONFIG]


NAMED: Final = {"max_training_hours": 0.9, "recommender_name": "films"}
"""Settings with which the sweeps have the fixed name, too."""


def _with(name: str, value: object, *, nested: bool) -> Deployable:
    """Return a template in which a property has a value that only a token could have given it."""
    template = Deployable.of("TopPicks", NAMED)
    for logical_id, resource in template.resources.items():
        properties = resource.get("Properties", {})
        if nested and v.CONFIG in properties:
            changed: dict[str, Any] = {v.CONFIG: _nested(properties[v.CONFIG], name, value)}
        elif not nested and (name in properties or resource["Type"] == v.RECOMMENDER_TYPE):
            changed = {name: value}
        else:
            continue
        template = template.patched(logical_id, **changed)
    return template


def _nested(config: Mapping[str, Any], name: str, value: object) -> dict[str, Any]:
    """Return a configuration in which a member has another value, wherever it is."""
    for group in (v.EXPLORATION, v.TRAINING_DATA):
        if name in config[group]:
            return {**config, group: {**config[group], name: value}}
    return {**config, name: value}


def _values(name: str, nested: bool) -> tuple[Any, ...]:
    return (BAD_CONFIG if nested else BAD_PROPERTIES)[name]


def _named_in(text: str, name: str) -> bool:
    return f".{name}: got" in text or f" {name}: got" in text


@pytest.mark.rows("B1", "B2", "B3", "B4", "B5", "B6", "RB2")
@pytest.mark.parametrize("cancelled", [False, True])
@pytest.mark.parametrize(("name", "nested"), BAD)
def test_a_creation_with_a_bad_property_rolls_back(
    world: World, name: str, nested: bool, cancelled: bool, record_property: Record
) -> None:
    """If it is cancelled, the Delete has an id that CloudFormation invented."""
    for value in _values(name, nested):
        stack = world.cloud.stack()

        def cancels(stack: Stack = stack) -> bool:
            return cancelled and bool(stack.sent(v.RECOMMENDER_TYPE))

        status = stack.create(_with(name, value, nested=nested), sibling_fails=cancels)
        assert status == "ROLLBACK_COMPLETE", (value, status, texts(stack))
        assert cancelled or _named_in(texts(stack), name), (value, texts(stack))
    assert not any(call.mutating for call in world.service.journal)
    record_property("inputs", len(_values(name, nested)))


@pytest.mark.rows("B1", "B2", "B3", "B4", "B5", "B6", "RB6")
@pytest.mark.parametrize(("name", "nested"), BAD)
def test_an_update_to_a_bad_property_rolls_back_and_the_stack_lives_on(
    world: World, name: str, nested: bool
) -> None:
    """The reversed Update has the bad properties as its old ones."""
    assert world.stack.create(NAMED) == "CREATE_COMPLETE"
    there, started = world.recommender, world.clock.now
    for value in _values(name, nested):
        status = world.stack.update(_with(name, value, nested=nested))
        assert status == "UPDATE_ROLLBACK_COMPLETE", (value, status, texts(world.stack))
        assert _named_in(texts(world.stack), name), (value, texts(world.stack))
        world.stack.events.clear()
    assert world.changes(since=started) == []
    assert world.recommender == there
    world.deleted()


# -- what only the service can judge -----------------------------------------------------------

REFUSED_BY_THE_SERVICE: Final[Mapping[str, tuple[str, Any, str]]] = {
    "recipe of another domain": (
        v.RECIPE_ARN,
        "arn:aws:personalize:::recipe/aws-ecomm-popular-items-by-views",
        "is not among the VIDEO_ON_DEMAND recipes",
    ),
    "tag of AWS": (v.TAGS, {"aws:team": "films"}, "aws:team"),
    "48 tags": (v.TAGS, {f"k{n}": "x" for n in range(49)}, "50 tags"),
}


@pytest.mark.rows("B5", "B6")
@pytest.mark.parametrize("case", REFUSED_BY_THE_SERVICE)
def test_what_the_service_refuses_fails_with_its_words(world: World, case: str) -> None:
    name, value, words = REFUSED_BY_THE_SERVICE[case]
    status = world.stack.create(_with(name, value, nested=False))
    assert status == "ROLLBACK_COMPLETE", texts(world.stack)
    assert words in texts(world.stack)
    assert world.changes() == []


@pytest.mark.rows("B7")
def test_what_the_runtime_s_sdk_does_not_know_fails_by_its_name(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The runtime's boto3 may be older than the documentation."""
    member = "trainingDataConfig"
    functions: Any = world.stack.functions
    model = functions.resources.personalize._api.meta.service_model.operation_model(
        "CreateRecommender"
    )
    monkeypatch.delitem(model.input_shape.members["recommenderConfig"].members, member)
    started = world.clock.now
    assert world.failed(excluded_columns={"ITEMS": ["GENRES"]}) == []
    assert world.clock.now - started < 5 * MINUTE
    rejected = "CreateRecommender: the AWS SDK (in a function, the Lambda runtime's) rejects this"
    assert rejected in texts(world.stack)
    assert f'Unknown parameter in recommenderConfig: "{member}"' in texts(world.stack)


# -- malformed events --------------------------------------------------------------------------

MEMBERS: Final = ("RequestType", "ResourceType", "RequestId", "StackId", "LogicalResourceId")
NOT_TEXTS: Final[tuple[Any, ...]] = (None, "", 7, [], {}, True)
MALFORMED: Final[tuple[tuple[str, Any], ...]] = (
    *((member, wrong) for member in MEMBERS for wrong in NOT_TEXTS),
    *(("RequestType", wrong) for wrong in ("create", "CREATE", "Read", "Create ", "Create\n")),
    *(("StackId", wrong) for wrong in ("x", "arn:aws", "TopPicks", f"arn:aws:s3:::{ACCOUNT}")),
    *(("ResourceProperties", wrong) for wrong in ("x", ["x"], 7)),
    *(("OldResourceProperties", wrong) for wrong in ("x", ["x"], 7)),
)


@pytest.fixture
def create(world: World) -> dict[str, Any]:
    """The event that created a recommender."""
    world.created()
    (request,) = world.stack.sent(v.RECOMMENDER_TYPE, "Create")
    return dict(request.event)


@pytest.mark.rows("B9")
def test_a_malformed_event_is_refused_by_name_before_anything_is_asked(
    world: World, create: Event, record_property: Record
) -> None:
    calls = _calls(world)
    for member, wrong in MALFORMED:
        for event in (
            {**create, member: wrong},
            {key: value for key, value in create.items() if key != member},
        ):
            if member not in MEMBERS and member not in event:
                continue  # it may be absent
            answer = _answer_to(world, event)
            if event.get("RequestType") != "Delete":
                assert answer["Status"] == "FAILED"
            assert member in answer["Reason"]
            assert len(json.dumps(answer["Reason"])) < 500
            assert answer["PhysicalResourceId"]
    assert calls == []
    record_property("inputs", len(MALFORMED) + len(MEMBERS))


@pytest.mark.rows("B9")
@pytest.mark.parametrize("huge", ["Unknown", v.FIXED_NAME, v.TAGS, v.DATASET_GROUP_ARN])
def test_a_huge_event_is_refused_in_a_few_words(
    world: World, create: Event, huge: str, record_property: Record
) -> None:
    calls = _calls(world)
    event = {
        **create,
        "ResourceProperties": {**create["ResourceProperties"], huge: "x" * 6_000_000},
    }
    answer = _answer_to(world, event)
    assert answer["Status"] == "FAILED"
    assert huge in answer["Reason"]
    assert len(answer["Reason"]) < 500
    assert calls == []
    record_property("inputs", 1)


@pytest.mark.rows("R5", "B9")
@pytest.mark.parametrize(
    "url",
    [None, 7, "https://169.254.169.254/latest/meta-data", "https://s3.amazonaws.com.example.com/"],
)
def test_an_event_that_is_to_be_answered_elsewhere_is_dropped(
    world: World, create: Event, url: object
) -> None:
    calls = _calls(world)
    begun = len(world.cloud.executions(world.stack))
    world.stack.functions.begin({**create, "ResponseURL": url})
    assert calls == []
    assert len(world.cloud.executions(world.stack)) == begun


def _answer_to(world: World, event: Event) -> dict[str, Any]:
    """Return how an event is answered at once."""
    (request,) = world.stack.sent(v.RECOMMENDER_TYPE, "Create")
    before = len(request.answers)
    world.stack.functions.begin(event)
    (body,) = request.answers[before:]
    answer: dict[str, Any] = json.loads(body)
    return answer


def _calls(world: World) -> list[str]:
    """Return the list in which the functions' calls from now on are noted."""
    calls: list[str] = []
    world.cloud.before = lambda operation, _params: calls.append(operation)
    world.cloud.watchers.clear()  # which ask for whom a call is made
    world.cloud.called = world.cloud.before  # type: ignore[method-assign, assignment]
    return calls


# -- forged events -----------------------------------------------------------------------------

FORGERIES: Final[Mapping[str, Callable[[Event, Event], Event]]] = {
    "the whole event": lambda _own, other: other,
    "the stack's id": lambda own, other: {**own, "StackId": other["StackId"]},
    "the physical id": lambda own, other: _taking(own, other, "PhysicalResourceId"),
    "all but the stack's id": lambda own, other: {**other, "StackId": own["StackId"]},
    "the properties": lambda own, other: _taking(own, other, "ResourceProperties"),
    "the logical id": lambda own, other: _taking(own, other, "LogicalResourceId"),
}


_NUMBERS: Final = itertools.count()


def _taking(own: Event, other: Event, *members: str) -> Event:
    return {**own, **{member: other[member] for member in members}}


def _forgeries(world: World, other: Stack, kind: str) -> Iterator[Event]:
    """Yield events for the functions of one stack that mean another one's recommender."""
    for resource_type in (v.RECOMMENDER_TYPE, v.SWEEP_TYPE):
        own, others = (
            {
                **stack.sent(resource_type, "Create")[0].event,
                "RequestType": kind,
                "RequestId": f"forged-{next(_NUMBERS)}",
                "PhysicalResourceId": stack.the(resource_type).physical_id,
                "OldResourceProperties": {},
            }
            for stack in (world.stack, other)
        )
        yield from (forge(own, others) for forge in FORGERIES.values())


def _invoke(world: World, function: str, given: Event, event: Event | None = None) -> None:
    world.cloud.invoke(SentRequest(world.stack, event or given, world.stack.phase), function, given)


@pytest.mark.rows("S10", "O6")
@pytest.mark.parametrize("kind", ["Create", "Update", "Delete"])
@pytest.mark.parametrize("name", ["OtherPicks", "TopPicks"])
def test_a_forged_event_changes_nothing_of_another_stack_s(
    world: World, kind: str, name: str, record_property: Record
) -> None:
    """Somebody who may invoke the functions of a stack tries to reach another one's recommender.

    If the other stack has the same name, the functions' role does not protect it.
    """
    world.created()
    other = world.cloud.stack(name)
    assert other.create({"max_training_hours": 0.9}) == "CREATE_COMPLETE"
    arn = str(other.the(v.RECOMMENDER_TYPE).physical_id)
    there = world.cloud.recommenders()[arn.rpartition("/")[2]]
    forgeries = list(_forgeries(world, other, kind))
    world.invariants.forgives |= {"stale", "rest"}
    operations: dict[str, Callable[[], object]] = {
        "Create": lambda: None,
        "Update": lambda: world.stack.update({**NAMED, "running": False}, wait=False),
        "Delete": lambda: world.stack.delete(wait=False),
    }
    operations[kind]()
    world.cloud.run_for(2.0)
    for forged in forgeries:
        begun = Execution.begin(forged, now=world.clock.now, interval=60.0)
        _invoke(world, "begin", forged)
        for state in (begun, replace(begun, operation=Operation(world.stack.status, ""))):
            _invoke(world, "poll", state.to_json(), forged)
    world.cloud.run_for(60.0)
    changed = [one for one in world.service.journal if one.resource_arn == arn and one.mutating]
    assert {one.caller for one in changed if one.outcome == "OK"} == {other.id}
    assert world.cloud.recommenders()[arn.rpartition("/")[2]] == there
    record_property("inputs", len(forgeries))


@pytest.mark.rows("S10")
@pytest.mark.parametrize("kind", ["Create", "Update", "Delete"])
def test_a_forged_event_for_the_stack_itself_is_refused_while_the_stack_rests(
    world: World, kind: str
) -> None:
    world.created()
    started = world.clock.now
    for forged in _forgeries(world, world.stack, kind):
        if forged["ResourceType"] == v.RECOMMENDER_TYPE:
            _invoke(world, "begin", forged)
            world.cloud.drain()
            (request,) = world.stack.sent(v.RECOMMENDER_TYPE, "Create")
            assert b"came too late: the stack is CREATE_COMPLETE" in request.answers[-1]
    assert world.changes(since=started) == []


# -- secrets -----------------------------------------------------------------------------------

SECRET: Final = "canary-of-a-secret"


@pytest.mark.rows("S2", "S1")
@pytest.mark.parametrize("name", [v.TAGS, v.CONFIG, "Unknown", v.FIXED_NAME, v.RUNNING])
def test_a_secret_in_a_property_gets_into_no_log(
    world: World, caplog: pytest.LogCaptureFixture, name: str
) -> None:
    """Of an event, only its ids and its types are logged; a refusal that quotes it is answered."""
    caplog.set_level(logging.DEBUG)
    world.stack.create(_with(name, {SECRET: SECRET}, nested=False))
    world.stack = world.cloud.stack()
    world.created()
    world.update(tags={"secret": SECRET})
    world.stack.delete()
    ours = [record for record in caplog.records if record.name.startswith("lambdas")]
    assert ours
    assert not [record for record in ours if SECRET in f"{record.getMessage()} {record.__dict__}"]


# -- tokens ------------------------------------------------------------------------------------

Given = Callable[[CdkStack], Any]


def _text(stack: CdkStack) -> str:
    return CfnParameter(stack, "Given").value_as_string


def _number(stack: CdkStack) -> Any:
    return CfnParameter(stack, "Given", type="Number").value_as_number


def _days(stack: CdkStack) -> Duration:
    return Duration.days(_number(stack))


def _list(stack: CdkStack) -> list[str]:
    return CfnParameter(stack, "Given", type="CommaDelimitedList").value_as_list


GIVEN: Final[dict[str, Any]] = {"Ref": "Given"}
TOKENS: Final[tuple[tuple[str, str, Given, Any], ...]] = (
    ("dataset_group_arn", v.DATASET_GROUP_ARN, _text, GIVEN),
    ("recommender_name", v.FIXED_NAME, _text, GIVEN),
    ("min_recommendation_requests_per_second", v.MIN_REQUESTS_PER_SECOND, _number, GIVEN),
    ("exploration_weight", v.EXPLORATION_WEIGHT, _number, GIVEN),
    ("exploration_weight", v.EXPLORATION_WEIGHT, _text, GIVEN),
    ("exploration_item_age_cut_off", v.EXPLORATION_ITEM_AGE_CUT_OFF, _days, GIVEN),
    ("excluded_columns", v.EXCLUDED_COLUMNS, lambda s: {"ITEMS": _list(s)}, {"ITEMS": GIVEN}),
    ("excluded_columns", v.EXCLUDED_COLUMNS, lambda s: {"ITEMS": [_text(s)]}, {"ITEMS": [GIVEN]}),
)
"""Every property that is a value in the template."""


@pytest.mark.rows("B10")
@pytest.mark.parametrize(
    ("prop", "name", "given", "expected"),
    TOKENS,
    ids=[f"{one[0]}-{n}" for n, one in enumerate(TOKENS)],
)
def test_a_token_is_passed_on_to_where_it_is_judged(
    prop: str, name: str, given: Given, expected: object
) -> None:
    stack = CdkStack(App(), "Tokens", env=Environment(account=ACCOUNT, region=REGION))
    properties = {"dataset_group_arn": GROUP, prop: given(stack)}
    TopPicksRecommender(stack, "TopPicks", **properties)
    template = Template.from_stack(stack)
    (resource,) = template.find_resources(v.RECOMMENDER_TYPE).values()
    got = resource["Properties"]
    config = got[v.CONFIG]
    assert (got | config | config[v.EXPLORATION] | config[v.TRAINING_DATA])[name] == expected
    assert "Token[" not in json.dumps(template.to_json())
