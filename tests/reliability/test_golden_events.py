"""Every event that a version ever sent means the same to this one, and is carried out by it."""

import copy
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

import pytest

from lambdas.recommender import vocabulary as v
from lambdas.recommender.aws.personalize import Personalize
from lambdas.recommender.model.operation import RequestType
from lambdas.recommender.model.request import Request
from lambdas.recommender.protocol.execution import Execution
from local_aws.personalize import Behaviour
from local_aws.personalize import Personalize as Simulator
from tests.reliability import golden_events
from tests.reliability.golden_events import Golden, meaning, shape, stored
from tests.reliability.world import HOUR, QUICK
from tests.support import personalize
from tests.support.one_request import OneRequest, StackIn
from tests.support.personalize import VirtualClock
from tests.support.place import ACCOUNT, GROUP, RECIPE, REGION
from tests.support.serverless import Event

STORED: Final = stored()
GOLDEN: Final = {
    f"{version} {step} {key}": golden
    for version, corpus in STORED.items()
    for step, events in corpus.items()
    for key, golden in events.items()
}


@pytest.mark.rows("B8", "RB7")
@pytest.mark.parametrize("name", GOLDEN)
def test_every_event_ever_sent_means_what_it_meant(name: str) -> None:
    golden = GOLDEN[name]
    assert meaning(golden["event"]) == golden["means"]
    if golden["state"]:
        read = Execution.from_json(golden["state"]).to_json()
        assert golden["state"].items() <= read.items(), "later versions may know more"


@pytest.mark.rows("B8")
def test_the_corpus_has_every_shape_that_this_version_sends() -> None:
    corpus = STORED.get(golden_events.VERSION, {})
    sent = golden_events.sent()
    assert shape(corpus) == shape(sent), (
        f"The events of version {golden_events.VERSION} have changed. If it is released, raise the "
        "version in pyproject.toml. Then: python -m tests.reliability.golden_events"
    )


# -- carried out -------------------------------------------------------------------------------


class Replay:
    """A world that was made for one event: what it is about is there, and the stack is busy."""

    def __init__(self, golden: Golden, event: Event | None = None) -> None:
        self.event: dict[str, Any] = copy.deepcopy(golden["event"])
        state = golden["state"] or {}
        begun = state.get("Begun", 1_767_300_000.0)
        self.clock = VirtualClock(begun - 10 * HOUR)
        self.simulator = Simulator(Behaviour(**QUICK), self.clock)
        for group in ("vod", "other"):
            self.simulator.seed_dataset_group(ACCOUNT, REGION, group)
        self.request = Request.parse(self.event)
        self._make_there()
        self.clock.now = begun
        self.made = len(self.simulator.journal)
        statuses = {"Create": "CREATE_IN_PROGRESS", "Update": "UPDATE_IN_PROGRESS"}
        status = statuses.get(self.event["RequestType"], "DELETE_IN_PROGRESS")
        stack = StackIn(*(state.get("Operation") or (status, "")))
        client = personalize.client(self.simulator)
        self._one = OneRequest(Personalize(client), stack, self.clock)
        self.event = dict(event or self.event)

    def _make_there(self) -> None:
        request = self.request
        creates = request.type is RequestType.CREATE
        match request.resource_type:
            case v.RECOMMENDER_TYPE if creates and request.desired.adopt:
                self._make(request.desired.arn, request.properties, tags={})
            case v.RECOMMENDER_TYPE if request.type is RequestType.DELETE:
                self._make(request.deletion_target, request.properties)
            case v.RECOMMENDER_TYPE if not creates:
                self._make(str(request.physical_id), request.old_properties)
            case v.SWEEP_TYPE:
                arn = request.recommender_arn(f"{request.names.prefix}-{'0' * v.DIGEST_LENGTH}")
                self._make(arn, request.properties)
            case v.TRAINING_GATE_TYPE | v.STOP_TYPE:
                arn = request.get(v.RECOMMENDER_ARN)
                self._make(arn, request.properties)
                if request.properties[v.UPDATED_AFTER] != v.NO_UPDATE:
                    self._update(arn)

    def _make(
        self, arn: str, properties: Mapping[str, Any], tags: Mapping[str, str] | None = None
    ) -> None:
        as_of = Request.parse({**self.event, "ResourceProperties": dict(properties)})
        adopted = properties.get(v.ADOPT_EXISTING) == "true"
        owned = {**as_of.tags, **as_of.owner.tags(adopted=adopted)} if tags is None else tags
        config: Any = as_of.config.request() if v.CONFIG in properties else {}
        personalize.client(self.simulator).create_recommender(
            name=arn.rpartition("/")[2],
            datasetGroupArn=properties.get(v.DATASET_GROUP_ARN, GROUP),
            recipeArn=properties.get(v.RECIPE_ARN, RECIPE),
            recommenderConfig=config,
            tags=[{"tagKey": key, "tagValue": text} for key, text in owned.items()],
        )
        self.clock.advance(QUICK["create_pending"] + QUICK["create_in_progress"])

    def _update(self, arn: str) -> None:
        """Have a gate's recommender updated by its deployment, to what the gate waits for."""
        client = personalize.client(self.simulator)
        asked = self.request.config
        self.clock.now = max(self.clock.now, self.request.get(v.UPDATED_AFTER))
        others = replace(asked, min_requests_per_second=asked.min_requests_per_second + 1)
        for config in (others, asked):
            client.update_recommender(
                recommenderArn=arn,
                recommenderConfig=config.request(),  # type: ignore[arg-type]
            )
            self.clock.advance(2 * QUICK["update_in_progress"])

    def carry_out(self, state: Mapping[str, Any] | None = None) -> Mapping[str, Any]:
        """Have the event carried out, from the state of an execution if it has one."""
        return self._one.carry_out(self.event, state)

    @property
    def there(self) -> dict[str, dict[str, Any]]:
        """What is there, by ARN."""
        return {one["recommenderArn"]: one for one in self.simulator.recommenders(ACCOUNT, REGION)}

    @property
    def changes(self) -> list[str]:
        """The changes that the handlers have made."""
        calls = self.simulator.journal[self.made :]
        return [call.operation for call in calls if call.mutating and call.outcome == "OK"]


def _assert_carried_out(replay: Replay) -> None:
    request, there = replay.request, replay.there
    owned = [
        arn for arn, one in there.items() if request.owner.tags().items() <= one["tags"].items()
    ]
    if request.resource_type == v.RECOMMENDER_TYPE and request.type is not RequestType.DELETE:
        assert request.desired.arn in owned
    elif request.resource_type == v.RECOMMENDER_TYPE:
        assert not owned
        assert bool(there) == (request.properties[v.ADOPT_EXISTING] == "true")
    elif request.resource_type == v.SWEEP_TYPE and request.type is RequestType.DELETE:
        assert not there


@pytest.mark.rows("B8", "RB7")
@pytest.mark.parametrize(
    ("name", "is_begun"),
    [
        *((name, False) for name in GOLDEN),
        *((name, True) for name, golden in GOLDEN.items() if golden["state"]),
    ],
)
def test_every_event_ever_sent_is_carried_out_and_every_execution_ever_started_carried_on(
    name: str, is_begun: bool, caplog: pytest.LogCaptureFixture
) -> None:
    replay = Replay(GOLDEN[name])
    answer = replay.carry_out(GOLDEN[name]["state"] if is_begun else None)
    assert answer["Status"] == "SUCCESS"
    _assert_carried_out(replay)
    assert "Unexpected" not in caplog.text


# -- newer properties, older code --------------------------------------------------------------

REFUSED: Final = {
    name
    for name, golden in GOLDEN.items()
    if golden["event"]["ResourceType"] == v.RECOMMENDER_TYPE
    and golden["event"]["RequestType"] != "Delete"
}


def _of_tomorrow(golden: Golden, member: str) -> Iterator[Replay]:
    """Yield replays of an event with properties that this version does not know, one each."""
    for nested in (False, True):
        newer = copy.deepcopy(golden["event"])
        properties = newer.get(member, {})
        properties = properties.get(v.CONFIG) if nested else properties
        if properties:
            properties["OfTomorrow"] = "true"
            yield Replay(golden, newer)


@pytest.mark.rows("RB7")
@pytest.mark.parametrize("name", sorted(GOLDEN.keys() - REFUSED))
def test_a_newer_version_s_property_stands_in_no_deletion_s_way(name: str) -> None:
    """A gate is asked only after a recommender with the same configuration was accepted."""
    for replay in _of_tomorrow(GOLDEN[name], "ResourceProperties"):
        nested = "OfTomorrow" not in replay.event["ResourceProperties"]
        if nested and replay.event["RequestType"] != "Delete":
            continue
        replay.carry_out()
        _assert_carried_out(replay)


@pytest.mark.rows("RB7")
@pytest.mark.parametrize("name", sorted(name for name in REFUSED if " Update" in name))
def test_an_update_away_from_a_newer_version_s_property_is_carried_out(name: str) -> None:
    for replay in _of_tomorrow(GOLDEN[name], "OldResourceProperties"):
        replay.carry_out()
        _assert_carried_out(replay)


@pytest.mark.rows("RB7", "B4")
@pytest.mark.parametrize("name", sorted(REFUSED))
def test_a_newer_version_s_property_is_refused_before_anything_is_changed(name: str) -> None:
    for replay in _of_tomorrow(GOLDEN[name], "ResourceProperties"):
        answer = replay.carry_out()
        assert answer["Status"] == "FAILED"
        assert answer["Reason"].startswith("Nothing was changed. Unknown property OfTomorrow: got")
        assert replay.changes == []
