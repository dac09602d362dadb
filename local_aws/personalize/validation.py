"""The constraints of the service's own model, which botocore's clients do not check in full.

This is a SIMULATION. The constraints are read from the `personalize` and `personalize-runtime`
models inside botocore. AWS does not document the error code and text that Amazon Personalize
answers for them. The texts here follow other AWS services, and are a guess. It is a guess, too,
that patterns apply to the whole value and that unknown members are refused.
"""

import functools
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from botocore.loaders import create_loader
from botocore.model import ListShape, MapShape, OperationModel, ServiceModel, Shape, StructureShape

from local_aws.personalize.errors import ServiceError

RUNTIME_OPERATIONS: Final = frozenset({"GetRecommendations"})
"""The operations of `personalize-runtime`; all others are those of `personalize`."""

_PYTHON_TYPES: Final[Mapping[str, type | tuple[type, ...]]] = {
    "structure": dict,
    "map": dict,
    "list": list,
    "string": str,
    "boolean": bool,
    "integer": int,
}

_UNICODE_SEPARATORS: Final = (
    "\\u0020\\u00a0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000"
)


@functools.cache
def service_model(service: str) -> ServiceModel:
    """Return botocore's model of a service, for example `personalize-runtime`."""
    return ServiceModel(create_loader().load_service_model(service, "service-2"), service)


@functools.cache
def operation_model(operation: str) -> OperationModel:
    """Return botocore's model of one of the operations that the simulation knows."""
    runtime = operation in RUNTIME_OPERATIONS
    return service_model("personalize-runtime" if runtime else "personalize").operation_model(
        operation
    )


def without_nulls(value: Any) -> Any:
    """Return a JSON value without the members that are null, which mean as much as absent ones."""
    if isinstance(value, list):
        return [without_nulls(item) for item in value]
    if isinstance(value, dict):
        return {name: without_nulls(item) for name, item in value.items() if item is not None}
    return value


def validate(operation: str, params: Mapping[str, Any], *, code: str) -> None:
    """Check a request against the model of its operation.

    Raises:
        ServiceError: SerializationException for a value of the wrong JSON type, else one with
            `code` that lists all violations.
    """
    shape = operation_model(operation).input_shape
    if violations := list(_violations(shape, params, "")) if shape else []:
        count = f"{len(violations)} validation error{'s' if len(violations) > 1 else ''} detected"
        raise ServiceError(code, f"{count}: {'; '.join(violations)}")


def _violations(shape: Shape, value: Any, path: str) -> Iterator[str]:
    if not _is_of_type(shape, value):
        raise ServiceError("SerializationException", f"'{path}' is not a {shape.type_name}")
    yield from (
        f"Value at '{path}' failed to satisfy constraint: {constraint}"
        for constraint in _broken_constraints(shape, value)
    )
    match shape:
        case StructureShape():
            yield from _structure_violations(shape, value, path)
        case ListShape():
            for number, item in enumerate(value, start=1):
                yield from _violations(shape.member, item, f"{path}.{number}.member")
        case MapShape():
            for key, item in value.items():
                yield from _violations(shape.key, key, f"{path}.key")
                yield from _violations(shape.value, item, f"{path}.{key}.member")


def _structure_violations(
    shape: StructureShape, value: Mapping[str, Any], path: str
) -> Iterator[str]:
    prefix = f"{path}." if path else ""
    for name in shape.required_members:
        if name not in value:
            yield (
                f"Value null at '{prefix}{name}' failed to satisfy constraint: "
                "Member must not be null"
            )
    for name, item in value.items():
        if name in shape.members:
            yield from _violations(shape.members[name], item, f"{prefix}{name}")
        else:
            yield f"Unknown member '{prefix}{name}'"


def _is_of_type(shape: Shape, value: object) -> bool:
    is_flag = shape.type_name == "boolean"  # which Python takes for an integer
    return isinstance(value, _PYTHON_TYPES[shape.type_name]) and isinstance(value, bool) == is_flag


def _broken_constraints(shape: Shape, value: Any) -> Iterator[str]:
    constraints = shape.metadata
    if "min" in constraints or "max" in constraints:
        is_number = shape.type_name == "integer"
        size, measure = (value, "value") if is_number else (len(value), "length")
        if size < constraints.get("min", size):
            yield f"Member must have {measure} greater than or equal to {constraints['min']}"
        if size > constraints.get("max", size):
            yield f"Member must have {measure} less than or equal to {constraints['max']}"
    if "enum" in constraints and value not in constraints["enum"]:
        yield f"Member must satisfy enum value set: {constraints['enum']}"
    if "pattern" in constraints and not _pattern(constraints["pattern"]).fullmatch(value):
        yield f"Member must satisfy regular expression pattern: {constraints['pattern']}"


@functools.cache
def _pattern(java: str) -> re.Pattern[str]:
    """Translate the Unicode classes of the model's Java patterns, which `re` does not know."""
    python = (
        java.replace(r"\p{L}", r"\w")
        .replace(r"\p{N}", r"\w")
        .replace(r"\p{Z}", _UNICODE_SEPARATORS)
    )
    return re.compile(python.replace(r"\p{ASCII}", r"[\x00-\x7f]"))
