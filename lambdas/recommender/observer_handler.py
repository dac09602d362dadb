"""The entry point of monitoring: the schedule invokes it."""

from collections.abc import Mapping
from typing import Any

from . import clients


def observe(event: Mapping[str, Any], _context: object) -> None:
    """Lambda entry point: look at a recommender, and write what is seen into the log."""
    clients.observer().observe(event)
