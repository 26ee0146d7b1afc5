"""The dashboard: three charts a row, of the work, the API, the queues, the functions and the tables."""

import json
from collections.abc import Sequence
from typing import Any

_COLUMNS = 3
_WIDTH, _HEIGHT = 8, 6
_FIVE_MINUTES, _HOUR, _DAY = 300, 3600, 86400

_API = ["ApiName", "${AWS::StackName}", "Stage", "${RestAPI.Stage}"]
_ONE_REGISTRATION = ["ApiName", "${AWS::StackName}", "Method", "POST", "Resource", "/v1/registrations"]
_ONE_REGISTRATION += ["Stage", "${RestAPI.Stage}"]

_OLDEST_MESSAGES = {
    "NotificationsQueue": "oldest notification (s)",
    "RemindersQueue": "oldest reminder (s)",
    "ReceiptsQueue": "oldest receipt (s)",
    "ChatOutboxQueue": "oldest chat message (s)",
}

_THROTTLED_TABLES = (
    ("RegistrationsTable", "Write"),
    ("RegistrationsTable", "Read"),
    ("CampaignsTable", "Read"),
    ("ClientsTable", "Read"),
    ("SmsLedgerTable", "Write"),
    ("SendingTable", "Write"),
    ("SummariesTable", "Write"),
    ("KeysTable", "Read"),
)

# A metric as CloudWatch writes it: namespace, name, dimensions, and how it is shown.
_Metric = list[Any]


def make_dashboard(functions: Sequence[str], dead_letter_queues: Sequence[str]) -> dict[str, Any]:
    """Return the dashboard's resource by its logical id. The arguments are logical ids."""
    widgets = [
        {"type": "metric", "x": index % _COLUMNS * _WIDTH, "y": index // _COLUMNS * _HEIGHT}
        | {"width": _WIDTH, "height": _HEIGHT, "properties": properties}
        for index, properties in enumerate(_list_charts(functions, dead_letter_queues))
    ]
    body = {"Fn::Sub": json.dumps({"widgets": widgets})}
    properties = {"DashboardName": {"Ref": "AWS::StackName"}, "DashboardBody": body}
    return {"Dashboard": {"Type": "AWS::CloudWatch::Dashboard", "Properties": properties}}


def _list_charts(functions: Sequence[str], dead_letter_queues: Sequence[str]) -> list[dict[str, Any]]:
    def of_functions(metric: str) -> list[_Metric]:
        return [["AWS/Lambda", metric, "FunctionName", f"${{{name}}}", {"label": name}] for name in functions]

    return [
        _chart("Registrations by outcome", [_search("Registrations", "registrations")], stacked=True),
        _chart("SMS by state", [_search("Sms", "sms")], stacked=True),
        _chart("Chat messages by channel and state", [_search("ChatMessages", "messages")], stacked=True),
        _chart("Roll-up lag (seconds)", [_search("RollUpLag", "lag", statistic="Maximum", period=_HOUR)]),
        _chart("Requests and refusals", _list_request_counts()),
        _chart("Latency (ms)", _list_latencies()),
        _chart("Waiting", _list_waiting()),
        _chart("Given up", _list_dead_letters(dead_letter_queues), statistic="Maximum"),
        _chart("Function errors", of_functions("Errors")),
        _chart("Function throttles", of_functions("Throttles")),
        _chart("Function duration, p99 (ms)", of_functions("Duration"), statistic="p99"),
        _chart("Running at once", of_functions("ConcurrentExecutions"), statistic="Maximum"),
        _chart("Throttled table requests", _list_throttled_tables()),
        _chart(
            "Registrations aged, by new status",
            [_search("RegistrationsAged", "aged", period=_DAY)],
            period=_DAY,
            stacked=True,
        ),
        _chart("Receipts by state", [_search("Receipts", "receipts")], stacked=True),
        _chart("Reports to managers, by medium and state", [_search("Reports", "reports")], stacked=True),
    ]


def _chart(
    title: str,
    metrics: list[_Metric],
    *,
    statistic: str = "Sum",
    period: int = _FIVE_MINUTES,
    stacked: bool = False,
) -> dict[str, Any]:
    shown = {"title": title, "region": "${AWS::Region}", "view": "timeSeries", "stat": statistic}
    return {**shown, "period": period, "metrics": metrics, **({"stacked": True} if stacked else {})}


def _search(metric: str, row_id: str, *, statistic: str = "Sum", period: int = _FIVE_MINUTES) -> _Metric:
    """Return all series of a metric that the functions count themselves, whatever its dimensions."""
    query = f'Namespace="Daftar" MetricName="{metric}"'
    return [{"expression": f"SEARCH('{query}', '{statistic}', {period})", "id": row_id}]


def _list_request_counts() -> list[_Metric]:
    labels = {"Count": "requests", "4XXError": "4xx", "5XXError": "5xx"}
    return [["AWS/ApiGateway", metric, *_API, {"label": label}] for metric, label in labels.items()]


def _list_latencies() -> list[_Metric]:
    return [
        *(
            ["AWS/ApiGateway", "Latency", *_API, {"stat": each, "label": each}]
            for each in ("p50", "p95", "p99")
        ),
        ["AWS/ApiGateway", "Latency", *_ONE_REGISTRATION, {"stat": "p99", "label": "one registration, p99"}],
    ]


def _list_waiting() -> list[_Metric]:
    age = ["AWS/SQS", "ApproximateAgeOfOldestMessage", "QueueName"]
    oldest: list[_Metric] = [
        [*age, f"${{{queue}.QueueName}}", {"label": label, "stat": "Maximum"}]
        for queue, label in _OLDEST_MESSAGES.items()
    ]
    shown = {"label": "relay behind the stream (ms)", "stat": "Maximum", "yAxis": "right"}
    return [*oldest, ["AWS/Lambda", "IteratorAge", "FunctionName", "${OnRegistrationChanges}", shown]]


def _list_dead_letters(queues: Sequence[str]) -> list[_Metric]:
    metric = ["AWS/SQS", "ApproximateNumberOfMessagesVisible", "QueueName"]
    return [[*metric, f"${{{name}.QueueName}}", {"label": name}] for name in queues]


def _list_throttled_tables() -> list[_Metric]:
    rows = ((table, kind, {"label": f"{table} {kind.lower()}s"}) for table, kind in _THROTTLED_TABLES)
    return [
        ["AWS/DynamoDB", f"{kind}ThrottleEvents", "TableName", f"${{{table}}}", shown]
        for table, kind, shown in rows
    ]
