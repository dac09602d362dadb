"""Which class answers for a request.

Chain, as created: sweeps, the recommender, training gates; then the stop where it is kept stopped,
or the hours where it has some.
"""

from .. import vocabulary as v
from ..model.operation import RequestType
from ..model.request import Request
from .base import CustomResource
from .deletion import RecommenderDeletion, Sweep
from .recommender import Hours, Recommender, Stop
from .training_gate import TrainingGate


def custom_resource_for(request: Request) -> CustomResource:
    """Return the resource that a request is to.

    Raises:
        BadRequestError: the request is not as it must be.
    """
    match request.resource_type, request.type:
        case v.RECOMMENDER_TYPE, RequestType.DELETE:
            return RecommenderDeletion(request)
        case v.RECOMMENDER_TYPE, _:
            return Recommender(request)
        case v.SWEEP_TYPE, _:
            return Sweep(request)
        case v.TRAINING_GATE_TYPE, _:
            return TrainingGate(request)
        case v.STOP_TYPE, _:
            return Stop(request)
        case v.HOURS_TYPE, _:
            return Hours(request)
        case _:
            return CustomResource(request)
