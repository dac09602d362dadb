"""Help the Makefile's recipes where /bin/sh cannot; runs on every Python 3.

python -m checks.make help | python | jsii-cache | touch <file> | unresolved
"""

import json
import re
import sys
import sysconfig
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[1]
_OLDEST = (3, 11)

_JSII_CACHE = (
    "import os, sys; os.environ.setdefault("
    "'JSII_RUNTIME_PACKAGE_CACHE_ROOT', os.path.join(sys.prefix, 'jsii-package-cache'))\n"
)


def targets() -> str:
    """Return the targets of the Makefile, and their descriptions."""
    makefile = (_ROOT / "Makefile").read_text()
    return "\n".join(
        f"{target:15} {does}"
        for target, does in re.findall(r"(?m)^([a-z0-9-]+):.*?## (.*)", makefile)
    )


def too_old() -> str:
    """Return a message if this Python is too old, or nothing."""
    if sys.version_info >= _OLDEST:
        return ""
    return f"Python 3.11 or newer is needed, this one is {sys.version.split()[0]}: make PYTHON=..."


def registry() -> str:
    """Return a message if npm's lock names a registry, from which others would install."""
    packages = json.loads((_ROOT / "package-lock.json").read_text())["packages"].values()
    return (
        "package-lock.json names a registry" if any("resolved" in one for one in packages) else ""
    )


def jsii_cache() -> str:
    """Let every Python of this virtual environment keep jsii's packages in the environment.

    jsii's own choice is the home directory, and it fails if that cannot be written, or can be
    written by others. Python runs the line when it starts (documentation of its module `site`), so
    before any import, and whether make, `npx cdk` or a user has started it.
    """
    Path(sysconfig.get_path("purelib"), "jsii_package_cache.pth").write_text(_JSII_CACHE)
    return ""


def main(command: str, *files: str) -> str:
    """Run a command, and return an error message, or nothing."""
    if command == "help":
        print(targets())
        return ""
    if command == "touch":
        for name in files:
            Path(name).touch()
        return ""
    return {"jsii-cache": jsii_cache, "python": too_old, "unresolved": registry}[command]()


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]) or None)
