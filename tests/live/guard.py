"""May the live tests run: nothing here calls anything (pure)."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from lambdas.recommender.model.identity import Arn

DATASET_GROUP: Final = "TOP_PICKS_LIVE_DATASET_GROUP_ARN"
ACCEPT_COST: Final = "TOP_PICKS_LIVE_ACCEPT_COST"

_PROFILE: Final = "AWS_PROFILE"
_KEYS: Final = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
_SESSION: Final = "AWS_SESSION_TOKEN"
_ENDS: Final = (
    f"{_SESSION} is set: such credentials end within hours and cannot be renewed, and what is "
    f"deployed by then stays and costs. Unset them, and set {_PROFILE} to a profile that renews "
    "itself without asking (IAM Identity Center, or a role)."
)
_ENDPOINTS: Final = "AWS_ENDPOINT_URL"
_DOMAINS: Final = (".amazonaws.com", ".amazonaws.com.cn")
_NO_METADATA: Final = ("ITEM_ID", "CREATION_TIMESTAMP")


class LiveRunRefusedError(Exception):
    """The live tests do not run; the message lists everything that is in their way."""

    def __init__(self, *problems: str) -> None:
        lines = "\n".join(f"  - {problem}" for problem in problems)
        super().__init__(f"The live tests refuse to run; nothing was called.\n{lines}")


@dataclass(frozen=True)
class Consent:
    """Where somebody agreed that the live tests deploy, at a cost."""

    dataset_group_arn: str
    account: str
    region: str
    profile: str | None

    @property
    def warning(self) -> str:
        """What is to be known before anything is called."""
        return f"""
This deploys two stacks, one after the other, to account {self.account} in {self.region},
and destroys them. IT COSTS MONEY: each trains a recommender, and while one is ACTIVE, AWS bills at
least its minimum recommendation requests per second (here 1), asked or not (CreateRecommender, API
reference). Item metadata costs extra ("Enabling metadata in recommendations", Developer Guide).
What that comes to, trainings included: https://aws.amazon.com/personalize/pricing/

It takes as long as two trainings, two updates and two deletions, which is hours, and the
credentials have to last. If it is cut off, what it leaves behind goes on costing. As each stack
begins, the command that deletes it is printed, and so is what is observed: keep what is printed,
as with `make test-live | tee live.log`, in a terminal that outlives the connection.
"""


def consent(environ: Mapping[str, str]) -> Consent:
    """Return what the environment agrees to.

    Raises:
        LiveRunRefusedError: It does not, or not plainly.
    """
    group = _dataset_group(environ.get(DATASET_GROUP, ""))
    profile = environ.get(_PROFILE)
    problems = [
        *([] if group else [_group_problem(environ.get(DATASET_GROUP))]),
        *_cost_problems(environ.get(ACCEPT_COST), group),
        *_credential_problems(profile, [key for key in _KEYS if environ.get(key)]),
        *([_ENDS] if environ.get(_SESSION) and not profile else []),
        *(
            f"{name} is set, so the calls would not go to AWS: unset it."
            for name in sorted(environ)
            if name.startswith(_ENDPOINTS)
        ),
    ]
    if group is None or problems:
        raise LiveRunRefusedError(*problems)
    return Consent(environ[DATASET_GROUP], group.account, group.region, profile)


def check_endpoint(url: str) -> None:
    """Refuse a client that a configuration file sends elsewhere than to AWS.

    Raises:
        LiveRunRefusedError: It is not an endpoint of AWS.
    """
    parts = urlsplit(url)
    if parts.scheme != "https" or not (parts.hostname or "").endswith(_DOMAINS):
        raise LiveRunRefusedError(
            f"A client would call {url}, which is not AWS: take endpoint_url out of the AWS "
            "configuration file."
        )


def check_account(agreed: Consent, actual: str) -> None:
    """Refuse credentials of another account than the one that was agreed to.

    Raises:
        LiveRunRefusedError: They are.
    """
    if actual != agreed.account:
        raise LiveRunRefusedError(
            f"The credentials are of account {actual}, {DATASET_GROUP} is of {agreed.account} "
            "(beside sts:GetCallerIdentity, that is): use credentials of that account."
        )


def metadata_column(schema: str) -> str:
    """Return a column of the Items dataset with this schema that recommendations can bring.

    One that every item has, if there is one: what is null need not be answered.

    Raises:
        LiveRunRefusedError: There is none.
    """
    fields = json.loads(schema)["fields"]
    columns = [field for field in fields if field["name"] not in _NO_METADATA]
    if columns:
        return str(min(columns, key=_may_be_null)["name"])
    names = ", ".join(field["name"] for field in fields)
    raise LiveRunRefusedError(
        f"The Items dataset has no metadata column, only {names}: use another dataset group."
    )


def _may_be_null(field: Mapping[str, object]) -> bool:
    """Return whether an Avro field is a union with null, which none is by default."""
    kind = field.get("type")
    return isinstance(kind, list) and "null" in kind


def _dataset_group(text: str) -> Arn | None:
    try:
        arn = Arn.parse(text)
    except ValueError:
        return None
    names_one = arn.service == "personalize" and arn.resource.startswith("dataset-group/")
    return arn if names_one and arn.account and arn.region else None


def _group_problem(given: str | None) -> str:
    what = f"{DATASET_GROUP} is {given!r}" if given else f"{DATASET_GROUP} is not set"
    return (
        f"{what}: give the ARN of an ACTIVE dataset group of the domain VIDEO_ON_DEMAND, with "
        "Interactions and Items."
    )


def _cost_problems(given: str | None, group: Arn | None) -> list[str]:
    if group and given == group.account:
        return []
    what = f"{ACCEPT_COST} is {given!r}" if given else f"{ACCEPT_COST} is not set"
    which = f" {group.account}" if group else ""
    return [
        f"{what}: give the account id{which} of the dataset group, which says that this account "
        "may be charged."
    ]


def _credential_problems(profile: str | None, keys: list[str]) -> list[str]:
    if profile is not None and keys:  # an empty one too: boto3 would look for it
        return [f"Both {_PROFILE} and {' and '.join(keys)} are set: give one of them only."]
    if profile or len(keys) == len(_KEYS):
        return []
    return [
        f"No credentials are given: set {_PROFILE}, or {' and '.join(_KEYS)}. Those of a default "
        "profile or of a machine's role are not used."
    ]
