"""The stream and the schedules have limited retries, and keep what failed."""

import json
from typing import Any

import pytest

from chalicelib.registrations.store_stream import ATTRIBUTES_READ
from infra.shares import PARAMETER, SCHEDULES
from tests.support.aws_events import make_remove_event, make_stream_event
from tests.support.template import EventSource, PackagedTemplate, get_failure_destination, resolve_logical_id

HOUR_SECONDS = 60 * 60
DAY_SECONDS = 24 * HOUR_SECONDS
KEPT_IN_A_STREAM_SECONDS = DAY_SECONDS

# The interval of every schedule.
SECONDS_BY_SCHEDULE = {
    "cron(* * * * ? *)": 60,
    "cron(0/5 * * * ? *)": 5 * 60,
    "cron(0 * * * ? *)": HOUR_SECONDS,
    "cron(20 * * * ? *)": HOUR_SECONDS,
    "cron(10/30 * * * ? *)": 30 * 60,
}


def make_item(kind: str) -> dict[str, Any]:
    """Return an item of the registrations table of one kind, without other attributes."""
    return {"pk": {"S": "any"}, "sk": {"S": kind}}


def get_interval_seconds(source: EventSource) -> int:
    return SECONDS_BY_SCHEDULE[source.properties["Schedule"]]


def test_every_stream_belongs_to_a_table_of_this_stack(template: PackagedTemplate) -> None:
    assert template.find_event_sources("DynamoDB")
    for source in template.find_event_sources("DynamoDB"):
        table = template.tables[resolve_logical_id(source.properties["Stream"])]
        assert table["StreamSpecification"]["StreamViewType"] == "NEW_AND_OLD_IMAGES"


def test_a_stream_is_read_from_its_oldest_record(template: PackagedTemplate) -> None:
    for source in template.find_event_sources("DynamoDB"):
        assert source.properties["StartingPosition"] == "TRIM_HORIZON", source.function


def test_one_bad_record_is_isolated_from_its_batch(template: PackagedTemplate) -> None:
    for source in template.find_event_sources("DynamoDB"):
        assert source.properties["BisectBatchOnFunctionError"] is True, source.function
        assert source.properties["FunctionResponseTypes"] == ["ReportBatchItemFailures"], source.function


def test_a_bad_record_is_retried_a_limited_number_of_times(template: PackagedTemplate) -> None:
    for source in template.find_event_sources("DynamoDB"):
        assert 1 <= source.properties["MaximumRetryAttempts"] <= 100, source.function


def test_a_failed_record_stays_in_the_stream_for_hours(template: PackagedTemplate) -> None:
    for source in template.find_event_sources("DynamoDB"):
        longest_age = source.properties["MaximumRecordAgeInSeconds"]
        assert 0 < longest_age <= KEPT_IN_A_STREAM_SECONDS / 2, source.function


def test_the_position_of_a_failed_record_is_kept(template: PackagedTemplate) -> None:
    for source in template.find_event_sources("DynamoDB"):
        assert resolve_logical_id(get_failure_destination(source.properties)) in template.queues, (
            source.function
        )


def matches_pattern(record: Any, pattern: Any) -> bool:
    """Return whether a record has every field of the pattern, with one of the values listed for it."""
    if isinstance(pattern, list):
        return record in pattern
    return all(name in record and matches_pattern(record[name], each) for name, each in pattern.items())


def matches_filter(source: EventSource, event: dict[str, Any]) -> bool:
    """Return whether the filter of a source accepts the only record of an event."""
    (record,) = event["Records"]
    patterns = [json.loads(each["Pattern"]) for each in source.properties["FilterCriteria"]["Filters"]]
    return any(matches_pattern(record, pattern) for pattern in patterns)


@pytest.mark.parametrize(
    ("event", "is_relevant"),
    [
        (make_stream_event(make_item("CAPTURE")), True),
        (make_stream_event(make_item("CAPTURE"), event_name="MODIFY", old_item=make_item("CAPTURE")), True),
        (make_stream_event(make_item("APPLICATION")), True),
        (
            make_stream_event(
                make_item("APPLICATION"), event_name="MODIFY", old_item=make_item("APPLICATION")
            ),
            True,
        ),
        (make_stream_event(make_item("OPEN")), False),
        (make_remove_event(make_item("APPLICATION")), True),
        (make_remove_event(make_item("CAPTURE")), False),
        (make_remove_event(make_item("OPEN")), False),
    ],
    ids=[
        "a capture",
        "a capture changed",
        "a registration",
        "a registration changed",
        "a worker",
        "a registration erased",
        "a capture removed",
        "a worker removed",
    ],
)
def test_only_relevant_changes_invoke_the_stream_publisher(
    template: PackagedTemplate, event: dict[str, Any], *, is_relevant: bool
) -> None:
    (source,) = template.find_event_sources("DynamoDB")
    assert matches_filter(source, event) is is_relevant


def test_every_item_that_the_publisher_reads_reaches_it(template: PackagedTemplate) -> None:
    (source,) = template.find_event_sources("DynamoDB")

    assert [
        key for key in ATTRIBUTES_READ if not matches_filter(source, make_stream_event(make_item(key)))
    ] == []


def test_a_delayed_stream_publisher_raises_an_alarm(template: PackagedTemplate) -> None:
    alarms = template.find_alarms("AWS/Lambda", "IteratorAge", "FunctionName")
    assert set(alarms) == {source.function for source in template.find_event_sources("DynamoDB")}


def test_each_scheduled_function_has_its_interval(
    template: PackagedTemplate,
) -> None:
    intervals = {
        source.function: get_interval_seconds(source) for source in template.find_event_sources("Schedule")
    }
    assert intervals == {
        "QueueDueSms": 60,
        "RollUpDueDays": HOUR_SECONDS,
        "DeliverReports": 5 * 60,
        "ExportDays": HOUR_SECONDS,
        "AgeRegistrations": 30 * 60,
    }


def test_a_failed_run_is_retried_before_the_next_one_and_then_kept(
    template: PackagedTemplate,
) -> None:
    for source in template.find_event_sources("Schedule"):
        function = template.functions[source.function]
        config = function["EventInvokeConfig"]
        assert config["MaximumRetryAttempts"] >= 1, source.function
        runs = config["MaximumRetryAttempts"] + 1
        assert runs * function["Timeout"] <= config["MaximumEventAgeInSeconds"], source.function
        assert config["MaximumEventAgeInSeconds"] <= get_interval_seconds(source), source.function
        assert resolve_logical_id(get_failure_destination(config)) in template.queues, source.function


def test_an_undelivered_event_is_kept(template: PackagedTemplate) -> None:
    for source in template.find_event_sources("Schedule"):
        queue = resolve_logical_id(source.properties["DeadLetterConfig"]["Arn"])
        policy = source.properties["RetryPolicy"]
        assert policy["MaximumEventAgeInSeconds"] <= get_interval_seconds(source), source.function
        allowed = [
            statement
            for queue_policy in template.find_resources("AWS::SQS::QueuePolicy").values()
            for statement in queue_policy["PolicyDocument"]["Statement"]
            if resolve_logical_id(statement["Resource"]) == queue
        ]
        assert any(each["Principal"] == {"Service": "events.amazonaws.com"} for each in allowed), queue


def test_a_missing_run_raises_an_alarm(template: PackagedTemplate) -> None:
    alarms = template.find_alarms("AWS/Lambda", "Invocations", "FunctionName")
    intervals = {
        source.function: get_interval_seconds(source) for source in template.find_event_sources("Schedule")
    }
    assert set(alarms) == set(intervals)
    for function, alarm in alarms.items():
        watched = alarm["Period"] * alarm["EvaluationPeriods"]
        assert intervals[function] < watched <= 2 * intervals[function], function
        # A period as long as the interval would be empty whenever a run starts later than the one before.
        assert alarm["EvaluationPeriods"] > 1, function
        assert alarm["InsufficientDataActions"], function
        threshold = template.resolve_defaults(alarm["Threshold"])
        assert (alarm["ComparisonOperator"], threshold) == ("LessThanThreshold", 1), function


def test_a_missing_run_of_several_side_by_side_raises_the_alarm(template: PackagedTemplate) -> None:
    alarms = template.find_alarms("AWS/Lambda", "Invocations", "FunctionName")
    for function in SCHEDULES:
        assert alarms[function]["Threshold"] == {"Ref": PARAMETER}, function
        # Those that ran are data.
        assert alarms[function]["AlarmActions"], function
