"""A headless Chromium, driven by its own debugging protocol over a pipe.

Source: chromedevtools.github.io/devtools-protocol, and Chromium's `--remote-debugging-pipe`: it
reads requests from file descriptor 3 and writes answers and events to 4, each ended by a zero byte.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, Final, Self

CHROMIUM: Final = Path(os.environ.get("CHROMIUM", "/usr/bin/chromium"))
"""Where it is: by default, where Debian's package has it."""
_OPTIONS: Final = (
    "--headless",
    "--no-sandbox",  # which does not work for root, as which tests may run
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--remote-debugging-pipe",
)
_KEYS: Final = {"Tab": 9, "Enter": 13}


class Browser:
    """A browser with one page; what the page asks for and complains about is noted.

    Attributes:
        requests: The URLs of all requests since the page was opened.
        complaints: What the console shows of warnings and errors since then.
    """

    def __init__(self, profile: Path) -> None:
        self.requests: list[str] = []
        self.complaints: list[str] = []
        self._events: list[str] = []
        self._number = 0
        self._received = b""
        to_read, self._to = os.pipe()
        self._from, to_write = os.pipe()
        launch = (
            f"import os, sys; os.dup2({to_read}, 3); os.dup2({to_write}, 4); "
            "os.execv(sys.argv[1], sys.argv[1:])"
        )
        command = [
            sys.executable,
            "-c",
            launch,
            str(CHROMIUM),
            *_OPTIONS,
            f"--user-data-dir={profile}",
        ]
        self._process = subprocess.Popen(
            command, pass_fds=(to_read, to_write), stderr=subprocess.DEVNULL
        )
        os.close(to_read)
        os.close(to_write)
        self._session: str | None = None
        target = self._call("Target.createTarget", url="about:blank")["targetId"]
        attached = self._call("Target.attachToTarget", targetId=target, flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Page", "Network", "Log", "Runtime"):
            self._call(f"{domain}.enable")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()
        os.close(self._to)
        os.close(self._from)

    def open(self, url: str) -> None:
        """Go to a page, and wait until it is loaded."""
        for noted in (self.requests, self.complaints, self._events):
            noted.clear()
        self._call("Page.navigate", url=url)
        self.wait_for_load()

    def wait_for_load(self) -> None:
        """Wait until a page that something has led to is loaded."""
        while "Page.loadEventFired" not in self._events:
            self._receive()
        self._events.clear()

    def resize(self, width: int) -> None:
        """Show the page as on a screen that is so many CSS pixels wide."""
        screen = {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": False}
        self._call("Emulation.setDeviceMetricsOverride", **screen)

    def evaluate(self, expression: str) -> Any:
        """Return the value of a JavaScript expression in the page."""
        answer = self._call("Runtime.evaluate", expression=expression, returnByValue=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def cut_off(self, elements: str) -> Any:
        """Return the texts of elements (CSS selectors) that are not within the window's width."""
        within = "box.left >= 0 && box.right <= window.innerWidth"
        outside = f"!(box => {within})(one.getBoundingClientRect())"
        selected = f"[...document.querySelectorAll('{elements}')]"
        return self.evaluate(f"{selected}.filter(one => {outside}).map(one => one.textContent)")

    def text(self) -> str:
        """Return what of the page can be read."""
        return str(self.evaluate("document.body.innerText"))

    def press(self, key: str) -> None:
        """Press a key: Tab or Enter."""
        code = {"key": key, "code": key, "windowsVirtualKeyCode": _KEYS[key]}
        typed = {"text": "\r"} if key == "Enter" else {}
        self._call("Input.dispatchKeyEvent", type="keyDown", **code, **typed)
        self._call("Input.dispatchKeyEvent", type="keyUp", **code)

    def type(self, text: str) -> None:
        """Type a text."""
        self._call("Input.insertText", text=text)

    def _call(self, method: str, **params: Any) -> Any:
        self._number += 1
        session = {"sessionId": self._session} if self._session else {}
        request = {"id": self._number, "method": method, "params": params, **session}
        os.write(self._to, json.dumps(request).encode() + b"\0")
        while True:
            message = self._receive()
            if message.get("id") == self._number:
                assert "error" not in message, message
                return message["result"]

    def _receive(self) -> dict[str, Any]:
        while b"\0" not in self._received:
            read = os.read(self._from, 2**16)
            assert read, "Chromium has ended"
            self._received += read
        raw, _, self._received = self._received.partition(b"\0")
        message: dict[str, Any] = json.loads(raw)
        params = message.get("params", {})
        match method := message.get("method", ""):
            case "Network.requestWillBeSent":
                self.requests.append(params["request"]["url"])
            case "Log.entryAdded":
                self.complaints.append(params["entry"]["text"])
            case "Runtime.exceptionThrown":
                self.complaints.append(str(params))
        self._events.append(method)
        return message
