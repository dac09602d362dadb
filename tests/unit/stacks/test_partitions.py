"""A region's name says which partition it is in."""

import json
import re
from pathlib import Path
from typing import Any

import botocore
import pytest

from stacks.partitions import PARTITION, REGION, is_region_of, partition_of

PARTITIONS: list[Any] = json.loads(
    (Path(botocore.__file__).parent / "data" / "partitions.json").read_text()
)["partitions"]
REGIONS = [
    (partition["id"], region)
    for partition in PARTITIONS
    for region in partition["regions"]
    if not region.endswith("-global")
]


@pytest.mark.parametrize(("partition", "region"), REGIONS)
def test_a_region_that_the_sdk_knows_is_in_its_partition_and_in_no_other(
    partition: str, region: str
) -> None:
    assert re.fullmatch(PARTITION, partition)
    assert re.fullmatch(REGION, region)
    assert [one["id"] for one in PARTITIONS if is_region_of(one["id"], region)] == [partition]


@pytest.mark.parametrize("partition", ["aws", "aws-new"])
def test_a_region_of_a_kind_that_nobody_knows_yet_may_be_in_any_partition(partition: str) -> None:
    assert partition_of("aq-pole-1") is None
    assert is_region_of(partition, "aq-pole-1")


def test_every_place_that_the_sdk_has_in_a_partition_is_known() -> None:
    """Places are what names of regions begin with, as the alternatives in the SDK's patterns."""
    places = {
        place: partition["id"]
        for partition in PARTITIONS
        for place in places_in(partition["regionRegex"])
    }

    assert {place: partition_of(f"{place}-middle-12") for place in places} == places


def places_in(pattern: str) -> list[str]:
    beginning = pattern.removeprefix("^").removesuffix(r"\-\w+\-\d+$").replace("\\", "")
    before, _, alternatives = beginning.rstrip(")").rpartition("(")
    return [before + place for place in alternatives.split("|")]
