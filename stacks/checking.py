"""Check the arguments of constructs against the declarations of properties; hand tokens on."""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import MISSING, Field, dataclass, fields
from typing import Any, NamedTuple, Self

from aws_cdk import Duration, RemovalPolicy, Stack, Token
from aws_cdk.aws_logs import RetentionDays
from constructs import Construct

from .settings.declarations import OneRecommender
from .settings.errors import NotAllowedError, PropertyError, Refusal
from .settings.setting import Setting


class CdkType(NamedTuple):
    """A type of the CDK's that a property has in place of a setting's text or number."""

    setting: str
    """The name of the setting, or nothing for a property that is no setting."""

    to_setting: Callable[[Any], object]
    """Converts a value to the setting's; raises ``NotAllowedError`` for one of another type."""

    from_setting: Callable[[Any], object] | None
    """Converts a setting's value; None without one, and for a construct, which a stack makes."""


@dataclass(frozen=True, kw_only=True)
class Properties(ABC):
    """The properties of a construct, checked. Each is a field that is declared as a setting is.

    A field keeps a value of a type of the CDK's as it is given, unless the field has the name of
    the setting: then it keeps the setting's value. It keeps a token whatever the field's type is.
    """

    @classmethod
    def checked(cls, construct: Construct, given: Mapping[str, object]) -> Self:
        """Refuse arguments that are not allowed, and return the properties.

        A token is let through if it has the form of the property, and the template does not depend
        on the property.

        Args:
            construct: has the properties.
            given: the ``locals()`` of its constructor: the arguments by name; other names are left
                out. None stands for a default that a signature cannot hold.

        Raises:
            PropertyError: a value is not allowed, or is a token where it must not be one.
        """
        stack = Stack.of(construct)
        declared = cls.__dataclass_fields__
        properties = cls(
            **{
                name: _kept(declared[name], value, stack)
                for name, value in given.items()
                if name in declared
            }
        )
        for refusal in properties.rules(stack):
            if refusal:
                raise PropertyError(*refusal)
        return properties

    @classmethod
    def check(cls, construct: Construct, name: str, value: object) -> None:
        """Refuse a value that one property cannot have.

        Raises:
            PropertyError: it is not allowed, or is a token where it must not be one.
        """
        _kept(cls.__dataclass_fields__[name], value, Stack.of(construct))

    @classmethod
    def from_settings(cls, settings: OneRecommender) -> dict[str, Any]:
        """Convert settings to arguments of the constructor, but no constructs."""
        given = {}
        for one in fields(cls):
            if (cdk_type := _cdk_type(one)) is None:
                given[one.name] = getattr(settings, one.name)
            elif cdk_type.from_setting:
                given[one.name] = cdk_type.from_setting(getattr(settings, cdk_type.setting))
        return given

    def as_setting(self, name: str) -> object:
        """Convert a property of a type of the CDK's to the value of its setting."""
        value, cdk_type = getattr(self, name), _cdk_type(self.__dataclass_fields__[name])
        return value if value is None or cdk_type is None else cdk_type.to_setting(value)

    @abstractmethod
    def rules(self, stack: Stack) -> Iterable[Refusal | None]:
        """Compare properties with one another and the stack."""


def check_text(name: str, declared: Setting, value: str) -> None:
    """Refuse text that is not allowed; let a token through if no template depends on it.

    Raises:
        PropertyError: it is refused.
    """
    if declared.shapes_template or not (isinstance(value, str) and _has_token(value)):
        try:
            declared.kind.check(value)
        except NotAllowedError as error:
            raise PropertyError(*declared.refusal(name, _shown(value), error)) from None


def check_type(name: str, value: object, of: type, remedy: str) -> None:
    """Refuse a value of another type.

    Raises:
        PropertyError: it is.
    """
    if not isinstance(value, of):
        raise PropertyError(name, got=_shown(value), allowed=f"a {of.__name__}", remedy=remedy)


def _cdk_type(one: Field[Any]) -> CdkType | None:
    found: CdkType | None = one.metadata.get("cdk_type")
    return found


def _kept(one: Field[Any], given: object, stack: Stack) -> Any:
    """Refuse a value, or return it as a field keeps it."""
    declared, cdk_type = one.metadata["setting"], _cdk_type(one)
    if given is None and one.default is None:
        return None
    if given is None and one.default_factory is not MISSING:
        given = one.default_factory()
    if declared.shapes_template and _has_token(given):
        raise PropertyError(
            one.name,
            got=_resolved(given, stack),
            allowed="a value that is known at synthesis",
            remedy="Write it out, or read it from the context: the template depends on it.",
        )
    value = given
    try:
        value = cdk_type.to_setting(given) if cdk_type else given
        is_converted = value is not given
        if not _has_token(value):
            value = declared.kind.check(value)
        elif not _fits(value, declared.kind.schema):
            raise NotAllowedError
    except NotAllowedError as error:
        got = value if isinstance(value, str) else given  # of a construct, its ARN
        refusal = declared.refusal(one.name, _resolved(got, stack), error)
        raise PropertyError(*refusal) from None
    return given if cdk_type and is_converted and cdk_type.setting != one.name else value


def _resolved(value: object, stack: Stack) -> object:
    """Write a value for a message, with tokens as in the template."""
    shown = _shown(value)
    return stack.resolve(value) if shown is value and _has_token(value) else shown


def _shown(value: object) -> object:
    match value:
        case Duration():
            return value.to_human_string()
        case RemovalPolicy() | RetentionDays():
            return f"{type(value).__name__}.{value.name}"
        case _:
            return value


# -- tokens ----------------------------------------------------------------------------------------


def _has_token(value: object) -> bool:
    """Tell whether a part is a token, and no part a number that JSON, so jsii, does not have."""
    parts = [*_parts(value)]
    is_finite = all(math.isfinite(part) for part in parts if isinstance(part, float))
    return is_finite and any(map(_is_token, parts))


def _parts(value: object) -> Iterator[object]:
    yield value
    if isinstance(value, Mapping | list | tuple):
        for part in value.values() if isinstance(value, Mapping) else value:
            yield from _parts(part)


def _is_token(value: object) -> bool:
    match value:
        case Duration():
            return value.is_unresolved()
        case list() | tuple():
            return Token.is_unresolved([*map(str, value)])
        case str() | int() | float():
            return Token.is_unresolved(value)
        case _:
            return hasattr(value, "resolve") and not isinstance(value, type)  # IResolvable


def _fits(value: object, schema: Mapping[str, Any]) -> bool:
    """Tell whether a value has the form of a JSON schema, whatever its tokens stand for."""
    match schema["type"]:
        case "object":
            members = schema["properties"]
            return isinstance(value, Mapping) and all(
                member in members and _fits(part, members[member]) for member, part in value.items()
            )
        case "array":
            return isinstance(value, list | tuple)
        case "string":
            return isinstance(value, str)
        case _:
            return not isinstance(value, Mapping | list | tuple | Duration)
