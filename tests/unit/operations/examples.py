"""A template, a stack and its events, as these tests share them."""

from collections.abc import Mapping
from typing import Any, Final

from lambdas.recommender import vocabulary as v
from lambdas.recommender.model.observed import Observed
from operations.computations.chain import Chain, chains
from operations.computations.stack import Event, Resource, Stack
from tests.support.place import ACCOUNT, REGION

PLACE: Final = f"arn:aws:personalize:{REGION}:{ACCOUNT}:"
STACK_ID: Final = f"arn:aws:cloudformation:{REGION}:{ACCOUNT}:stack/TopPicks/0a1b"
ARN: Final = f"{PLACE}recommender/TopPicks-0123456789abcdef"

PROPERTIES: Final[Mapping[str, Any]] = {
    "ServiceToken": {"Fn::GetAtt": ["Begin", "Arn"]},
    v.NAME_PREFIX: "TopPicks",
    v.DATASET_GROUP_ARN: f"{PLACE}dataset-group/vod",
    v.RECIPE_ARN: {
        "Fn::Join": [
            "",
            ["arn:", {"Ref": "AWS::Partition"}, ":personalize:::recipe/aws-vod-top-picks"],
        ]
    },
    v.CONFIG: {
        v.MIN_REQUESTS_PER_SECOND: 1,
        v.ENABLE_METADATA: True,
        v.EXPLORATION: {v.EXPLORATION_WEIGHT: "0.3", v.EXPLORATION_ITEM_AGE_CUT_OFF: "30"},
    },
    v.RUNNING: True,
    v.ADOPT_EXISTING: False,
    v.TAGS: {"team": "video"},
    v.WAIT_SECONDS: 3300,
}


def template(
    properties: Mapping[str, Any] | None = None,
    *,
    gates: int = 2,
    sweeps: int = 2,
    stop: bool = False,
    hours: bool = False,
) -> Any:
    """Return a template with one recommender, some properties of which are others."""
    given = {**PROPERTIES, **(properties or {})}
    resources = {
        "Recommender": {"Type": v.RECOMMENDER_TYPE, "Properties": given},
        **{
            f"Gate{n}": _link(v.TRAINING_GATE_TYPE, n, gates, arn=True) for n in range(gates, 0, -1)
        },
        **{f"Sweep{n}": _link(v.SWEEP_TYPE, n, sweeps, arn=False) for n in range(sweeps, 0, -1)},
        "Topic": {"Type": "AWS::SNS::Topic"},
    }
    if stop:
        resources["Stop"] = _link(v.STOP_TYPE, 1, 1, arn=True)
    if hours:
        resources["Hours"] = _link(v.HOURS_TYPE, 1, 1, arn=True)
    return {"Resources": resources}


def _link(kind: str, number: int, of: int, *, arn: bool) -> Any:
    by_arn = {v.RECOMMENDER_ARN: {"Fn::GetAtt": ["Recommender", "Arn"]}}
    properties = by_arn if arn else {v.RECOMMENDER_LOGICAL_ID: "Recommender"}
    place = {} if kind in (v.STOP_TYPE, v.HOURS_TYPE) else {v.LINK: number, v.LINKS: of}
    return {"Type": kind, "Properties": {**properties, **place, v.WAIT_SECONDS: 3300}}


def stack(status: str = "CREATE_COMPLETE", **members: Any) -> Stack:
    return Stack(**{"id": STACK_ID, "name": "TopPicks", "status": status, **members})


def chain(
    of: Stack | None = None,
    *,
    physical_id: str = "",
    properties: Mapping[str, Any] | None = None,
    gates: int = 2,
    stop: bool = False,
    hours: bool = False,
) -> Chain:
    """Return the only recommender of a template."""
    resources = [Resource("Recommender", physical_id, v.RECOMMENDER_TYPE, "CREATE_COMPLETE")]
    (only,) = chains(
        template(properties, gates=gates, stop=stop, hours=hours), of or stack(), resources
    )
    return only


def observed(status: str = "ACTIVE", **members: Any) -> Observed:
    given = {"arn": ARN, "dataset_group_arn": "", "recipe_arn": "", **members}
    return Observed(status=status, **given)


def observed_as(one: Chain, status: str = "ACTIVE", **members: Any) -> Observed:
    """Return the recommender that the template asks for, but for the members."""
    desired = one.desired
    given = {
        "arn": desired.arn,
        "dataset_group_arn": desired.dataset_group_arn,
        "recipe_arn": desired.recipe_arn,
        "tags": {**desired.tags, **desired.owner.tags()},
    }
    return observed(status, **{**given, **members})


def events(*lines: str) -> list[Event]:
    """Return events, newest first, from lines like `60 Gate1 CREATE_IN_PROGRESS` in order."""
    made = []
    for line in lines:
        time, logical_id, status, *reason = line.split(" ", 3)
        physical_id = STACK_ID if logical_id == "TopPicks" else f"id-of-{logical_id}"
        made.append(Event(float(time), STACK_ID, logical_id, physical_id, status, *reason))
    return made[::-1]


class NoStacks:
    """An account without stacks."""

    region = "eu-west-1"

    def stack(self, _name: str) -> None:
        return None


def no_stacks(_region: str | None) -> Any:
    """Connect to it."""
    return NoStacks()
