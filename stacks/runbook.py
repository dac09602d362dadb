"""The address of the runbook, for descriptions of alarms."""

from importlib import metadata
from typing import Final

_DISTRIBUTION: Final = "top-picks-recommender"


def address() -> str | None:
    """Return the address that a release of the package has, or None.

    Source: "Core metadata specifications", Project-URL, Python Packaging User Guide.
    """
    try:
        named = metadata.metadata(_DISTRIBUTION).get_all("Project-URL") or []
    except metadata.PackageNotFoundError:
        return None
    addresses = dict(str(one).split(", ", 1) for one in named)
    return addresses.get("Runbook")
