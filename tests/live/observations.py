"""What the live tests find out about AWS on their way, for the docs."""

import itertools
import json
import threading
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Self

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from lambdas.recommender.model.config import Config
from lambdas.recommender.vocabulary import OWNER_STACK_TAG
from tests.live.account import Trial

_GONE: Final = "ResourceNotFoundException"


@dataclass
class Observations:
    """Observations beside what is assumed until a run has observed it, as a table in Markdown."""

    where: str = ""
    account: str = ""
    _rows: list[tuple[str, str, str]] = field(default_factory=list)

    def note(self, what: str, *observed: object, assumed: str = "") -> None:
        """Add observations, each of which was assumed to begin so."""
        seen = [str(one) for one in observed]
        counts = [f"{one} ({seen.count(one)} of {len(seen)})" for one in dict.fromkeys(seen)]
        answer = ", ".join(counts if len(counts) > 1 else dict.fromkeys(seen)) or "not seen"
        holds = bool(seen) and all(one.startswith(assumed) for one in seen)
        verdict = f"{assumed}: {'confirmed' if holds else 'NOT CONFIRMED'}" if assumed else ""
        self._rows.append((what, answer, verdict))
        print(self._hidden(f"Observed: {what}: {answer} {verdict}"))  # hours before the table

    def __str__(self) -> str:
        """Return it without the account id."""
        lines = [
            f"Seen on {time.strftime('%Y-%m-%d')} with boto3 {boto3.__version__}: {self.where}",
            "",
            "| what | observed | assumed |",
            "| --- | --- | --- |",
            *(f"| {' | '.join(map(_cell, row))} |" for row in self._rows),
        ]
        return self._hidden("\n".join(lines))

    def _hidden(self, text: str) -> str:
        return text.replace(self.account or "<account>", "<account>")


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


@dataclass(frozen=True)
class Observation:
    """One observation of a recommender: answers, or the codes of errors."""

    at: float
    listed: str
    """The status in the list; empty if it is not in there."""
    described: Mapping[str, Any] | str
    tags: frozenset[str] | str
    """Their keys."""

    @property
    def status(self) -> str:
        """The status, with that of the latest update, or the code of the error."""
        if isinstance(self.described, str):
            return self.described
        latest = self.described.get("latestRecommenderUpdate") or {}
        update = f" (update {latest['status']})" if latest else ""
        return f"{self.described.get('status')}{update}"


class Watch:
    """Observes the recommenders of a stack while something else is done."""

    def __init__(self, trial: Trial) -> None:
        self.observations: list[Observation] = []
        self.operations: dict[tuple[str, str], None] = {}
        """Status and LastUpdatedTime of the stack, in the order in which they were first seen."""
        self.seconds = 0.0
        self._trial = trial
        self._client = trial.account.client("personalize")
        self._arns: dict[str, None] = {}
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._began = time.monotonic()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.seconds = time.monotonic() - self._began
        self._over.set()
        self._thread.join()
        self._client.close()

    @property
    def statuses(self) -> str:
        """The statuses in their order, with the time when each was first seen."""
        changes = [
            next(same) for _, same in itertools.groupby(self.observations, lambda one: one.status)
        ]
        return ", ".join(f"{one.status} at {duration(one.at)}" for one in changes)

    def _run(self) -> None:
        while not self._over.wait(self._trial.account.pace):
            self._observe_the_stack()
            if (listed := self._listed()) is None:
                continue
            self._arns |= dict.fromkeys(listed)
            for arn in self._arns:
                described = answer(self._client, "describe_recommender", recommenderArn=arn)
                tags = answer(self._client, "list_tags_for_resource", resourceArn=arn)
                self.observations.append(
                    Observation(
                        at=time.monotonic() - self._began,
                        listed=listed.get(arn, ""),
                        described=_part(described, "recommender"),
                        tags=tags if isinstance(tags, str) else _keys(tags["tags"]),
                    )
                )

    def _observe_the_stack(self) -> None:
        try:
            stack = self._trial.stack
        except (ClientError, BotoCoreError):
            return
        seen = stack.get("StackStatus", "no stack"), str(stack.get("LastUpdatedTime", "none"))
        self.operations.setdefault(seen)

    def _listed(self) -> dict[str, str] | None:
        try:
            return {one["recommenderArn"]: one["status"] for one in self._trial.recommenders}
        except (ClientError, BotoCoreError):
            return None


def answer(client: Any, operation: str, **parameters: Any) -> dict[str, Any] | str:
    """Return the answer of a call, or the code and the message of its error."""
    try:
        return dict(getattr(client, operation)(**parameters))
    except ClientError as error:
        return f"{error.response['Error']['Code']}: {error.response['Error']['Message']}"
    except BotoCoreError as error:
        return type(error).__name__


def duration(seconds: float) -> str:
    """Return a time as it is read best."""
    return f"{seconds / 60:.0f} min" if seconds >= 120 else f"{seconds:.1f} s"


def note_time(report: Observations, what: str, watch: Watch) -> None:
    """Note how long something took and what was seen meanwhile."""
    report.note(f"Time for {what}", duration(watch.seconds))
    report.note(f"Statuses during {what}", watch.statuses)
    values = Counter(status for status, _ in watch.operations if status.endswith("_IN_PROGRESS"))
    report.note(
        f"Values of LastUpdatedTime in one status of the stack during {what}",
        *values.values(),
        assumed="1",
    )


def note_creation(report: Observations, watch: Watch) -> None:
    """Note how a creation shows from outside."""
    note_time(report, "the first deployment", watch)
    training = [one for one in watch.observations if one.listed.startswith("CREATE ")]
    first = training[:1]
    report.note(
        "What DescribeRecommender answers first",
        *(one.status for one in first),
        assumed="CREATE PENDING",
    )
    report.note(
        "What ListTagsForResource answers while it trains",
        *(one.tags if isinstance(one.tags, str) else "tags" for one in training),
        assumed="tags",
    )
    report.note(
        "Whether the first answer has the tags of the creation",
        *(OWNER_STACK_TAG in one.tags for one in first),
        assumed="True",
    )
    report.note(
        "modelMetrics while it trains",
        *(_member(one, "modelMetrics") for one in training),
        assumed="None",
    )


def note_configuration(report: Observations, seen: Mapping[str, Any]) -> None:
    """Note how a created recommender describes itself."""
    config = seen.get("recommenderConfig") or {}
    report.note("recommenderConfig after the creation", json.dumps(config))
    report.note(
        "Members of it that are not shown",
        ", ".join(Config().not_shown(config)) or "none",
        assumed="none",
    )
    report.note(
        "latestRecommenderUpdate before any update",
        seen.get("latestRecommenderUpdate"),
        assumed="None",
    )
    report.note("modelMetrics", json.dumps(seen.get("modelMetrics")))


def note_creation_time(report: Observations, stack: Mapping[str, Any]) -> None:
    """Note whether a creation, which the CDK CLI makes by a change set, sets LastUpdatedTime."""
    report.note(
        "LastUpdatedTime after the creation",
        "there" if stack.get("LastUpdatedTime") else "absent",
        assumed="there",
    )


def note_requests(report: Observations, trial: Trial) -> None:
    """Note whether a RequestId stands for one request, as far as the functions have logged it."""
    pages = trial.client("cloudformation").get_paginator("list_stack_resources")
    groups = pages.paginate(StackName=trial.name).search(
        "StackResourceSummaries[?ResourceType=='AWS::Logs::LogGroup'].PhysicalResourceId"
    )
    events = [
        event
        for group in groups
        for event in trial.client("logs")
        .get_paginator("filter_log_events")
        .paginate(logGroupName=group, filterPattern='{ $.delivery = "DELIVERED" }')
        .search("events[].message")
    ]
    answered = [json.loads(event) for event in events if event and event.startswith("{")]
    ids = [one.get("request") for one in answered]
    report.note("Requests that were answered", *([len(ids)] if ids else []))
    report.note(
        "RequestIds that were answered more than once",
        *([len(ids) - len({*ids})] if ids else []),
        assumed="0",
    )


def note_update_semantics(report: Observations, trial: Trial) -> None:
    """Update the trial's own recommender with one member only, and note what becomes of the rest.

    The next deployment puts right what this changes.
    """
    personalize = trial.client("personalize")
    before = trial.describe()
    update = {
        "recommenderArn": before["recommenderArn"],
        "recommenderConfig": {"itemExplorationConfig": {"explorationWeight": "0.4"}},
    }
    made = answer(personalize, "update_recommender", **update)
    if isinstance(made, str):
        report.note("UpdateRecommender with one member only", made)
        return
    at_once = trial.describe()
    report.note("Status right after UpdateRecommender", at_once["status"], assumed="ACTIVE")
    report.note(
        "Whether its configuration is still the old one then",
        at_once.get("recommenderConfig") == before.get("recommenderConfig"),
        assumed="True",
    )
    report.note(
        "UpdateRecommender while an update is under way",
        _outcome(answer(personalize, "update_recommender", **update)),
        assumed="ResourceInUseException",
    )
    trial.account.until(lambda: _updated(trial.describe()), "the update has ended")
    config = trial.describe().get("recommenderConfig") or {}
    report.note(
        "Whether an update keeps members that it omits (merge)",
        config.get("enableMetadataWithRecommendations", False),
    )
    report.note(
        "Whether it keeps keys of itemExplorationConfig that it omits",
        "explorationItemAgeCutOff" in config.get("itemExplorationConfig", {}),
    )
    report.note("recommenderConfig after it", json.dumps(config))
    report.note(
        "UpdateRecommender with what is in force already",
        _outcome(answer(personalize, "update_recommender", **update)),
        assumed="InvalidInputException",
    )


def note_tag_conditions(report: Observations, trial: Trial) -> None:
    """Note whether IAM knows the tags of a recommender, by sessions of the CDK's lookup role.

    That role, which `cdk bootstrap` has made, may read; each session may describe recommenders with
    one tag only.
    """
    arn = trial.describe()["recommenderArn"]
    place = trial.account.group
    role = (
        f"arn:{place.partition}:iam::{place.account}:role/"
        f"cdk-hnb659fds-lookup-role-{place.account}-{place.region}"
    )
    for value, assumed in (
        (trial.stack["StackId"], "accepted"),
        ("another", "AccessDeniedException"),
    ):
        statement = {
            "Effect": "Allow",
            "Action": "personalize:DescribeRecommender",
            "Resource": "*",
            "Condition": {"StringEquals": {f"aws:ResourceTag/{OWNER_STACK_TAG}": value}},
        }
        session = answer(
            trial.client("sts"),
            "assume_role",
            RoleArn=role,
            RoleSessionName="top-picks-live",
            Policy=json.dumps({"Version": "2012-10-17", "Statement": [statement]}),
        )
        question = f"DescribeRecommender if aws:ResourceTag/{OWNER_STACK_TAG} has to be {value}"
        if isinstance(session, str):
            report.note(question, f"not tried: {session}")
            continue
        keys = session["Credentials"]
        client = trial.account.client(
            "personalize",
            {
                "aws_access_key_id": keys["AccessKeyId"],
                "aws_secret_access_key": keys["SecretAccessKey"],
                "aws_session_token": keys["SessionToken"],
            },
        )
        described = answer(client, "describe_recommender", recommenderArn=arn)
        client.close()
        report.note(question, _outcome(described), assumed=assumed)


def note_cancellation(report: Observations, trial: Trial, stack_id: str, watch: Watch) -> None:
    """Note how a deployment that was cancelled during the training shows."""
    note_time(report, "a cancelled deployment until nothing is left", watch)
    pages = trial.client("cloudformation").get_paginator("describe_stack_events")
    events = list(pages.paginate(StackName=stack_id).search("StackEvents[]"))
    for event in reversed(events):
        custom = event["ResourceType"].startswith("Custom::")
        if custom and event["ResourceStatus"] == "DELETE_IN_PROGRESS":
            report.note(
                f"Physical id in the Delete of {event['LogicalResourceId']}",
                event.get("PhysicalResourceId") or "none",
            )


def note_deletion(report: Observations, watch: Watch) -> None:
    """Note how a deletion shows from outside."""
    note_time(report, "destroying", watch)
    refused = [one for one in watch.observations if isinstance(one.described, str)]
    gone = [one for one in refused if str(one.described).startswith(_GONE)]
    report.note(
        "What DescribeRecommender answers when it is gone",
        *(one.described for one in gone),
        assumed=_GONE,
    )
    report.note(
        "What else it has refused meanwhile",
        *(one.described for one in refused if one not in gone),
    )
    report.note(
        "Whether it is still listed then (a ghost)",
        *(bool(one.listed) for one in gone),
        assumed="False",
    )


def _updated(seen: Mapping[str, Any]) -> bool:
    latest = seen.get("latestRecommenderUpdate") or {}
    return latest.get("status") in ("ACTIVE", "CREATE FAILED")


def _member(one: Observation, name: str) -> str:
    return one.described if isinstance(one.described, str) else str(one.described.get(name))


def _outcome(answered: dict[str, Any] | str) -> str:
    return answered if isinstance(answered, str) else "accepted"


def _part(answered: dict[str, Any] | str, member: str) -> dict[str, Any] | str:
    return answered if isinstance(answered, str) else answered[member]


def _keys(tags: Sequence[Mapping[str, str]]) -> frozenset[str]:
    return frozenset(tag["tagKey"] for tag in tags)
