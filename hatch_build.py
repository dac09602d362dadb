"""Build the wheel: one package, in which all imports of ours begin with its name (ADR 12)."""

import os
import re
import tempfile
from pathlib import Path
from typing import Any, Final

from hatchling.builders.hooks.plugin.interface import BuildHookInterface
from hatchling.metadata.plugin.interface import MetadataHookInterface

PACKAGE: Final = "top_picks_recommender"
REWRITTEN: Final = {"stacks": PACKAGE} | {
    folder: f"{PACKAGE}/{folder}" for folder in ("local_aws", "operations")
}
"""The folders whose modules may import one another by absolute names, and their place."""
_IMPORT: Final = re.compile(r"(?m)^(\s*from )(?=(?:lambdas|local_aws|operations)\b)")

REPOSITORY: Final = "REPOSITORY_URL"
"""The environment variable that has the repository's address, which a release knows."""


def in_the_package(module: str) -> str:
    """Return a module's text with its imports as they are in the package.

    The names of the folders are those of most apps, and an app's own would be imported instead.
    """
    return _IMPORT.sub(rf"\1{PACKAGE}.", module)


class ImportsHook(BuildHookInterface):  # type: ignore[type-arg]
    """Puts modules with other imports in the place of those that hatchling has selected."""

    PLUGIN_NAME = "imports"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002
        """Write the modules into a folder that is left to ``finalize``."""
        self._folder = tempfile.TemporaryDirectory()
        for folder, place in REWRITTEN.items():
            source = Path(self.root, folder)
            for path in sorted(source.rglob("*.py")):
                text = path.read_text(encoding="utf-8")
                if (rewritten := in_the_package(text)) != text:
                    copy = Path(self._folder.name, folder, path.relative_to(source))
                    copy.parent.mkdir(parents=True, exist_ok=True)
                    copy.write_text(rewritten, encoding="utf-8")
                    target = f"{place}/{path.relative_to(source).as_posix()}"
                    build_data["force_include"][str(copy)] = target

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:  # noqa: ARG002
        """Delete the folder."""
        self._folder.cleanup()


class AddressHook(MetadataHookInterface):
    """Names the repository and the runbook of this version, if the build knows the address."""

    PLUGIN_NAME = "address"

    def update(self, metadata: dict[str, Any]) -> None:
        """Set the project's addresses."""
        repository = os.environ.get(REPOSITORY, "").rstrip("/")
        metadata["urls"] = urls(repository, metadata["version"]) if repository else {}


def urls(repository: str, version: str) -> dict[str, str]:
    """Return the addresses of a version, as GitHub has them."""
    return {
        "Source": repository,
        "Changelog": f"{repository}/blob/v{version}/CHANGELOG.md",
        "Runbook": f"{repository}/blob/v{version}/docs/runbook.md",
    }
