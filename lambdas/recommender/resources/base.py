"""What all resource types have in common: one request, a step, attributes, a last word."""

from typing import ClassVar, Final

from ..aws.cloudformation import Stacks
from ..aws.errors import ACCESS_DENIED, PermanentError
from ..aws.personalize import Personalize
from ..decision.plan import Situation
from ..decision.verdict import Done, Fail, Verdict, Wait
from ..model.observed import Observed
from ..model.operation import Operation, RequestType
from ..model.request import Request
from ..reconcile.reconciler import Reconciler
from ..text import sentence

NOTHING_TO_DO: Final = Done("nothing to do")


class CustomResource:
    """One request to a custom resource; by itself, a type of which nothing is known."""

    changes: ClassVar[frozenset[RequestType]] = frozenset()
    """The requests of the type that may change something, and so have to pass the fence."""

    def __init__(self, request: Request) -> None:
        """Take a request.

        Raises:
            BadRequestError: it is not as it must be.
        """
        self.request = request

    def look(self, personalize: Personalize, stacks: Stacks) -> tuple[Verdict, Observed | None]:
        """Take a look, for a request that changes nothing."""
        del personalize, stacks
        return NOTHING_TO_DO, None

    def step(self, reconciler: Reconciler, situation: Situation) -> Verdict:
        """Take a step, for a request that may change something.

        Raises:
            PermanentError: a call was refused for good.
        """
        raise NotImplementedError

    def not_admitted(self, verdict: Wait | Fail) -> Verdict:
        """Return what becomes of a request of which it is not known which operation sent it."""
        return verdict

    def refused(self, error: PermanentError, operation: Operation) -> Verdict:
        """Return what becomes of a request of which a call was refused for good.

        IAM takes a while to apply the policy of what has just been created.
        """
        del operation
        if error.code in ACCESS_DENIED and self.policy_is_new:
            return Wait(str(error), grace=True)
        return Fail(str(error))

    @property
    def policy_is_new(self) -> bool:
        """Whether a policy may have been created just before this request."""
        return self.request.type is RequestType.CREATE

    def physical_id(self, verdict: Verdict) -> str:
        """Return the physical id of the answer; a Delete must not change it."""
        del verdict
        return self.request.physical_id or self.request.logical_id

    def attributes(self, verdict: Verdict, observed: Observed | None) -> dict[str, str]:
        """Return what ``Fn::GetAtt`` reads; all of it in a failure, too."""
        del verdict, observed
        return {}

    def out_of_time(self, waited: str, reason: str, operation: Operation | None) -> str:
        """Return why a request has failed whose time is up."""
        del operation
        return f"Not possible within {waited}: {sentence(reason)} Deploy again when that has ended."

    def not_waited_for(self, waited: str, refusal: str, operation: Operation | None) -> str:
        """Return why a request has failed for which no execution can be started."""
        del waited, operation
        return f"Nothing was changed. {refusal}"
