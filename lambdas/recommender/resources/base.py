"""The base of all resource types."""

from typing import ClassVar

from ..aws.errors import ACCESS_DENIED, PermanentError
from ..decision.verdict import Fail, Verdict
from ..model.operation import RequestType
from ..model.request import Request
from ..reconcile.reconciler import Reconciler
from ..text import duration, sentence


class CustomResource:
    """A request to a custom resource; each attempt takes its next step.

    Attributes:
        is_fenced: whether its requests may change something, and so must pass the fence.
        request: the request.
        owner: the owner of its recommenders.
    """

    is_fenced: ClassVar[bool] = True

    def __init__(self, request: Request) -> None:
        """Take a request.

        Raises:
            BadRequestError: it is malformed.
        """
        request.check()
        self.request = request
        self.owner = request.owner

    def attempt(self, reconciler: Reconciler) -> Verdict:
        """Take the next step towards the state that the request desires.

        Raises:
            PermanentError: AWS refused a call for good.
        """
        raise NotImplementedError

    def refused(self, error: PermanentError) -> Verdict:
        """Return the verdict after AWS has refused a call for good.

        IAM takes a while to apply a new policy.
        """
        is_new = error.code in ACCESS_DENIED and self.policy_is_new
        return Fail(str(error), confirm=self.request.grace if is_new else 0.0)

    def out_of_time(self, reason: str, waited: float) -> str:
        """Explain the failure of a request that has waited so many seconds."""
        return (
            f"Not possible within {duration(waited)}: {sentence(reason)} Deploy again when that "
            "has ended."
        )

    @property
    def hands_over(self) -> bool:
        """Whether the next link of the chain takes any wait over when this request's time is up."""
        return False

    @property
    def policy_is_new(self) -> bool:
        """Whether a policy may have been created just before this request."""
        return self.request.type is RequestType.CREATE

    @property
    def physical_id(self) -> str:
        """The physical id of the answer, unless the request fails; a Delete must not change it."""
        return self.request.physical_id or self.request.logical_id

    @property
    def attributes(self) -> dict[str, str]:
        """The values for ``Fn::GetAtt`` after this attempt; a failure has all of them too."""
        return {}
