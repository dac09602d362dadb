"""Errors about values, in one form: name, got, allowed, and remedy."""

import json
from decimal import Decimal
from typing import NamedTuple


class Refusal(NamedTuple):
    """A refused value of a setting or a property, and the reason."""

    name: str
    got: object
    allowed: str
    remedy: str

    def within(self, of: str) -> "Refusal":
        """Put a text before the name, such as that of its environment."""
        return self._replace(name=f"{of}{self.name}")


class SettingsError(ValueError):
    """A setting is missing, unknown or wrong."""

    _what = "Setting"

    def __init__(self, key: str, got: object, allowed: str, remedy: str) -> None:
        super().__init__(f"{self._what} {key}: got {_shown(got)}; allowed: {allowed}. {remedy}")


class UnknownSettingError(SettingsError):
    """There is no setting of this name."""

    def __init__(self, key: str, *, remedy: str) -> None:
        ValueError.__init__(self, f"Unknown setting {key}. {remedy}")


class PropertyError(SettingsError):
    """A property of the construct is wrong."""

    _what = "Property"


class NotAllowedError(ValueError):
    """A value is not of the setting's kind.

    The text of the error, if any, replaces the setting's remedy.
    """


def _shown(value: object) -> str:
    match value:
        case None:
            return "nothing"
        case Decimal():
            return str(value)
        case _:
            return _as_json(value)


def _as_json(value: object) -> str:
    try:
        return json.dumps(value, default=_named)
    except (TypeError, ValueError):  # keys that JSON does not have, and circles
        return _named(value)


def _named(value: object) -> str:
    """Name a number by its value, and anything else by its type: its text may be an address."""
    return str(value) if isinstance(value, Decimal) else f"a {type(value).__name__}"
