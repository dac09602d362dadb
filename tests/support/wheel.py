"""The wheel, as somebody else's app has it."""

import json
import os
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).parents[2]
EXAMPLES: Final = ROOT / "examples"

_PIP: Final = (sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", "--no-input")


def built(folder: Path) -> Path:
    """Build the wheel into a folder, from what is here, and return its path."""
    _run(*_PIP, "wheel", *_OFFLINE, "--no-build-isolation", f"--wheel-dir={folder}", str(ROOT))
    (wheel,) = folder.glob("*.whl")
    return wheel


def installed(wheel: Path, folder: Path) -> Path:
    """Install a wheel, and nothing else, into a folder, and return that."""
    _run(*_PIP, "install", *_OFFLINE, f"--target={folder}", str(wheel))
    return folder


def environment(wheel: Path, folder: Path) -> Path:
    """Make a virtual environment with the wheel, and return its folder of programs.

    The wheel's requirements are those that are installed here; nothing else of this repository is
    in it.
    """
    _run(sys.executable, "-m", "venv", "--without-pip", str(folder))
    python = folder / "bin" / "python"
    here = Path(sysconfig.get_path("purelib"))
    (library,) = folder.glob("lib/python*/site-packages")
    cache = os.environ.get("JSII_RUNTIME_PACKAGE_CACHE_ROOT", "")
    name = "JSII_RUNTIME_PACKAGE_CACHE_ROOT"
    (library / "here.pth").write_text(
        f"{here}\nimport os; os.environ.setdefault({name!r}, {cache!r})\n"
    )
    _run(*_PIP, "--python", str(python), "install", *_OFFLINE, str(wheel))
    return python.parent


_OFFLINE: Final = ("--no-index", "--no-deps")


def synthesised(
    app: Path, *, packages: Path, out: Path, python: str = sys.executable
) -> dict[str, Any]:
    """Synthesise an app that has these packages as the CLI does; return templates by stack."""
    settings = json.loads((app / "cdk.json").read_text())
    _run(
        python,
        "app.py",
        cwd=app,
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join(filter(None, (str(packages), os.getenv("PYTHONPATH")))),
            "PYTHONDONTWRITEBYTECODE": "1",
            "CDK_OUTDIR": str(out),
            "CDK_CONTEXT_JSON": json.dumps(settings.get("context", {})),
        },
    )
    return {
        path.name.removesuffix(".template.json"): json.loads(path.read_text())
        for path in out.glob("*.template.json")
    }


def _run(*command: str, cwd: Path = ROOT, env: dict[str, str] | None = None) -> None:
    ran = subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
