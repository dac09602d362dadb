"""List the faults of the simulated service, and read them from the command line."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from local_aws.engine import LocalAwsError
from local_aws.personalize import Behaviour
from local_aws.text import filled

RESET: Final = "reset"


def listed(behaviour: Mapping[str, Any], usual: Mapping[str, Any]) -> str:
    """Return every field with its value, its allowed values, and its effect.

    Args:
        behaviour: The fields as they are.
        usual: As they are after `faults reset`; the differences are marked.
    """
    return "\n".join(
        f"{_assignment(name, behaviour[name])}{_difference(name, behaviour, usual)}\n"
        f"    {field.allowed}\n{_filled(field.description)}"
        for name, field in Behaviour.documented().items()
    )


def differing(behaviour: Mapping[str, Any], usual: Mapping[str, Any]) -> str:
    """Return the fields that are not as usual, or that there are none."""
    differing = [
        f"{_assignment(name, value)}{_difference(name, behaviour, usual)}"
        for name, value in behaviour.items()
        if value != usual[name]
    ]
    return "\n".join(differing) or "none"


def given(assignments: Sequence[str]) -> dict[str, object]:
    """Return the fields that a command line sets, by name.

    Raises:
        LocalAwsError: One is no assignment.
    """
    fields = {}
    for assignment in assignments:
        name, is_one, text = assignment.partition("=")
        if not is_one:
            raise LocalAwsError(
                f"Fault {assignment}: got no value; allowed: name=value, or only {RESET}. "
                f"{_hint(name)}"
            )
        fields[name] = Behaviour.value_of(name, text)
    return fields


def _hint(text: str) -> str:
    alike = ", ".join(name for name in Behaviour.documented() if text in name)
    return f"Names like it: {alike}." if alike else "`faults` without arguments lists the names."


def _assignment(name: str, value: object) -> str:
    return f"{name}={value if isinstance(value, str) else json.dumps(value)}"


def _difference(name: str, behaviour: Mapping[str, Any], usual: Mapping[str, Any]) -> str:
    if behaviour[name] == usual[name]:
        return ""
    return f"   <- set; usually {json.dumps(usual[name])}"


def _filled(text: str) -> str:
    paragraphs = text.split("\n\n")
    return "\n".join(filled(" ".join(one.split()), "    ", "    ") for one in paragraphs)
