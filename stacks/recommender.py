"""The recommender as a construct: its properties, its attributes, grants and metrics."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Final

import jsii
from aws_cdk import (
    CfnDeletionPolicy,
    Duration,
    ITaggableV2,
    RemovalPolicy,
    TagManager,
    TagType,
)
from aws_cdk import aws_ssm as ssm
from constructs import Construct

from .checking import check_text
from .custom_resources import CustomResources, cfn
from .functions import Recipe
from .functions import vocabulary as v
from .interface import ImportedRecommender, IRecommender, RecommenderBase
from .permissions import allow_recommender
from .properties import PARAMETER_NAME, RecommenderProperties
from .service import RecommenderService, service_for
from .synthesis import (
    TagsOfAll,
    refuse_tags,
    refuse_taken_name,
    warn_of_references,
    warn_of_region,
    warn_of_removal_policies,
    when_synthesised,
)


@jsii.implements(ITaggableV2)
class DomainRecommender(RecommenderBase):
    """A Personalize domain recommender of a recipe of the domain VIDEO_ON_DEMAND.

    CloudFormation waits at most an hour for one custom resource, while a training takes up to ten.
    So the waiting is two chains of custom resources: training gates, which wait for a training,
    stand after the recommender; sweeps, which wait for a deletion, stand before it.

    The recommender gets the tags that ``aws_cdk.Tags`` gives to the construct or to a parent, and
    the tags of its stack.

    Example::

        recommender = DomainRecommender(
            self,
            "Trending",
            recipe=Recipe.VOD_TRENDING_NOW,
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
        recipe: Recipe,
        dataset_group_arn: str,
        recommender_name: str | None = None,
        min_recommendation_requests_per_second: int = 1,
        exploration_weight: Decimal | float = Decimal("0.3"),
        exploration_item_age_cut_off: Duration | None = None,
        item_metadata: bool = True,
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
            recipe: the kind of recommendations. A change replaces the recommender.
            dataset_group_arn: the ARN of an ACTIVE dataset group of the domain VIDEO_ON_DEMAND in
                the stack's account and region. It has an Interactions dataset and, for item
                metadata or if the recipe trains on it, an Items dataset, both imported. A change
                replaces the recommender. If the same app makes the dataset group, its ARN is a
                token, and the recommender has to depend on its datasets.
            recommender_name: fixes the name, 1 to 63 letters, digits, ``-`` and ``_``; by default
                it is derived, ``<stack name>-<16 hexadecimal digits>``. If it is a token, its value
                must not change: CloudFormation would remove the permission for the old name before
                the old recommender.
            min_recommendation_requests_per_second: provisioned, and billed, throughput, 1 or more;
                1 by default.
            exploration_weight: 0 (no exploration) to 1, and the closer to 1, the more exploration;
                with at most six decimals; 0.3 by default. It is refused, as is the next one, if the
                recipe does not explore.
            exploration_item_age_cut_off: age up to which an item is explored, in whole days, 1 or
                more; 30 days by default. The age is the time from the item's creation to the latest
                interaction with any item; without a creation time, Personalize takes it from the
                item's interactions.
            item_metadata: whether GetRecommendations can return columns of the Items dataset,
                which is the default.
            excluded_columns: columns that the training leaves out, by dataset type
                (``INTERACTIONS``, ``ITEMS``, ``USERS``); none by default.
            running: whether the recommender is ACTIVE, which is the default; else it is kept
                INACTIVE (stopped), once it is trained.
            active_hours: the times at which Scheduler starts and stops it: ``start`` and ``stop``,
                each ``cron(<minute> <hour> ? * <days> *)``, and ``time_zone``. A deployment leaves
                the recommender in the state that belongs to the current hour.
            adopt_existing: take over a recommender of that fixed name instead of failing, which is
                the default.
            removal_policy: ``DESTROY``, the default, deletes the recommender with the stack;
                ``RETAIN`` leaves it there, unless it is its creation that is rolled back.
            force_update: any text of 1 to 64 printable characters; after a change of it, the
                deployment checks the recommender again and undoes changes from outside the stack.
            training_gates: how many gates wait for a training, one after another; 11 by default:
                with gates of 55 minutes, ten hours, and with shorter ones, less.
            sweeps: how many sweeps wait for a deletion, one after another, each as long as a gate;
                11 by default.
            training_gate: how long one of them waits, above 0; by default 55 minutes, the longest.
            minimum_metrics: the least values of model metrics, 0 to 1 with at most six decimals, by
                the service's names. If AWS shows no metrics of the recipe, ``quality_gate`` must be
                ``warn``.
            max_metric_regression: how much worse each may be than that of the recommender that is
                replaced, as a fraction of it, with at most six decimals.
            quality_gate: ``fail`` the deployment that misses this, or ``warn``.
            service: answers for it, in the same stack; by default
                ``RecommenderService.shared``. It is for good: CloudFormation refuses to change the
                service token of a custom resource that exists.

        Raises:
            PropertyError: a property is not allowed, or is a token although it decides which
                resources there are, or when they give up.

        Sources: CreateRecommender, RecommenderConfig and TrainingDataConfig, Personalize API
        reference; "Configuring exploration for a domain recommender", Personalize Developer Guide.
        """
        super().__init__(scope, construct_id)
        self._properties = properties = RecommenderProperties.checked(self, locals())
        self.service = service_for(self, service)
        """The service that answers for the recommender."""
        self._tags = TagManager(TagType.MAP, v.RECOMMENDER_TYPE)
        self._tags_of_all = TagsOfAll(self, self._tags)
        self._resources = CustomResources(self, self.service, properties, self._tags_of_all)
        self._kept_if_retained = [
            cfn(one) for one in (self._resources.recommender, *self._resources.sweeps)
        ]
        allow_recommender(self.service.role, self, properties)
        self.apply_removal_policy(removal_policy)
        warn_of_region(self)
        when_synthesised(self, self._validate)
        recommender, last_gate = self._resources.recommender, self._resources.gates[-1]
        self.ready = self._resources.ready
        """Depend on it to come after the recommender is as its properties say."""
        self.dataset_group_arn = dataset_group_arn
        self.recommender_name = recommender.get_att_string(v.NAME_ATTRIBUTE)
        self.recommender_arn = last_gate.get_att_string(v.RECOMMENDER_ARN_ATTRIBUTE)
        """ARN, known when the recommender is ready: resources that use it wait for the training."""
        self.model_metrics = {name: last_gate.get_att_string(name) for name in v.METRICS}
        """Metrics of the training, 0 to 1 or ``n/a``, by their attributes, such as ``Coverage``."""
        self.quality_gate = last_gate.get_att_string(v.QUALITY_GATE_ATTRIBUTE)
        """``passed``, or ``warned`` and the minimums that the metrics miss."""
        self.model_metrics_json = last_gate.get_att_string(v.MODEL_METRICS_ATTRIBUTE)

    @staticmethod
    def from_recommender_arn(
        scope: Construct, construct_id: str, recommender_arn: str
    ) -> IRecommender:
        """Refer to a recommender of another app or stack by its ARN, for grants and metrics.

        Args:
            scope: the parent.
            construct_id: the id.
            recommender_arn: ``arn:<partition>:personalize:<region>:<account>:recommender/<name>``,
                or a token.

        Raises:
            PropertyError: it is the ARN of something else.
        """
        return ImportedRecommender(scope, construct_id, recommender_arn)

    @staticmethod
    def from_arn_parameter(
        scope: Construct, construct_id: str, parameter_name: str
    ) -> IRecommender:
        """Refer to a recommender of another app or stack by the SSM parameter with its ARN.

        CloudFormation reads the parameter whenever the stack is deployed, so that no stack imports
        a value that a replacement of the recommender changes. A running application should read the
        parameter itself, to follow a replacement at once.

        Args:
            scope: the parent.
            construct_id: the id.
            parameter_name: as ``add_arn_parameter`` was given it, in the stack's account and
                region.

        Raises:
            PropertyError: it cannot be the name of a parameter.
        """
        check_text("parameter_name", PARAMETER_NAME, parameter_name)
        arn = ssm.StringParameter.value_for_string_parameter(scope, parameter_name)
        return ImportedRecommender(scope, construct_id, arn)

    def add_arn_parameter(
        self, scope: Construct, construct_id: str, *, parameter_name: str
    ) -> ssm.StringParameter:
        """Make an SSM parameter with the recommender's ARN, where other stacks find it.

        It is made, and changed, when the recommender is ready: a replacement serves before it is
        named here.

        Args:
            scope: the parent of the parameter.
            construct_id: its id.
            parameter_name: its name, which those who read it have to know.

        Raises:
            PropertyError: it cannot be the name of a parameter.
        """
        check_text("parameter_name", PARAMETER_NAME, parameter_name)
        return ssm.StringParameter(
            scope,
            construct_id,
            parameter_name=parameter_name,
            string_value=self.recommender_arn,
            description="The recommender that is ready for GetRecommendations.",
        )

    def apply_removal_policy(self, policy: RemovalPolicy) -> None:
        """Delete the recommender with the stack, or retain it.

        Args:
            policy: ``DESTROY`` or ``RETAIN``, as of the property ``removal_policy``.

        Raises:
            PropertyError: it is another one.
        """
        RecommenderProperties.check(self, "removal_policy", policy)
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

    def _validate(self) -> list[str]:
        """Warn of the app's effects on this recommender, and return the errors."""
        resources = self._resources
        warn_of_references(self, [cfn(resources.recommender), cfn(resources.gates[-1])])
        warn_of_removal_policies(self, self._deletion_policy, self._kept_if_retained)
        name = self._properties.recommender_name
        others = [
            one
            for one in self.node.root.node.find_all()
            if isinstance(one, DomainRecommender)
            and one is not self
            and one._properties.recommender_name == name
        ]
        taken = [] if name is None else refuse_taken_name(name, self, others)
        return [*refuse_tags(self._tags_of_all), *taken]


class TopPicksRecommender(DomainRecommender):
    """A Personalize domain recommender of the recipe ``aws-vod-top-picks``, "Top picks for you".

    Example::

        recommender = TopPicksRecommender(
            self,
            "TopPicks",
            dataset_group_arn="arn:aws:personalize:eu-west-1:111111111111:dataset-group/vod",
        )
        recommender.grant_get_recommendations(function)
        recommender.metric_get_recommendations5xx_errors().create_alarm(...)
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
        item_metadata: bool = True,
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
        """Make the recommender and its chains, as ``DomainRecommender`` does for its recipe.

        Raises:
            PropertyError: a property is not allowed, or is a token although it decides which
                resources there are, or when they give up.
        """
        given = {name: one for name, one in locals().items() if name not in _OF_ANY_CONSTRUCT}
        super().__init__(scope, construct_id, recipe=Recipe.VOD_TOP_PICKS, **given)


_OF_ANY_CONSTRUCT: Final = ("self", "scope", "construct_id", "__class__")
