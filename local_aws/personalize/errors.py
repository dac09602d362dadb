"""The error that every part of the simulated Amazon Personalize raises, and its usual forms.

This is a SIMULATION. `Another resource ...`, `The given ... does not exist` and `... is in PENDING
or IN_PROGRESS status` were seen (retail-demo-store issue 219; amazon-personalize-immersion-day;
repost.aws question QU94kd8uwFTZie-RTHRtrsEw), the last of them for a deletion only.
"""


class ServiceError(Exception):
    """An error response of the service, as a client would receive it.

    Attributes:
        code: The AWS error code, for example `ResourceInUseException`.
        message: The text with it.
        http_status: 400 for every error that the service's model declares.
    """

    def __init__(self, code: str, message: str, http_status: int = 400) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.http_status = http_status


def already_exists(arn: str) -> ServiceError:
    """Return the error for a name that is taken."""
    return ServiceError(
        "ResourceAlreadyExistsException", f"Another resource with Arn {arn} already exists."
    )


def not_found(thing: str, arn: str) -> ServiceError:
    """Return the error for something, for example a `dataset group`, that is not there."""
    return ServiceError("ResourceNotFoundException", f"The given {thing} does not exist: {arn}")


def in_use(arn: str) -> ServiceError:
    """Return the error for a recommender that is in transition."""
    return ServiceError(
        "ResourceInUseException", f"recommender is in PENDING or IN_PROGRESS status: {arn}"
    )


def invalid(message: str) -> ServiceError:
    """Return the error for an input that the service does not take."""
    return ServiceError("InvalidInputException", message)
