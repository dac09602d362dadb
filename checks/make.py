"""What the Makefile's recipes need that /bin/sh does not have, for any Python 3 that there is.

python -m checks.make help | python | touch <file> | unresolved
"""

import json
import re
import sys
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[1]
_OLDEST = (3, 11)


def targets() -> str:
    """Return the targets of the Makefile, and what they do."""
    makefile = (_ROOT / "Makefile").read_text()
    return "\n".join(
        f"{target:15} {does}"
        for target, does in re.findall(r"(?m)^([a-z0-9-]+):.*?## (.*)", makefile)
    )


def too_old() -> str:
    """Return what is wrong with this Python, or nothing."""
    if sys.version_info >= _OLDEST:
        return ""
    return f"Python 3.11 or newer is needed, this one is {sys.version.split()[0]}: make PYTHON=..."


def registry() -> str:
    """Return what is wrong if npm's lock names a registry, from which others would install."""
    packages = json.loads((_ROOT / "package-lock.json").read_text())["packages"].values()
    return (
        "package-lock.json names a registry" if any("resolved" in one for one in packages) else ""
    )


def main(command: str, *files: str) -> str:
    """Run a command, and return what is wrong, or nothing."""
    if command == "help":
        print(targets())
        return ""
    if command == "touch":
        for name in files:
            Path(name).touch()
        return ""
    return {"python": too_old, "unresolved": registry}[command]()


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]) or None)
