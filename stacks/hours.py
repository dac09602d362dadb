"""Hours of service: EventBridge Scheduler starts and stops the recommender, without our code."""

from collections.abc import Mapping
from typing import Any

from aws_cdk import Duration, RemovalPolicy, TimeZone
from aws_cdk import aws_iam as iam
from aws_cdk import aws_scheduler as scheduler
from aws_cdk import aws_scheduler_targets as targets
from constructs import Construct

from .functions import vocabulary as v
from .permissions import allow_on
from .settings import weekly
from .settings.kinds import START, STOP, TIME_ZONE


class HoursOfService(Construct):
    """Two schedules, and the role with which they start and stop one recommender.

    If Personalize refuses a call, because the recommender is being updated, Scheduler tries again.
    It stops trying an hour before the next call of the other kind: a later stop would end the hours
    that have begun. That hour covers a change of the clocks. Scheduler drops a call that is still
    refused: it contains nothing that a dead-letter queue could keep.

    Source: "Using universal targets", "Confused deputy prevention", EventBridge Scheduler User
    Guide.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        recommender_arn: str,
        active_hours: Mapping[str, str],
        *,
        title: str,
    ) -> None:
        super().__init__(scope, construct_id)
        self._arn = recommender_arn
        self._which = f"{title.removesuffix(' for you')} recommender"
        self._zone = TimeZone.of(active_hours[TIME_ZONE])
        self._group = scheduler.ScheduleGroup(self, "Group", removal_policy=RemovalPolicy.DESTROY)
        self._role = iam.Role(
            self,
            "Role",
            description="Starts and stops one recommender, and nothing else",
            assumed_by=iam.ServicePrincipal(
                "scheduler.amazonaws.com",
                conditions={
                    "StringEquals": {
                        "aws:SourceAccount": self._group.env.account,
                        "aws:SourceArn": self._group.schedule_group_arn,
                    }
                },
            ),
        )
        start, stop = active_hours[START], active_hours[STOP]
        self.schedules = [
            self._schedule("Start", start, weekly.until(start, stop)),
            self._schedule("Stop", stop, weekly.until(stop, start)),
        ]

    def _schedule(self, does: str, expression: str, minutes: int) -> scheduler.Schedule:
        """Make a schedule; ``minutes`` pass before the next call of the other kind."""
        schedule = scheduler.Schedule(
            self,
            does,
            description=f"{self._which}: {does.lower()}s it",
            schedule_group=self._group,
            schedule=scheduler.ScheduleExpression.expression(
                weekly.documented(expression), self._zone
            ),
            target=targets.Universal(
                service="personalize",
                action=f"{does.lower()}Recommender",
                input=scheduler.ScheduleTargetInput.from_object({"RecommenderArn": self._arn}),
                role=self._role,
                policy_statements=[allow_on([self._arn], f"personalize:{does}Recommender")],
                max_event_age=Duration.minutes(min(minutes - 60, 24 * 60)),
            ),
        )
        schedule.node.add_dependency(self._role)  # and its policy: it may call before anybody waits
        return schedule


def weekly_times(active_hours: Mapping[str, str]) -> dict[str, Any]:
    """Write the hours as the functions read them: they know nothing of cron."""
    return {
        v.START: weekly.in_words(active_hours[START]),
        v.STOP: weekly.in_words(active_hours[STOP]),
        v.TIME_ZONE: active_hours[TIME_ZONE],
    }
