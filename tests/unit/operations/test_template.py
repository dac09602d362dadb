import json
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from lambdas.recommender import vocabulary as v
from lambdas.recommender.model.observed import Observed
from operations.stack import Resource
from operations.template import UnreadableError, chains, looks_alike
from tests.support.template import synthesised

from .examples import ARN, PLACE, chain, stack, template


def test_links_are_in_the_order_in_which_they_wait() -> None:
    one = chain(stop=True)
    created = [link.name for link in one.created]
    assert created == ["the recommender itself", "Hour01Of02", "Hour02Of02", "Stop"]
    assert [link.name for link in one.deleted] == ["the recommender itself", "Sweep02", "Sweep01"]
    assert {link.wait for link in (*one.created, *one.deleted)} == {3300.0}


def test_hours_of_service_come_last() -> None:
    assert [link.name for link in chain(hours=True).created][-1] == "Hours"


def test_what_is_desired_is_what_the_functions_would_read() -> None:
    desired = chain().desired
    assert desired.arn.startswith(f"{PLACE}recommender/TopPicks-")
    assert desired.recipe_arn == "arn:aws:personalize:::recipe/aws-vod-top-picks"
    assert desired.config.exploration_weight == Decimal("0.3")
    assert desired.config.enable_metadata is True
    assert desired.running
    assert desired.tags == {"team": "video"}
    assert chain(properties={v.TAGS: {}}).desired.arn == desired.arn


def test_the_real_template_is_read() -> None:
    made: Any = synthesised(force_update="3", retain_on_destroy=True).to_json()
    (one,) = chains(json.loads(json.dumps(made)), stack(), [])
    assert len(one.created) == 12
    assert len(one.deleted) == 12
    assert one.force_update == "3"
    assert one.retained
    assert one.desired.name.startswith("TopPicks-")


def test_a_recommender_that_is_being_replaced_is_known_by_its_physical_id() -> None:
    both = chain(physical_id=ARN).arns
    assert both == (chain().desired.arn, ARN)
    assert chain(physical_id="TopPicks-Recommender-1A2B").arns == (chain().desired.arn,)


def test_each_recommender_has_its_own_links() -> None:
    first: Any = template()["Resources"]
    second = json.loads(json.dumps(first).replace('"Recommender"', '"Other"'))
    both = {**first, **{f"Other{name}": one for name, one in second.items() if name != "Other"}}
    both["Other"] = second["Other"]
    found = chains({"Resources": both}, stack(), [])
    assert [one.logical_id for one in found] == ["Recommender", "Other"]
    assert [len(one.created) for one in found] == [3, 3]
    assert found[0].desired.arn != found[1].desired.arn


def test_a_parameter_has_the_stack_s_value() -> None:
    group = f"{PLACE}dataset-group/other"
    given = stack(parameters={"Group": group})
    one = chain(given, properties={v.DATASET_GROUP_ARN: {"Ref": "Group"}})
    assert one.desired.dataset_group_arn == group


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ({"Ref": "Unknown"}, "what Ref Unknown is"),
        ({"Fn::ImportValue": "group"}, "evaluate Fn::ImportValue"),
        ("no arn", "got 'no arn'"),
    ],
)
def test_what_cannot_be_evaluated_is_said(value: object, said: str) -> None:
    one = chain(physical_id=ARN, properties={v.DATASET_GROUP_ARN: value})
    with pytest.raises(UnreadableError, match=said):
        _ = one.desired
    assert one.arns == (ARN,)


def test_how_long_a_link_waits_has_to_be_known() -> None:
    with pytest.raises(UnreadableError, match="WaitSeconds"):
        chain(properties={v.WAIT_SECONDS: "an hour"})


def test_columns_are_lists_and_tags_have_keys() -> None:
    columns = {v.TRAINING_DATA: {v.EXCLUDED_COLUMNS: {"ITEMS": ["GENRES"]}}}
    one = chain(properties={v.CONFIG: columns})
    assert one.desired.config.excluded_columns == {"ITEMS": ("GENRES",)}
    assert one.tag_keys == {"team"}
    assert not one.retained


@pytest.mark.parametrize(
    ("shown", "text", "alike"),
    [
        ("video", "video", True),
        ("video", "films", False),
        ("K?ln", "Köln", True),
        ("Koeln", "Köln", False),
        ("K?ln", "Köln am Rhein", False),
        ("??", "東京", True),
        ("??", "営業部", False),
        ("?", "\N{FILM PROJECTOR}", True),
        ("??", "\N{FILM PROJECTOR}", True),
        ("???", "\N{FILM PROJECTOR}", False),
    ],
)
def test_what_get_template_shows_like_this(shown: str, text: str, alike: bool) -> None:
    assert looks_alike(shown, text) is alike


@pytest.mark.parametrize(
    ("shown", "there", "beside"),
    [
        ({"team": "v?deo"}, {"team": "video"}, {"team": "v?deo"}),
        ({"Gr??e": "K?ln"}, {"Größe": "Köln", "team": "video"}, {"Größe": "Köln"}),
        (
            {"a": "M?ller", "b": "M?ller"},
            {"a": "Müller", "b": "Möller"},
            {"a": "Müller", "b": "Möller"},
        ),
        ({"??": "1"}, {"部署": "2", "都市": "1"}, {"都市": "1"}),
        ({"??": "3"}, {"部署": "2", "都市": "1"}, {"部署": "3"}),
        ({"??": "1", "???": "2"}, {"都市": "1", "部署名": "2"}, {"都市": "1", "部署名": "2"}),
        ({"??": "??"}, {"team": "東京"}, {"??": "??"}),
        ({"team": "??"}, {"city": "東京"}, {"team": "??"}),
    ],
)
def test_what_is_compared_has_the_tags_that_are_there(
    shown: dict[str, str], there: dict[str, str], beside: dict[str, str]
) -> None:
    one = chain(properties={v.TAGS: shown})
    bare = Observed(ARN, "ACTIVE", dataset_group_arn="", recipe_arn="")

    compared = one.desired_beside(replace(bare, tags=there))

    assert compared == replace(one.desired, tags=beside)
    assert one.desired_beside(bare) == one.desired_beside(None) == one.desired


def test_a_template_without_recommenders_has_none() -> None:
    resources = [Resource("Topic", "topic", "AWS::SNS::Topic", "CREATE_COMPLETE")]
    assert chains({}, stack(), resources) == ()
