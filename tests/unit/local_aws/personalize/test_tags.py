"""Tags: sent with the creation, read and changed by the tag calls only."""

import pytest

from tests.unit.local_aws.personalize.world import ARN, World, outcome


def _tags(*keys: str, value: str = "v") -> list[dict[str, str]]:
    return [{"tagKey": key, "tagValue": value} for key in keys]


def _tag(world: World, *keys: str, value: str = "v") -> None:
    world.client.tag_resource(resourceArn=ARN, tags=_tags(*keys, value=value))  # type: ignore[arg-type]


def test_tags_sent_with_the_creation_are_there_at_once(world: World) -> None:
    world.create(tags=_tags("stack", "café/überall=1"))
    assert world.tags() == {"stack": "v", "café/überall=1": "v"}
    assert "tags" not in world.describe()


def test_tags_are_added_overwritten_and_removed(world: World) -> None:
    world.create(tags=_tags("a", "b"))
    _tag(world, "b", "c", value="")
    assert world.tags() == {"a": "v", "b": "", "c": ""}
    world.client.untag_resource(resourceArn=ARN, tagKeys=["a", "absent"])
    assert world.tags() == {"b": "", "c": ""}


@pytest.mark.parametrize("keys", [("twice", "twice"), ("aws:reserved",), ("AWS:reserved",)])
def test_keys_that_are_reserved_or_repeated_are_refused(world: World, keys: tuple[str]) -> None:
    assert outcome(lambda: world.create(tags=_tags(*keys))) == "InvalidInput"
    world.create()
    assert outcome(lambda: _tag(world, *keys)) == "InvalidInput"
    assert world.tags() == {}


def test_a_resource_has_fifty_tags(world: World) -> None:
    fifty = [f"key-{number}" for number in range(50)]
    assert outcome(lambda: world.create(tags=_tags(*fifty, "more"))) == "TooManyTags"
    world.create(tags=_tags(*fifty))
    assert outcome(lambda: _tag(world, "more")) == "TooManyTags"
    assert outcome(lambda: _tag(world, "key-7", value="new")) == "OK"
    assert len(world.tags()) == 50


def test_a_dataset_group_has_tags_too(world: World) -> None:
    arn = world.dataset_group_arn
    world.client.tag_resource(resourceArn=arn, tags=[{"tagKey": "a", "tagValue": "b"}])
    assert world.client.list_tags_for_resource(resourceArn=arn)["tags"] == [
        {"tagKey": "a", "tagValue": "b"}
    ]


def test_tag_calls_on_nothing_are_refused(world: World) -> None:
    assert outcome(world.tags) == "ResourceNotFound"
    assert outcome(lambda: _tag(world, "a")) == "ResourceNotFound"
    untag = world.client.untag_resource
    assert outcome(lambda: untag(resourceArn=ARN, tagKeys=["a"])) == "ResourceNotFound"
