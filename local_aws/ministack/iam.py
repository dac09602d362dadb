"""Identify and authorize the caller by ministack's IAM, where ministack does not do so itself.

With `AUTH=true`, ministack resolves the access key of every request to a principal and its
policies, verifies the signature and evaluates. It does that for requests to its own services. For
the simulated Personalize, this module repeats the steps of `app` and `_enforce_data_plane` for
ministack's own services (ministack/app.py).
"""

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import parse_qs

from hypercorn.typing import HTTPScope
from ministack.core import (  # type: ignore[import-untyped]
    iam_actions,
    iam_evaluator,
    lambda_runtime,
    responses,
    router,
)
from ministack.services import cloudwatch_logs, iam, lambda_svc  # type: ignore[import-untyped]

from local_aws.personalize.errors import ServiceError

_SERVICE: Final = "personalize"

RawHeaders = Iterable[tuple[bytes, bytes]]
"""The headers of a request as ASGI has them."""
Response = tuple[int, Mapping[str, str], bytes]
"""Status, headers and body."""


class RefusedError(Exception):
    """The request is not authentic.

    Attributes:
        response: The answer that AWS would give: status, headers, body.
    """

    def __init__(self, response: Response) -> None:
        super().__init__(response[0])
        self.response = response


@dataclass(frozen=True, kw_only=True)
class Caller:
    """An authenticated principal, valid within the asyncio task of its request."""

    access_key: str
    account: str
    region: str
    arn: str

    def authorize(
        self, action: str, resource_arn: str, condition_context: Mapping[str, Any] | None = None
    ) -> None:
        """Let the action pass if the principal's policies allow it.

        Args:
            action: With the service's prefix: `personalize:CreateRecommender`.
            resource_arn: The resource that the action changes or reads.
            condition_context: Condition keys besides the global ones, such as `aws:RequestTag/x`.

        Raises:
            ServiceError: AccessDeniedException, in AWS's words.
        """
        denial = iam_evaluator.enforce(
            self.access_key,
            action,
            _SERVICE,
            self.region,
            resource_arn=resource_arn,
            service_context=dict(condition_context or {}),
        )
        if denial is None:
            return
        raise ServiceError(
            "AccessDeniedException",
            iam_actions.identity_denial_message(
                action, self.arn, resource_arn, denial.decision == "Deny"
            ),
        )


def authenticate(scope: HTTPScope, body: bytes) -> Caller:
    """Return who signed a request.

    As everywhere in ministack, an access key of 12 digits is the root of that account and its
    signature is not verified; that of any other key is.

    Args:
        scope: The request, as ASGI has it; every part of it may be signed.
        body: Its whole body.

    Raises:
        RefusedError: The key is unknown, inactive or expired, or the signature is wrong.
    """
    headers = joined(scope["headers"])
    query = parse_qs(scope["query_string"].decode("latin-1"), keep_blank_values=True)
    access_key: str = router.extract_access_key_id(headers, query)
    try:
        owner = iam_evaluator.find_iam_access_key_account(access_key)
    except iam_evaluator.AmbiguousAccessKeyError:
        raise _refused("InvalidClientTokenId", "The access key is not unique.", headers) from None
    region: str = router.extract_region(headers, query)
    responses.set_request_account_id(owner or access_key)
    responses.set_request_region(region)
    client, _ = scope["client"] or ("", 0)
    iam_evaluator.pin_request_origin(client, headers.get("x-forwarded-proto") == "https")
    iam_evaluator.pin_signed_request(
        scope["method"], scope["raw_path"].decode("latin-1"), query, scope["headers"]
    )
    iam_evaluator.pin_signed_body(body)
    if failure := iam_evaluator.check_credentials(access_key, _SERVICE):
        raise _refused(failure.code, failure.message, headers)
    return Caller(
        access_key=access_key,
        account=responses.get_account_id(),
        region=region,
        arn=iam_evaluator.request_caller_arn(headers, query),
    )


def name_roles_in_conditions() -> None:
    """Let `aws:PrincipalArn` be the ARN of the role that was assumed, path included, as on AWS.

    ministack says the ARN of the session.
    """
    value_of = iam_evaluator._resolve_condition_key

    def value_as_on_aws(key: str, ctx: Any) -> Any:
        value = value_of(key, ctx)
        return _role_of_session(value) if key.lower() == "aws:principalarn" else value

    iam_evaluator._resolve_condition_key = value_as_on_aws


def _role_of_session(arn: str) -> str:
    _, _, _, _, account, resource = arn.split(":", 5)
    kind, _, session = resource.partition("/")
    if kind != "assumed-role":
        return arn
    role = iam._roles.get_scoped(account, None, session.partition("/")[0])
    return str(role["Arn"]) if role else arn


def guard_function_logs() -> None:
    """Let functions write only those logs that their roles may write, as on AWS.

    ministack writes them without asking. So it brings back the log group that a stack has deleted,
    when the last function of the stack ends after that, although its role may not create one.
    """
    write = lambda_svc._emit_lambda_logs

    def write_if_allowed(function: dict[str, Any], *arguments: Any, **named: Any) -> None:
        if _may_log(function.get("config") or function):
            write(function, *arguments, **named)

    lambda_svc._emit_lambda_logs = write_if_allowed


def _may_log(config: Mapping[str, Any]) -> bool:
    group = (config.get("LoggingConfig") or {}).get(
        "LogGroup", f"/aws/lambda/{config['FunctionName']}"
    )
    region = config["FunctionArn"].split(":")[3]
    arn = f"arn:aws:logs:{region}:{responses.get_account_id()}:log-group:{group}"
    needed = {"logs:CreateLogStream": arn + ":*", "logs:PutLogEvents": arn + ":log-stream:*"}
    if group not in cloudwatch_logs._log_groups:
        needed["logs:CreateLogGroup"] = arn
    access_key = lambda_runtime.execution_credentials(config)["AWS_ACCESS_KEY_ID"]
    return not any(
        iam_evaluator.enforce(access_key, action, "logs", region, resource_arn=resource)
        for action, resource in needed.items()
    )


def joined(headers: RawHeaders) -> dict[str, str]:
    """Return headers by name in lower case."""
    return {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in headers}


def _refused(code: str, message: str, headers: Mapping[str, str]) -> RefusedError:
    return RefusedError(
        iam_actions.access_denied_response(
            _SERVICE, "", "", str(uuid.uuid4()), error_code=code, message=message, headers=headers
        )
    )
