"""`daftar dead-letters`: list, show, redrive and drop. Personal data is never shown."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import boto3
import click
import pytest
from click.testing import CliRunner
from moto import mock_aws

from ops.cli import main
from ops.commands.dead_letters import (
    drop_dead_letters,
    list_dead_letters,
    redrive_dead_letters,
    show_dead_letter,
)
from ops.errors import OperationError
from tests.ops.command_lines import COMMANDS
from tests.support.aws_events import make_domain_event, make_share_event
from tests.support.dead_letters import REGISTRATIONS_TABLE, CommandRunner, FakeStreams, make_stream_failure

_PHONE = "+6282455507001"


@pytest.fixture
def operator() -> Iterator[CommandRunner]:
    with mock_aws():
        yield CommandRunner()


def test_a_dead_letter_is_listed_with_the_last_logged_error(operator: CommandRunner) -> None:
    message_id = operator.add_dead_letter("NotificationsDeadLetters", make_domain_event())
    for error in ("TransientFailure", "RegistrationUnknown"):
        operator.log("OnNotifications", message="not handled", message_id=message_id, error=error)
    operator.log("OnNotifications", message="not handled", message_id="another", error="KeyError")

    listed = operator.run(list_dead_letters)

    [line, count] = listed.splitlines()
    assert [*line.split("  ")[:2], *line.split("  ")[3:]] == [
        *("NotificationsDeadLetters", message_id, "7K4-M2Q-X9P", "RegistrationUnknown")
    ]
    assert count == "1 dead letters"


def test_listing_removes_and_hides_no_message(operator: CommandRunner) -> None:
    operator.add_dead_letter("NotificationsDeadLetters", make_domain_event())
    first = operator.run(list_dead_letters, "NotificationsDeadLetters")
    assert operator.run(list_dead_letters, "NotificationsDeadLetters") == first
    assert len(operator.list_bodies("NotificationsDeadLetters")) == 1


def test_a_dead_letter_is_shown_with_the_frames_of_its_error(operator: CommandRunner) -> None:
    message_id = operator.add_dead_letter("NotificationsDeadLetters", make_domain_event())
    where = ["consumer.py:25 handle", "service.py:60 get"]
    operator.log("OnNotifications", message_id=message_id, error="RegistrationUnknown", where=where)

    shown = operator.run(show_dead_letter, "NotificationsDeadLetters", message_id)

    assert "reference: 7K4-M2Q-X9P" in shown
    assert "correlation_id: c0ffee00-0000-4000-8000-000000000001" in shown
    assert "reason: RegistrationUnknown" in shown
    assert "service.py:60 get" in shown
    assert "log: /aws/lambda/daftar-test-OnNotifications" in shown


def test_a_dead_letter_without_a_known_reason_names_the_log(operator: CommandRunner) -> None:
    operator.add_dead_letter("NotificationsDeadLetters", make_domain_event())
    assert "no reason in /aws/lambda/daftar-test-OnNotifications" in operator.run(list_dead_letters)


@pytest.mark.parametrize(
    "body",
    [
        _PHONE,
        f'{{"reference": "{_PHONE}", "worker": {{"phone": "{_PHONE}"}}, "type": "{_PHONE}"}}',
        {"to": _PHONE, "context": {"sms_id": _PHONE}, "destinationPhoneNumber": _PHONE},
        {"Type": "Notification", "Message": json.dumps({"destinationPhoneNumber": _PHONE, "time": "now!"})},
        {"Message": _PHONE, "requestPayload": _PHONE},
        [_PHONE],
    ],
    ids=range(6),
)
def test_personal_data_is_never_shown(body: Any, operator: CommandRunner) -> None:
    message_id = operator.add_dead_letter("NotificationsDeadLetters", body)
    shown = operator.run(list_dead_letters) + operator.run(
        show_dead_letter, "NotificationsDeadLetters", message_id
    )
    assert _PHONE.lstrip("+") not in shown


def test_a_redriven_message_returns_to_its_queue(
    operator: CommandRunner,
) -> None:
    message_id = operator.add_dead_letter("NotificationsDeadLetters", make_domain_event())
    other = make_domain_event(reference="AAA-BBB-CCC")
    operator.add_dead_letter("NotificationsDeadLetters", other)

    output = operator.run(redrive_dead_letters, "NotificationsDeadLetters", message_id)

    assert output == "1 redriven\n"
    assert operator.list_bodies("NotificationsQueue") == [json.dumps(make_domain_event())]
    assert operator.list_bodies("NotificationsDeadLetters") == [json.dumps(other)]


def test_all_messages_of_a_queue_can_be_redriven(operator: CommandRunner) -> None:
    for number in range(25):
        operator.add_dead_letter(
            "NotificationsDeadLetters", make_domain_event(correlation_id=f"{number:032x}")
        )
    assert operator.run(redrive_dead_letters, "NotificationsDeadLetters", "--all") == "25 redriven\n"
    assert operator.list_bodies("NotificationsDeadLetters") == []
    assert operator.run(redrive_dead_letters, "NotificationsDeadLetters", "--all") == "the queue is empty\n"


def test_an_unknown_message_id_is_reported(operator: CommandRunner) -> None:
    for command, options in ((redrive_dead_letters, []), (drop_dead_letters, ["--yes"])):
        with pytest.raises(OperationError, match="not in the queue: gone"):
            operator.run(command, "NotificationsDeadLetters", "gone", *options)
    with pytest.raises(OperationError, match="has no message gone"):
        operator.run(show_dead_letter, "NotificationsDeadLetters", "gone")


@pytest.mark.parametrize("command", [redrive_dead_letters, drop_dead_letters])
def test_messages_must_be_chosen_by_id_or_by_all(command: click.Command, operator: CommandRunner) -> None:
    for chosen in ([], ["m-1", "--all"]):
        with pytest.raises(click.UsageError, match="name the messages"):
            operator.run(command, "NotificationsDeadLetters", *chosen, typed="y\n")


def test_a_message_is_dropped_after_a_confirmation(operator: CommandRunner) -> None:
    message_id = operator.add_dead_letter("NotificationsDeadLetters", make_domain_event())
    with pytest.raises(OperationError, match="nothing was dropped"):
        operator.run(drop_dead_letters, "NotificationsDeadLetters", message_id, typed="n\n")
    assert len(operator.list_bodies("NotificationsDeadLetters")) == 1

    assert "1 dropped\n" in operator.run(
        drop_dead_letters, "NotificationsDeadLetters", message_id, typed="y\n"
    )

    assert operator.list_bodies("NotificationsDeadLetters") == []
    assert operator.list_bodies("NotificationsQueue") == []


@pytest.mark.parametrize(
    ("response", "reason"),
    [
        (
            {"errorType": "UnhandledError", "errorMessage": "ReadTimeoutError"},
            "RetriesExhausted, ReadTimeoutError",
        ),
        ({"errorType": "UnhandledError", "errorMessage": _PHONE}, "RetriesExhausted"),
    ],
)
def test_an_unhandled_error_is_shown_by_its_type(
    operator: CommandRunner, response: dict[str, str], reason: str
) -> None:
    failed = {"requestContext": {"condition": "RetriesExhausted"}, "responsePayload": response}
    operator.add_dead_letter("RollUpFailures", {**failed, "requestPayload": {"time": "2026-11-22T09:00:00Z"}})

    listed = operator.run(list_dead_letters)

    assert reason in listed
    assert _PHONE not in listed


def test_a_failed_event_is_sent_to_its_function_again(operator: CommandRunner) -> None:
    event = {"detail-type": "Scheduled Event", "time": "2026-11-22T09:00:00Z"}
    failure = {
        "requestContext": {"condition": "RetriesExhausted"},
        "requestPayload": event,
        "responsePayload": {"errorType": "SummaryClosed", "errorMessage": _PHONE},
    }
    operator.add_dead_letter("RollUpFailures", failure)
    operator.add_dead_letter(
        "AgeingFailures", event, ERROR_CODE="NO_PERMISSIONS", ERROR_MESSAGE="may not call"
    )

    listed = operator.run(list_dead_letters)
    operator.run(redrive_dead_letters, "RollUpFailures", "--all")
    operator.run(redrive_dead_letters, "AgeingFailures", "--all")

    assert "RetriesExhausted, SummaryClosed" in listed
    assert "NO_PERMISSIONS" in listed
    assert _PHONE not in listed
    assert operator.functions.events == [("RollUpDueDays", event), ("AgeRegistrations", event)]
    assert operator.functions.was_synchronous == [False, False]
    assert operator.list_bodies("RollUpFailures") == operator.list_bodies("AgeingFailures") == []


def test_a_run_of_a_share_is_named_and_started_again_as_that_share(operator: CommandRunner) -> None:
    event = make_share_event(3, 8)
    failed = {"requestContext": {"condition": "RetriesExhausted"}, "requestPayload": event}
    operator.add_dead_letter("RollUpFailures", failed)

    assert "share 3" in operator.run(list_dead_letters)
    operator.run(redrive_dead_letters, "RollUpFailures", "--all")

    assert operator.functions.events == [("RollUpDueDays", event)]


class StreamedTable:
    """A table on moto, and its stream."""

    def __init__(self, streams: FakeStreams) -> None:
        self._records = streams.records
        self._dynamodb = boto3.client("dynamodb")
        self._dynamodb.create_table(
            TableName=REGISTRATIONS_TABLE,
            AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk")],
            KeySchema=[
                {"AttributeName": "pk", "KeyType": "HASH"},
                {"AttributeName": "sk", "KeyType": "RANGE"},
            ],
            BillingMode="PAY_PER_REQUEST",
        )

    def put(self, number: int, received_at: str = "2026-11-22T08:00:05.000Z") -> str:
        """Store an item. Return its sequence number in the stream."""
        item: Any = {
            "pk": {"S": f"REGISTRATION#{number}"},
            "sk": {"S": "APPLICATION"},
            "sealed": {"M": {"name": {"B": b"\x00\xff"}}},
            "taken": {"M": {"received_at": {"S": received_at}}},
        }
        self._dynamodb.put_item(TableName=REGISTRATIONS_TABLE, Item=item)
        sequence_number = f"10000000000000000{number}"
        change = {
            "ApproximateCreationDateTime": datetime(2026, 11, 22, 8, tzinfo=UTC),
            "Keys": {name: item[name] for name in ("pk", "sk")},
            "NewImage": item,
            "SequenceNumber": sequence_number,
        }
        self._records.append({"eventName": "INSERT", "dynamodb": change})
        return sequence_number


@pytest.fixture
def table(operator: CommandRunner) -> StreamedTable:
    return StreamedTable(operator.streams)


def _list_invoked_keys(operator: CommandRunner) -> list[str]:
    return [
        record["dynamodb"]["Keys"]["pk"]["S"]
        for _, event in operator.functions.events
        for record in event["Records"]
    ]


def test_failed_records_are_read_from_the_stream_and_sent_to_the_function(
    operator: CommandRunner, table: StreamedTable
) -> None:
    numbers = [table.put(number) for number in range(5)]
    operator.add_dead_letter("StreamFailures", make_stream_failure(numbers[1], numbers[3]))

    operator.run(redrive_dead_letters, "StreamFailures", "--all")

    assert _list_invoked_keys(operator) == ["REGISTRATION#1", "REGISTRATION#2", "REGISTRATION#3"]
    [(function, event)] = operator.functions.events
    assert function == "OnRegistrationChanges"
    # In a Lambda event bytes are base64 text.
    assert event["Records"][0]["dynamodb"]["NewImage"]["sealed"] == {"M": {"name": {"B": "AP8="}}}
    assert operator.list_bodies("StreamFailures") == []


@pytest.mark.parametrize(
    ("answer", "error"),
    [({"batchItemFailures": [{"itemIdentifier": "1"}]}, {}), (None, {"FunctionError": "Unhandled"})],
    ids=["a record failed", "the function failed"],
)
def test_records_that_fail_again_stay_in_the_queue(
    answer: Any, error: dict[str, str], operator: CommandRunner, table: StreamedTable
) -> None:
    number = table.put(1)
    operator.add_dead_letter("StreamFailures", make_stream_failure(number, number))
    operator.functions.answer, operator.functions.error = answer, error
    with pytest.raises(OperationError, match="stay in the queue"):
        operator.run(redrive_dead_letters, "StreamFailures", "--all")
    assert len(operator.list_bodies("StreamFailures")) == 1


def test_the_reason_of_a_stream_failure_is_logged_for_its_first_record(
    operator: CommandRunner,
) -> None:
    operator.log(
        "OnRegistrationChanges", sequence_number="17", error="KeyError", where=["stream.py:70 publish"]
    )
    operator.add_dead_letter("StreamFailures", make_stream_failure("17", "17"))
    operator.add_dead_letter("StreamFailures", make_stream_failure("18", "18"))
    listed = operator.run(list_dead_letters, "StreamFailures")
    assert "1 records  KeyError" in listed
    assert "1 records  RetryAttemptsExhausted" in listed


def test_trimmed_records_are_read_from_the_table_on_request(
    operator: CommandRunner, table: StreamedTable
) -> None:
    for number, received_at in enumerate(
        ("2026-11-22T07:58:00.000Z", "2026-11-22T08:00:05.000Z", "2026-11-22T08:02:00.000Z")
    ):
        table.put(number, received_at)
    operator.add_dead_letter("StreamFailures", make_stream_failure("1", "1"))
    operator.streams.is_trimmed = True

    with pytest.raises(OperationError, match="stay in the queue"):
        operator.run(redrive_dead_letters, "StreamFailures", "--all")
    assert operator.functions.events == []
    assert operator.run(redrive_dead_letters, "StreamFailures", "--all", "--from-table") == "1 redriven\n"

    assert _list_invoked_keys(operator) == ["REGISTRATION#1"]
    assert operator.functions.events[0][1]["Records"][0]["eventName"] == "INSERT"


@pytest.mark.parametrize("queue", ["StreamFailures", "RollUpFailures"])
def test_an_unreadable_message_stays_in_the_queue(queue: str, operator: CommandRunner) -> None:
    operator.add_dead_letter(queue, "{")
    with pytest.raises(OperationError, match="stay in the queue"):
        operator.run(redrive_dead_letters, queue, "--all")
    assert operator.list_bodies(queue) == ["{"]


HOSTILE_BODIES: dict[str, Any] = {
    "a list": [],
    "facts of other types": {"requestContext": "x", "DDBStreamBatchInfo": ["x"], "responsePayload": 1},
    "a condition that may be personal": {"requestContext": {"condition": _PHONE}},
    "a batch without records": {"DDBStreamBatchInfo": {}},
    "a batch with numbers that are none": {
        "DDBStreamBatchInfo": {
            **dict.fromkeys(("streamArn", "shardId", "startSequenceNumber", "endSequenceNumber"), "x"),
            "approximateArrivalOfFirstRecord": "x",
            "approximateArrivalOfLastRecord": 7,
        }
    },
}


@pytest.mark.parametrize("body", HOSTILE_BODIES.values(), ids=HOSTILE_BODIES)
def test_a_message_of_any_shape_is_listed_and_stays_in_the_queue(body: Any, operator: CommandRunner) -> None:
    message_id = operator.add_dead_letter("StreamFailures", body)

    shown = operator.run(list_dead_letters) + operator.run(show_dead_letter, "StreamFailures", message_id)
    assert message_id in shown
    assert _PHONE not in shown
    for options in ((), ("--from-table",)):
        with pytest.raises(OperationError, match="stay in the queue"):
            operator.run(redrive_dead_letters, "StreamFailures", "--all", *options)
    assert len(operator.list_bodies("StreamFailures")) == 1


def test_a_function_that_never_logged_is_no_error(operator: CommandRunner) -> None:
    operator.add_dead_letter("NotificationsDeadLetters", make_domain_event())
    for group in operator.logs.describe_log_groups()["logGroups"]:
        operator.logs.delete_log_group(logGroupName=group["logGroupName"])

    assert "no reason in /aws/lambda/" in operator.run(list_dead_letters)


def test_the_json_object_has_the_documented_fields(operator: CommandRunner) -> None:
    message_id = operator.add_dead_letter("NotificationsDeadLetters", make_domain_event())
    for name, *arguments in (
        ("list",),
        ("show", "NotificationsDeadLetters", message_id),
        ("redrive", "NotificationsDeadLetters", message_id),
        ("drop", "NotificationsDeadLetters", "--all", "--yes"),
    ):
        line = ["dead-letters", name, *arguments, "--json"]
        result = CliRunner().invoke(main, line, obj=operator.stage)

        assert result.exit_code == 0, result.output
        assert tuple(json.loads(result.stdout)["result"]) == COMMANDS[f"dead-letters {name}"].json_fields
