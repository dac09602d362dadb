"""Train a recommender on the data of its dataset group, if that has any.

This is a SIMULATION: `local_aws.rehearsal` trains in Amazon's place. It, and numpy with it, is
imported only when there is data, so that runs without data stay quick.
"""

import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol

from local_aws.personalize.catalogue import Item

if TYPE_CHECKING:
    from local_aws.rehearsal.data import Data
    from local_aws.rehearsal.training import Options

_ITEMS: Final = "ITEMS"
_EXPLORATION: Final = {
    "explorationWeight": "exploration_weight",
    "explorationItemAgeCutOff": "exploration_item_age_cut_off",
}


class Model(Protocol):
    """The result of a training."""

    metrics: dict[str, float]
    """The `modelMetrics`."""
    popularity_metrics: dict[str, float]
    """The same metrics of a list of popular items."""

    def recommend(self, user_id: str, most: int) -> list[tuple[str, float]]:
        """Return item ids with scores, best first."""


Training = Future[Model]
"""A training, which may still go on; its exception is the `failureReason`."""


class Source:
    """The imported data of a dataset group, and all trainings on it.

    Trainings go on in the background, one after the other; configurations that mean the same for a
    training share one.
    """

    def __init__(self, data: "Data") -> None:
        """Use `read`."""
        self.data = data
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="training")
        self._trainings: dict[Options, Training] = {}
        self._lock = threading.Lock()

    @classmethod
    def read(cls, folder: str, *, now: float) -> "Source":
        """Import a folder.

        Raises:
            ValueError: It cannot be imported; the text names the file and the problem.
        """
        from local_aws.rehearsal.reading import read  # noqa: PLC0415  # see above

        return cls(read(Path(folder), now=now))

    @property
    def dataset_types(self) -> tuple[str, ...]:
        """The types of the datasets that there is data for."""
        return ("INTERACTIONS", _ITEMS, *(() if self.data.user_rows is None else ("USERS",)))

    @property
    def items(self) -> Sequence[Item]:
        """The rows of the Items dataset."""
        return self.data.item_rows

    def train(self, config: Mapping[str, Any]) -> Training:
        """Return the training with a `recommenderConfig`, which begins if there is none yet."""
        from local_aws.rehearsal.training import TopPicks  # noqa: PLC0415  # see above

        options = _options(config, self.data.item_columns)
        with self._lock:
            if options not in self._trainings:
                self._trainings[options] = self._executor.submit(TopPicks, self.data, options)
            return self._trainings[options]


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
