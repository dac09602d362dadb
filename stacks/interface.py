"""The interface of a recommender, whether this app makes it or another: grants and metrics."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol, cast

from aws_cdk import ArnFormat, IResource, Resource, Stack, Token
from aws_cdk import aws_iam as iam
from constructs import Construct

from .checking import check_text
from .properties import RECOMMENDER_ARN

if TYPE_CHECKING:
    from aws_cdk import aws_cloudwatch as cloudwatch


class IRecommender(IResource, Protocol):
    """A recommender of this app or another: use it as a type where both fit.

    It is a protocol of Python alone. An interface of jsii would have to be declared in TypeScript;
    this extends the CDK's own, so that a recommender can be given to whatever takes a resource.
    """

    @property
    def recommender_arn(self) -> str:
        """ARN, as GetRecommendations takes it."""

    @property
    def recommender_name(self) -> str:
        """Name, which is the last part of the ARN."""

    def grant(self, grantee: iam.IGrantable, *actions: str) -> iam.Grant:
        """Allow ``grantee`` these actions on this recommender only."""

    def grant_get_recommendations(self, grantee: iam.IGrantable) -> iam.Grant:
        """Let ``grantee`` get recommendations from this recommender, and nothing else."""

    def metric(self, metric_name: str, **props: Any) -> "cloudwatch.Metric":
        """Return a CloudWatch metric of this recommender."""

    def metric_get_recommendations(self, **props: Any) -> "cloudwatch.Metric":
        """Return the number of successful calls of GetRecommendations."""

    def metric_get_recommendations_latency(self, **props: Any) -> "cloudwatch.Metric":
        """Return the time that a successful call takes."""

    def metric_get_recommendations4xx_errors(self, **props: Any) -> "cloudwatch.Metric":
        """Return the number of calls that the caller made wrongly."""

    def metric_get_recommendations5xx_errors(self, **props: Any) -> "cloudwatch.Metric":
        """Return the number of calls in which the service failed."""


class RecommenderBase(Resource):
    """Grants and metrics, which need no more than an ARN."""

    recommender_arn: str
    """ARN, as GetRecommendations takes it."""

    recommender_name: str
    """Name, which is the last part of the ARN."""

    def grant(self, grantee: iam.IGrantable, *actions: str) -> iam.Grant:
        """Allow ``grantee`` these actions on this recommender only.

        Args:
            grantee: a role, a function, whatever has a principal.
            actions: of the service, such as ``personalize:DescribeRecommender``. Source: "Actions,
                resources, and condition keys for Amazon Personalize", Service Authorization
                Reference.
        """
        return iam.Grant.add_to_principal(
            grantee=grantee, actions=list(actions), resource_arns=[self.recommender_arn]
        )

    def grant_get_recommendations(self, grantee: iam.IGrantable) -> iam.Grant:
        """Let ``grantee`` get recommendations from this recommender, and nothing else.

        Args:
            grantee: a role, a function, whatever has a principal.
        """
        return self.grant(grantee, "personalize:GetRecommendations")

    def metric(self, metric_name: str, **props: Any) -> "cloudwatch.Metric":
        """Return a CloudWatch metric of this recommender.

        Args:
            metric_name: as CloudWatch has it, in the namespace ``AWS/Personalize``.
            props: of ``aws_cloudwatch.Metric``; for a metric that has a method here, the statistic
                is the one that fits by default.
        """
        from aws_cdk import aws_cloudwatch as cloudwatch

        place = {"account": self.env.account, "region": self.env.region}
        known = {name: at for name, at in place.items() if not Token.is_unresolved(at)}
        return cloudwatch.Metric(
            namespace="AWS/Personalize",
            metric_name=metric_name,
            dimensions_map={"RecommenderArn": self.recommender_arn},
            **{**known, **_fitting(metric_name), **props},
        )

    def metric_get_recommendations(self, **props: Any) -> "cloudwatch.Metric":
        """Return the number of successful calls of GetRecommendations: their sum."""
        return self.metric("GetRecommendations", **props)

    def metric_get_recommendations_latency(self, **props: Any) -> "cloudwatch.Metric":
        """Return the time that a successful call takes: the average, in milliseconds."""
        return self.metric("GetRecommendationsLatency", **props)

    def metric_get_recommendations4xx_errors(self, **props: Any) -> "cloudwatch.Metric":
        """Return the number of calls that the caller made wrongly: their sum."""
        return self.metric("GetRecommendations4xxErrors", **props)

    def metric_get_recommendations5xx_errors(self, **props: Any) -> "cloudwatch.Metric":
        """Return the number of calls in which the service failed: their sum."""
        return self.metric("GetRecommendations5xxErrors", **props)


def _fitting(metric_name: str) -> Mapping[str, Any]:
    """Return the statistic and the unit of a metric.

    The counts have no unit here: an alarm sees only data of the unit that it names, and none is
    documented for them.

    Source: "CloudWatch metrics for Amazon Personalize", Developer Guide, where GetRecommendations
    supports the sum only. AWS's own aws-samples/amazon-personalize-monitor uses the dimension
    ``RecommenderArn``.
    """
    from aws_cdk import aws_cloudwatch as cloudwatch

    total = {"statistic": cloudwatch.Stats.SUM}
    fitting: dict[str, dict[str, Any]] = {
        "GetRecommendations": total,
        "GetRecommendationsLatency": {
            "statistic": cloudwatch.Stats.AVERAGE,
            "unit": cloudwatch.Unit.MILLISECONDS,
        },
        "GetRecommendations4xxErrors": total,
        "GetRecommendations5xxErrors": total,
    }
    return fitting.get(metric_name, {})


class ImportedRecommender(RecommenderBase):
    """A recommender of another app or stack; see ``from_recommender_arn``."""

    def __init__(self, scope: Construct, construct_id: str, recommender_arn: str) -> None:
        check_text("recommender_arn", RECOMMENDER_ARN, recommender_arn)
        super().__init__(scope, construct_id, environment_from_arn=recommender_arn)
        self.recommender_arn = recommender_arn
        parts = Stack.of(self).split_arn(recommender_arn, ArnFormat.SLASH_RESOURCE_NAME)
        self.recommender_name = cast("str", parts.resource_name)
