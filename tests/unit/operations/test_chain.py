import json
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from lambdas.recommender import vocabulary as v
from lambdas.recommender.model.quality import QualityGate
from operations.computations.chain import chains
from operations.computations.template import UnreadableError
from tests.support.template import synthesised

from .examples import ARN, PLACE, chain, events, observed, stack, template

HOURS = {
    "start": "cron(0 7 ? * MON-FRI *)",
    "stop": "cron(0 20 ? * MON-FRI *)",
    "time_zone": "Europe/Berlin",
}


def test_links_are_in_the_order_in_which_they_wait() -> None:
    one = chain(stop=True)
    created = [link.name for link in one.created]
    assert created == ["the recommender itself", "Hour01Of02", "Hour02Of02", "Stop"]
    assert [link.name for link in one.deleted] == ["the recommender itself", "Sweep02", "Sweep01"]
    assert {link.wait for link in (*one.created, *one.deleted)} == {3300.0}
    assert [link.name for link in chain(hours=True).created][-1] == "Hours"


def test_desired_recommender_is_the_one_that_the_functions_read() -> None:
    columns = {v.TRAINING_DATA: {v.EXCLUDED_COLUMNS: {"ITEMS": ["GENRES"]}}}
    one = chain(properties={v.CONFIG: {**chain().definition["Properties"][v.CONFIG], **columns}})
    desired = one.desired
    assert desired.arn.startswith(f"{PLACE}recommender/TopPicks-")
    assert desired.recipe_arn == "arn:aws:personalize:::recipe/aws-vod-top-picks"
    assert desired.config.exploration_weight == Decimal("0.3")
    assert desired.config.enable_metadata is True
    assert desired.config.excluded_columns == {"ITEMS": ("GENRES",)}
    assert desired.running
    assert desired.tags == {"team": "video"}
    assert one.tag_keys == {"team"}
    assert not one.is_retained
    assert chain(properties={v.TAGS: {}}).desired.arn == desired.arn


def test_synthesised_template_is_read() -> None:
    (one,) = chains(
        made(
            active_hours=HOURS,
            force_update="3",
            retain_on_destroy=True,
            monitoring=True,
            max_metric_regression=0.05,
            quality_gate="warn",
        ),
        stack(),
        [],
    )
    assert (len(one.created), len(one.deleted)) == (13, 12)
    assert one.force_update == "3"
    assert one.is_retained
    assert one.desired.name.startswith("TopPicks-")
    assert one.monitored_as == "TopPicks/Recommender"
    assert one.quality_gate == QualityGate(max_regression=Decimal("0.05"), fails=False)


def test_synthesised_template_without_monitoring_has_no_observer() -> None:
    (one,) = chains(made(active_hours=HOURS), stack(), [])
    assert one.monitored_as is None
    assert one.quality_gate == QualityGate()


def made(**settings: Any) -> Any:
    return json.loads(json.dumps(synthesised(**settings).to_json()))


def test_observer_of_another_recommender_is_not_this_ones() -> None:
    observation = json.dumps(
        {v.DIMENSION: "TopPicks/Films", "LogicalResourceId": "Films", "ResourceProperties": {}}
    )
    assert replace(chain(), observations=(observation,)).monitored_as is None


@pytest.mark.parametrize("given", ["ResourceProperties", '["ResourceProperties"]', "{}"])
def test_schedule_of_the_owner_is_no_observer(given: str) -> None:
    assert replace(chain(), observations=(given,)).monitored_as is None


def test_observer_and_quality_gate_that_cannot_be_evaluated_are_unreadable() -> None:
    imported = {"Fn::ImportValue": "x"}
    one = replace(chain(), observations=(imported,), last_gate={v.QUALITY_GATE: imported})
    for read in (lambda: one.monitored_as, lambda: one.quality_gate):
        with pytest.raises(UnreadableError, match="ImportValue"):
            read()
    wrong = replace(one, last_gate={v.QUALITY_GATE: {v.ON_MISS: "explode"}})
    with pytest.raises(UnreadableError, match="explode"):
        _ = wrong.quality_gate


def test_replaced_recommender_is_known_by_its_physical_id() -> None:
    assert chain(physical_id=ARN).arns == (chain().desired.arn, ARN)
    assert chain(physical_id="TopPicks-Recommender-1A2B").arns == (chain().desired.arn,)


def test_two_recommenders_of_a_template_have_links_of_their_own() -> None:
    first: Any = template()["Resources"]
    second = json.loads(json.dumps(first).replace('"Recommender"', '"Other"'))
    both = {**first, **{f"Other{name}": one for name, one in second.items() if name != "Other"}}
    both["Other"] = second["Other"]
    found = chains({"Resources": both}, stack(), [])
    assert [one.logical_id for one in found] == ["Recommender", "Other"]
    assert [len(one.created) for one in found] == [3, 3]
    assert found[0].desired.arn != found[1].desired.arn


def test_parameter_has_the_value_of_the_stack() -> None:
    group = f"{PLACE}dataset-group/other"
    given = stack(parameters={"Group": group})
    one = chain(given, properties={v.DATASET_GROUP_ARN: {"Ref": "Group"}})
    assert one.desired.dataset_group_arn == group


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"Ref": "Unknown"}, "the value of Ref Unknown"),
        ({"Fn::ImportValue": "group"}, "evaluate Fn::ImportValue"),
        ("no arn", "got 'no arn'"),
    ],
)
def test_property_that_cannot_be_evaluated_is_unreadable(value: object, message: str) -> None:
    one = chain(physical_id=ARN, properties={v.DATASET_GROUP_ARN: value})
    with pytest.raises(UnreadableError, match=message):
        _ = one.desired
    assert one.arns == (ARN,)


def test_wait_of_a_link_that_is_no_number_is_unreadable() -> None:
    with pytest.raises(UnreadableError, match="WaitSeconds"):
        chain(properties={v.WAIT_SECONDS: "an hour"})


def test_desired_recommender_has_the_actual_tags_that_the_template_cannot_show() -> None:
    one = chain(properties={v.TAGS: {"Gr??e": "K?ln"}})
    tagged = observed(tags={"Größe": "Köln", "team": "video"})

    assert one.desired_for(tagged) == replace(one.desired, tags={"Größe": "Köln"})
    assert one.desired_for(observed()) == one.desired_for(None) == one.desired


# -- position ----------------------------------------------------------------------------------

CREATION = (
    "0 TopPicks CREATE_IN_PROGRESS",
    "1 Recommender CREATE_IN_PROGRESS",
    "10 Recommender CREATE_COMPLETE",
)


@pytest.mark.parametrize(
    ("status", "lines", "link", "remaining"),
    [
        ("CREATE_IN_PROGRESS", CREATION[:1], None, 3 * 3300),
        ("CREATE_IN_PROGRESS", CREATION[:2], "the recommender itself", 3 * 3300 - 99),
        ("CREATE_IN_PROGRESS", CREATION, None, 2 * 3300),
        (
            "CREATE_IN_PROGRESS",
            (*CREATION, "11 Gate1 CREATE_IN_PROGRESS", "12 Gate1 CREATE_IN_PROGRESS Initiated"),
            "Hour01Of02",
            2 * 3300 - 89,
        ),
        ("UPDATE_IN_PROGRESS", CREATION[:1], None, 3 * 3300),
        (
            "UPDATE_ROLLBACK_IN_PROGRESS",
            ("0 TopPicks UPDATE_ROLLBACK_IN_PROGRESS", "50 Gate2 UPDATE_IN_PROGRESS"),
            "Hour02Of02",
            3300 - 50,
        ),
        ("CREATE_IN_PROGRESS", (*CREATION, "20 Gate2 CREATE_COMPLETE"), None, 0),
        (
            "DELETE_IN_PROGRESS",
            ("0 TopPicks DELETE_IN_PROGRESS", "40 Sweep2 DELETE_IN_PROGRESS"),
            "Sweep02",
            2 * 3300 - 60,
        ),
        (
            "ROLLBACK_IN_PROGRESS",
            (*CREATION, "30 TopPicks ROLLBACK_IN_PROGRESS", "31 Recommender DELETE_IN_PROGRESS"),
            "the recommender itself",
            3 * 3300 - 69,
        ),
    ],
)
def test_position_is_the_link_that_waits_and_the_time_of_all_links_after_it(
    status: str, lines: tuple[str, ...], link: str | None, remaining: float
) -> None:
    found = chain(stack(status)).position(events(*lines), now=100)
    assert found
    assert (found.link.name if found.link else None) == link
    assert found.remaining == remaining
    assert found.share == 1 - remaining / (3 * 3300)


@pytest.mark.parametrize(
    "status", ["CREATE_COMPLETE", "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", "REVIEW_IN_PROGRESS"]
)
def test_position_is_none_if_nothing_is_left_to_decide(status: str) -> None:
    assert chain(stack(status)).position(events(*CREATION), now=100) is None


def test_position_of_a_link_over_its_time_has_no_time_remaining() -> None:
    one = chain(stack("CREATE_IN_PROGRESS"), gates=0)
    found = one.position(events(*CREATION[:2]), now=9999)
    assert found
    assert found.remaining == 0
    assert found.share == 1
