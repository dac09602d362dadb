"""What cannot be read now is never taken for what is not there."""

from typing import Any

from lambdas.recommender.errors import TransientError
from lambdas.recommender.events import Request
from lambdas.recommender.lifecycle import Done, Wait
from lambdas.recommender.reconcile import Reconciler
from lambdas.recommender.stack import Operation

STACK = "arn:aws:cloudformation:eu-west-1:111111111111:stack/TopPicks/1"
SWEEP = {
    "RequestType": "Delete",
    "ResourceType": "Custom::RecommenderSweep",
    "RequestId": "r-1",
    "StackId": STACK,
    "LogicalResourceId": "Sweep01",
    "ResourceProperties": {"NamePrefix": "TopPicks", "RecommenderLogicalId": "Recommender"},
}


class Listing:
    """A service that can, or cannot, say what there is."""

    def __init__(self, *names: str, fails: bool = False) -> None:
        self._names = names
        self._fails = fails

    def names(self) -> list[str]:
        if self._fails:
            raise TransientError("ListRecommenders: ThrottlingException: Rate exceeded")
        return list(self._names)


def sweep(service: Any) -> object:
    no_stacks: Any = None
    operation = Operation("DELETE_IN_PROGRESS", "")
    return Reconciler(service, no_stacks, Request.parse(SWEEP), operation, None).sweep()


def test_a_list_that_does_not_come_is_waited_for() -> None:
    assert sweep(Listing(fails=True)) == Wait(
        "ListRecommenders: ThrottlingException: Rate exceeded"
    )


def test_names_that_cannot_be_ours_are_not_even_looked_at() -> None:
    assert sweep(Listing("somebody-elses", "TopPicks-eu-0123456789abcdef")) == Done(
        "nothing else is owned"
    )
