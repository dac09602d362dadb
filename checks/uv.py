"""Run uv with the package index that pip is configured with, which uv does not read.

python -m checks.uv <arguments of uv>
"""

import ast
import os
import subprocess
import sys
from collections.abc import Sequence
from typing import Final

_VARIABLES: Final = {
    "index-url": "UV_DEFAULT_INDEX",
    "trusted-host": "UV_INSECURE_HOST",
    "cert": "SSL_CERT_FILE",
}
"""The environment variables of uv, by pip's options (uv, "Environment variables").

Not `extra-index-url`: a second index may have a part of the files of a version, and only their
hashes would be in the lock.
"""
_SECTIONS: Final = ("global", "install", ":env:")
"""Sections of pip's configuration; a later one overrides an earlier one (pip, "Configuration")."""


def environment(config: str) -> dict[str, str]:
    """Translate the output of `pip config list` to the environment of uv."""
    options = {}
    for line in config.splitlines():
        name, _, value = line.partition("=")
        options[name] = " ".join(ast.literal_eval(value).split())
    return {
        variable: options[f"{section}.{option}"]
        for section in _SECTIONS
        for option, variable in _VARIABLES.items()
        if f"{section}.{option}" in options
    }


def main(arguments: Sequence[str]) -> int:
    """Run uv, and return its exit code; variables that are set for uv itself win."""
    pip = [sys.executable, "-m", "pip", "config", "list"]
    config = subprocess.run(pip, stdout=subprocess.PIPE, text=True, check=True).stdout  # noqa: S603
    env = {**environment(config), **os.environ}
    return subprocess.call([sys.executable, "-m", "uv", *arguments], env=env)  # noqa: S603


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
