"""What the functions of a stack did, and what their role allowed them meanwhile."""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.support import deployed_code
from tests.support.cloudformation import Stack
from tests.support.permissions import Permissions, Use


@dataclass
class Record:
    """The calls of one stack's functions, those that were refused, and all statements then."""

    uses: set[Use] = field(default_factory=set)
    refused: set[Use] = field(default_factory=set)
    statements: dict[str, Mapping[str, Any]] = field(default_factory=dict)

    def note(self, statements: Sequence[Mapping[str, Any]], use: Use) -> None:
        """Note a call; that the functions may write their log is not about their calls."""
        now = {text: one for one in statements if "logs:" not in (text := json.dumps(one))}
        self.uses.add(use)
        self.refused |= Permissions([{"Statement": list(now.values())}]).refused([use])
        self.statements |= now

    @property
    def permissions(self) -> Permissions:
        """What was allowed at any time."""
        return Permissions([{"Statement": list(self.statements.values())}])


def recorded(patch: pytest.MonkeyPatch) -> dict[str, Record]:
    """Return a record for each name of a stack, of what happens from now on."""
    made: dict[str, Record] = defaultdict(Record)
    answer = deployed_code._authorize

    def authorize(stack: Stack, action: str, resource: str, function: str = "") -> None:
        statements = list(deployed_code._statements(stack, function or deployed_code.BEGIN))
        made[stack.name].note(statements, Use(action, resource))
        answer(stack, action, resource, function)

    patch.setattr(deployed_code, "_authorize", authorize)
    return made
