"""Alarms on alarms: one notification where one cause rings several. Their members publish nothing."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from infra.alarm_kinds import Alarm, Urgency, make_actions
from infra.table_alarms import TABLES


@dataclass(frozen=True, kw_only=True)
class CompositeAlarm:
    """An alarm that fires while any of `members` does, unless one of `causes` does, which says more."""

    name: str
    meaning: str
    action: str
    urgency: Urgency
    members: Sequence[str]
    causes: Sequence[str] = ()

    @property
    def description(self) -> str:
        """Return what the alarm means and what to do, as the notification and the operating page say it."""
        return f"{self.meaning} {self.action}"

    @property
    def condition(self) -> str:
        """Return when the alarm fires, for people."""
        unless = f"; not while {_list(self.causes)}" if self.causes else ""
        return f"any of {_list(self.members)}{unless}"

    def make_resource(self) -> dict[str, Any]:
        rule = " OR ".join(f'ALARM("${{{name}}}")' for name in self.members)
        causes = " OR ".join(f'ALARM("${{{name}}}")' for name in self.causes)
        return {
            "Type": "AWS::CloudWatch::CompositeAlarm",
            "Properties": {
                "AlarmDescription": self.description,
                "AlarmRule": {"Fn::Sub": f"({rule}) AND NOT ({causes})" if causes else rule},
                **make_actions(self.urgency),
            },
        }


def _list(names: Sequence[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def make_composite_alarms(alarms: Sequence[Alarm]) -> tuple[CompositeAlarm, ...]:
    """Return the composites of these alarms."""
    return (
        CompositeAlarm(
            name="APIUnwell",
            urgency=Urgency.PAGE,
            members=("APIFailures", "TokensNotChecked", "RequestsDeferred", "RegisteringSlow", "APISlow"),
            meaning="The API fails, defers or is slow.",
            action="See which of its alarms ring: each says what to do.",
        ),
        CompositeAlarm(
            name="FunctionsThrottled",
            urgency=Urgency.PAGE,
            members=tuple(each.name for each in alarms if each.metric == "Throttles"),
            meaning="Lambda had no concurrency left for at least one function.",
            action="The functions share the account's: see which alarm of them rings first.",
        ),
        CompositeAlarm(
            name="TablesThrottled",
            urgency=Urgency.TICKET,
            members=tuple(each.name for each in TABLES if each.metric.endswith("ThrottleEvents")),
            meaning="DynamoDB throttled at least one table or index.",
            action="See which of their alarms ring: each says what is hot.",
        ),
        CompositeAlarm(
            name="SmsLate",
            urgency=Urgency.PAGE,
            members=("NotificationsWaiting", "RemindersWaiting"),
            causes=("SendingStopped", "GatewayCircuitOpen"),
            meaning="SMS wait, and not because sending was stopped or a gateway refuses our account.",
            action="See which of its alarms ring: each says what to do.",
        ),
    )
