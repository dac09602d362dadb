"""The state machine that waits: what its executions carry, and how one is started."""

import hashlib
import json
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, NamedTuple, Protocol

from ..aws.errors import PermanentError, translate_errors
from ..model.operation import Operation
from ..model.timing import Timing
from .answer import sent_at

# At DEBUG, botocore logs the bodies of requests, and that of StartExecution has the ResponseURL.
logging.getLogger("botocore").setLevel(logging.INFO)

_PAUSES: Final = (5.0, 10.0, 20.0, 40.0, 80.0, 80.0)
"""Seconds between attempts to start an execution."""


class Unconfirmed(NamedTuple):
    """A verdict that may rest on a look that was stale, and since when it has shown."""

    verdict: str
    since: float


@dataclass(frozen=True)
class Execution:
    """A request that is begun and not answered yet; all times in epoch seconds.

    Attributes:
        event: CloudFormation's event, with the ResponseURL.
        interval: seconds between two looks.
        sent: when CloudFormation made the request, as far as that shows.
        begun: when a function saw it first.
        looks: how many there have been.
        operation: the operation of the stack that sent it, once that is known.
        nothing_seen: whether nothing has shown in any look of what was changed just before.
        doubted: what would end the request, if it still shows when it is to be believed.
        in_force: by ARN, a configuration that does not show, but is known to be in force.
        tags_read: the ARNs whose tags have been read.
        updated_after: if an update of this request was accepted, it is newer than this (the
            service's clock).
        answer: the answer, once it is decided: from then on it is only delivered.
        seconds: how long to wait before the next look.
        ended: whether the execution ends.
    """

    event: Mapping[str, Any]
    interval: float
    sent: float
    begun: float
    looks: int = 0
    operation: Operation | None = None
    nothing_seen: bool = True
    unconfirmed: Unconfirmed | None = None
    in_force: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    tags_read: frozenset[str] = frozenset()
    updated_after: float | None = None
    answer: Mapping[str, Any] | None = None
    seconds: int = 0
    ended: bool = False

    @classmethod
    def begin(cls, event: Mapping[str, Any], *, now: float, interval: float) -> "Execution":
        """Begin a request."""
        sent = sent_at(event["ResponseURL"])
        return cls(event, interval, sent=now if sent is None else min(sent, now), begun=now)

    @property
    def name(self) -> str:
        """The name of its execution: the same for the same request, and for no other.

        A RequestId may come again in a later operation (aws-cdk issue 35957); its ResponseURL,
        which is signed anew, does not. The hash gives neither away.
        """
        identity = f"{self.event.get('RequestId')}\n{self.event['ResponseURL']}"
        return hashlib.sha256(identity.encode()).hexdigest()

    @property
    def share(self) -> float:
        """A share of the interval, above 0, that spreads the looks of many requests."""
        return (int(self.name[:8], 16) + 1) / 2**32

    def timing(self, now: float, wait_seconds: float) -> Timing:
        """Return its time, as it is now."""
        return Timing(self.sent, self.begun, now, wait_seconds)

    def looked(self, **changes: Any) -> "Execution":
        """Return it after one more look."""
        return replace(self, looks=self.looks + 1, **changes)

    def answered(self, answer: Mapping[str, Any]) -> "Execution":
        """Return it with the answer that is to be delivered."""
        return replace(self, answer=answer, seconds=0)

    def doubt(self, verdict: str, now: float) -> Unconfirmed:
        """Return since when such a verdict has shown: another one in between begins anew."""
        known = self.unconfirmed
        return known if known and known.verdict == verdict else Unconfirmed(verdict, now)

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON's types, and no others; ``from_json`` reads it back.

        Lambda's runtime would make an object of a named tuple (``lambda_runtime_marshaller.py`` of
        github.com/aws/aws-lambda-python-runtime-interface-client).
        """
        operation = self.operation
        return {
            "Event": dict(self.event),
            "Interval": self.interval,
            "Sent": self.sent,
            "Begun": self.begun,
            "Looks": self.looks,
            "Operation": [operation.status, operation.last_updated] if operation else None,
            "NothingSeen": self.nothing_seen,
            "Doubted": list(self.unconfirmed) if self.unconfirmed else None,
            "InForce": dict(self.in_force),
            "TagsRead": sorted(self.tags_read),
            "UpdatedAfter": self.updated_after,
            "Answer": self.answer,
            "Seconds": self.seconds,
            "Ended": self.ended,
        }

    @classmethod
    def from_json(cls, state: Mapping[str, Any]) -> "Execution":
        """Read it; the version that has written it may have been 0.1.0."""
        return cls(
            event=state["Event"],
            interval=state["Interval"],
            sent=state["Sent"],
            begun=state["Begun"],
            looks=state["Looks"],
            operation=Operation(*state["Operation"]) if state["Operation"] else None,
            nothing_seen=state["NothingSeen"],
            unconfirmed=Unconfirmed(*state["Doubted"]) if state["Doubted"] else None,
            in_force=state["InForce"],
            tags_read=frozenset(state.get("TagsRead", ())),
            updated_after=state.get("UpdatedAfter"),
            answer=state["Answer"],
            seconds=state["Seconds"],
            ended=state["Ended"],
        )


class StepFunctionsApi(Protocol):
    """The operations that are used, as boto3 names them."""

    def start_execution(self, *, stateMachineArn: str, name: str, input: str) -> Any:  # noqa: N803, A002
        """StartExecution."""


class StateMachine:
    """The state machine of the stack."""

    def __init__(
        self,
        api: StepFunctionsApi,
        state_machine_arn: str,
        *,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._api = api
        self._state_machine_arn = state_machine_arn
        self._pause = pause

    def start(self, waiting: Execution) -> bool:
        """Start the execution of a request, and return whether that was the first time.

        It is tried for some minutes: IAM takes a while to apply the policy of a new role, and
        whoever cannot start it can only fail.

        Raises:
            Exception: it could not be started.
        """
        for pause in _PAUSES:
            try:
                return self._start(waiting)
            except Exception:
                self._pause(pause)
        return self._start(waiting)

    def _start(self, waiting: Execution) -> bool:
        try:
            with translate_errors("StartExecution"):
                self._api.start_execution(
                    stateMachineArn=self._state_machine_arn,
                    name=waiting.name,
                    input=json.dumps(waiting.to_json()),
                )
        except PermanentError as error:
            if error.code == "ExecutionAlreadyExists":
                return False
            raise
        return True
