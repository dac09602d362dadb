"""The custom resources of a recommender: sweeps before it, training gates and its end state after.

Sources: CreateRecommender, RecommenderConfig and TrainingDataConfig, Personalize API reference.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, cast

from aws_cdk import CfnResource, CustomResource, Lazy, Stack, Token
from constructs import Construct, IDependable

from .functions import vocabulary as v
from .hours import HoursOfService, weekly_times
from .permissions import name_prefix, recipe_arn
from .properties import RecommenderProperties
from .service import RecommenderService
from .settings.declarations import RecommenderSettings
from .synthesis import OnDestroy, TagsOfAll


class CustomResources:
    """Makes the custom resources of one recommender, each after those that it depends on.

    Sweeps, which wait for a deletion, stand before the recommender; training gates, which wait for
    a training, stand after it.
    """

    def __init__(
        self,
        scope: Construct,
        service: RecommenderService,
        properties: RecommenderProperties,
        tags: TagsOfAll,
    ) -> None:
        self._scope, self._service, self._properties = scope, service, properties
        self._names = {
            v.NAME_PREFIX: name_prefix(Stack.of(scope)),
            v.FIXED_NAME: properties.recommender_name,
        }
        self._config = {v.CONFIG: recommender_config(properties)}
        hours = properties.active_hours
        self._hours = {v.ACTIVE_HOURS: weekly_times(hours)} if hours else {}
        # A property beside the deletion policy: a rollback brings both back.
        self._fate = {v.ON_DESTROY: Lazy.string(OnDestroy(lambda: cfn(self.recommender)))}
        requested = self._requested(tags)
        self.recommender = self._one(scope, "Resource", v.RECOMMENDER_TYPE, requested)
        self._logical_id = {v.RECOMMENDER_LOGICAL_ID: cfn(self.recommender).logical_id}
        self.sweeps = self._chain(
            "Sweeps",
            [f"Sweep{link:02}" for link in range(1, properties.sweeps + 1)],
            v.SWEEP_TYPE,
            {**self._names, **self._logical_id, **self._fate},
        )
        # CloudFormation can delete a custom resource only while its service exists.
        self.sweeps[0].node.add_dependency(service)
        self.recommender.node.add_dependency(service, self.sweeps[-1])
        self._deployed = self._of_the_deployed()
        gates = properties.training_gates
        self.gates = self._chain(
            "Training",
            [f"Hour{link:02}Of{gates:02}" for link in range(1, gates + 1)],
            v.TRAINING_GATE_TYPE,
            self._deployed,
            last=quality_gate(properties),
        )
        self.ready = self._end_state()
        """Depend on it to come after the recommender is as its properties say."""
        self.request = {
            "StackId": Stack.of(scope).stack_id,
            "LogicalResourceId": cfn(self.recommender).logical_id,
            "ResourceProperties": requested,
        }
        """The request for the recommender that CloudFormation will send, as in the template."""

    def _requested(self, tags: TagsOfAll) -> Mapping[str, Any]:
        properties = self._properties
        return {
            **self._names,
            **self._config,
            **self._hours,
            v.RUNNING: properties.running,
            v.DATASET_GROUP_ARN: properties.dataset_group_arn,
            v.RECIPE_ARN: recipe_arn(properties.recipe),
            v.ADOPT_EXISTING: properties.adopt_existing,
            v.FORCE_UPDATE: properties.force_update,
            v.TAGS: Lazy.any(tags),
            **self._fate,
        }

    def _of_the_deployed(self) -> Mapping[str, Any]:
        """Write the properties of each custom resource that observes the deployed recommender."""
        resource = self.recommender
        return {
            **self._config,
            v.RUNNING: self._properties.running and not self._hours,
            v.RECOMMENDER_ARN: resource.get_att_string(v.ARN_ATTRIBUTE),
            v.REVISION: resource.get_att_string(v.REVISION_ATTRIBUTE),
            v.UPDATED_AFTER: resource.get_att_string(v.UPDATED_AFTER_ATTRIBUTE),
        }

    def _end_state(self) -> IDependable:
        """Stop the recommender, or leave it to its hours; return the last resource."""
        gate, given = self.gates[-1], {**self._deployed, **self._logical_id, **self._hours}
        if not self._properties.running:
            stop = self._one(self._scope, "Stop", v.STOP_TYPE, given)
            stop.node.add_dependency(gate)
            return stop
        if hours := self._properties.active_hours:
            arn = gate.get_att_string(v.RECOMMENDER_ARN_ATTRIBUTE)
            title = self._properties.recipe.facts.title
            by_the_clock = HoursOfService(self._scope, "Hours", arn, hours, title=title)
            state = self._one(by_the_clock, "State", v.HOURS_TYPE, given)
            state.node.add_dependency(*by_the_clock.schedules)
            return state
        return gate

    def _chain(
        self,
        construct_id: str,
        names: Sequence[str],
        resource_type: str,
        properties: Mapping[str, Any],
        *,
        last: Mapping[str, Any] | None = None,
    ) -> list[CustomResource]:
        """Make links that depend each on the one before; the last one has more properties."""
        scope = Construct(self._scope, construct_id)
        links: list[CustomResource] = []
        for number, name in enumerate(names, start=1):
            place = {v.LINK: number, v.LINKS: len(names)}
            if number == len(names):
                place |= dict(last or {})
            link = self._one(scope, name, resource_type, {**properties, **place})
            if links:
                link.node.add_dependency(links[-1])
            links.append(link)
        return links

    def _one(
        self, scope: Construct, construct_id: str, resource_type: str, properties: Mapping[str, Any]
    ) -> CustomResource:
        wait = self._properties.training_gate.to_seconds(integral=False)
        return CustomResource(
            scope,
            construct_id,
            service_token=self._service.service_token,
            resource_type=resource_type,
            properties={**properties, v.WAIT_SECONDS: wait},
        )


def cfn(resource: CustomResource) -> CfnResource:
    """Return the template's resource."""
    return cast("CfnResource", resource.node.default_child)


# -- properties in the words of Personalize, and of the functions ----------------------------------


def recommender_config(settings: RecommenderSettings) -> dict[str, Any]:
    """Write the configuration as Personalize takes it for the recipe."""
    excluded = {dataset: list(columns) for dataset, columns in settings.excluded_columns.items()}
    exploration = {
        v.EXPLORATION_WEIGHT: _text(settings.exploration_weight),
        v.EXPLORATION_ITEM_AGE_CUT_OFF: _text(settings.exploration_item_age_cut_off),
    }
    return {
        v.MIN_REQUESTS_PER_SECOND: settings.min_recommendation_requests_per_second,
        v.ENABLE_METADATA: settings.item_metadata,
        **({v.EXPLORATION: exploration} if settings.recipe.facts.explores else {}),
        v.TRAINING_DATA: {v.EXCLUDED_COLUMNS: excluded},
    }


def quality_gate(settings: RecommenderSettings) -> dict[str, Any]:
    """Write the property of the last training gate, if the metrics have anything to reach.

    The observer gets it, too.
    """
    minimum, regression = settings.minimum_metrics, settings.max_metric_regression
    if not minimum and regression is None:
        return {}
    gate = {
        v.MINIMUM_METRICS: {name: _text(least) for name, least in minimum.items()},
        v.MAX_METRIC_REGRESSION: None if regression is None else _text(regression),
        v.ON_MISS: settings.quality_gate,
    }
    return {v.QUALITY_GATE: gate}


def _text(number: Decimal | float) -> Any:
    """Write a number as text, as Personalize takes it here; leave a token as it is."""
    is_token = not isinstance(number, Decimal) and Token.is_unresolved(number)
    return number if is_token else str(number)
