"""A simulated Amazon Personalize: documented and observed behaviour, not AWS.

`Personalize` is the service in memory, `Behaviour` has its adjustable fields, and
`local_aws.personalize.wire` its HTTP protocol.
"""

from local_aws.personalize.behaviour import Behaviour
from local_aws.personalize.errors import ServiceError
from local_aws.personalize.service import Authorizer, Call, Personalize

__all__ = ["Authorizer", "Behaviour", "Call", "Personalize", "ServiceError"]
