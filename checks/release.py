"""Check that a tag fits the sources, and write the notes of its release from the changelog.

python -m checks.release <tag> <address of the repository> > notes.md
"""

import re
import sys
import tomllib
from typing import Final

from checks.licences import ROOT

_SECTION: Final = r"(?ms)^## {} - (\d{{4}}-\d{{2}}-\d{{2}})$\n(.*?)(?=^## |\Z)"
_RELATIVE: Final = re.compile(r"\]\((?![a-z]+:|#)")


class ReleaseError(Exception):
    """The sources are not those of the release; the message has the next step."""


def notes(tag: str, repository: str, *, version: str, changelog: str) -> str:
    """Return the section of the changelog, with links to the repository at the tag.

    Args:
        tag: of the release.
        repository: its address.
        version: that of the sources.
        changelog: its text.

    Raises:
        ReleaseError: the tag is of another version, or the changelog has no dated section for it.
    """
    if tag != f"v{version}":
        raise ReleaseError(f"The tag is {tag}; allowed: v{version}, as pyproject.toml says.")
    found = re.search(_SECTION.format(re.escape(version)), changelog)
    if found is None:
        raise ReleaseError(
            f"CHANGELOG.md has no section '## {version} - <date>'. Rename Unreleased to it, "
            "commit, and move the tag."
        )
    return _RELATIVE.sub(f"]({repository}/blob/{tag}/", found[2].strip()) + "\n"


def main(tag: str, repository: str) -> None:
    """Print the notes."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    changelog = (ROOT / "CHANGELOG.md").read_text()
    print(notes(tag, repository, version=project["version"], changelog=changelog), end="")


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except ReleaseError as error:
        sys.exit(str(error))
