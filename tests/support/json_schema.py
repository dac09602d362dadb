"""As much of JSON schema (draft 7) as the schemas need that tests hold something to."""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

_TYPES: Final[Mapping[str, Callable[[Any], bool]]] = {
    "array": lambda value: isinstance(value, list),
    "boolean": lambda value: isinstance(value, bool),
    "integer": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "number": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "object": lambda value: isinstance(value, dict),
    "string": lambda value: isinstance(value, str),
}
_SAYS_NOTHING: Final = ("$schema", "default", "definitions", "description", "examples", "title")


def is_valid(value: Any, schema: Mapping[str, Any], root: Mapping[str, Any] | None = None) -> bool:
    """Return whether a value is what a schema describes."""
    root = root or schema

    def fits(part: Any, described: Mapping[str, Any]) -> bool:
        return is_valid(part, described, root)

    if "type" in schema and not _TYPES[schema["type"]](value):
        return False
    rules: Mapping[str, Callable[[Any], bool]] = {
        "type": lambda _: True,
        "$ref": lambda ref: fits(value, root["definitions"][ref.rpartition("/")[2]]),
        "const": lambda only: value == only,
        "enum": lambda any_of: value in any_of,
        "not": lambda described: not fits(value, described),
        "minimum": lambda low: value >= low,
        "maximum": lambda high: value <= high,
        "exclusiveMinimum": lambda low: value > low,
        "pattern": lambda pattern: bool(re.search(_of_python(pattern), value, re.ASCII)),
        "minLength": lambda low: len(value) >= low,
        "maxLength": lambda high: len(value) <= high,
        "items": lambda described: all(fits(item, described) for item in value),
        "minItems": lambda low: len(value) >= low,
        "maxItems": lambda high: len(value) <= high,
        "uniqueItems": lambda _: len(set(value)) == len(value),
        "required": lambda keys: set(keys) <= value.keys(),
        "minProperties": lambda low: len(value) >= low,
        "maxProperties": lambda high: len(value) <= high,
        "propertyNames": lambda described: all(fits(key, described) for key in value),
        "properties": lambda known: all(
            fits(value[key], known[key]) for key in value if key in known
        ),
        "patternProperties": lambda patterns: all(
            fits(part, described)
            for pattern, described in patterns.items()
            for key, part in value.items()
            if re.search(pattern, key)
        ),
        "additionalProperties": lambda described: all(
            described is not False and fits(value[key], described) for key in _others(value, schema)
        ),
        "dependencies": lambda needed: all(
            set(then) <= value.keys() if isinstance(then, list) else fits(value, then)
            for key, then in needed.items()
            if key in value
        ),
    }
    return all(rules[key](said) for key, said in schema.items() if key not in _SAYS_NOTHING)


def _of_python(pattern: str) -> str:
    """Return a pattern of JavaScript, whose ``$`` is the end and not a newline before it."""
    return pattern.replace("$", r"\Z")


def _others(value: Mapping[str, Any], schema: Mapping[str, Any]) -> Iterator[str]:
    patterns = schema.get("patternProperties", {})
    for key in value:
        matched = any(re.search(pattern, key) for pattern in patterns)
        if key not in schema.get("properties", {}) and not matched:
            yield key
