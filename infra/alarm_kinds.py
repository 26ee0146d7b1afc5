"""The kinds of alarms: the metric that each kind watches, and the CloudWatch resource that it becomes."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from infra import shares

_MINUTE, _FIVE_MINUTES, _HOUR = 60, 300, 3600
_API_DIMENSIONS = {"ApiName": {"Ref": "AWS::StackName"}, "Stage": {"Ref": "RestAPI.Stage"}}


class Urgency(StrEnum):
    """The topic that an alarm is published to: somebody is woken, or somebody looks at it in the day."""

    PAGE = "AlarmTopic"
    TICKET = "TicketTopic"


def make_actions(urgency: Urgency | None, *, on_missing_data: bool = False) -> dict[str, Any]:
    """Return the properties of an alarm that publish it; those of a member of a composite publish nothing."""
    topics = [{"Ref": str(urgency)}] if urgency else []
    fired = "InsufficientDataActions" if on_missing_data else "AlarmActions"
    return {fired: topics, "OKActions": topics}


@dataclass(frozen=True, kw_only=True)
class Alarm:
    """One alarm. It fires when the statistic is at least `threshold` in each of `periods` successive periods.

    A period without data counts as good. An alarm that fires `below` its threshold fires when the data ends.
    Before the first data, which a new stage has none of, it is silent, because only a change of its state is
    published. A `threshold_parameter` of the stage stands in place of `threshold`.
    """

    name: str
    meaning: str
    action: str
    namespace: str
    metric: str
    dimensions: Mapping[str, Any] = field(default_factory=dict)
    statistic: str = "Sum"
    threshold: int = 1
    threshold_parameter: str | None = None
    period_seconds: int = _FIVE_MINUTES
    periods: int = 1
    below: bool = False

    @property
    def description(self) -> str:
        """Return what the alarm means and what to do, as the notification and the operating page say it."""
        return f"{self.meaning} {self.action}"

    @property
    def condition(self) -> str:
        """Return when the alarm fires, for people: metric, statistic, threshold and time."""
        sign = "<" if self.below else "≥"
        duration = _format_duration(self.period_seconds)
        times = f"{self.periods} periods of {duration}" if self.periods > 1 else duration
        threshold = f"`{self.threshold_parameter}`" if self.threshold_parameter else self.threshold
        return f"`{self.metric}`: {self.statistic.lower()} {sign} {threshold} in {times}"

    def make_resource(self, urgency: Urgency | None = Urgency.TICKET) -> dict[str, Any]:
        statistic = "ExtendedStatistic" if self.statistic.startswith("p") else "Statistic"
        properties: dict[str, Any] = {
            "AlarmDescription": self.description,
            "Namespace": self.namespace,
            "MetricName": self.metric,
            statistic: self.statistic,
            "Period": self.period_seconds,
            "EvaluationPeriods": self.periods,
            "Threshold": {"Ref": self.threshold_parameter} if self.threshold_parameter else self.threshold,
            "ComparisonOperator": "LessThanThreshold" if self.below else "GreaterThanOrEqualToThreshold",
            "TreatMissingData": "missing" if self.below else "notBreaching",
            **make_actions(urgency, on_missing_data=self.below),
        }
        if self.below and self.threshold_parameter:
            # Some runs of several may be missing, and then there is data.
            properties |= make_actions(urgency)
        if self.dimensions:
            dimensions = [{"Name": name, "Value": value} for name, value in self.dimensions.items()]
            properties["Dimensions"] = dimensions
        return {"Type": "AWS::CloudWatch::Alarm", "Properties": properties}


def function_errors(function: str, meaning: str, action: str) -> Alarm:
    """Return the alarm on a failed invocation of a function."""
    return _on_function(f"{function}Errors", function, "Errors", meaning=meaning, action=action)


def function_throttles(function: str, meaning: str, action: str) -> Alarm:
    """Return the alarm on an invocation for which Lambda had no concurrency left."""
    return _on_function(f"{function}Throttles", function, "Throttles", meaning=meaning, action=action)


def function_not_run(
    name: str, function: str, meaning: str, action: str, *, period_seconds: int = _HOUR, periods: int = 2
) -> Alarm:
    """Return the alarm on a scheduled function without an invocation in any of `periods` periods.

    Of one that runs several times side by side, every run is wanted.
    """
    runs = shares.PARAMETER if function in shares.SCHEDULES else None
    schedule = {
        "period_seconds": period_seconds,
        "periods": periods,
        "below": True,
        "threshold_parameter": runs,
    }
    return _on_function(name, function, "Invocations", meaning=meaning, action=action, **schedule)


def stream_delay(name: str, function: str, meaning: str, action: str, *, milliseconds: int) -> Alarm:
    """Return the alarm on the age of the records that a function reads from its stream."""
    limits = {"statistic": "Maximum", "threshold": milliseconds}
    return _on_function(name, function, "IteratorAge", meaning=meaning, action=action, **limits)


def queue_not_empty(queue: str, meaning: str, action: str) -> Alarm:
    """Return the alarm on a message in a dead-letter queue."""
    metric = "ApproximateNumberOfMessagesVisible"
    texts = {"meaning": meaning, "action": action}
    return _on_queue(f"{queue}NotEmpty", queue, metric, period_seconds=_MINUTE, **texts)


def oldest_message(name: str, queue: str, meaning: str, action: str, *, seconds: int) -> Alarm:
    """Return the alarm on the age of a queue's oldest message."""
    metric = "ApproximateAgeOfOldestMessage"
    return _on_queue(name, queue, metric, meaning=meaning, action=action, threshold=seconds)


def table_throttles(table: str, kind: str, meaning: str, action: str) -> Alarm:
    """Return the alarm on throttled requests of a table. `kind` is Read or Write."""
    metric = f"{kind}ThrottleEvents"
    return _on_table(f"{table}{kind}sThrottled", table, metric, meaning=meaning, action=action)


def index_throttles(table: str, index: str, kind: str, meaning: str, action: str) -> Alarm:
    """Return the alarm on throttled requests of an index, which the metrics of its table leave out."""
    name = f"{table}{index.title().replace('_', '')}{kind}sThrottled"
    return _on_table(name, table, f"{kind}ThrottleEvents", index=index, meaning=meaning, action=action)


def table_failures(name: str, table: str, operation: str, meaning: str, action: str) -> Alarm:
    """Return the alarm on failures of DynamoDB itself in one operation on a table."""
    return _on_table(name, table, "SystemErrors", operation, meaning=meaning, action=action)


def api_failures(name: str, meaning: str, action: str, *, threshold: int) -> Alarm:
    """Return the alarm on answers of 5xx, of all methods together."""
    return _on_api(name, "5XXError", meaning=meaning, action=action, threshold=threshold)


def api_latency(
    name: str, meaning: str, action: str, *, milliseconds: int, method: Mapping[str, str] | None = None
) -> Alarm:
    """Return the alarm on the 99th percentile of the latency, of all methods together or of one."""
    limits = {"statistic": "p99", "threshold": milliseconds, "periods": 3}
    return _on_api(name, "Latency", method, meaning=meaning, action=action, **limits)


def own_metric(name: str, metric: str, meaning: str, action: str, **limits: int) -> Alarm:
    """Return the alarm on a metric that the functions count themselves."""
    fields: dict[str, Any] = {"meaning": meaning, "action": action, **limits}
    return Alarm(name=name, namespace="Daftar", metric=metric, **fields)


def _format_duration(seconds: int) -> str:
    return f"{seconds // _HOUR} h" if seconds % _HOUR == 0 else f"{seconds // _MINUTE} min"


def _on_function(name: str, function: str, metric: str, **fields: Any) -> Alarm:
    dimensions = {"FunctionName": {"Ref": function}}
    return Alarm(name=name, namespace="AWS/Lambda", metric=metric, dimensions=dimensions, **fields)


def _on_queue(name: str, queue: str, metric: str, **fields: Any) -> Alarm:
    dimensions = {"QueueName": {"Fn::GetAtt": [queue, "QueueName"]}}
    return Alarm(
        name=name, namespace="AWS/SQS", metric=metric, dimensions=dimensions, statistic="Maximum", **fields
    )


def _on_table(
    name: str,
    table: str,
    metric: str,
    operation: str | None = None,
    *,
    index: str | None = None,
    **fields: Any,
) -> Alarm:
    dimensions = {
        "TableName": {"Ref": table},
        **({"Operation": operation} if operation else {}),
        **({"GlobalSecondaryIndexName": index} if index else {}),
    }
    return Alarm(name=name, namespace="AWS/DynamoDB", metric=metric, dimensions=dimensions, **fields)


def _on_api(name: str, metric: str, method: Mapping[str, str] | None = None, **fields: Any) -> Alarm:
    dimensions = {**_API_DIMENSIONS, **(method or {})}
    return Alarm(name=name, namespace="AWS/ApiGateway", metric=metric, dimensions=dimensions, **fields)
