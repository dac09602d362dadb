"""Messages of a stack's operations, read from a queue that is subscribed to the team's topic.

The local engine sends no events of CloudFormation: `local_aws.ministack.events` makes them.
"""

import json
from typing import Final

import pytest

from tests.support.local_world import LocalWorld
from tests.unit.test_how_tos import PAGES, blocks

POLICY, KEY_STATEMENT = (
    one for one in blocks(PAGES["notifications.md"], "json") if one.startswith("{")
)
GATE: Final = {"max_training_hours": 0.0025}
"""Gates of 3 s, three of them."""


class Inbox:
    """A topic of the team, with a queue that is subscribed to it."""

    def __init__(self, world: LocalWorld) -> None:
        self._sqs, sns = world.client("sqs"), world.client("sns")
        self.topic_arn = sns.create_topic(Name="deployments")["TopicArn"]
        sns.set_topic_attributes(
            TopicArn=self.topic_arn, AttributeName="Policy", AttributeValue=POLICY
        )
        self._url = self._sqs.create_queue(QueueName="deployments")["QueueUrl"]
        queue = self._sqs.get_queue_attributes(QueueUrl=self._url, AttributeNames=["QueueArn"])
        queue_arn = queue["Attributes"]["QueueArn"]
        from_the_topic = {
            "Effect": "Allow",
            "Principal": {"Service": "sns.amazonaws.com"},
            "Action": "sqs:SendMessage",
            "Resource": queue_arn,
            "Condition": {"ArnEquals": {"aws:SourceArn": self.topic_arn}},
        }
        self._sqs.set_queue_attributes(
            QueueUrl=self._url,
            Attributes={
                "Policy": json.dumps({"Version": "2012-10-17", "Statement": [from_the_topic]})
            },
        )
        sns.subscribe(TopicArn=self.topic_arn, Protocol="sqs", Endpoint=queue_arn)

    def read(self) -> list[str]:
        """Return the messages since the last time, in the order of their arrival."""
        found: list[str] = []
        while received := self._sqs.receive_message(QueueUrl=self._url, MaxNumberOfMessages=10).get(
            "Messages"
        ):
            for one in received:
                found.append(json.loads(one["Body"])["Message"])
                self._sqs.delete_message(QueueUrl=self._url, ReceiptHandle=one["ReceiptHandle"])
        return found


@pytest.fixture
def inbox(world: LocalWorld) -> Inbox:
    return Inbox(world)


def test_the_messages_of_a_stack_from_a_failure_to_its_end(world: LocalWorld, inbox: Inbox) -> None:
    where = "--stack TopPicks --region eu-west-1"
    reason = 'Dataset has fewer than 1000 interactions after filtering by event type: "Watch"'
    world.set_behaviour(training_failure=reason)
    given = {**GATE, "notify_topic_arn": inbox.topic_arn}

    shown = world.fails(**given)
    assert f"CREATE FAILED: {reason}" in shown
    assert "import more data" in shown
    (failed,) = inbox.read()  # the rules are gone at ROLLBACK_COMPLETE
    assert "RecommenderTrainingHour01Of03" in failed.splitlines()[0]
    assert "is CREATE_FAILED" in failed.splitlines()[0]
    assert reason in failed
    assert f"python -m operations status --follow {where}" in failed

    world.set_behaviour()
    world.deployed(**given)
    (succeeded,) = inbox.read()
    assert "CREATE_COMPLETE" in succeeded
    assert f"python -m operations status {where}" in succeeded

    missing = world.dataset_group_arn.replace("/vod", "/nowhere")
    shown = world.fails(**given, dataset_group_arn=missing)
    assert f"The dataset group {missing} does not exist" in shown
    failed, rolled_back = inbox.read()
    assert f"The dataset group {missing} does not exist" in failed
    assert "UPDATE_ROLLBACK_COMPLETE" in rolled_back
    assert "npx cdk deploy TopPicks" in rolled_back

    world.destroy()
    assert inbox.read() == []


def test_the_statement_for_a_key_names_eventbridge_and_has_no_condition() -> None:
    statement = json.loads(KEY_STATEMENT)

    assert statement["Principal"] == {"Service": "events.amazonaws.com"}
    assert statement.keys() == {"Effect", "Principal", "Action", "Resource"}
