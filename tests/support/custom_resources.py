"""What CloudFormation knows of resources and of its requests to them."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any, Final

from local_aws.personalize.service import Call
from tests.support.serverless import Event

if TYPE_CHECKING:
    from tests.support.stack import Stack
    from tests.support.synthesis import Deployable

CANARY: Final = "canary-of-the-response-url"
"""Part of every ResponseURL, which nobody may log."""

_MAX_ANSWER_BYTES: Final = 4096
_UNREADABLE: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
"""What XML cannot have (cloudformation-coverage-roadmap issue 1601)."""
_MAX_ID_BYTES: Final = 1024


class Rollback(Enum):
    """What CloudFormation sends for a replaced resource whose update is rolled back.

    AWS does not document it (docs/internals/reliability.md, G11 and RP6).
    """

    REVERSED_THEN_DELETE = "an Update with the new id and the old properties, then Delete(new)"
    DELETE_ONLY = "Delete(new)"
    REVERSED_WITH_OLD_ID = "an Update with the old id and the old properties"


@dataclass(frozen=True)
class Outcome:
    """How a request ended, as CloudFormation sees it."""

    status: str
    reason: str = ""
    physical_id: str | None = None
    data: Mapping[str, Any] = field(default_factory=dict)

    @property
    def succeeded(self) -> bool:
        """Whether the answer was SUCCESS."""
        return self.status == "SUCCESS"


@dataclass(eq=False)
class SentRequest:
    """One request to a custom resource."""

    stack: "Stack"
    event: Event
    phase: int
    sent: float = 0.0
    outcome: Outcome | None = None
    answers: list[bytes] = field(default_factory=list)
    """All that were put to its ResponseURL; the first one counts, if it came in time."""

    @property
    def type(self) -> str:
        """Create, Update or Delete."""
        return str(self.event["RequestType"])

    @property
    def logical_id(self) -> str:
        """The logical id of its resource."""
        return str(self.event["LogicalResourceId"])

    @property
    def is_newest(self) -> bool:
        """Whether the operation that sent it is still under way."""
        return self.phase == self.stack.phase

    def respond(self, body: bytes) -> None:
        """Take an answer."""
        self.answers.append(body)
        if self.outcome is None:
            self.outcome = self._judged(body)

    def end(self, status: str, reason: str) -> None:
        """End it without an answer, if none has come; later ones are ignored."""
        if self.outcome is None:
            self.outcome = Outcome(status, reason)

    def _judged(self, body: bytes) -> Outcome:
        answer = json.loads(body)
        physical_id, data = answer.get("PhysicalResourceId"), answer.get("Data") or {}
        echoed = [answer[key] for key in ("StackId", "RequestId", "LogicalResourceId")]
        if len(body) > _MAX_ANSWER_BYTES:
            return Outcome("FAILED", "Response object is too long.")
        if echoed != [self.event[key] for key in ("StackId", "RequestId", "LogicalResourceId")]:
            return Outcome("FAILED", "Invalid response object")
        if not physical_id or len(physical_id.encode()) > _MAX_ID_BYTES:
            return Outcome("FAILED", "Invalid PhysicalResourceId")
        if answer["Status"] != "SUCCESS":
            assert not _UNREADABLE.search(answer["Reason"]), "nobody can read the events any more"
            reason = (
                "Received response status [FAILED] from custom resource. Message returned: "
                f"{answer['Reason']} (RequestId: {self.event['RequestId']})"
            )
            return Outcome("FAILED", reason, physical_id, data)
        return Outcome("SUCCESS", "", physical_id, data)


@dataclass(frozen=True)
class StackResource:
    """A resource of a stack, as CloudFormation remembers it."""

    logical_id: str
    type: str
    properties: Mapping[str, Any]
    definition: Mapping[str, Any]
    physical_id: str | None = None
    attributes: Mapping[str, Any] = field(default_factory=dict)
    status: str = ""

    @property
    def is_custom(self) -> bool:
        """Whether a Lambda function answers for it."""
        return self.type.startswith("Custom::")


@dataclass(frozen=True)
class StackEvent:
    """A line of what `cdk deploy` shows."""

    time: float
    logical_id: str
    status: str
    reason: str
    physical_id: str | None


@dataclass(frozen=True)
class Invocation:
    """What runs now."""

    function: str
    """`begin` or `poll`."""
    request: SentRequest


class Watcher:
    """Watches a cloud; does nothing by itself."""

    def begins(self, stack: "Stack", template: "Deployable | None") -> None:
        """Note an operation that is about to begin; one without a template is a deletion."""

    def called(self, invocation: Invocation, operation: str, params: Mapping[str, Any]) -> None:
        """Note a call to AWS before it is made."""

    def observed(self, stack: "Stack", calls: Sequence[Call]) -> None:
        """Note the calls to Personalize that the observer of a stack has made in one run."""

    def invoked(self, invocation: Invocation) -> None:
        """Note an invocation that has ended."""

    def ended(self, stack: "Stack") -> None:
        """Note an operation that has ended."""
