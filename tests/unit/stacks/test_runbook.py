"""A release of the package has an address of its runbook; a working tree has none."""

from importlib import metadata

import pytest

from stacks import runbook

RUNBOOK = "https://example.com/blob/v1.0.0/docs/runbook.md"


class Release:
    """The metadata of an installed package."""

    def __init__(self, *urls: str) -> None:
        self._urls = urls

    def get_all(self, name: str) -> list[str] | None:
        """Return the values of a field, or None without one."""
        assert name == "Project-URL"
        return [*self._urls] or None


@pytest.mark.parametrize(
    ("urls", "expected"),
    [
        ((), None),
        (("Changelog, https://example.com/changelog",), None),
        (("Changelog, https://example.com/changelog", f"Runbook, {RUNBOOK}"), RUNBOOK),
    ],
)
def test_the_address_is_that_of_the_release(
    monkeypatch: pytest.MonkeyPatch, urls: tuple[str, ...], expected: str | None
) -> None:
    monkeypatch.setattr(metadata, "metadata", lambda _: Release(*urls))

    assert runbook.address() == expected


def test_a_package_that_is_not_installed_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> None:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "metadata", missing)

    assert runbook.address() is None
