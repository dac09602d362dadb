"""Tags: sent with the creation, read and changed by the tag calls only."""

import pytest

from tests.unit.local_aws.personalize.simulation import ARN, Simulation, outcome


def _tags(*keys: str, value: str = "v") -> list[dict[str, str]]:
    return [{"tagKey": key, "tagValue": value} for key in keys]


def _tag(simulation: Simulation, *keys: str, value: str = "v") -> None:
    simulation.client.tag_resource(resourceArn=ARN, tags=_tags(*keys, value=value))  # type: ignore[arg-type]


def test_tags_sent_with_the_creation_are_there_at_once(simulation: Simulation) -> None:
    simulation.create(tags=_tags("stack", "café/überall=1"))
    assert simulation.tags() == {"stack": "v", "café/überall=1": "v"}
    assert "tags" not in simulation.describe()


def test_tags_are_added_overwritten_and_removed(simulation: Simulation) -> None:
    simulation.create(tags=_tags("a", "b"))
    _tag(simulation, "b", "c", value="")
    assert simulation.tags() == {"a": "v", "b": "", "c": ""}
    simulation.client.untag_resource(resourceArn=ARN, tagKeys=["a", "absent"])
    assert simulation.tags() == {"b": "", "c": ""}


@pytest.mark.parametrize("keys", [("twice", "twice"), ("aws:reserved",), ("AWS:reserved",)])
def test_keys_that_are_reserved_or_repeated_are_refused(
    simulation: Simulation, keys: tuple[str]
) -> None:
    assert outcome(lambda: simulation.create(tags=_tags(*keys))) == "InvalidInput"
    simulation.create()
    assert outcome(lambda: _tag(simulation, *keys)) == "InvalidInput"
    assert simulation.tags() == {}


def test_a_resource_has_fifty_tags(simulation: Simulation) -> None:
    fifty = [f"key-{number}" for number in range(50)]
    assert outcome(lambda: simulation.create(tags=_tags(*fifty, "more"))) == "TooManyTags"
    simulation.create(tags=_tags(*fifty))
    assert outcome(lambda: _tag(simulation, "more")) == "TooManyTags"
    assert outcome(lambda: _tag(simulation, "key-7", value="new")) == "OK"
    assert len(simulation.tags()) == 50


def test_a_dataset_group_has_tags_too(simulation: Simulation) -> None:
    arn = simulation.dataset_group_arn
    simulation.client.tag_resource(resourceArn=arn, tags=[{"tagKey": "a", "tagValue": "b"}])
    assert simulation.client.list_tags_for_resource(resourceArn=arn)["tags"] == [
        {"tagKey": "a", "tagValue": "b"}
    ]
