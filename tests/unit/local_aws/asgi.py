"""A request as hypercorn gives it to the local AWS."""

from collections.abc import Mapping

from hypercorn.typing import ConnectionState, HTTPScope


def http_scope(headers: Mapping[str, str], path: str = "/") -> HTTPScope:
    """Return a POST to a path, without a query."""
    return {
        "type": "http",
        "asgi": {"spec_version": "2.3", "version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": path,
        "raw_path": b"/",
        "query_string": b"",
        "root_path": "",
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
        "client": ("127.0.0.1", 40000),
        "server": ("127.0.0.1", 4566),
        "state": ConnectionState({}),
        "extensions": {},
    }


def signed(access_key: str, region: str, date: str = "20260101") -> str:
    """Return the Authorization of a call of Personalize."""
    scope = f"{access_key}/{date}/{region}/personalize/aws4_request"
    return f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0123"
