"""List the licences of all dependencies, from the locks and from the installed packages.

python -m checks.licences > docs/internals/dependencies.md
"""

import json
import re
from collections.abc import Iterable, Iterator
from importlib.metadata import Distribution, distributions
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[1]
RUNTIME: Final = ROOT / "requirements.txt"
LOCKS: Final = {
    RUNTIME: "Needed by `cdk synth` and `cdk deploy`",
    ROOT / "requirements-dev.txt": "Needed for development, checks and tests, and by the local AWS",
    ROOT / "requirements-checkov.txt": "Needed by checkov, in an environment of its own",
    ROOT / "requirements-bench.txt": "Compared with by `make bench`",
    ROOT
    / "requirements-oldest.txt": "The oldest that the package works with, for `make test-oldest`",
}

_PIN: Final = re.compile(r"(?m)^([a-z0-9][a-z0-9._-]*)==([^\s;\\]+)")
_APPROVED: Final = "License :: OSI Approved :: "
_SPELLINGS: Final = {
    "apache license 2.0": "Apache-2.0",
    "apache software license": "Apache-2.0",
    "bsd license": "BSD",
    "mit license": "MIT",
    "mozilla public license 2.0 (mpl 2.0)": "MPL-2.0",
    "python software foundation license": "PSF-2.0",
}

_HEAD: Final = """\
# Dependencies and their licences

Made by `make licences` from the locks and from the packages' own metadata. The Lambda
functions ship none of them: they are first-party code, and use the SDK of the Lambda runtime.

`make lock` pins only versions that are at least a week old: most malicious versions are found in
days. `make lock MEND="urllib3 yaml"` also takes newer versions of the named packages. If a version
mends a vulnerability, a week is too long.
"""


def pins(lock: Path) -> list[tuple[str, str]]:
    """Return the names and versions that a lock pins."""
    return _PIN.findall(lock.read_text())


def npm_packages() -> list[tuple[str, str, str]]:
    """Return the names, versions and licences of the packages that npm's lock pins."""
    packages = json.loads((ROOT / "package-lock.json").read_text())["packages"]
    return [
        (name.removeprefix("node_modules/"), one["version"], one["license"])
        for name, one in packages.items()
        if name
    ]


def licence_of(package: Distribution) -> str:
    """Return the licence that a package names, by its SPDX identifier where it has one."""
    metadata = package.metadata.json
    if "license_expression" in metadata:
        named = [str(metadata["license_expression"])]
    else:
        named = [
            one.removeprefix(_APPROVED)
            for one in metadata.get("classifier", [])
            if one.startswith(_APPROVED)
        ]
    text = str(metadata.get("license", "")).strip().partition("\n")[0]
    return " or ".join(_SPELLINGS.get(one.lower(), one) for one in named or [text])


def _rows(lock: Path, installed: dict[str, Distribution]) -> Iterator[tuple[str, str, str]]:
    for name, version in pins(lock):
        package = installed.get(name)
        licence = licence_of(package) if package else "not installed on this platform"
        yield name, version, licence


def installed(*folders: Path) -> dict[str, Distribution]:
    """Return the packages that are installed here, or in these folders, by their names."""
    found = distributions(path=[str(one) for one in folders]) if folders else distributions()
    return {re.sub(r"[-_.]+", "-", one.name).lower(): one for one in found}


def page() -> str:
    """Return all dependencies and their licences, in Markdown."""
    sections = [_HEAD]
    for lock, title in LOCKS.items():
        own = ROOT / ".venv" / lock.stem.removeprefix("requirements-")
        there = installed(*own.glob("lib/python*/site-packages"))
        sections.append(_table(f"{title} (`{lock.name}`)", _rows(lock, there)))
    sections.append(_table("The CDK's own tools (`package-lock.json`)", npm_packages()))
    return "\n".join(sections)


def _table(title: str, rows: Iterable[tuple[str, str, str]]) -> str:
    lines = (f"| {' | '.join(row)} |" for row in rows)
    return "\n".join(
        [f"## {title}", "", "| Package | Version | Licence |", "|---|---|---|", *lines, ""]
    )


if __name__ == "__main__":
    print(page(), end="")
