"""The resource types, and the class for each request.

The chain, as created: sweeps, the recommender, training gates; then the stop if the recommender is
kept stopped, or the hours if it has some.
"""

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
    match request.resource_type, request.type:
        case v.RECOMMENDER_TYPE, RequestType.DELETE:
            return RecommenderDeletion(request)
        case v.SWEEP_TYPE, RequestType.DELETE:
            return Sweep(request)
        case _, RequestType.DELETE:
            return None
        case v.RECOMMENDER_TYPE, _:
            return Recommender(request)
        case v.TRAINING_GATE_TYPE, _:
            return TrainingGate(request)
        case v.STOP_TYPE, _:
            return Stop(request)
        case v.HOURS_TYPE, _:
            return Hours(request)
        case _:
            return None
