"""The values of a template that GetTemplate shows, evaluated as far as possible (pure)."""

import re
from collections.abc import Mapping
from typing import Any, Final

from lambdas.recommender.model.identity import Arn
from operations.computations.stack import Stack

SOURCE: Final = "the stack's template (GetTemplate)"

_SUFFIXES: Final = {"aws-cn": "amazonaws.com.cn"}


class UnreadableError(Exception):
    """Only CloudFormation can evaluate the template, or it has an unexpected form."""


def evaluate(value: Any, stack: Stack) -> Any:
    """Evaluate `Ref` and `Fn::Join` in a value of a stack's template.

    Raises:
        UnreadableError: it has another function, or refers to a resource.
    """
    return _evaluated(value, _references(stack))


def looks_alike(shown: str, text: str) -> bool:
    """Tell whether GetTemplate may show a text like this.

    It shows ``?`` for a character that is not ASCII, which is deployed as it is (issue 814 of
    cloudformation-coverage-roadmap). No source says whether a pair of halves has one or two.
    """
    halves = re.sub(r"[\U00010000-\U0010ffff]", "??", text)
    return shown in (re.sub(r"[^\x00-\x7f]", "?", one) for one in (text, halves))


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


def _evaluated(value: Any, references: Mapping[str, str]) -> Any:
    match value:
        case {"Ref": str(name)} if name in references:
            return references[name]
        case {"Fn::Join": [str(separator), list(parts)]}:
            return separator.join(str(_evaluated(part, references)) for part in parts)
        case {"Ref": name}:
            raise UnreadableError(f"only CloudFormation knows the value of Ref {name}")
        case dict() if len(value) == 1 and next(iter(value)).startswith("Fn::"):
            raise UnreadableError(f"only CloudFormation can evaluate {next(iter(value))}")
        case dict():
            return {key: _evaluated(one, references) for key, one in value.items()}
        case list():
            return [_evaluated(one, references) for one in value]
        case _:
            return value
