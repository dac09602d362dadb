"""Accounts and regions of the simulated Amazon Personalize, and the ARNs in them."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Scope:
    """An account and a region, for the ARNs of resources."""

    account: str
    region: str

    @property
    def partition(self) -> str:
        """The partition that the region is in."""
        prefixes = {"cn-": "aws-cn", "us-gov-": "aws-us-gov"}
        return next((p for start, p in prefixes.items() if self.region.startswith(start)), "aws")

    def arn(self, kind: str, name: str) -> str:
        """Return the ARN of a resource, for example of kind `recommender`."""
        return f"arn:{self.partition}:personalize:{self.region}:{self.account}:{kind}/{name}"
