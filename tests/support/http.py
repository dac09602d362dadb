"""HTTP servers on the loopback interface."""

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import MappingProxyType
from typing import Final

_NONE: Final[Mapping[str, str]] = MappingProxyType({})


class Request(BaseHTTPRequestHandler):
    """A request, with a whole body, which can be responded to with a whole body."""

    def body(self) -> bytes:
        """Read the body."""
        return self.rfile.read(int(self.headers["Content-Length"]))

    def respond(self, status: int, body: bytes = b"", headers: Mapping[str, str] = _NONE) -> None:
        """Send a whole response."""
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Log nothing."""


class _Server(ThreadingHTTPServer):
    """Says nothing of clients that have gone."""

    def handle_error(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def serving(respond: Callable[[Request], None]) -> Iterator[str]:
    """Respond to each GET, POST and PUT on the loopback interface, and give the endpoint."""
    methods = dict.fromkeys(("do_GET", "do_POST", "do_PUT"), respond)
    with _Server(("127.0.0.1", 0), type("Handler", (Request,), methods)) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()
