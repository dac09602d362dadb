"""An execution of the state machine: its state from poll to poll, and its start."""

import hashlib
import json
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, NamedTuple, Protocol

from ..aws.errors import PermanentError, translate_errors
from ..decision.verdict import Verdict, Wait
from ..model.operation import Operation
from ..model.timing import Timing
from ..reconcile.reconciler import Known
from .answer import sent_at

# At DEBUG, botocore logs request bodies, and the body of StartExecution has the ResponseURL.
logging.getLogger("botocore").setLevel(logging.INFO)


class Unconfirmed(NamedTuple):
    """A verdict that must show for some time to be believed, and the time it first showed."""

    verdict: str
    since: float


@dataclass(frozen=True)
class Execution:
    """A request that is begun and not answered yet; all times in epoch seconds.

    Attributes:
        event: CloudFormation's event, with the ResponseURL.
        interval: seconds between two polls.
        sent: the time CloudFormation made the request, as far as that shows.
        begun: the time a function saw it first.
        attempts: the number of attempts so far.
        operation: the operation of the stack that sent it, once that is known.
        nothing_seen: whether no attempt has seen any change made just before.
        unconfirmed: the verdict that ends the request, if it shows for long enough.
        known: the knowledge of the attempts.
        answer: the answer, once it is decided: from then on it is only delivered.
        seconds: seconds to wait before the next poll.
        ended: whether the execution ends.
    """

    event: Mapping[str, Any]
    interval: float
    sent: float
    begun: float
    attempts: int = 0
    operation: Operation | None = None
    nothing_seen: bool = True
    unconfirmed: Unconfirmed | None = None
    known: Known = field(default_factory=Known)
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
        """Its name: the same for the same request, and for no other.

        A RequestId may come again in a later operation (aws-cdk issue 35957); its ResponseURL has
        another signature then. The hash gives neither away.
        """
        identity = f"{self.event.get('RequestId')}\n{self.event['ResponseURL']}"
        return hashlib.sha256(identity.encode()).hexdigest()

    @property
    def share(self) -> float:
        """The share of the interval until the next poll; a hash spreads the first polls."""
        return 1.0 if self.attempts else (int(self.name[:8], 16) + 1) / 2**32

    def timing(self, now: float, wait_seconds: float) -> Timing:
        """Return its timing now."""
        return Timing(self.sent, self.begun, now, wait_seconds)

    def confirming(self, verdict: Verdict, now: float) -> Unconfirmed | None:
        """Return the verdict as unconfirmed, or None if it needs no confirmation, or has it.

        A wait needs none. If another verdict shows in between, the time starts again.
        """
        if isinstance(verdict, Wait) or not verdict.confirm:
            return None
        shown = f"{type(verdict).__name__} {verdict.confirm:.0f}"
        known = self.unconfirmed
        since = known.since if known and known.verdict == shown else now
        return Unconfirmed(shown, since) if now - since < verdict.confirm else None

    def answered(self, answer: Mapping[str, Any]) -> "Execution":
        """Return it with the answer to deliver."""
        return replace(self, answer=answer, seconds=0)

    def to_json(self) -> dict[str, Any]:
        """Convert it to JSON's types, and no others; ``from_json`` reads it back.

        The names are those of version 0.1.0, since an execution may outlive an upgrade.

        Lambda's runtime would make an object of a named tuple (``lambda_runtime_marshaller.py`` of
        github.com/aws/aws-lambda-python-runtime-interface-client).
        """
        operation, known = self.operation, self.known
        return {
            "Event": dict(self.event),
            "Interval": self.interval,
            "Sent": self.sent,
            "Begun": self.begun,
            "Looks": self.attempts,
            "Operation": [operation.status, operation.last_updated] if operation else None,
            "NothingSeen": self.nothing_seen,
            "Doubted": list(self.unconfirmed) if self.unconfirmed else None,
            "InForce": dict(known.effective),
            "TagsRead": sorted(known.tags_read),
            "UpdatedAfter": known.updated_after,
            "Answer": self.answer,
            "Seconds": self.seconds,
            "Ended": self.ended,
        }

    @classmethod
    def from_json(cls, state: Mapping[str, Any]) -> "Execution":
        """Read it; version 0.1.0 may have written it."""
        return cls(
            event=state["Event"],
            interval=state["Interval"],
            sent=state["Sent"],
            begun=state["Begun"],
            attempts=state["Looks"],
            operation=Operation(*state["Operation"]) if state["Operation"] else None,
            nothing_seen=state["NothingSeen"],
            unconfirmed=Unconfirmed(*state["Doubted"]) if state["Doubted"] else None,
            known=Known(
                effective=state["InForce"],
                tags_read=frozenset(state.get("TagsRead", ())),
                updated_after=state.get("UpdatedAfter"),
            ),
            answer=state["Answer"],
            seconds=state["Seconds"],
            ended=state["Ended"],
        )


class StepFunctionsApi(Protocol):
    """The operations that this module calls, as boto3 names them."""

    def start_execution(self, *, stateMachineArn: str, name: str, input: str) -> Any:  # noqa: N803, A002
        """StartExecution."""


@dataclass(frozen=True)
class StateMachine:
    """The stack's state machine; each request gets one execution."""

    pauses: ClassVar = (5.0, 10.0, 20.0, 40.0, 80.0, 80.0)
    """Seconds between tries to start an execution. In sum they are minutes: IAM takes a while to
    apply a new role's policy, and a request without an execution can only fail."""

    api: StepFunctionsApi
    arn: str
    pause: Callable[[float], None] = time.sleep

    def start(self, execution: Execution) -> bool:
        """Start the execution of a request; return False if it was started before.

        Raises:
            Exception: it could not be started.
        """
        try:
            with translate_errors("StartExecution"):
                self.api.start_execution(
                    stateMachineArn=self.arn,
                    name=execution.name,
                    input=json.dumps(execution.to_json()),
                )
        except PermanentError as error:
            if error.code == "ExecutionAlreadyExists":
                return False
            raise
        return True
