"""Declarations of settings, as the metadata of a class's fields."""

import json
from dataclasses import KW_ONLY, MISSING, Field, dataclass, field, fields
from typing import Any

from .errors import NotAllowedError, Refusal, SettingsError
from .kinds import Kind


@dataclass(frozen=True)
class Setting:
    """The declaration of a setting, besides its name, its type and its default."""

    kind: Kind[Any]
    """The allowed values."""

    description: str
    """The effect, in sentences."""

    _: KW_ONLY

    example: object
    """A value in JSON."""

    remedy: str = ""
    """The way out of a wrong value; without it, the example is shown."""

    default_in_words: str = ""
    """The default, where that of the field says too little."""

    shapes_template: bool = False
    """Whether the template depends on it: which resources there are, or when they give up."""

    def parse(self, key: str, value: object) -> Any:
        """Read the value of ``key`` in the context.

        Raises:
            SettingsError: it is not allowed.
        """
        try:
            return self.kind.parse(value)
        except NotAllowedError as error:
            raise SettingsError(*self.refusal(key, value, error)) from None

    def refusal(self, name: str, got: object, error: object = "") -> Refusal:
        """Refuse a value; an error that has a text knows a better remedy."""
        example = f"For example {json.dumps(self.example)}."
        return Refusal(name, got, self.kind.allowed, str(error) or self.remedy or example)


def setting(
    kind: Kind[Any],
    description: str,
    *,
    default: object = MISSING,
    default_factory: Any = MISSING,
    **more: Any,
) -> Any:
    """Declare a field that is a setting; without a default, it is required.

    Args:
        kind: of the declaration.
        description: of the declaration.
        default: of the field.
        default_factory: of the field.
        more: of the declaration, by the names of ``Setting``.
    """
    return field(
        default=default,
        default_factory=default_factory,
        metadata={"setting": Setting(kind, description, **more)},
    )


def settings_of(settings: type[Any]) -> dict[str, Setting]:
    """Return the settings that a class declares, by name."""
    return {one.name: one.metadata["setting"] for one in fields(settings)}


def required_of(settings: type[Any]) -> list[str]:
    """Return the names of the settings without a default."""
    return [one.name for one in fields(settings) if default_of(one) is MISSING]


def default_of(declared: Field[Any]) -> Any:
    """Return the default of a field, or ``MISSING``."""
    made = declared.default_factory
    return declared.default if made is MISSING else made()
