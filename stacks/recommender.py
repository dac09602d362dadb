"""The recommender, and the two chains of custom resources that wait for it."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, cast

import jsii
from aws_cdk import (
    Annotations,
    CfnDeletionPolicy,
    CfnResource,
    CustomResource,
    Duration,
    ITaggableV2,
    Lazy,
    RemovalPolicy,
    Stack,
    TagManager,
    TagType,
    Token,
)
from aws_cdk import aws_ssm as ssm
from constructs import Construct, IDependable, IValidation

from .functions import vocabulary as v
from .hours import HoursOfService, weekly_times
from .interface import IRecommender, RecommenderBase, imported
from .partitions import PERSONALIZE
from .permissions import RECIPE_ARN, allow_recommender, derived_names, name_prefix, recommender_arn
from .properties import check_properties, check_text, check_type, or_default
from .service import RecommenderService
from .settings.declarations import Settings
from .settings.errors import PropertyError
from .settings.tags import problems
from .synthesis import (
    OnDestroy,
    TagsOfAll,
    refuse_taken_name,
    warn_of_references,
    warn_of_removal_policies,
    when_synthesised,
)


@jsii.implements(ITaggableV2)
class TopPicksRecommender(RecommenderBase):
    """A Personalize domain recommender of the recipe ``aws-vod-top-picks``.

    CloudFormation waits at most an hour for one custom resource, while a training takes up to ten.
    So the waiting is two chains of custom resources: training gates, which wait for a training,
    stand after the recommender; sweeps, which wait for a deletion, stand before it.

    Tags that ``aws_cdk.Tags`` gives to it, or to what it is in, and the tags of its stack are the
    recommender's.

    Example::

        recommender = TopPicksRecommender(
            self,
            "TopPicks",
            dataset_group_arn="arn:aws:personalize:eu-west-1:111111111111:dataset-group/vod",
        )
        recommender.grant_get_recommendations(function)
        recommender.metric_get_recommendations5xx_errors().create_alarm(...)

    Its properties and attributes are an interface in the sense of semantic versioning, and so are
    those of its resources that decide whether an update replaces the recommender.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        dataset_group_arn: str,
        recommender_name: str | None = None,
        min_recommendation_requests_per_second: int = 1,
        exploration_weight: Decimal | float = Decimal("0.3"),
        exploration_item_age_cut_off: Duration | None = None,
        excluded_columns: Mapping[str, Sequence[str]] | None = None,
        running: bool = True,
        active_hours: Mapping[str, str] | None = None,
        adopt_existing: bool = False,
        removal_policy: RemovalPolicy = RemovalPolicy.DESTROY,
        force_update: str | None = None,
        training_gates: int = 11,
        sweeps: int = 11,
        training_gate: Duration | None = None,
        minimum_metrics: Mapping[str, Decimal | float] | None = None,
        max_metric_regression: Decimal | float | None = None,
        quality_gate: str = "fail",
        service: RecommenderService | None = None,
    ) -> None:
        """Make the recommender and its chains.

        Args:
            scope: the parent.
            construct_id: the id, which is part of the recommender's identity: another id is another
                recommender.
            dataset_group_arn: of an ACTIVE dataset group of the domain VIDEO_ON_DEMAND with an
                Interactions and an Items dataset, both imported, in the stack's account and region.
                A change replaces the recommender. If it is made in the same app, its ARN is a
                token, and the recommender has to depend on its datasets.
            recommender_name: fixes the name, 1 to 63 letters, digits, ``-`` and ``_``; by default
                it is derived, ``<stack name>-<16 hexadecimal digits>``. If it is a token, what it
                stands for must not change: the permission for the old name would go before the old
                recommender.
            min_recommendation_requests_per_second: provisioned, and billed, throughput, 1 or more;
                1 by default.
            exploration_weight: 0 (relevance only) to 1 (exploration only), with at most six
                decimals; 0.3 by default.
            exploration_item_age_cut_off: age up to which an item is explored, in whole days, 1 or
                more; 30 days by default. The age is the time from the item's creation to the latest
                interaction with any item; without a creation time, Personalize takes it from the
                item's interactions.
            excluded_columns: columns that the training leaves out, by dataset type
                (``INTERACTIONS``, ``ITEMS``, ``USERS``); none by default.
            running: whether the recommender is ACTIVE, which is the default; else it is kept
                INACTIVE (stopped), once it is trained.
            active_hours: when it is started, when it is stopped, and on whose clock: ``start`` and
                ``stop``, each ``cron(<minute> <hour> ? * <days> *)``, and ``time_zone``; a
                deployment leaves it in the state that its hour wants.
            adopt_existing: take over a recommender of that fixed name instead of failing, which is
                the default.
            removal_policy: ``DESTROY``, the default, deletes the recommender with the stack;
                ``RETAIN`` leaves it there, unless it is its creation that is rolled back.
            force_update: any text of 1 to 64 printable characters; a change of it asks for
                everything anew, and puts right what was edited by hand.
            training_gates: how many gates wait for a training, one after another; 11 by default,
                which is ten hours.
            sweeps: how many sweeps wait for a deletion, one after another; 11 by default.
            training_gate: how long one of them waits, above 0; by default 55 minutes, the longest.
            minimum_metrics: what model metrics must reach, 0 to 1 with at most six decimals, by the
                service's names.
            max_metric_regression: how much worse each may be than that of the recommender that is
                replaced, as a fraction of it, with at most six decimals.
            quality_gate: ``fail`` the deployment that misses this, or ``warn``.
            service: what answers for it, in the same stack; by default
                ``RecommenderService.shared``. It is for good: CloudFormation refuses to change the
                service token of a custom resource that exists.

        Raises:
            PropertyError: a property is not allowed, or is a token although it decides which
                resources there are, or when they give up.

        Sources: CreateRecommender, RecommenderConfig and TrainingDataConfig, Personalize API
        reference; "Configuring exploration for a domain recommender", Personalize Developer Guide.
        """
        super().__init__(scope, construct_id)
        wait = or_default(training_gate, Duration.minutes(float(Settings.training_gate_minutes)))
        cut_off = or_default(
            exploration_item_age_cut_off, Duration.days(Settings.exploration_item_age_cut_off)
        )
        checked = check_properties(
            self,
            dataset_group_arn=dataset_group_arn,
            recommender_name=recommender_name,
            min_recommendation_requests_per_second=min_recommendation_requests_per_second,
            exploration_weight=exploration_weight,
            exploration_item_age_cut_off=cut_off,
            excluded_columns=or_default(excluded_columns, {}),
            running=running,
            active_hours=active_hours,
            adopt_existing=adopt_existing,
            removal_policy=removal_policy,
            force_update=force_update,
            training_gates=training_gates,
            sweeps=sweeps,
            training_gate=wait,
            minimum_metrics=or_default(minimum_metrics, {}),
            max_metric_regression=max_metric_regression,
            quality_gate=quality_gate,
        )
        training_gates, sweeps = checked["training_gates"], checked["sweeps"]
        self._wait_seconds = wait.to_seconds(integral=False)
        stack = Stack.of(self)
        self.service = _checked_service(self, service)
        """What answers for it."""
        self._tags = TagManager(TagType.MAP, v.RECOMMENDER_TYPE)
        tags = TagsOfAll(self, self._tags)
        self.node.add_validation(_TagRules(tags))
        names = {v.NAME_PREFIX: name_prefix(stack), v.FIXED_NAME: recommender_name}
        config = {
            v.CONFIG: recommender_config(
                min_recommendation_requests_per_second=checked[
                    "min_recommendation_requests_per_second"
                ],
                exploration_weight=checked["exploration_weight"],
                exploration_item_age_cut_off=cut_off.to_days(),
                excluded_columns=checked["excluded_columns"],
            ),
        }
        hours = {v.ACTIVE_HOURS: weekly_times(active_hours)} if active_hours else {}
        properties = {
            **names,
            **config,
            **hours,
            v.RUNNING: running,
            v.DATASET_GROUP_ARN: dataset_group_arn,
            v.RECIPE_ARN: RECIPE_ARN,
            v.ADOPT_EXISTING: adopt_existing,
            v.FORCE_UPDATE: force_update,
            v.TAGS: Lazy.any(tags),
            v.ON_DESTROY: Lazy.string(OnDestroy(lambda: _cfn(resource))),
        }
        resource = self._custom_resource(self, "Resource", v.RECOMMENDER_TYPE, properties)
        logical_id = {v.RECOMMENDER_LOGICAL_ID: _cfn(resource).logical_id}
        swept = self._chain(
            Construct(self, "Sweeps"),
            [f"Sweep{number:02}" for number in range(1, sweeps + 1)],
            v.SWEEP_TYPE,
            {**names, **logical_id},
        )
        allow_recommender(self.service.role, self, dataset_group_arn, recommender_name)
        # All of it has to be there as long as there is a custom resource.
        swept[0].node.add_dependency(self.service)
        resource.node.add_dependency(self.service, swept[-1])
        there = {
            **config,
            v.RUNNING: running and not hours,
            v.RECOMMENDER_ARN: resource.get_att_string(v.ARN_ATTRIBUTE),
            v.REVISION: resource.get_att_string(v.REVISION_ATTRIBUTE),
            v.UPDATED_AFTER: resource.get_att_string(v.UPDATED_AFTER_ATTRIBUTE),
        }
        gates = self._chain(
            Construct(self, "Training"),
            [f"Hour{number:02}Of{training_gates:02}" for number in range(1, training_gates + 1)],
            v.TRAINING_GATE_TYPE,
            there,
            last=_quality_gate(
                checked["minimum_metrics"], checked["max_metric_regression"], quality_gate
            ),
        )
        self.running = running
        self.active_hours = active_hours
        self.ready = self._left_in_its_state(gates[-1], {**there, **logical_id, **hours})
        """What depends on it is made when the recommender is as it is asked for."""
        self._kept_if_retained = [_cfn(one) for one in (resource, *swept)]
        self.apply_removal_policy(removal_policy)
        self._warn_of_the_region(stack.region)
        self.request = {
            "StackId": stack.stack_id,
            "LogicalResourceId": _cfn(resource).logical_id,
            "ResourceProperties": properties,
        }
        """What CloudFormation is told to ask for, as it stands in the template."""
        self.derived_arns = recommender_arn(stack, derived_names(stack))
        """ARNs, as policies have them, that it can have without a fixed name."""
        self.fixed_name = recommender_name
        self.minimum_metrics: Mapping[str, Decimal] = checked["minimum_metrics"]
        self.dataset_group_arn = dataset_group_arn
        self.recommender_name = resource.get_att_string(v.NAME_ATTRIBUTE)
        self.recommender_arn = gates[-1].get_att_string(v.RECOMMENDER_ARN_ATTRIBUTE)
        """ARN, known when the recommender is ready: what uses it waits for the training."""
        self.model_metrics = {name: gates[-1].get_att_string(name) for name in v.METRICS}
        """Metrics of the training, 0 to 1 or ``n/a``, by the names in ``vocabulary.METRICS``."""
        self.quality_gate = gates[-1].get_att_string(v.QUALITY_GATE_ATTRIBUTE)
        """``passed``, or ``warned`` and what is missed."""
        self.model_metrics_json = gates[-1].get_att_string(v.MODEL_METRICS_ATTRIBUTE)
        self._referred_to = [_cfn(resource), _cfn(gates[-1])]
        when_synthesised(self, self._checked)

    @staticmethod
    def from_recommender_arn(
        scope: Construct, construct_id: str, recommender_arn: str
    ) -> IRecommender:
        """Return a recommender that is made elsewhere, by its ARN: for grants and metrics.

        Args:
            scope: the parent.
            construct_id: the id.
            recommender_arn: ``arn:<partition>:personalize:<region>:<account>:recommender/<name>``,
                or a token.

        Raises:
            PropertyError: it is the ARN of something else.
        """
        return imported(scope, construct_id, recommender_arn)

    @staticmethod
    def from_arn_parameter(
        scope: Construct, construct_id: str, parameter_name: str
    ) -> IRecommender:
        """Return a recommender that is made elsewhere, by the SSM parameter that has its ARN.

        CloudFormation reads the parameter whenever the stack is deployed, so that no stack imports
        what a replacement of the recommender changes. What runs should read it itself, to follow a
        replacement at once.

        Args:
            scope: the parent.
            construct_id: the id.
            parameter_name: as ``add_arn_parameter`` was given it, in the stack's account and
                region.

        Raises:
            PropertyError: it cannot be the name of a parameter.
        """
        check_text("parameter_name", parameter_name)
        arn = ssm.StringParameter.value_for_string_parameter(scope, parameter_name)
        return imported(scope, construct_id, arn)

    def add_arn_parameter(
        self, scope: Construct, construct_id: str, *, parameter_name: str
    ) -> ssm.StringParameter:
        """Make an SSM parameter with the recommender's ARN, by which others find it.

        It is made, and changed, when the recommender is ready: a replacement serves before it is
        named here.

        Args:
            scope: the parent of the parameter.
            construct_id: its id.
            parameter_name: its name, which those who read it have to know.

        Raises:
            PropertyError: it cannot be the name of a parameter.
        """
        check_text("parameter_name", parameter_name)
        return ssm.StringParameter(
            scope,
            construct_id,
            parameter_name=parameter_name,
            string_value=self.recommender_arn,
            description="The recommender that is ready for GetRecommendations.",
        )

    def apply_removal_policy(self, policy: RemovalPolicy) -> None:
        """Decide what becomes of the recommender when the stack is deleted.

        Args:
            policy: ``DESTROY`` or ``RETAIN``, as of the property ``removal_policy``.

        Raises:
            PropertyError: it is another one.
        """
        check_properties(self, removal_policy=policy)
        self._deletion_policy = (
            CfnDeletionPolicy.RETAIN_EXCEPT_ON_CREATE
            if policy == RemovalPolicy.RETAIN
            else CfnDeletionPolicy.DELETE
        )
        for resource in self._kept_if_retained:
            resource.cfn_options.deletion_policy = self._deletion_policy

    @property
    def cdk_tag_manager(self) -> TagManager:
        """The recommender's tags, as ``aws_cdk.Tags`` looks for them."""
        return self._tags

    def _checked(self) -> list[str]:
        """Warn of the app's effects on this recommender; return the errors."""
        warn_of_references(self, self._referred_to)
        warn_of_removal_policies(self, self._deletion_policy, self._kept_if_retained)
        if self.fixed_name is None:
            return []
        others = [
            one
            for one in self.node.root.node.find_all()
            if isinstance(one, TopPicksRecommender)
            and one is not self
            and one.fixed_name == self.fixed_name
        ]
        return refuse_taken_name(self.fixed_name, self, others)

    def _custom_resource(
        self, scope: Construct, construct_id: str, resource_type: str, properties: Mapping[str, Any]
    ) -> CustomResource:
        return CustomResource(
            scope,
            construct_id,
            service_token=self.service.service_token,
            resource_type=resource_type,
            properties={**properties, v.WAIT_SECONDS: self._wait_seconds},
        )

    def _left_in_its_state(self, ready: CustomResource, given: Mapping[str, Any]) -> IDependable:
        """Have it stopped or left to its hours, if it is to be; return what has the last word."""
        if not self.running:
            stop = self._custom_resource(self, "Stop", v.STOP_TYPE, given)
            stop.node.add_dependency(ready)
            return stop
        if self.active_hours:
            arn = ready.get_att_string(v.RECOMMENDER_ARN_ATTRIBUTE)
            by_the_clock = HoursOfService(self, "Hours", arn, self.active_hours)
            state = self._custom_resource(by_the_clock, "State", v.HOURS_TYPE, given)
            state.node.add_dependency(*by_the_clock.schedules)
            return state
        return ready

    def _warn_of_the_region(self, region: str) -> None:
        if not Token.is_unresolved(region) and region not in PERSONALIZE:
            Annotations.of(self).add_warning_v2(
                "@top-picks/recommender:region",
                f"Amazon Personalize is not known to be in {region}. It is in "
                f"{', '.join(PERSONALIZE)}. If it is not there, the deployment fails in minutes.",
            )

    def _chain(
        self,
        scope: Construct,
        construct_ids: Sequence[str],
        resource_type: str,
        properties: Mapping[str, Any],
        *,
        last: Mapping[str, Any] | None = None,
    ) -> list[CustomResource]:
        """Return links, each depending on the one before; the last one has more properties."""
        links: list[CustomResource] = []
        for number, construct_id in enumerate(construct_ids, start=1):
            place = {v.LINK: number, v.LINKS: len(construct_ids)}
            if number == len(construct_ids):
                place |= dict(last or {})
            link = self._custom_resource(
                scope, construct_id, resource_type, {**properties, **place}
            )
            if links:
                link.node.add_dependency(links[-1])
            links.append(link)
        return links


@jsii.implements(IValidation)
class _TagRules:
    """Which tags there are is known only when the app is synthesised."""

    def __init__(self, tags: TagsOfAll) -> None:
        self._tags = tags

    def validate(self) -> list[str]:
        """Return what is wrong."""
        known = {
            key: None if Token.is_unresolved(value) else value
            for key, value in self._tags.tag_values().items()
        }
        return [f"Tags of the recommender: {problem}" for problem in problems(known)]


def _checked_service(scope: Construct, given: RecommenderService | None) -> RecommenderService:
    """Return the service that is given, or the stack's shared one.

    Raises:
        PropertyError: it is none, or of another stack.
    """
    stack = Stack.of(scope)
    service = RecommenderService.shared(scope) if given is None else given
    check_type(
        "service",
        service,
        RecommenderService,
        "Make one for the recommenders that are to share it, or give none.",
    )
    if Stack.of(service) != stack:
        raise PropertyError(
            "service",
            got=service.node.path,
            allowed="a RecommenderService of the recommender's own stack",
            remedy="Make one in this stack, or leave it out: a change of permissions replaces the "
            "functions' instances, so that both have to be deployed together.",
        )
    return service


def recommender_config(
    *,
    min_recommendation_requests_per_second: int,
    exploration_weight: Decimal | float,
    exploration_item_age_cut_off: float,
    excluded_columns: Mapping[str, Sequence[str]],
) -> dict[str, Any]:
    """Return the configuration as Personalize takes it, with item metadata in recommendations.

    Source: ``RecommenderConfig``, Personalize API reference.
    """
    excluded = {dataset: list(columns) for dataset, columns in excluded_columns.items()}
    return {
        v.MIN_REQUESTS_PER_SECOND: min_recommendation_requests_per_second,
        v.ENABLE_METADATA: True,
        v.EXPLORATION: {
            v.EXPLORATION_WEIGHT: _text(exploration_weight),
            v.EXPLORATION_ITEM_AGE_CUT_OFF: _text(exploration_item_age_cut_off),
        },
        v.TRAINING_DATA: {v.EXCLUDED_COLUMNS: excluded},
    }


def _quality_gate(
    minimum: Mapping[str, Decimal], max_regression: Decimal | None, on_miss: str
) -> dict[str, Any]:
    """Return the property of the last training gate, if the metrics have anything to reach."""
    if not minimum and max_regression is None:
        return {}
    gate = {
        v.MINIMUM_METRICS: {name: _text(least) for name, least in minimum.items()},
        v.MAX_METRIC_REGRESSION: None if max_regression is None else _text(max_regression),
        v.ON_MISS: on_miss,
    }
    return {v.QUALITY_GATE: gate}


def _text(number: Decimal | float) -> Any:
    """Return a number as Personalize takes it, which is a string here; tokens as they are."""
    is_token = not isinstance(number, Decimal) and Token.is_unresolved(number)
    return number if is_token else str(number)


def _cfn(resource: CustomResource) -> CfnResource:
    return cast("CfnResource", resource.node.default_child)
