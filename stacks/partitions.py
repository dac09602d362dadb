"""The partition of a region, by the region's name, and the regions with Amazon Personalize."""

from typing import Final

PARTITION: Final = "aws(?:-[a-z]+)*"
"""Pattern of a partition's name."""

REGION: Final = "[a-z]{2,}(?:-[a-z]+)+-[0-9]+"
"""Pattern of a region's name."""

CHINA: Final = "aws-cn"

_PARTITIONS: Final = {
    **dict.fromkeys(("af", "ap", "ca", "eu", "il", "me", "mx", "sa", "us"), "aws"),
    "cn": CHINA,
    "eusc-de": "aws-eusc",
    "us-iso": "aws-iso",
    "us-isob": "aws-iso-b",
    "eu-isoe": "aws-iso-e",
    "us-isof": "aws-iso-f",
    "us-gov": "aws-us-gov",
}
"""Partition by a region's name without its last two parts, such as ``west-1``.

Source: ``partitions.json`` of botocore, with which a test compares it.
"""


PERSONALIZE: Final = (
    *("ap-northeast-1", "ap-northeast-2", "ap-south-1", "ap-southeast-1", "ap-southeast-2"),
    *("ca-central-1", "eu-central-1", "eu-west-1", "us-east-1", "us-east-2", "us-west-2"),
    "cn-north-1",
)
"""The regions in which the SDK knows Amazon Personalize; AWS adds some now and then.

Source: ``endpoints.json`` of botocore, with which a test compares it.
"""


def partition_of(region: str) -> str | None:
    """Return the partition of a region, or nothing if no partition has regions of such names."""
    return _PARTITIONS.get(region.rsplit("-", 2)[0])


def is_region_of(partition: str, region: str) -> bool:
    """Tell whether a region may be in a partition; one with a name of a new kind may be in any."""
    return partition_of(region) in (partition, None)
