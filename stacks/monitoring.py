"""Monitoring: an observer of a recommender, a dashboard, and alarms (ADR 13)."""

import math
from decimal import Decimal
from functools import partial
from typing import Any, Final

from aws_cdk import Duration, Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_scheduler as scheduler
from aws_cdk import aws_scheduler_targets as targets
from aws_cdk import aws_sns as sns
from constructs import Construct

from .checking import check_type
from .custom_resources import quality_gate
from .functions import vocabulary as v
from .permissions import (
    allow_on,
    derived_names,
    invoking_role,
    path_in_stack,
    policy_for,
    recommender_arn,
)
from .properties import MonitoringProperties
from .recommender import DomainRecommender
from .runbook import address as runbook_address
from .security import acknowledge
from .settings import weekly
from .settings.kinds import START

_FIVE_MINUTES: Final = Duration.minutes(5)
_DAY_IN_MINUTES: Final = 24 * 60
_MISSED: Final = 3
"""The alarm goes off after this number of missing observations in a row.

It comes later: CloudWatch looks back further than it evaluates, by a number of periods that
it does not document ("Configuring how CloudWatch alarms treat missing data", User Guide).
"""
_SLOW: Final = 1000
"""Milliseconds. AWS promises no latency; viewers do not wait longer than a second for a list."""
_RUNBOOK: Final = "docs/runbook.md of top-picks-recommender"
_OLD: Final = 8 * 24
"""Hours. Personalize retrains every 7 days ("Domain recommenders", Developer Guide)."""

_OBSERVES: Final = ("personalize:DescribeRecommender", "personalize:ListTagsForResource")

_BELOW: Final = cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD
_FROM: Final = cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD
_FINE: Final = cloudwatch.TreatMissingData.NOT_BREACHING


class RecommenderMonitoring(Construct):
    """Observes a recommender on a schedule, shows metrics, and alarms. It changes nothing.

    The observer's metrics are in the namespace ``TopPicksRecommender``, with the dimension
    ``Recommender``: stack and construct, so that a replacement goes on with the same history.

    Example::

        monitoring = RecommenderMonitoring(
            self, "Monitoring", recommender=recommender, alarm_topic=on_call
        )
        monitoring.metric("Coverage").create_alarm(...)
        monitoring.dashboard.add_widgets(...)
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        recommender: DomainRecommender,
        observation_interval: Duration | None = None,
        alarm_topic: sns.ITopic | None = None,
        runbook_url: str | None = None,
        minimum_throughput_use: Decimal | float | None = None,
    ) -> None:
        """Make the observer, its schedule, the dashboard and the alarms.

        Args:
            scope: the parent.
            construct_id: the id.
            recommender: made in the same app.
            observation_interval: time between two observations, in whole minutes, 1 to 1440; an
                hour by default.
            alarm_topic: of the stack's region; receives alarms, and that they are over; by default
                none does.
            runbook_url: where people find the runbook, for the alarms' descriptions, which link
                their heading there; by default, the address
                that a released package has, or else its name.
            minimum_throughput_use: a share of the provisioned throughput, 0 to 1. Adds an alarm,
                which begins if less would have done for the busiest five minutes of a week; by
                default there is none.

        Raises:
            PropertyError: a property is not allowed, or the interval is a token.
        """
        super().__init__(scope, construct_id)
        check_type(
            "recommender",
            recommender,
            DomainRecommender,
            "Monitor one that is made elsewhere where it is made. Here, its methods such as "
            "metric_get_recommendations5xx_errors give metrics for alarms.",
        )
        self._properties = MonitoringProperties.checked(self, locals())
        self._interval = self._properties.observation_interval
        self._recommender = recommender
        self._expected = recommender._properties
        self._compares = self._expected.max_metric_regression is not None
        self._measures_use = self._properties.minimum_throughput_use is not None
        self._dimension = f"{Stack.of(recommender).stack_name}/{path_in_stack(recommender)}"
        self.role = recommender.service._function_role(self, "Role")
        self.observer = self._observer()
        self.schedule = self._schedule()
        self.alarms = dict[str, cloudwatch.Alarm]()
        """By the names of their constructs, such as ``Drift``."""
        self._alarms = Construct(self, "Alarms")
        self._alarms.node.add_dependency(self.schedule)
        self._alarms_of_the_state()
        self._alarms_of_the_model()
        self._alarms_of_calls()
        self._alarms_of_the_bill()
        self.dashboard = cloudwatch.Dashboard(self, "Dashboard", start="-P2W", widgets=self._rows())

    def metric(self, metric_name: str, **props: Any) -> cloudwatch.Metric:
        """Return a metric that the observer writes: the latest value, by its interval.

        Args:
            metric_name: a metric of the observer, such as ``Active``, or the name that Personalize
                gives to another metric of its model.
            props: of ``aws_cloudwatch.Metric``.
        """
        given = {"statistic": cloudwatch.Stats.MAXIMUM, "period": self._interval, **props}
        return cloudwatch.Metric(
            namespace=v.NAMESPACE,
            metric_name=metric_name,
            dimensions_map={v.DIMENSION: self._dimension},
            **given,
        )

    # -- the observer ------------------------------------------------------------------------------

    def _observer(self) -> lambda_.Function:
        recommender, stack = self._recommender, Stack.of(self._recommender)
        for statement in (
            allow_on([recommender_arn(stack, derived_names(stack))], *_OBSERVES),
            allow_on(["*"], "personalize:ListRecommenders"),
            allow_on([stack.stack_id], "cloudformation:DescribeStacks"),
        ):
            self.role.add_to_policy(statement)
        if self._compares or self._measures_use:
            self.role.add_to_policy(allow_on(["*"], "cloudwatch:GetMetricData"))
        observer = recommender.service._function(
            self,
            "Observer",
            does="observes a recommender, and changes nothing",
            handler="observer_handler.observe",
            role=self.role,
        )
        if (fixed_name := self._expected.recommender_name) is not None:
            self.role.allow(
                policy_for(fixed_name), allow_on([recommender_arn(stack, fixed_name)], *_OBSERVES)
            )
        _acknowledge(self.role, observer)
        return observer

    def _schedule(self) -> scheduler.Schedule:
        """Invoke the observer with the recommender's request, once the recommender is ready.

        An update changes the request when the recommender is ready; until then the observer
        observes the recommender that serves.
        """
        role = invoking_role(self, "ScheduleRole", self.observer, "scheduler", "schedule-group/*")
        schedule = scheduler.Schedule(
            self,
            "Schedule",
            description="Invokes the observer of a recommender",
            schedule=scheduler.ScheduleExpression.rate(self._interval),
            target=targets.LambdaInvoke(
                self.observer,
                input=scheduler.ScheduleTargetInput.from_object(
                    {
                        v.DIMENSION: self._dimension,
                        **self._recommender._resources.request,
                        **quality_gate(self._expected),
                        **({v.THROUGHPUT_USE: True} if self._measures_use else {}),
                    }
                ),
                role=role.without_policy_updates(),
                # It fires at once when it is made, maybe before its role is effective; but an
                # observation that is older than the next one is of no use.
                max_event_age=self._interval,
                retry_attempts=5,
            ),
        )
        schedule.node.add_dependency(self._recommender.ready, role)
        return schedule

    # -- the alarms --------------------------------------------------------------------------------

    def _alarm(
        self,
        construct_id: str,
        heading: str,
        meaning: str,
        metric: cloudwatch.IMetric,
        comparison: cloudwatch.ComparisonOperator,
        **limits: Any,
    ) -> None:
        """Make an alarm; the runbook has its heading, and ``aws_cloudwatch.Alarm`` its limits."""
        url = self._properties.runbook_url or runbook_address()
        slug = heading.lower().replace(" ", "-")
        entry = f"{url}#{slug}" if url else f'the entry "{heading}" in {_RUNBOOK}'
        alarm = cloudwatch.Alarm(
            self._alarms,
            construct_id,
            alarm_description=f"{meaning} {self._dimension}. Next step: {entry}",
            metric=metric,
            comparison_operator=comparison,
            **{
                "threshold": 1,
                "evaluation_periods": 1,
                "treat_missing_data": cloudwatch.TreatMissingData.IGNORE,
                **limits,
            },
        )
        if topic := self._properties.alarm_topic:
            action = actions.SnsAction(topic)
            alarm.add_alarm_action(action)
            alarm.add_ok_action(action)
        self.alarms[construct_id] = alarm

    def _alarms_of_the_state(self) -> None:
        if self._expected.running:
            self._alarm(
                "NotActive",
                "Not ACTIVE though expected",
                "The recommender is not ACTIVE, so applications get no recommendations.",
                self.metric(v.ACTIVE),
                _BELOW,
            )
            self._alarm(
                "RetrainingFailed",
                "A retraining has failed",
                "The latest retraining of the recommender has failed: it serves with an old model. "
                "The observer's log has the reason.",
                self.metric(v.RETRAINING_FAILED),
                _FROM,
            )
        if self._expected.running and not self._expected.active_hours:
            self._alarm(
                "OldTraining",
                "The training is old",
                "The recommender has not been retrained for 8 days, though Personalize does so "
                "every 7: it serves with an old model.",
                self.metric(v.HOURS_SINCE_TRAINING),
                _FROM,
                threshold=_OLD,
            )
        self._alarm(
            "Drift",
            "Drift",
            "The recommender is not as it was deployed: the observer's log says which member.",
            self.metric(v.DRIFT),
            _FROM,
        )
        self._alarm(
            "Leftovers",
            "Leftovers",
            "The stack owns a recommender that it does not use, and that may be billed.",
            self.metric(v.LEFTOVERS),
            _FROM,
        )
        self._alarm(
            "NoObservation",
            "No observation",
            f"At least {_MISSED} observations in a row are missing. Nothing else is known.",
            self.metric(v.PROVISIONED, statistic=cloudwatch.Stats.SAMPLE_COUNT),
            _BELOW,
            evaluation_periods=_MISSED,
            treat_missing_data=cloudwatch.TreatMissingData.BREACHING,
        )

    def _alarms_of_the_model(self) -> None:
        for key, least in self._expected.minimum_metrics.items():
            self._alarm(
                f"Quality{v.METRIC_NAMES[key]}",
                "Quality under its minimum",
                f"The model's {key} is less than {least}, its minimum.",
                self.metric(v.METRIC_NAMES[key]),
                _BELOW,
                threshold=float(least),
            )
        if self._compares:
            self._alarm(
                "Worse",
                "The model got worse",
                "At the latest change of the model, such as its weekly retraining, a metric fell "
                "by more than max_metric_regression. The observer's log says which.",
                self.metric(v.METRICS_WORSE),
                _FROM,
            )

    def _alarms_of_calls(self) -> None:
        recommender = self._recommender
        lasting = partial(
            self._alarm, comparison=_FROM, evaluation_periods=3, treat_missing_data=_FINE
        )
        lasting(
            "Refused",
            "Calls are refused",
            "For 15 minutes, GetRecommendations has refused calls of the application (4xx).",
            recommender.metric_get_recommendations4xx_errors(period=_FIVE_MINUTES),
        )
        lasting(
            "Failed",
            "Calls fail",
            "For 15 minutes, GetRecommendations has failed (5xx).",
            recommender.metric_get_recommendations5xx_errors(period=_FIVE_MINUTES),
        )
        lasting(
            "Slow",
            "Calls are slow",
            f"For 15 minutes, GetRecommendations has taken {_SLOW} ms or more on average.",
            recommender.metric_get_recommendations_latency(period=_FIVE_MINUTES),
            threshold=_SLOW,
        )

    def _alarms_of_the_bill(self) -> None:
        hours = self._expected.active_hours
        minutes = _DAY_IN_MINUTES if hours else max(60, int(self._interval.to_minutes()))
        period = Duration.minutes(minutes)
        calls = self._recommender.metric_get_recommendations(period=period)
        idle = cloudwatch.MathExpression(
            expression="IF(billed > 0 AND FILL(calls, 0) < 1, 1, 0)",
            using_metrics={"billed": self.metric(v.PROVISIONED, period=period), "calls": calls},
            period=period,
        )
        self._alarm(
            "Idle",
            "Billed and not asked",
            f"For a {'week of days' if hours else 'day'} on which the recommender was ACTIVE, and "
            "billed, no application requested recommendations.",
            idle,
            _FROM,
            evaluation_periods=7 if hours else math.ceil(_DAY_IN_MINUTES / minutes),
            datapoints_to_alarm=len(weekly.days(hours[START])) if hours else None,
            treat_missing_data=_FINE,
        )
        if (least := self._properties.minimum_throughput_use) is not None:
            self._alarm(
                "LittleUse",
                "Little use of the throughput",
                f"Less than {float(least):.0%} of min_recommendation_requests_per_second would "
                "have done for the busiest five minutes of a week. The observer's log has the "
                "value that would do.",
                self.metric(v.THROUGHPUT_USE),
                _BELOW,
                threshold=float(least),
            )

    # -- the dashboard -----------------------------------------------------------------------------

    def _rows(self) -> list[list[cloudwatch.IWidget]]:
        recommender = self._recommender
        calls = recommender.metric_get_recommendations(period=_FIVE_MINUTES)
        per_second = cloudwatch.MathExpression(
            expression="calls / PERIOD(calls)",
            using_metrics={"calls": calls},
            label="used",
            period=_FIVE_MINUTES,
        )
        minimum = [
            cloudwatch.HorizontalAnnotation(value=float(least), label=f"minimum {key}")
            for key, least in self._expected.minimum_metrics.items()
        ]
        share = cloudwatch.YAxisProps(min=0, max=1)
        return [
            [
                cloudwatch.AlarmStatusWidget(
                    title="Alarms", alarms=list(self.alarms.values()), width=24, height=3
                ),
            ],
            [
                _graph(
                    "Model metrics",
                    *map(self.metric, v.METRICS),
                    left_y_axis=share,
                    left_annotations=minimum,
                ),
                _graph(
                    "Hours since the last training, and the last update",
                    self.metric(v.HOURS_SINCE_TRAINING, label="training"),
                    self.metric(v.HOURS_SINCE_UPDATE, label="update"),
                ),
            ],
            [
                _graph("GetRecommendations: calls in 5 minutes", calls),
                _graph(
                    "GetRecommendations: errors in 5 minutes",
                    recommender.metric_get_recommendations4xx_errors(
                        period=_FIVE_MINUTES, label="4xx"
                    ),
                    recommender.metric_get_recommendations5xx_errors(
                        period=_FIVE_MINUTES, label="5xx"
                    ),
                ),
            ],
            [
                _graph(
                    "GetRecommendations: latency in milliseconds",
                    recommender.metric_get_recommendations_latency(period=_FIVE_MINUTES),
                ),
                _graph(
                    "Requests per second, provisioned and used",
                    self.metric(v.PROVISIONED, label="provisioned"),
                    per_second,
                ),
            ],
            [
                _graph(
                    "ACTIVE, drift, leftovers, failed retraining",
                    self.metric(v.ACTIVE, statistic=cloudwatch.Stats.MINIMUM),
                    self.metric(v.DRIFT),
                    self.metric(v.LEFTOVERS),
                    self.metric(v.RETRAINING_FAILED),
                    *([self.metric(v.METRICS_WORSE)] if self._compares else []),
                    *([self.metric(v.THROUGHPUT_USE)] if self._measures_use else []),
                    width=24,
                ),
            ],
            [self._trainings()],
        ]

    def _trainings(self) -> cloudwatch.LogQueryWidget:
        """Show the latest trainings with their causes, one in each row, from the observer's log."""
        return cloudwatch.LogQueryWidget(
            title="Trainings: cause, failure, first metric that got worse",
            log_group_names=[self._recommender.service.log_group.log_group_name],
            query_lines=[
                f'filter {v.DIMENSION} = "{self._dimension}" and ispresent(Training)',
                "stats earliest(Training) as Cause, latest(UpdateFailureReason) as Failure, "
                "latest(Worse.0) as GotWorse by TrainingBegan",
                "sort TrainingBegan desc",
                "limit 10",
            ],
            width=24,
        )


def _graph(
    title: str, *metrics: cloudwatch.IMetric, width: int = 12, **props: Any
) -> cloudwatch.GraphWidget:
    axis = {"left_y_axis": cloudwatch.YAxisProps(min=0), **props}
    return cloudwatch.GraphWidget(title=title, left=list(metrics), width=width, **axis)


def _acknowledge(role: iam.Role, observer: lambda_.Function) -> None:
    acknowledge(
        role,
        "AwsSolutions-IAM5[Resource::*]",
        "ListRecommenders and GetMetricData support no resource-level permissions (Service "
        "Authorization Reference, Amazon Personalize and Amazon CloudWatch); they only read names "
        "and numbers.",
    )
    for rule in ("Serverless-LambdaDLQ", "Serverless-LambdaAsyncFailureDestination"):
        acknowledge(
            observer,
            rule,
            "The next observation replaces a lost one, and an alarm reports three missing ones.",
        )
