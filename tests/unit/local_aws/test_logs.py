from typing import Any
from unittest.mock import create_autospec

import pytest

from local_aws import logs
from local_aws.engine import LocalAws


class Logs:
    """CloudWatch Logs, with one state after another."""

    class exceptions:  # noqa: N801  # as a client of boto3 has it
        ResourceNotFoundException = KeyError

    def __init__(self, *states: dict[str, dict[str, list[tuple[int, str]]]]) -> None:
        self.states = list(states)
        self.groups = states[0]

    def get_paginator(self, operation: str) -> "Logs":
        self.operation = operation
        if operation == "describe_log_groups":
            self.groups = self.states.pop(0)
        return self

    def paginate(self, **given: Any) -> Any:
        if self.operation == "describe_log_groups":
            return self
        streams = self.groups[given["logGroupName"]]
        if not streams:
            raise KeyError  # deleted meanwhile
        events = [
            {"timestamp": at, "logStreamName": stream, "message": message}
            for stream, all_of_it in streams.items()
            for at, message in all_of_it
            if at >= given["startTime"]
        ]
        return [{"events": events[:1]}, {"events": events[1:]}]

    def search(self, _: str) -> list[str]:
        return list(self.groups)


def of(*states: Any) -> Any:
    aws = create_autospec(LocalAws, instance=True)
    aws.client.return_value = Logs(*states)
    aws.is_healthy.side_effect = [True] * (len(states) - 1) + [False]
    return aws


def test_lines_come_in_order_without_lambdas_own() -> None:
    aws = of(
        {
            "one": {
                "a": [
                    (2, "START RequestId: 1"),
                    (2, "second"),
                    (2, "third"),
                    (2, "END RequestId: 1"),
                ]
            },
            "gone": {},
            "other": {"b": [(1, "first")]},
        }
    )

    assert list(logs.lines(aws)) == ["first", "second", "third"]


def test_who_follows_sees_each_line_once_until_there_is_no_local_aws(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(logs, "_PAUSE", 0.0)
    first = {"one": {"a": [(1, "one"), (1, "one")]}}
    then = {"one": {"a": [(1, "one"), (1, "one")], "b": [(1, "two")], "c": [(3, "three")]}}

    assert list(logs.lines(of(first, then, {}), follow=True)) == ["one", "one", "two", "three"]
