"""Dataset groups of the simulated Amazon Personalize, with their datasets."""

import functools
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from local_aws.personalize.catalogue import Item
from local_aws.personalize.recipes import Domain
from local_aws.personalize.training import Source


@dataclass(kw_only=True)
class DatasetGroup:
    """A dataset group, whose domain is None if it is a custom one, and its datasets' types."""

    name: str
    arn: str
    domain: Domain | None
    status: str
    dataset_types: tuple[str, ...]
    items: Sequence[Item]
    source: Source | None
    """The data for the training of its recommenders, if it has any."""
    created: float
    tags: dict[str, str] = field(default_factory=dict)

    @functools.cached_property
    def metadata(self) -> dict[str, Item]:
        """The rows of the Items dataset by item."""
        return {item["ITEM_ID"]: item for item in self.items}

    def describe(self) -> dict[str, Any]:
        """Return the API's DatasetGroup."""
        described = {
            "name": self.name,
            "datasetGroupArn": self.arn,
            "status": self.status,
            "creationDateTime": self.created,
            "lastUpdatedDateTime": self.created,
        }
        return described | ({"domain": self.domain} if self.domain else {})

    def datasets(self) -> dict[str, dict[str, Any]]:
        """Return the API's DatasetSummary of each dataset, by ARN."""
        prefix = self.arn.replace(":dataset-group/", ":dataset/")
        return {
            f"{prefix}/{kind}": {
                "name": f"{self.name}-{kind.lower()}",
                "datasetArn": f"{prefix}/{kind}",
                "datasetType": kind,
                "status": "ACTIVE",
                "creationDateTime": self.created,
                "lastUpdatedDateTime": self.created,
            }
            for kind in self.dataset_types
        }
