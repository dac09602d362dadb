"""An answer has 4096 bytes at most, an id, and all its attributes as strings, come what may."""

import json
import logging
import random
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from itertools import islice
from typing import Any, Final
from unittest.mock import Mock

import pytest

from lambdas.recommender import vocabulary as v
from lambdas.recommender.aws.errors import PermanentError
from lambdas.recommender.model.config import Config
from lambdas.recommender.model.observed import Observed
from lambdas.recommender.protocol.answer import encoded
from tests.support.one_request import RESPONSE_URL, OneRequest, StackIn
from tests.support.personalize import VirtualClock
from tests.support.place import ACCOUNT

MAX_BYTES: Final = 4096
MAX_ID_BYTES: Final = 1024
PLACE: Final = f"arn:aws-us-gov:{{}}:us-gov-west-1:{ACCOUNT}"
LONGEST: Final[Mapping[str, str]] = {
    "StackId": f"{PLACE.format('cloudformation')}:stack/{'S' * 128}/{'0' * 36}",
    "RequestId": "0" * 36,
    "LogicalResourceId": "L" * 255,
}
"""As long as CloudFormation lets them be ("CloudFormation quotas", "Stack name", User Guide)."""
ALPHABETS: Final = (
    "abcdefghij klmnop",
    '"\\/\b\f\n\r\t',
    "".join(map(chr, range(32))) + "\x7f",
    "äöüßéñ£§",
    "名前推薦映画",
    "😀🎬\U0010ffff",
    "\ud83d\ude00\udfff\ud800",
    "\u2028\u2029\ufeff\u200b\u0301",
    "<script>&'%{}[]$`",
)


def texts(chance: random.Random) -> Iterator[str]:
    """Yield texts, short and long, in one alphabet or in all of them."""
    while True:
        alphabet = chance.choice((*ALPHABETS, "".join(ALPHABETS)))
        length = chance.choice((0, 1, 10, 199, 200, 201, 499, 1000, 1499, 1500, 1501, 4095, 36_000))
        yield "".join(chance.choices(alphabet, k=length))


class Service:
    """A Personalize that answers DescribeRecommender as a test tells it to."""

    def __init__(self, describe: Callable[[str], Observed]) -> None:
        self.describe = describe

    def tags(self, _arn: str) -> dict[str, str]:
        return {v.OWNER_STACK_TAG: LONGEST["StackId"], v.OWNER_RESOURCE_TAG: "L" * 255}


def answers(event: Mapping[str, Any], describe: Callable[[str], Observed]) -> list[bytes]:
    """Return what is put to the URL of an event."""
    service: Any = Service(describe)
    one = OneRequest(service, StackIn("CREATE_IN_PROGRESS"), VirtualClock())
    one.carry_out(event)
    return [encoded(answer) for answer in one.answers.kept]


PROPERTIES: Final[Mapping[str, Any]] = {
    v.NAME_PREFIX: "T" * v.MAX_PREFIX_LENGTH,
    v.DATASET_GROUP_ARN: f"{PLACE.format('personalize')}:dataset-group/{'g' * 63}",
    v.RECIPE_ARN: "arn:aws-us-gov:personalize:::recipe/aws-vod-top-picks",
    v.CONFIG: {},
}
ARN: Final = f"{PLACE.format('personalize')}:recommender/{'r' * 63}"


def create(resource_type: str, **properties: Any) -> dict[str, Any]:
    """Return an event whose ids are as long as they can be."""
    return {
        **LONGEST,
        "RequestType": "Create",
        "ResponseURL": RESPONSE_URL,
        "ResourceType": resource_type,
        "ResourceProperties": properties,
    }


def seen(arn: str, **members: Any) -> Observed:
    """Return a recommender as Personalize describes it."""
    return Observed(
        arn=arn,
        dataset_group_arn=PROPERTIES[v.DATASET_GROUP_ARN],
        recipe_arn=PROPERTIES[v.RECIPE_ARN],
        **{"status": "ACTIVE", "config": Config().request(), **members},
    )


def assert_valid(event: Mapping[str, Any], bodies: list[bytes], status: str) -> dict[str, Any]:
    """Assert that there is one answer that CloudFormation accepts, and return it."""
    (body,) = bodies
    answer: dict[str, Any] = json.loads(body)
    assert len(body) <= MAX_BYTES
    assert answer["Status"] == status
    assert answer["Reason"] or status == "SUCCESS"
    assert 1 <= len(answer["PhysicalResourceId"].encode()) <= MAX_ID_BYTES
    assert all(answer[name] == event[name] for name in LONGEST)
    assert all(isinstance(one, str) for one in answer.get("Data", {}).values())
    return answer


@pytest.fixture(autouse=True)
def _no_logs() -> Iterator[None]:
    logging.disable()
    yield
    logging.disable(logging.NOTSET)


@pytest.mark.rows("R4", "C7")
def test_a_failure_has_a_valid_answer_whatever_the_service_says() -> None:
    """Where a training failed, where a call is refused for good, and where a bug is met."""
    for text in islice(texts(random.Random(1)), 300):
        recommender = create(v.RECOMMENDER_TYPE, **PROPERTIES)
        gate = create(v.TRAINING_GATE_TYPE, **{v.RECOMMENDER_ARN: ARN, v.CONFIG: {}})
        failed = partial(seen, status="CREATE FAILED", failure_reason=text)
        for event, describe in (
            (recommender, failed),
            (recommender, Mock(side_effect=PermanentError(text))),
            (recommender, Mock(side_effect=RuntimeError(text))),
            (gate, failed),
            (gate, Mock(side_effect=PermanentError(text))),
        ):
            answer = assert_valid(event, answers(event, describe), "FAILED")
            is_arn = answer["PhysicalResourceId"].startswith(PLACE.format("personalize"))
            assert is_arn == (event is recommender)


@pytest.mark.rows("R4", "B4")
def test_a_refusal_has_a_valid_answer_whatever_is_refused() -> None:
    for text in islice(texts(random.Random(2)), 300):
        gate = {v.RECOMMENDER_ARN: ARN, v.CONFIG: {}}
        for event in (
            create(v.RECOMMENDER_TYPE, **PROPERTIES, **{v.FIXED_NAME: f"-{text}"}),
            create(v.RECOMMENDER_TYPE, **PROPERTIES, **{f"Un{text}": text}),
            create(v.TRAINING_GATE_TYPE, **{**gate, v.CONFIG: {f"Un{text}": "x"}}),
            create(v.TRAINING_GATE_TYPE, **{**gate, v.RECOMMENDER_ARN: f"x{text}"}),
        ):
            assert_valid(event, answers(event, seen), "FAILED")


@pytest.mark.rows("R4", "C1")
def test_a_gate_has_all_its_attributes_however_many_metrics_there_are() -> None:
    chance = random.Random(3)
    gate = {v.RECOMMENDER_ARN: ARN, v.CONFIG: {}, v.LINK: "3", v.LINKS: "3"}
    letters = "".join(ALPHABETS)
    for _ in range(500):
        known = chance.sample(list(v.METRICS.values()), chance.randint(0, len(v.METRICS)))
        others = [
            "".join(chance.choices(letters, k=chance.randint(1, 80)))
            for _ in range(chance.choice((0, 1, 5, 40)))
        ]
        metrics = {
            name: chance.choice((0.0, 0.5, 1e-12, chance.random())) for name in known + others
        }
        event = create(v.TRAINING_GATE_TYPE, **gate)
        answer = assert_valid(event, answers(event, partial(seen, metrics=metrics)), "SUCCESS")
        data = answer["Data"]
        assert data.keys() == {
            *v.METRICS,
            v.RECOMMENDER_ARN_ATTRIBUTE,
            v.MODEL_METRICS_ATTRIBUTE,
            v.QUALITY_GATE_ATTRIBUTE,
        }
        in_json = json.loads(json.dumps(metrics))  # which joins halves of characters
        assert json.loads(data[v.MODEL_METRICS_ATTRIBUTE]).items() <= in_json.items()
        for name, key in v.METRICS.items():
            assert data[name] == str(metrics.get(key, v.NOT_REPORTED))


@pytest.mark.rows("R4", "C1")
def test_a_recommender_has_all_its_attributes_whatever_is_said_of_it() -> None:
    event = create(v.RECOMMENDER_TYPE, **PROPERTIES)
    for text in islice(texts(random.Random(4)), 300):
        describe = partial(seen, failure_reason=text, metrics={text: 0.5})
        data = assert_valid(event, answers(event, describe), "SUCCESS")["Data"]
        assert data.keys() == {"Arn", "Name", "Revision", "UpdatedAfter"}
