"""The values of a template that GetTemplate shows, evaluated as far as possible (pure)."""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from lambdas.recommender.model.identity import Arn
from operations.computations.stack import Stack

SOURCE: Final = "the stack's template (GetTemplate)"

_SUFFIXES: Final = {"aws-cn": "amazonaws.com.cn"}


class UnreadableError(Exception):
    """Only CloudFormation can evaluate the template, or it has an unexpected form."""


def evaluate(value: Any, stack: Stack, attributes: Mapping[str, str] | None = None) -> Any:
    """Evaluate `Ref`, `Fn::Join`, and some `Fn::GetAtt`, in a value of a stack's template.

    Args:
        value: the value.
        stack: the stack.
        attributes: values of `Fn::GetAtt`, by ``<logical id>.<attribute>``.

    Raises:
        UnreadableError: it has another function, or refers to another resource.
    """

    def refuse(_value: Any, what: str) -> Any:
        raise UnreadableError(f"only CloudFormation {what}")

    return _evaluated(value, _references(stack) | dict(attributes or {}), refuse)


def evaluate_partly(value: Any, stack: Stack, attributes: Mapping[str, str]) -> Any:
    """Evaluate as ``evaluate`` does, and leave what only CloudFormation can evaluate."""
    return _evaluated(value, _references(stack) | dict(attributes), lambda one, _: one)


def references(value: Any) -> Iterator[str]:
    """Yield the names of the resources and parameters that a value of a template refers to."""
    match value:
        case {"Ref": str(name)} | {"Fn::GetAtt": [str(name), *_]}:
            yield name
        case {"Fn::Sub": text}:
            yield from re.findall(r"\$\{([A-Za-z0-9]+)", str(text))
        case dict():
            for one in value.values():
                yield from references(one)
        case list():
            for one in value:
                yield from references(one)


def matches(shown: Any, given: Any) -> bool:
    """Tell whether GetTemplate may show a value of a template like this."""
    match shown, given:
        case str(), str():
            return looks_alike(shown, given)
        case dict(), dict():
            return len(shown) == len(given) and all(
                any(looks_alike(key, name) and matches(shown[key], one) for key in shown)
                for name, one in given.items()
            )
        case list(), list():
            return len(shown) == len(given) and all(map(matches, shown, given))
        case _:
            return bool(shown == given)


def looks_alike(shown: str, text: str) -> bool:
    """Tell whether GetTemplate may show a text like this, or whether it is that text, restored.

    It shows ``?`` for a character that is not ASCII, which is deployed as it is (issue 814 of
    cloudformation-coverage-roadmap). No source says whether a pair of halves has one or two.
    """
    halves = re.sub(r"[\U00010000-\U0010ffff]", "??", text)
    return shown in (text, *(re.sub(r"[^\x00-\x7f]", "?", one) for one in (text, halves)))


def restore_tags(shown: Mapping[str, str], actual: Mapping[str, str]) -> dict[str, str]:
    """Return the tags of a template, each as the actual tag is that looks alike, if one does."""
    found: dict[str, str] = {}
    for key, value in shown.items():
        alike = [one for one in actual if one not in found and looks_alike(key, one)]
        same = (one for one in alike if looks_alike(value, actual[one]))
        known = next(same, alike[0] if alike else key)
        tag = actual.get(known, value)
        found[known] = tag if looks_alike(value, tag) else value
    return found


def _references(stack: Stack) -> dict[str, str]:
    place = Arn.parse(stack.id)
    return {
        **stack.parameters,
        "AWS::Partition": place.partition,
        "AWS::Region": place.region,
        "AWS::AccountId": place.account,
        "AWS::StackId": stack.id,
        "AWS::StackName": stack.name,
        "AWS::URLSuffix": _SUFFIXES.get(place.partition, "amazonaws.com"),
    }


def _evaluated(
    value: Any, references: Mapping[str, str], unknown: Callable[[Any, str], Any]
) -> Any:
    match value:
        case {"Ref": name} if len(value) == 1:
            known = references.get(str(name))
            return unknown(value, f"knows the value of Ref {name}") if known is None else known
        case {"Fn::Join": [str(separator), list(parts)]}:
            joined = [_evaluated(part, references, unknown) for part in parts]
            if any(isinstance(one, dict) for one in joined):
                return {"Fn::Join": [separator, joined]}
            return separator.join(map(str, joined))
        case dict() if len(value) == 1 and next(iter(value)).startswith("Fn::"):
            known = references.get(_attribute(value))
            return unknown(value, f"can evaluate {next(iter(value))}") if known is None else known
        case dict():
            return {key: _evaluated(one, references, unknown) for key, one in value.items()}
        case list():
            return [_evaluated(one, references, unknown) for one in value]
        case _:
            return value


def _attribute(value: Mapping[str, Any]) -> str:
    match value:
        case {"Fn::GetAtt": [str(name), str(attribute)]}:
            return f"{name}.{attribute}"
        case _:
            return ""
