"""Train recommenders on the data of their dataset group, if it has any.

This is a SIMULATION: `local_aws.rehearsal` trains in Amazon's place. It is imported, with
numpy, only when there is data, so that commands without data stay quick.
"""

import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from local_aws.personalize.catalogue import Item

if TYPE_CHECKING:
    from local_aws.rehearsal.data import Data
    from local_aws.rehearsal.findings import Finding
    from local_aws.rehearsal.training import Options, StandIn

_ITEMS: Final = "ITEMS"
_EXPLORATION: Final = {
    "explorationWeight": "exploration_weight",
    "explorationItemAgeCutOff": "exploration_item_age_cut_off",
}


Training = Future["StandIn"]
"""A training, which may still go on; its exception is the `failureReason`."""


class Source:
    """The imported data of a dataset group, and all trainings on it.

    Trainings go on in the background, one after the other; configurations of a recipe that mean the
    same for a training share one.
    """

    def __init__(self, folder: str, data: "Data") -> None:
        """Use `read`."""
        self.folder = folder
        self.data = data
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="training")
        self._trainings: dict[tuple[str, Options], Training] = {}
        self._lock = threading.Lock()

    @classmethod
    def read(cls, folder: str, *, now: float, event_type_counts: bool) -> "Source":
        """Import a folder.

        Args:
            folder: Where it is.
            now: The time, in epoch seconds.
            event_type_counts: As in `Behaviour`.

        Raises:
            ValueError: The folder cannot be imported; the text names the file and its problem.
        """
        from local_aws.rehearsal.reading import read  # noqa: PLC0415  # see above

        data = read(Path(folder), now=now, event_type_counts=event_type_counts)
        return cls(folder, data)

    @property
    def dataset_types(self) -> tuple[str, ...]:
        """The types of the datasets that there is data for."""
        return ("INTERACTIONS", _ITEMS, *(() if self.data.user_rows is None else ("USERS",)))

    @cached_property
    def findings(self) -> "Sequence[Finding]":
        """The findings about the data; for a million interactions they take seconds."""
        from local_aws.rehearsal.findings import findings  # noqa: PLC0415  # see above

        return findings(self.data)

    @property
    def items(self) -> Sequence[Item]:
        """The rows of the Items dataset."""
        return self.data.item_rows

    def train(self, recipe: str, config: Mapping[str, Any]) -> Training:
        """Return the training with a `recommenderConfig`, which begins if there is none yet."""
        options = _options(config, self.data.item_columns)
        with self._lock:
            if (recipe, options) not in self._trainings:
                training = self._executor.submit(self._evaluated, recipe, options)
                self._trainings[recipe, options] = training
            return self._trainings[recipe, options]

    def _evaluated(self, recipe: str, options: "Options") -> "StandIn":
        from local_aws.rehearsal.recipes import STAND_INS  # noqa: PLC0415  # see above

        trained = STAND_INS[recipe](self.data, options)
        _ = trained.evaluation  # here, and not while a caller waits for an answer
        return trained


def _options(config: Mapping[str, Any], item_columns: frozenset[str]) -> "Options":
    from local_aws.rehearsal.training import Options  # noqa: PLC0415  # see above

    columns = config.get("trainingDataConfig", {})
    excluded = _of_items(columns.get("excludedDatasetColumns", {}))
    if included := _of_items(columns.get("includedDatasetColumns", {})):
        excluded |= item_columns - included
    exploration = {
        _EXPLORATION[key]: float(value)
        for key, value in config.get("itemExplorationConfig", {}).items()
    }
    return Options(excluded_item_columns=excluded, **exploration)


def _of_items(columns: Mapping[str, Sequence[str]]) -> frozenset[str]:
    return frozenset(
        name for kind, names in columns.items() if kind.upper() == _ITEMS for name in names
    )
