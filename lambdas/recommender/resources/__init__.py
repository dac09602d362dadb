"""The resource types, and the class for each request.

The chain, as created: sweeps, the recommender, training gates; then the stop if the recommender is
kept stopped, or the hours if it has some.
"""

from collections.abc import Mapping
from typing import Final

from .. import vocabulary as v
from ..model.operation import RequestType
from ..model.request import Request
from .base import CustomResource
from .deletion import RecommenderDeletion, Sweep
from .recommender import Recommender
from .running_state import Hours, Stop
from .training_gate import TrainingGate


def custom_resource_for(request: Request) -> CustomResource | None:
    """Return the attempt at a request, or None if there is nothing to do for it.

    Raises:
        BadRequestError: the request is malformed.
    """
    classes = _OF_DELETES if request.type is RequestType.DELETE else _OF_OTHER_REQUESTS
    chosen = classes.get(request.resource_type)
    return chosen(request) if chosen else None


_OF_DELETES: Final[Mapping[str, type[CustomResource]]] = {
    v.RECOMMENDER_TYPE: RecommenderDeletion,
    v.SWEEP_TYPE: Sweep,
}
_OF_OTHER_REQUESTS: Final[Mapping[str, type[CustomResource]]] = {
    v.RECOMMENDER_TYPE: Recommender,
    v.TRAINING_GATE_TYPE: TrainingGate,
    v.STOP_TYPE: Stop,
    v.HOURS_TYPE: Hours,
}
