"""One simulated recommender, as a function of time.

This is a SIMULATION. Nothing runs in the background: a call writes down the statuses to come with
their times, and later calls look them up. The statuses are those of the API's model and guide
(botocore's `personalize` model; docs.aws.amazon.com/personalize/latest/dg/, pages API_Recommender,
stopping-starting-recommender, updating-recommender, maintaining-relevance).
"""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Self

from local_aws.personalize import configuration
from local_aws.personalize.behaviour import Behaviour
from local_aws.personalize.configuration import Config
from local_aws.personalize.recipes import Recipe
from local_aws.personalize.training import Source, Training

if TYPE_CHECKING:
    from local_aws.rehearsal.training import StandIn

ACTIVE: Final = "ACTIVE"
INACTIVE: Final = "INACTIVE"
CREATE_FAILED: Final = "CREATE FAILED"
GONE: Final = ""
"""Not a status of the API: the recommender is no more."""

_PENDING_SHARE: Final = 0.1
"""This share of the time to stop, start or delete is invented."""
_DECIMALS: Final = 4
"""Of metrics in AWS's examples."""
_LOOK_AGAIN: Final = 1.0
"""Seconds for which a course is put off that waits for a training."""


@dataclass(frozen=True)
class Course:
    """Statuses in the order in which they are reached, each with its time in epoch seconds."""

    steps: tuple[tuple[float, str], ...]

    @classmethod
    def of(
        cls, verb: str, outcome: str, *, start: float, pending: float, in_progress: float
    ) -> Self:
        """Return `<verb> PENDING`, `<verb> IN_PROGRESS` and the outcome; durations in seconds."""
        return cls(
            (
                (start, f"{verb} PENDING"),
                (start + pending, f"{verb} IN_PROGRESS"),
                (start + pending + in_progress, outcome),
            )
        )

    @property
    def start(self) -> float:
        """When it began, in epoch seconds."""
        return self.steps[0][0]

    @property
    def end(self) -> float:
        """When it ends, in epoch seconds."""
        return self.steps[-1][0]

    def at(self, now: float) -> tuple[float, str]:
        """Return since when, and in which status it is."""
        return [step for step in self.steps if step[0] <= now or step is self.steps[0]][-1]

    def after(self, now: float) -> tuple[tuple[float, str], ...]:
        """Return the statuses that are still to come."""
        return tuple(step for step in self.steps[1:] if step[0] > now)

    def settled(self, training: Training, now: float) -> tuple[Self, str | None]:
        """Return the course that a training makes of this one, and why it has failed, if it has.

        It takes its time even if the training ends sooner, and longer if that ends later.
        """
        if not training.done():
            end = max(self.end, now + _LOOK_AGAIN) if self.end <= now else self.end
            return self._to(end, self.steps[-1][1]), None
        if error := training.exception():
            return self._to(self.end, CREATE_FAILED), str(error)
        return self, None

    def _to(self, end: float, outcome: str) -> Self:
        return dataclasses.replace(self, steps=(*self.steps[:-1], (end, outcome)))


def _is_trained(status: str) -> bool:
    """Whether a recommender in this status has a model, and shows its metrics."""
    return not status.startswith(("CREATE", "DELETE"))


def creation(start: float, behaviour: Behaviour, failure: str | None) -> Course:
    """Return the course of a creation, and of everything else that trains."""
    return Course.of(
        "CREATE",
        CREATE_FAILED if failure else ACTIVE,
        start=start,
        pending=behaviour.create_pending,
        in_progress=behaviour.create_in_progress,
    )


@dataclass(frozen=True)
class Update:
    """An update or an automatic retraining, which `latestRecommenderUpdate` shows."""

    course: Course
    config: Config
    failure: str | None
    trains: bool
    automatic: bool = False
    training: Training | None = None
    """The training that it has to wait for."""
    factor: float = 1.0
    """The factor by which it changes the metrics when it succeeds."""

    @classmethod
    def of(
        cls,
        old: Config,
        new: Config,
        *,
        start: float,
        behaviour: Behaviour,
        training: Training | None,
    ) -> Self:
        """Return an update from one configuration to another, as a client requests it."""
        if not configuration.same_columns(old, new):
            failure = behaviour.update_failure or behaviour.training_failure
            course = creation(start, behaviour, failure)
            return cls(course, new, failure, trains=True, training=training)
        course = Course.of(
            "CREATE",
            CREATE_FAILED if behaviour.update_failure else ACTIVE,
            start=start,
            pending=behaviour.update_pending,
            in_progress=behaviour.update_in_progress,
        )
        return cls(course, new, behaviour.update_failure, trains=False, training=training)

    def describe(self, now: float, recipe: Recipe, behaviour: Behaviour) -> dict[str, Any]:
        """Return the API's RecommenderUpdateSummary."""
        since, status = self.course.at(now)
        return {
            "recommenderConfig": configuration.answer(self.config, recipe, behaviour),
            "creationDateTime": self.course.start,
            "lastUpdatedDateTime": since,
            "status": status,
        } | ({"failureReason": self.failure} if status == CREATE_FAILED else {})


@dataclass(frozen=True, kw_only=True)
class Overview:
    """A recommender at a moment, for the page, with nothing hidden or stale."""

    name: str
    recipe: Recipe
    dataset_group_arn: str
    status: str
    since: float
    """Epoch seconds."""
    coming: Sequence[tuple[float, str]]
    """The statuses to come, and when at the earliest, if no call changes them."""
    failure: str | None
    metrics: Mapping[str, float]
    is_fixed: bool
    """Whether the metrics are set by a switch, and not measured."""
    model: "StandIn | None"
    """The model that serves, if it was trained on data."""
    source: Source | None


@dataclass(kw_only=True)
class Recommender:
    """A recommender from its creation to its end, tags included."""

    name: str
    arn: str
    dataset_group_arn: str
    recipe_arn: str
    recipe: Recipe
    tags: dict[str, str]
    created: float
    course: Course
    failure: str | None
    config: Config
    """The configuration before `update`."""
    source: Source | None
    training: Training | None
    """The training that the creation has to wait for."""
    update: Update | None = None
    previous_update: Update | None = None
    asked: Update | None = None
    """The last update before `update` that a client requested."""
    trained: float = 0.0
    """When the last update began that trained."""
    factor: float = 1.0
    """The factor of the metrics before `update`."""

    def status(self, now: float) -> str:
        """Return the status, or GONE."""
        return self.course.at(now)[1]

    def is_changing(self, now: float) -> bool:
        """Whether the status is one of those that end in PENDING or IN_PROGRESS."""
        return self.status(now).endswith(("PENDING", "IN_PROGRESS"))

    def is_updating(self, now: float) -> bool:
        """Whether an update or a retraining is under way."""
        return self.update is not None and now < self.update.course.end

    def is_retraining(self, now: float) -> bool:
        """Whether an automatic retraining is under way."""
        return self.is_updating(now) and self.update is not None and self.update.automatic

    def is_busy(self, now: float) -> bool:
        """Whether anything at all is under way."""
        return self.is_changing(now) or self.is_updating(now)

    def config_in_force(self, now: float) -> Config:
        """Return the configuration that is served: that of an update once it has succeeded."""
        if self.update and self.update.course.at(now)[1] == ACTIVE:
            return self.update.config
        return self.config

    def factor_in_force(self, now: float) -> float:
        """Return the factor of the metrics, to which an update adds its own once it succeeds."""
        if self.update and self.update.course.at(now)[1] == ACTIVE:
            return self.factor * self.update.factor
        return self.factor

    def model(self, now: float) -> "StandIn | None":
        """Return the model that it serves with, if it has been trained, and on data."""
        if not _is_trained(self.status(now)):
            return None
        training = self.train(self.config_in_force(now))
        return training.result() if training else None

    def train(self, config: Config) -> Training | None:
        """Return the training with a configuration, which begins if there is none yet."""
        return self.source.train(self.recipe.name, config) if self.source else None

    def settle(self, now: float) -> None:
        """End the current course when its training ends, with the same outcome."""
        if self.training:
            self.course, failure = self.course.settled(self.training, now)
            self.failure = failure or self.failure
            self.training = None if self.training.done() else self.training
        if self.update and self.update.training:
            training = self.update.training
            course, failure = self.update.course.settled(training, now)
            self.update = dataclasses.replace(
                self.update,
                course=course,
                failure=failure or self.update.failure,
                training=None if training.done() else training,
            )

    def begin(self, update: Update) -> None:
        """Start an update; there must be none under way."""
        self.config = self.config_in_force(update.course.start)
        self.factor = self.factor_in_force(update.course.start)
        if self.update and not self.update.automatic:
            self.asked = self.update
        self.previous_update, self.update = self.update, update
        if update.trains:
            self.trained = update.course.start

    def change(self, verb: str, outcome: str, *, start: float, seconds: float) -> None:
        """Start to stop, start or delete."""
        pending = seconds * _PENDING_SHARE
        self.course = Course.of(
            verb, outcome, start=start, pending=pending, in_progress=seconds - pending
        )

    def retrain_if_due(self, now: float, behaviour: Behaviour) -> None:
        """Start the latest automatic retraining that has come due; it waits for an update."""
        since, status = self.course.at(now)
        every = behaviour.retraining_every
        if not every or status != ACTIVE:
            return
        since = max(since, self.trained)
        periods = (now - since) // every
        start = since + periods * every
        if self.update:
            start = max(start, self.update.course.end)
        if periods >= 1 and start <= now:
            self.retrain(start, behaviour)

    def retrain(self, start: float, behaviour: Behaviour) -> None:
        """Start an automatic retraining; there must be no update under way."""
        failure = behaviour.retraining_failure or behaviour.training_failure
        course = creation(start, behaviour, failure)
        config = self.config_in_force(start)
        factor = behaviour.retraining_factor
        self.begin(Update(course, config, failure, trains=True, automatic=True, factor=factor))

    def describe(self, now: float, behaviour: Behaviour) -> dict[str, Any]:
        """Return the API's Recommender."""
        described = self.summarise(now, behaviour)
        status = described["status"]
        if status == CREATE_FAILED:
            described["failureReason"] = self.failure
        if _is_trained(status) and (metrics := self._metrics(now, behaviour)) is not None:
            described["modelMetrics"] = dict(metrics)
        if update := self._shown(now, behaviour)[0]:
            described["latestRecommenderUpdate"] = update.describe(now, self.recipe, behaviour)
        return described

    def overview(self, now: float, behaviour: Behaviour) -> Overview:
        """Return its state for the page."""
        since, status = self.course.at(now)
        updates = self.update.course.after(now) if self.update else ()
        return Overview(
            name=self.name,
            recipe=self.recipe,
            dataset_group_arn=self.dataset_group_arn,
            status=status,
            since=since,
            coming=(
                *self.course.after(now),
                *((when, f"{reached} of the update") for when, reached in updates),
            ),
            failure=self.failure if status == CREATE_FAILED else None,
            metrics=(self._metrics(now, behaviour) if _is_trained(status) else None) or {},
            is_fixed=behaviour.metrics is not None,
            model=self.model(now),
            source=self.source,
        )

    def _metrics(self, now: float, behaviour: Behaviour) -> Mapping[str, float] | None:
        """Return the metrics of a trained recommender, None if the answer has no such member."""
        if self.recipe.has_metrics is None and behaviour.popular_metrics != "reported":
            return None if behaviour.popular_metrics == "absent" else {}
        metrics = behaviour.metrics
        if metrics is None:
            model = self.model(now)
            metrics = model.metrics if model else {}
        factor = self.factor_in_force(now)
        return {
            name: min(1.0, round(value * factor, _DECIMALS)) if factor != 1.0 else value
            for name, value in metrics.items()
        }

    def summarise(self, now: float, behaviour: Behaviour) -> dict[str, Any]:
        """Return the API's RecommenderSummary."""
        since, status = self.course.at(now)
        update, config = self._shown(now, behaviour)
        return {
            "name": self.name,
            "recommenderArn": self.arn,
            "datasetGroupArn": self.dataset_group_arn,
            "recipeArn": self.recipe_arn,
            "recommenderConfig": configuration.answer(config, self.recipe, behaviour),
            "status": status,
            "creationDateTime": self.created,
            "lastUpdatedDateTime": max(since, update.course.at(now)[0]) if update else since,
        }

    def _shown(self, now: float, behaviour: Behaviour) -> tuple[Update | None, Config]:
        """Return the update and the configuration that reads see, which may be stale."""
        update, config = self.update, self.config_in_force(now)
        if (
            update
            and not update.automatic
            and now < update.course.start + behaviour.stale_after_update
        ):
            update, config = self.previous_update, self.config
        if update and update.automatic and not behaviour.retraining_shows:
            update = self.asked
        return update, config
