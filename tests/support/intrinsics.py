"""The intrinsic functions of a template, evaluated as CloudFormation evaluates them.

The product has an evaluator of its own (`operations/computations/template.py`), which is held to
this one.
"""

import re
from collections.abc import Callable
from typing import Any, Final

Lookup = Callable[[str, str | None], Any]
"""Answers `Fn::GetAtt` of a logical id and an attribute, or `Ref` if there is no attribute."""

_VARIABLE: Final = re.compile(r"\$\{([^.}]+)(?:\.([^}]+))?\}")


def resolve(value: Any, lookup: Lookup) -> Any:
    """Evaluate the intrinsic functions in a template's value."""
    match value:
        case {"Ref": str(logical_id)}:
            return lookup(logical_id, None)
        case {"Fn::GetAtt": [str(logical_id), str(attribute)]}:
            return lookup(logical_id, attribute)
        case {"Fn::Join": [str(separator), list(parts)]}:
            return separator.join(str(resolve(part, lookup)) for part in parts)
        case {"Fn::Sub": str(text)}:
            return _VARIABLE.sub(lambda found: str(lookup(found[1], found[2])), text)
        case dict():
            return {key: resolve(one, lookup) for key, one in value.items()}
        case list():
            return [resolve(one, lookup) for one in value]
        case _:
            return value
