import dataclasses
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import Mock, create_autospec

from botocore.exceptions import ClientError

from local_aws import report
from local_aws.engine import LocalAws
from local_aws.processes import Holder
from local_aws.rehearsal import NOTICE
from local_aws.rehearsal.evaluation import CHOICES, Compared, Evaluation
from local_aws.rehearsal.findings import Finding, Verdict
from local_aws.rehearsal.reading import read
from local_aws.rehearsal.recipes import STAND_INS
from local_aws.rehearsal.training import TopPicks
from tests.unit.local_aws.personalize.simulation import recipe_arn
from tests.unit.local_aws.rehearsal.folders import NOW, folder_of, the_sample

_AWS = LocalAws(Path("/folder"), Holder(pid=1, port=4566), None)


def evaluation(*, splits: int = 10, mean: float | None = 0.75) -> Evaluation:
    spread = {"mean": mean, "deviation": None if mean is None else 0.0625}
    return Evaluation(
        tested=40,
        users=1400,
        items=9000,
        learnt=8500,
        how="in its way",
        splits=splits,
        metrics={
            "coverage": Compared(value=0.5, error=None, popularity=0.125, verdict="", **spread),
            "precision_at_5": Compared(
                value=0.25, error=0.03125, popularity=0.2, verdict="unclear", **spread
            ),
        },
    )


def words(shown: str) -> str:
    return " ".join(shown.split())


def test_the_proof_names_what_is_left_and_says_where_nothing_is() -> None:
    owners = {"Videos": "Videos", "two": "Videos"}
    shown = report.proof({"stacks": [], "log groups": ["one", "two"]}, owners)
    assert "  stacks      none\n  log groups  one, two (of Videos)\n" in shown
    assert "  stacks  Videos\n" in report.proof({"stacks": ["Videos"]}, owners)


def test_what_is_left_is_of_the_stack_that_has_it_among_its_resources() -> None:
    has = {
        "Videos": ["arn:aws:lambda:eu-west-1:1:function:Videos-begin", "Videos-role", None],
        "TopPicks": ["arn:aws:personalize:eu-west-1:1:recommender/TopPicks-1"],
        "": ["arn:aws:personalize:eu-west-1:1:recommender/old"],
    }
    old = "arn:aws:cloudformation:::stack/Old/1"
    of_a_stack = {"tagKey": "top-picks:stack-id", "tagValue": old}
    aws = create_autospec(LocalAws, instance=True)

    def paginate(StackName: str = "") -> Mock:  # AWS's own
        names = {"Stacks[].StackName": ["Videos", "TopPicks"]}
        return Mock(search=lambda asked: names.get(asked, has[StackName]))

    aws.client.return_value.get_paginator.return_value.paginate = paginate
    aws.client.return_value.list_tags_for_resource.return_value = {"tags": [of_a_stack]}

    owners = report.owners(aws)

    for name in ("Videos", "Videos-begin", "/aws/lambda/Videos-begin", "Videos-role"):
        assert report.whose(name, owners) == "Videos"
    assert report.whose("TopPicks-1", owners) == "TopPicks"
    assert report.whose("old", owners) == "Old"
    assert report.whose("/top-picks/recommender-arn", owners) == ""


def recommended(recipe: str, **described: Any) -> report.Recommended:
    state: dict[str, Any] = {
        "name": "films",
        "recipeArn": recipe_arn(recipe),
        "modelMetrics": evaluation().values,
        "evaluation": json.loads(json.dumps(dataclasses.asdict(evaluation()))),
    }
    items = [{"itemId": "vod-1", "metadata": {"title": "The Long Thaw"}}]
    return report.Recommended(state | described, "user-1", "vod-7", items)


def test_the_summary_shows_outputs_recommendations_and_what_is_simulated() -> None:
    outputs = {"RecommenderArn": "arn:aws:...", "Coverage": "0.5", "ModelMetrics": '{"a": 1}'}
    shown = report.summary(_AWS, outputs, [recommended("aws-vod-top-picks")])
    assert "  RecommenderArn  arn:aws:...\n  Coverage        0.5\n" in shown
    assert '  vod-1  {"title": "The Long Thaw"}\n' in shown
    assert '{"a": 1}' not in shown
    assert "coverage 0.5000 0.1250 0.7500 ± 0.0625" in words(shown)
    assert "Top picks for user-1, returned by GetRecommendations" in shown
    assert NOTICE in " ".join(shown.split())
    assert "Simulated here:" in shown
    assert "make destroy-local" in shown
    assert "make deploy-local (add DATA=... if you gave it)" in shown
    assert "cdk deploy -c exploration_weight=0.5" in shown
    assert "/folder/local-aws.log" in shown


def test_the_summary_of_several_recommenders_names_each_with_its_rule_and_its_items() -> None:
    without = {"modelMetrics": {}, "name": "hits"}
    popular = recommended("aws-vod-most-popular", **without)
    del popular.described["evaluation"]  # type: ignore[attr-defined]
    found = [recommended("aws-vod-because-you-watched-x"), popular]

    shown = report.summary(_AWS, {"FilmsModelMetrics": "{}", "HitsModelMetrics": "{}"}, found)

    said = words(shown)
    assert "FilmsModelMetrics" not in shown
    assert f"films of recipe aws-vod-because-you-watched-x. {_rule_of(found[0])}" in said
    assert "Because user-1 watched vod-7, returned by GetRecommendations" in said
    assert "coverage 0.5000 0.1250 0.7500 ± 0.0625" in said
    assert f"hits of recipe aws-vod-most-popular. {_rule_of(popular)}" in said
    assert "Metrics: n/a. A list that is the same for all users" in said
    assert "Most popular, returned by GetRecommendations" in said
    assert max(map(len, shown.splitlines())) <= 100


def _rule_of(found: report.Recommended) -> str:
    return STAND_INS[found.described["recipeArn"].rpartition("/")[2]].rule


def test_each_recommender_of_the_stack_that_serves_is_asked_with_what_its_recipe_requires() -> None:
    metadata = {"enableMetadataWithRecommendations": True}
    recommenders = [
        _state("trends", "aws-vod-trending-now"),
        _state("like", "aws-vod-more-like-x", recommenderConfig=metadata),
        _state("tops", "aws-vod-top-picks", recommenderConfig=metadata),
        _state("stopped", "aws-vod-most-popular", status="INACTIVE"),
        _state("theirs", "aws-vod-most-popular"),
    ]
    aws = create_autospec(LocalAws, instance=True)
    aws.personalize_state.return_value = {"recommenders": recommenders}
    asked = aws.client.return_value.get_recommendations
    asked.return_value = {"itemList": [{"itemId": "vod-1"}]}
    data = the_sample()
    outputs = {one["name"]: one["recommenderArn"] for one in recommenders[:-1]}

    found = report.recommended(aws, outputs, data)

    assert [one.described["name"] for one in found] == ["tops", "like", "trends"]
    columns = {"metadataColumns": {"ITEMS": ["TITLE", "GENRES"]}}
    watched = data.newest_watched("user-1")
    assert [call.kwargs for call in asked.call_args_list] == [
        {"recommenderArn": "arn:tops", "numResults": 3, "userId": "user-1"} | columns,
        {"recommenderArn": "arn:like", "numResults": 3, "userId": "user-1", "itemId": watched}
        | columns,
        {"recommenderArn": "arn:trends", "numResults": 3},
    ]
    assert found[0].items == [{"itemId": "vod-1"}]


def _state(name: str, recipe: str, **more: Any) -> dict[str, Any]:
    return {
        "name": name,
        "recommenderArn": f"arn:{name}",
        "recipeArn": recipe_arn(recipe),
        "status": "ACTIVE",
        "recommenderConfig": {},
    } | more


def test_a_user_who_watched_nothing_is_asked_for_with_the_newest_item(tmp_path: Path) -> None:
    clicks = [("u", "i1", 1, "Click"), ("u", "i2", 2, "Click")]
    aws = create_autospec(LocalAws, instance=True)
    state = _state("like", "aws-vod-more-like-x")
    aws.personalize_state.return_value = {"recommenders": [state]}

    data = read(folder_of(tmp_path, clicks), now=NOW)
    (found,) = report.recommended(aws, {"Arn": "arn:like"}, data)

    assert found.item == "i2"


def test_the_report_on_data_gives_verdicts_and_what_they_mean() -> None:
    meaning = "1000 are required, 50,000 recommended; " + "and so on " * 10
    found = [Finding(Verdict.WARN, "interactions", "1,200", meaning.strip(), "limits")]
    shown = report.on_data("/folder", found)
    assert "The data in /folder, compared with the service's requirements and" in shown
    assert "  warn     interactions: 1,200\n           1000 are required, 50,000" in shown
    assert "and so on [limits]\n" in shown
    assert max(map(len, shown.splitlines())) <= 100


def test_metrics_are_shown_with_how_sure_they_are_and_what_they_depend_on() -> None:
    shown = report.measured(TopPicks, evaluation().values, evaluation())
    assert "Metrics, measured on 40 of 1,400 users, without training on them:\n" in shown
    assert "coverage 0.5000 0.1250 0.7500 ± 0.0625" in words(shown)
    assert "precision_at_5 0.2500 ± 0.0312 0.2000 unclear 0.7500 ± 0.0625" in words(shown)
    assert "The model has learnt about 8,500 of 9,000 items, in its way." in words(shown)
    assert all(choice in words(shown) for choice in CHOICES)
    assert max(map(len, shown.splitlines())) <= 100


def test_one_split_is_said_to_be_one() -> None:
    alone = evaluation(splits=1, mean=None)
    shown = report.measured(TopPicks, alone.values, alone)
    assert "ten splits" not in shown
    assert "ten need at most 2,000 items and 250,000 interactions." in words(shown)


def test_fixed_metrics_are_said_to_be_fixed_and_stand_beside_nothing() -> None:
    shown = report.measured(TopPicks, {"coverage": 0.75}, evaluation())
    assert "Metrics, fixed by a switch. Nothing was measured:\n  coverage    0.7500" in shown
    assert "±" not in shown


def test_a_failure_says_where_to_look_and_last_of_all_why() -> None:
    shown = report.failure("cdk deploy failed (exit code 1)", _AWS, ["Gate (Custom::It), too bad"])
    assert "exit code 1" in shown
    assert "/folder/local-aws.log" in shown
    assert "http://127.0.0.1:4566/_personalize/state" in shown
    assert shown.endswith("Reasons, from the events of the stack:\n  Gate (Custom::It), too bad\n")


def test_a_command_in_a_reason_can_be_copied() -> None:
    arn = "arn:aws:personalize:eu-west-1:111111111111:recommender/TopPicks-0123456789abcdef"
    command = f"aws personalize delete-recommender --recommender-arn {arn} --region eu-west-1"
    shown = report.why([f"Sweep (Custom::It), DELETE_FAILED: Left: {arn}. At last: {command}"])
    said = shown.split()
    assert (said.count(arn), said.count(f"{arn}.")) == (1, 1)
    assert "delete-recommender" in said


def test_a_failure_without_events_leaves_the_last_word_to_the_cli() -> None:
    shown = report.failure("cdk deploy failed (exit code 1)", _AWS)
    first, _ = shown.strip().splitlines()
    assert first.endswith("failed (exit code 1). The output of the CDK CLI above has the reason.")


_BEGAN = datetime(2026, 11, 1, 12, tzinfo=UTC)


def _event(minute: int, name: str, status: str, reason: str | None = None) -> dict[str, Any]:
    return {
        "Timestamp": _BEGAN + timedelta(minutes=minute),
        "LogicalResourceId": name,
        "ResourceType": "AWS::CloudFormation::Stack" if name == "TopPicks" else "Custom::It",
        "ResourceStatus": status,
        **({"ResourceStatusReason": reason} if reason else {}),
    }


def test_the_reasons_are_what_failed_first_in_this_operation_and_not_because_of_others() -> None:
    aws = create_autospec(LocalAws, instance=True)
    aws.client.return_value.get_paginator.return_value.paginate.return_value = [
        {
            "StackEvents": [
                _event(4, "TopPicks", "UPDATE_FAILED", "The following resources failed: Gate"),
                _event(3, "Sweep", "UPDATE_FAILED", "Resource update cancelled"),
                _event(2, "Policy", "UPDATE_FAILED"),
            ]
        },
        {
            "StackEvents": [
                _event(2, "Later", "UPDATE_FAILED", "And this"),
                _event(1, "Gate", "UPDATE_FAILED", "No such luck"),
                _event(0, "Gate", "UPDATE_IN_PROGRESS"),
                _event(-1, "Before", "CREATE_FAILED", "Of an earlier one"),
            ]
        },
    ]

    assert report.reasons(aws, "TopPicks", since=_BEGAN) == [
        "Gate (Custom::It), UPDATE_FAILED: No such luck",
        "Later (Custom::It), UPDATE_FAILED: And this",
    ]


def _stack_with(*newest_first: dict[str, Any]) -> Any:
    aws = create_autospec(LocalAws, instance=True)
    paginate = aws.client.return_value.get_paginator.return_value.paginate
    paginate.return_value = [{"StackEvents": newest_first}]
    return aws


def test_a_deletion_that_failed_began_with_the_first_attempt() -> None:
    again = _stack_with(
        _event(8, "TopPicks", "DELETE_FAILED"),
        _event(7, "Sweep", "DELETE_FAILED", "Custom resource ServiceToken not found"),
        _event(6, "TopPicks", "DELETE_IN_PROGRESS"),
        _event(5, "TopPicks", "DELETE_FAILED"),
        _event(4, "Sweep", "DELETE_FAILED", "Its tags prove nothing"),
        _event(3, "TopPicks", "DELETE_IN_PROGRESS"),
        _event(2, "TopPicks", "CREATE_COMPLETE"),
        _event(1, "Gate", "CREATE_FAILED", "Of another life"),
        _event(0, "TopPicks", "DELETE_IN_PROGRESS"),
    )
    began = report.deletion_began(again, "TopPicks", at_latest=_BEGAN + timedelta(minutes=6))
    assert began == _BEGAN + timedelta(minutes=3)
    assert report.reasons(again, "TopPicks", since=began)[0].endswith("Its tags prove nothing")


def test_a_deletion_that_never_began_began_at_the_latest_now() -> None:
    lives = _stack_with(_event(0, "TopPicks", "CREATE_COMPLETE"))
    assert report.deletion_began(lives, "TopPicks", at_latest=_BEGAN) == _BEGAN
    assert report.deletion_began(_stack_with(), "TopPicks", at_latest=_BEGAN) == _BEGAN


def test_where_there_is_no_stack_there_are_no_reasons() -> None:
    aws = create_autospec(LocalAws, instance=True)
    pages = aws.client.return_value.get_paginator.return_value.paginate
    pages.side_effect = ClientError({"Error": {"Code": "ValidationError"}}, "DescribeStackEvents")

    assert report.reasons(aws, "TopPicks", since=_BEGAN) == []


def test_the_status_gives_the_environment_for_other_programs_and_what_is_set() -> None:
    shown = report.status(
        _AWS,
        env=_AWS.env(),
        groups=["arn:films", "arn:series"],
        settings={"poll_interval_seconds": 1},
        faults="delete=1",
    )
    assert "\nDataset groups:\n  arn:films\n  arn:series\n" in shown
    assert "\n  poll_interval_seconds  1\n" in shown
    assert "\n  delete=1\n" in shown
    assert "export AWS_ENDPOINT_URL=http://127.0.0.1:4566" in shown
    assert "export AWS_ACCESS_KEY_ID=111111111111" in shown


def test_parameters_are_looked_for_and_those_of_the_bootstrap_left_out() -> None:
    found = {"ssm": ["/cdk-bootstrap/hnb659fds/version", "/top-picks/TopPicks/recommender-arn"]}
    aws = create_autospec(LocalAws, instance=True)
    aws.client.side_effect = lambda service, **_: _lists(found.get(service, ["CDKToolkit", "cdk-"]))

    left = report.leftovers(aws)

    assert left.pop("SSM parameters") == ["/top-picks/TopPicks/recommender-arn"]
    assert left
    assert not any(left.values())


def test_each_kind_is_looked_for_once() -> None:
    operations = [(service, operation) for _, service, operation, _ in report._KINDS]

    assert len({*operations}) == len(operations)
    assert len({kind for kind, *_ in report._KINDS}) == len(report._KINDS)


def _lists(names: list[str]) -> Mock:
    client = Mock()
    client.get_paginator.return_value.paginate.return_value.search.return_value = names
    return client
