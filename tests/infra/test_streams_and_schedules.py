"""The table's stream and the ticks of the clock: bounded retries, and a place for what is given up."""

import json
from typing import Any

import pytest

from tests.support.aws_events import make_remove_event, make_stream_event
from tests.support.template import EventSource, PackagedTemplate, get_failure_destination, resolve_logical_id

HOUR_SECONDS = 60 * 60
DAY_SECONDS = 24 * HOUR_SECONDS
KEPT_IN_A_STREAM_SECONDS = DAY_SECONDS

# How often each schedule ticks. A schedule that is not here is a mistake.
TICKS = {
    "cron(* * * * ? *)": 60,
    "cron(0/5 * * * ? *)": 5 * 60,
    "cron(0 * * * ? *)": HOUR_SECONDS,
    "cron(20 * * * ? *)": HOUR_SECONDS,
    "cron(10 17 * * ? *)": DAY_SECONDS,
}


def an_item(kind: str) -> dict[str, Any]:
    """An item of the registrations table of which only its kind is of interest."""
    return {"pk": {"S": "any"}, "sk": {"S": kind}}


def seconds_between_ticks(source: EventSource) -> int:
    return TICKS[source.properties["Schedule"]]


def test_every_stream_comes_from_a_table_of_ours(template: PackagedTemplate) -> None:
    assert template.find_event_sources("DynamoDB")
    for source in template.find_event_sources("DynamoDB"):
        table = template.tables[resolve_logical_id(source.properties["Stream"])]
        assert table["StreamSpecification"]["StreamViewType"] == "NEW_AND_OLD_IMAGES"


def test_a_stream_is_read_from_its_oldest_record(template: PackagedTemplate) -> None:
    for source in template.find_event_sources("DynamoDB"):
        assert source.properties["StartingPosition"] == "TRIM_HORIZON", source.function


def test_one_bad_record_of_a_stream_is_cut_out_of_its_batch(template: PackagedTemplate) -> None:
    for source in template.find_event_sources("DynamoDB"):
        assert source.properties["BisectBatchOnFunctionError"] is True, source.function
        assert source.properties["FunctionResponseTypes"] == ["ReportBatchItemFailures"], source.function


def test_a_bad_record_does_not_hold_back_its_stream_for_ever(template: PackagedTemplate) -> None:
    for source in template.find_event_sources("DynamoDB"):
        assert 1 <= source.properties["MaximumRetryAttempts"] <= 100, source.function


def test_a_record_given_up_can_still_be_read_from_the_stream_for_hours(template: PackagedTemplate) -> None:
    for source in template.find_event_sources("DynamoDB"):
        given_up_after = source.properties["MaximumRecordAgeInSeconds"]
        assert 0 < given_up_after <= KEPT_IN_A_STREAM_SECONDS / 2, source.function


def test_where_a_record_given_up_stands_is_kept(template: PackagedTemplate) -> None:
    for source in template.find_event_sources("DynamoDB"):
        assert resolve_logical_id(get_failure_destination(source.properties)) in template.queues, (
            source.function
        )


def passes(record: Any, pattern: Any) -> bool:
    """Whether a pattern lets a record through: lists name what may stand there, all that is named must."""
    if isinstance(pattern, list):
        return record in pattern
    return all(name in record and passes(record[name], each) for name, each in pattern.items())


def starts(source: EventSource, event: dict[str, Any]) -> bool:
    """Whether the one record of an event comes through the filter of a source."""
    (record,) = event["Records"]
    patterns = [json.loads(each["Pattern"]) for each in source.properties["FilterCriteria"]["Filters"]]
    return any(passes(record, pattern) for pattern in patterns)


@pytest.mark.parametrize(
    ("event", "is_waited_for"),
    [
        (make_stream_event(an_item("CAPTURE")), True),
        (make_stream_event(an_item("CAPTURE"), event_name="MODIFY", old_item=an_item("CAPTURE")), True),
        (make_stream_event(an_item("APPLICATION")), True),
        (
            make_stream_event(an_item("APPLICATION"), event_name="MODIFY", old_item=an_item("APPLICATION")),
            True,
        ),
        (make_stream_event(an_item("OPEN")), False),
        (make_remove_event(an_item("APPLICATION")), True),
        (make_remove_event(an_item("CAPTURE")), False),
        (make_remove_event(an_item("OPEN")), False),
    ],
    ids=[
        "a capture",
        "a capture forgotten",
        "a registration",
        "a registration changed",
        "a worker",
        "a registration erased",
        "a capture removed",
        "a worker removed",
    ],
)
def test_only_changes_that_somebody_waits_for_start_the_relay(
    template: PackagedTemplate, event: dict[str, Any], *, is_waited_for: bool
) -> None:
    (source,) = template.find_event_sources("DynamoDB")
    assert starts(source, event) is is_waited_for


def test_a_relay_that_falls_behind_raises_an_alarm(template: PackagedTemplate) -> None:
    behind = template.find_alarms("AWS/Lambda", "IteratorAge", "FunctionName")
    assert set(behind) == {source.function for source in template.find_event_sources("DynamoDB")}


def test_each_schedule_ticks_as_often_as_its_work_comes(
    template: PackagedTemplate,
) -> None:
    ticking = {
        source.function: seconds_between_ticks(source) for source in template.find_event_sources("Schedule")
    }
    assert ticking == {
        "QueueDueSms": 60,
        "RollUpDueDays": HOUR_SECONDS,
        "DeliverReports": 5 * 60,
        "ExportDays": HOUR_SECONDS,
        "AgeRegistrations": DAY_SECONDS,
    }


def test_a_tick_that_fails_is_tried_again_before_the_next_one_and_then_kept(
    template: PackagedTemplate,
) -> None:
    for source in template.find_event_sources("Schedule"):
        function = template.functions[source.function]
        handled = function["EventInvokeConfig"]
        assert handled["MaximumRetryAttempts"] >= 1, source.function
        runs = handled["MaximumRetryAttempts"] + 1
        assert runs * function["Timeout"] <= handled["MaximumEventAgeInSeconds"], source.function
        assert handled["MaximumEventAgeInSeconds"] <= seconds_between_ticks(source), source.function
        assert resolve_logical_id(get_failure_destination(handled)) in template.queues, source.function


def test_a_tick_that_cannot_be_delivered_is_kept(template: PackagedTemplate) -> None:
    for source in template.find_event_sources("Schedule"):
        queue = resolve_logical_id(source.properties["DeadLetterConfig"]["Arn"])
        retried = source.properties["RetryPolicy"]
        assert retried["MaximumEventAgeInSeconds"] <= seconds_between_ticks(source), source.function
        allowed = [
            statement
            for policy in template.find_resources("AWS::SQS::QueuePolicy").values()
            for statement in policy["PolicyDocument"]["Statement"]
            if resolve_logical_id(statement["Resource"]) == queue
        ]
        assert any(each["Principal"] == {"Service": "events.amazonaws.com"} for each in allowed), queue


def test_a_tick_that_does_not_come_raises_an_alarm(template: PackagedTemplate) -> None:
    missed = template.find_alarms("AWS/Lambda", "Invocations", "FunctionName")
    ticks = {
        source.function: seconds_between_ticks(source) for source in template.find_event_sources("Schedule")
    }
    assert set(missed) == set(ticks)
    for function, alarm in missed.items():
        watched = alarm["Period"] * alarm["EvaluationPeriods"]
        assert ticks[function] < watched <= 2 * ticks[function], function
        # A period as long as the tick would be empty whenever one comes later than the one before.
        assert alarm["EvaluationPeriods"] > 1, function
        assert alarm["TreatMissingData"] == "breaching", function
        assert (alarm["ComparisonOperator"], alarm["Threshold"]) == ("LessThanThreshold", 1), function
