"""Install what a lock pins: by uv, or by pip, which takes longer, where uv cannot.

python -m checks.install <lock> [<python>]

It installs into the environment of ``python``, or into the one that runs it, and there uv itself
first. Both refuse a package that has none of the lock's hashes.
"""

import importlib.util
import re
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from . import uv

_PIP: Final = (sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check")
_FROM: Final = ("--require-hashes", "-r")


def main(lock: str, python: str = sys.executable) -> int:
    """Install, and return the exit code of what installed."""
    if importlib.util.find_spec("uv") is None:
        _install_uv(lock)
    if uv.main(["pip", "install", "--quiet", "--python", python, *_FROM, lock]) == 0:
        return 0
    print(
        "uv could not install the packages: pip installs them, which takes longer", file=sys.stderr
    )
    return _run([*_PIP, "--python", python, "install", "--no-compile", *_FROM, lock])


def _install_uv(lock: str) -> None:
    """Install the version of uv that a lock pins, if it can be had."""
    pin = re.search(r"(?m)^uv==.*(?:\n +--hash.*)*", Path(lock).read_text())
    if pin is None:
        return
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as alone:
        alone.write(pin.group())
        alone.flush()
        _run([*_PIP, "install", "--no-compile", "--no-deps", *_FROM, alone.name])


def _run(command: Sequence[str]) -> int:
    return subprocess.call(command)  # noqa: S603


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
