from pathlib import Path
from unittest.mock import Mock, create_autospec

from local_aws import report
from local_aws.engine import LocalAws
from local_aws.processes import Holder

_AWS = LocalAws(Path("/folder"), Holder(pid=1, port=4566), None)


def test_the_proof_names_what_is_left_and_says_where_nothing_is() -> None:
    shown = report.proof({"stacks": [], "log groups": ["one", "two"]})
    assert "  stacks      none\n  log groups  one, two\n" in shown


def test_the_summary_shows_outputs_recommendations_and_what_is_simulated() -> None:
    outputs = {"RecommenderArn": "arn:aws:...", "Coverage": "0.5", "ModelMetrics": '{"a": 1}'}
    items = [{"itemId": "vod-1", "metadata": {"TITLE": "The Long Thaw"}}]
    shown = report.summary(_AWS, outputs, items)
    assert "  RecommenderArn  arn:aws:...\n  Coverage        0.5\n" in shown
    assert '  vod-1  {"TITLE": "The Long Thaw"}\n' in shown
    assert '{"a": 1}' not in shown
    assert "What is simulated:" in shown
    assert "make destroy-local" in shown
    assert "/folder/local-aws.log" in shown


def test_a_failure_says_where_to_look() -> None:
    shown = report.failure("cdk deploy failed (exit code 1): the reason is above.", _AWS)
    assert "exit code 1" in shown
    assert "/folder/local-aws.log" in shown
    assert "http://127.0.0.1:4566/_personalize/state" in shown


def test_the_status_gives_the_environment_for_other_programs() -> None:
    shown = report.status(_AWS)
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


def _lists(names: list[str]) -> Mock:
    client = Mock()
    client.get_paginator.return_value.paginate.return_value.search.return_value = names
    return client
