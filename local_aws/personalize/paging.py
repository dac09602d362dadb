"""Pages of the list operations of the simulated Amazon Personalize.

This is a SIMULATION. AWS's tokens are opaque; these name the last row of the page before, so a row
that comes or goes between two pages makes none be skipped or repeated.
"""

import base64
from collections.abc import Mapping
from typing import Any

from local_aws.personalize.errors import ServiceError


def page(
    member: str, rows: Mapping[str, dict[str, Any]], params: Mapping[str, Any], *, most: int
) -> dict[str, Any]:
    """Return a response of at most `most` or `maxResults` rows, ordered by their keys.

    Raises:
        ServiceError: InvalidNextTokenException for a token that is not from a page of `member`.
    """
    limit = min(params.get("maxResults", most), most)
    after = _read(member, params["nextToken"]) if "nextToken" in params else ""
    keys = sorted(key for key in rows if key > after)
    response: dict[str, Any] = {member: [rows[key] for key in keys[:limit]]}
    if len(keys) > limit:
        response["nextToken"] = _token(member, keys[limit - 1])
    return response


def _token(member: str, key: str) -> str:
    return base64.urlsafe_b64encode(f"{member} {key}".encode()).decode()


def _read(member: str, token: str) -> str:
    try:
        kind, _, key = base64.urlsafe_b64decode(token).decode().partition(" ")
    except ValueError:
        kind = key = ""
    if kind != member:
        raise ServiceError("InvalidNextTokenException", "The token is not valid.")
    return key
