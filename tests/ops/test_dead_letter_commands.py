"""What nobody could handle: shown without the person, and handled again."""

import io
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import boto3
import click
import pytest
from click.testing import CliRunner
from moto import mock_aws

from ops.commands.dead_letters import (
    drop_dead_letters,
    list_dead_letters,
    redrive_dead_letters,
    show_dead_letter,
)
from ops.dead_letters.queues import DEAD_LETTER_QUEUES
from ops.deploy.stages import Stage
from ops.errors import OperationError
from tests.support.aws_events import make_domain_event

_PHONE = "+6282455507001"
_TABLE = "registrations"


class Functions:
    """Lambda, as far as it is asked: remembers what each function was given, and answers as told."""

    def __init__(self) -> None:
        self.given: list[tuple[str, Any]] = []
        self.waited_for: list[bool] = []
        self.answer: Any = {"batchItemFailures": []}
        self.error: dict[str, str] = {}

    def invoke(self, **asked: Any) -> dict[str, Any]:
        """Call a function."""
        self.given.append((asked["FunctionName"], json.loads(asked["Payload"])))
        self.waited_for.append(asked.get("InvocationType") != "Event")
        return {"Payload": io.BytesIO(json.dumps(self.answer).encode()), **self.error}


class Impatient:
    """SQS, but nobody waits for the clock: moto knows at once whether a queue is empty."""

    def __init__(self) -> None:
        self._sqs = boto3.client("sqs")

    def __getattr__(self, operation: str) -> Any:
        return getattr(self._sqs, operation)

    def receive_message(self, **asked: Any) -> Any:
        """Receive at once."""
        assert asked.pop("WaitTimeSeconds") > 0, "a short poll misses messages on AWS"
        return self._sqs.receive_message(**asked)


class Streams:
    """The stream of a table: moto's cannot be described."""

    ARN = "arn:aws:dynamodb:eu-north-1:000000000000:table/registrations/stream/now"

    def __init__(self) -> None:
        self._sdk = boto3.client("dynamodbstreams")
        self.records: list[dict[str, Any]] = []
        self.has_forgotten = False

    def get_shard_iterator(self, **asked: Any) -> Any:
        """Where the record with a sequence number stands."""
        if self.has_forgotten:
            told = {"Error": {"Code": "TrimmedDataAccessException"}}
            raise self._sdk.exceptions.TrimmedDataAccessException(told, "GetShardIterator")
        numbers = [record["dynamodb"]["SequenceNumber"] for record in self.records]
        return {"ShardIterator": str(numbers.index(asked["SequenceNumber"]))}

    def get_records(self, **asked: Any) -> Any:
        """Two records at most, then nothing once, as an open shard does."""
        start = int(asked["ShardIterator"].strip("+"))
        if asked["ShardIterator"].endswith("+"):
            return {"Records": [], "NextShardIterator": str(start)}
        return {"Records": self.records[start : start + 2], "NextShardIterator": f"{start + 2}+"}


class Operator:
    """Somebody at the command line, and the stage."""

    def __init__(self) -> None:
        self.sqs, self.logs, self.functions = boto3.client("sqs"), boto3.client("logs"), Functions()
        self.streams = Streams()
        queues = [
            *DEAD_LETTER_QUEUES,
            *(each.source_queue for each in DEAD_LETTER_QUEUES.values() if each.source_queue),
        ]
        urls = {f"{name}Url": self.sqs.create_queue(QueueName=name)["QueueUrl"] for name in queues}
        functions = {f"{each.function_id}Name": each.function_id for each in DEAD_LETTER_QUEUES.values()}
        outputs = {**urls, **functions, "RegistrationsTableName": _TABLE}
        self.stage = Stage("daftar-test", outputs, self._client)
        for function in {each.function_id for each in DEAD_LETTER_QUEUES.values()}:
            group = self.stage.get_log_group(function)
            self.logs.create_log_group(logGroupName=group)
            self.logs.create_log_stream(logGroupName=group, logStreamName="s")

    def _client(self, service: str) -> Any:
        own = {"lambda": self.functions, "dynamodbstreams": self.streams, "sqs": Impatient()}
        return own.get(service) or boto3.client(service)

    def give_up(self, queue: str, body: Any, **attributes: str) -> str:
        """Put a message into a queue; its id."""
        sent = self.sqs.send_message(
            QueueUrl=self.stage.outputs[f"{queue}Url"],
            MessageBody=body if isinstance(body, str) else json.dumps(body),
            MessageAttributes={
                name: {"DataType": "String", "StringValue": value} for name, value in attributes.items()
            },
        )
        return str(sent["MessageId"])

    def log(self, function: str, **line: Any) -> None:
        """Write a line as a function does."""
        event = {"timestamp": int(datetime.now(UTC).timestamp() * 1000), "message": json.dumps(line)}
        group = self.stage.get_log_group(function)
        self.logs.put_log_events(logGroupName=group, logStreamName="s", logEvents=[event])

    def run(self, command: click.Command, *arguments: str, says: str | None = None) -> str:
        """What a command prints. Raises what it raises."""
        done = CliRunner().invoke(
            command, arguments, obj=self.stage, input=says, catch_exceptions=False, standalone_mode=False
        )
        return done.output

    def bodies(self, queue: str) -> list[str]:
        """What a queue holds now."""
        url = self.stage.outputs[f"{queue}Url"]
        found = self.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=0)
        return [message["Body"] for message in found.get("Messages", [])]


@pytest.fixture
def operator_console() -> Iterator[Operator]:
    with mock_aws():
        yield Operator()


def a_stream_failure(first: str, last: str, **changes: Any) -> dict[str, Any]:
    """What Lambda leaves in the queue of the stream's failures."""
    return {
        "requestContext": {
            "requestId": "r-1",
            "functionArn": "arn:aws:lambda:ap-southeast-3:000000000000:function:relay",
            "condition": "RetryAttemptsExhausted",
            "approximateInvokeCount": 21,
        },
        "responseContext": {"statusCode": 200, "executedVersion": "$LATEST"},
        "version": "1.0",
        "timestamp": "2026-11-22T09:00:00.000Z",
        "DDBStreamBatchInfo": {
            "shardId": "shardId-00000001",
            "startSequenceNumber": first,
            "endSequenceNumber": last,
            "approximateArrivalOfFirstRecord": "2026-11-22T08:00:00Z",
            "approximateArrivalOfLastRecord": "2026-11-22T08:00:10Z",
            "batchSize": 1,
            "streamArn": "arn:aws:dynamodb:ap-southeast-3:000000000000:table/r/stream/now",
            **changes,
        },
    }


def test_letter_is_listed_with_what_the_reader_logged_of_it_last(operator_console: Operator) -> None:
    message_id = operator_console.give_up("NotificationsDeadLetters", make_domain_event())
    for error in ("TryLater", "RegistrationUnknown"):
        operator_console.log("OnNotifications", message="not handled", message_id=message_id, error=error)
    operator_console.log("OnNotifications", message="not handled", message_id="another", error="KeyError")

    listed = operator_console.run(list_dead_letters)

    [line, count] = listed.splitlines()
    assert [*line.split("  ")[:2], *line.split("  ")[3:]] == [
        *("NotificationsDeadLetters", message_id, "7K4-M2Q-X9P", "RegistrationUnknown")
    ]
    assert count == "1 given up"


def test_looking_takes_nothing_out_and_hides_nothing(operator_console: Operator) -> None:
    operator_console.give_up("NotificationsDeadLetters", make_domain_event())
    first = operator_console.run(list_dead_letters, "NotificationsDeadLetters")
    assert operator_console.run(list_dead_letters, "NotificationsDeadLetters") == first
    assert len(operator_console.bodies("NotificationsDeadLetters")) == 1


def test_letter_is_shown_with_where_its_error_arose(operator_console: Operator) -> None:
    message_id = operator_console.give_up("NotificationsDeadLetters", make_domain_event())
    where = ["consumer.py:25 handle", "service.py:60 get"]
    operator_console.log("OnNotifications", message_id=message_id, error="RegistrationUnknown", where=where)

    shown = operator_console.run(show_dead_letter, "NotificationsDeadLetters", message_id)

    assert "reference: 7K4-M2Q-X9P" in shown
    assert "correlation_id: c0ffee00-0000-4000-8000-000000000001" in shown
    assert "why: RegistrationUnknown" in shown
    assert "service.py:60 get" in shown
    assert "log: /aws/lambda/daftar-test-OnNotifications" in shown


def test_letter_nobody_said_anything_of_says_where_to_look(operator_console: Operator) -> None:
    operator_console.give_up("NotificationsDeadLetters", make_domain_event())
    assert "nothing is said of it in /aws/lambda/daftar-test-OnNotifications" in operator_console.run(
        list_dead_letters
    )


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
def test_nobody_is_shown_whatever_a_letter_holds(body: Any, operator_console: Operator) -> None:
    message_id = operator_console.give_up("NotificationsDeadLetters", body)
    shown = operator_console.run(list_dead_letters) + operator_console.run(
        show_dead_letter, "NotificationsDeadLetters", message_id
    )
    assert _PHONE.lstrip("+") not in shown


def test_redriven_letter_is_in_its_queue_again_and_no_longer_among_the_dead(
    operator_console: Operator,
) -> None:
    message_id = operator_console.give_up("NotificationsDeadLetters", make_domain_event())
    other = make_domain_event(reference="AAA-BBB-CCC")
    operator_console.give_up("NotificationsDeadLetters", other)

    told = operator_console.run(redrive_dead_letters, "NotificationsDeadLetters", message_id)

    assert told == "1 redriven\n"
    assert operator_console.bodies("NotificationsQueue") == [json.dumps(make_domain_event())]
    assert operator_console.bodies("NotificationsDeadLetters") == [json.dumps(other)]


def test_all_letters_are_redriven_when_all_are_asked_for(operator_console: Operator) -> None:
    for number in range(25):
        operator_console.give_up(
            "NotificationsDeadLetters", make_domain_event(correlation_id=f"{number:032x}")
        )
    assert operator_console.run(redrive_dead_letters, "NotificationsDeadLetters", "--all") == "25 redriven\n"
    assert operator_console.bodies("NotificationsDeadLetters") == []
    assert (
        operator_console.run(redrive_dead_letters, "NotificationsDeadLetters", "--all")
        == "there was nothing\n"
    )


def test_letter_that_is_not_there_is_said_to_be_missing(operator_console: Operator) -> None:
    assert operator_console.run(redrive_dead_letters, "NotificationsDeadLetters", "gone") == "1 not found\n"
    with pytest.raises(OperationError, match="has no message gone"):
        operator_console.run(show_dead_letter, "NotificationsDeadLetters", "gone")


@pytest.mark.parametrize("command", [redrive_dead_letters, drop_dead_letters])
def test_letters_are_chosen_by_id_or_all_of_them_but_never_by_saying_nothing(
    command: click.Command, operator_console: Operator
) -> None:
    for chosen in ([], ["m-1", "--all"]):
        with pytest.raises(click.UsageError, match="name the messages"):
            operator_console.run(command, "NotificationsDeadLetters", *chosen, says="y\n")


def test_dropped_letter_is_gone_once_that_is_confirmed(operator_console: Operator) -> None:
    message_id = operator_console.give_up("NotificationsDeadLetters", make_domain_event())
    with pytest.raises(click.Abort):
        operator_console.run(drop_dead_letters, "NotificationsDeadLetters", message_id, says="n\n")
    assert len(operator_console.bodies("NotificationsDeadLetters")) == 1

    assert "1 dropped" in operator_console.run(
        drop_dead_letters, "NotificationsDeadLetters", message_id, says="y\n"
    )

    assert operator_console.bodies("NotificationsDeadLetters") == []
    assert operator_console.bodies("NotificationsQueue") == []


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (
            {"errorType": "UnhandledError", "errorMessage": "ReadTimeoutError"},
            "RetriesExhausted, ReadTimeoutError",
        ),
        ({"errorType": "UnhandledError", "errorMessage": _PHONE}, "RetriesExhausted"),
    ],
)
def test_what_nobody_foresaw_is_told_by_its_type(
    operator_console: Operator, answer: dict[str, str], told: str
) -> None:
    failed = {"requestContext": {"condition": "RetriesExhausted"}, "responsePayload": answer}
    operator_console.give_up("RollUpFailures", {**failed, "requestPayload": {"time": "2026-11-22T09:00:00Z"}})

    listed = operator_console.run(list_dead_letters)

    assert told in listed
    assert _PHONE not in listed


def test_event_that_was_given_up_is_sent_to_its_function_again(operator_console: Operator) -> None:
    event = {"detail-type": "Scheduled Event", "time": "2026-11-22T09:00:00Z"}
    by_lambda = {
        "requestContext": {"condition": "RetriesExhausted"},
        "requestPayload": event,
        "responsePayload": {"errorType": "SummaryClosed", "errorMessage": _PHONE},
    }
    operator_console.give_up("RollUpFailures", by_lambda)
    operator_console.give_up(
        "AgeingFailures", event, ERROR_CODE="NO_PERMISSIONS", ERROR_MESSAGE="may not call"
    )

    listed = operator_console.run(list_dead_letters)
    operator_console.run(redrive_dead_letters, "RollUpFailures", "--all")
    operator_console.run(redrive_dead_letters, "AgeingFailures", "--all")

    assert "RetriesExhausted, SummaryClosed" in listed
    assert "NO_PERMISSIONS" in listed
    assert _PHONE not in listed
    assert operator_console.functions.given == [("RollUpDueDays", event), ("AgeRegistrations", event)]
    assert operator_console.functions.waited_for == [False, False]
    assert operator_console.bodies("RollUpFailures") == operator_console.bodies("AgeingFailures") == []


class Table:
    """A table on moto, and its stream."""

    def __init__(self, streams: Streams) -> None:
        self._records = streams.records
        self._dynamodb = boto3.client("dynamodb")
        self._dynamodb.create_table(
            TableName=_TABLE,
            AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk")],
            KeySchema=[
                {"AttributeName": "pk", "KeyType": "HASH"},
                {"AttributeName": "sk", "KeyType": "RANGE"},
            ],
            BillingMode="PAY_PER_REQUEST",
        )

    def put(self, number: int, received_at: str = "2026-11-22T08:00:05.000Z") -> str:
        """Store an item; its sequence number in the stream."""
        item = {
            "pk": {"S": f"REGISTRATION#{number}"},
            "sk": {"S": "APPLICATION"},
            "sealed": {"M": {"name": {"B": b"\x00\xff"}}},
            "taken": {"M": {"received_at": {"S": received_at}}},
        }
        self._dynamodb.put_item(TableName=_TABLE, Item=item)
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
def table(operator_console: Operator) -> Table:
    return Table(operator_console.streams)


def _announced(operator_console: Operator) -> list[str]:
    return [
        record["dynamodb"]["Keys"]["pk"]["S"]
        for _, event in operator_console.functions.given
        for record in event["Records"]
    ]


def test_records_given_up_are_read_from_the_stream_again_and_given_to_the_relay(
    operator_console: Operator, table: Table
) -> None:
    numbers = [table.put(number) for number in range(5)]
    operator_console.give_up("StreamFailures", a_stream_failure(numbers[1], numbers[3]))

    operator_console.run(redrive_dead_letters, "StreamFailures", "--all")

    assert _announced(operator_console) == ["REGISTRATION#1", "REGISTRATION#2", "REGISTRATION#3"]
    [(function, event)] = operator_console.functions.given
    assert function == "OnRegistrationChanges"
    # As Lambda hands it over, bytes are base64 text.
    assert event["Records"][0]["dynamodb"]["NewImage"]["sealed"] == {"M": {"name": {"B": "AP8="}}}
    assert operator_console.bodies("StreamFailures") == []


@pytest.mark.parametrize(
    ("answer", "error"),
    [({"batchItemFailures": [{"itemIdentifier": "1"}]}, {}), (None, {"FunctionError": "Unhandled"})],
    ids=["a record failed", "the function failed"],
)
def test_records_that_fail_again_stay_among_the_dead(
    answer: Any, error: dict[str, str], operator_console: Operator, table: Table
) -> None:
    number = table.put(1)
    operator_console.give_up("StreamFailures", a_stream_failure(number, number))
    operator_console.functions.answer, operator_console.functions.error = answer, error
    with pytest.raises(OperationError, match="stay where they are"):
        operator_console.run(redrive_dead_letters, "StreamFailures", "--all")
    assert len(operator_console.bodies("StreamFailures")) == 1


def test_reason_of_a_stream_failure_is_what_the_relay_logged_of_its_first_record(
    operator_console: Operator,
) -> None:
    operator_console.log(
        "OnRegistrationChanges", sequence_number="17", error="KeyError", where=["relay.py:70 news_of"]
    )
    operator_console.give_up("StreamFailures", a_stream_failure("17", "17"))
    operator_console.give_up("StreamFailures", a_stream_failure("18", "18"))
    listed = operator_console.run(list_dead_letters, "StreamFailures")
    assert "1 records  KeyError" in listed
    assert "1 records  RetryAttemptsExhausted" in listed


def test_records_the_stream_has_forgotten_are_taken_from_the_table_when_that_is_asked_for(
    operator_console: Operator, table: Table
) -> None:
    for number, received_at in enumerate(
        ("2026-11-22T07:58:00.000Z", "2026-11-22T08:00:05.000Z", "2026-11-22T08:02:00.000Z")
    ):
        table.put(number, received_at)
    operator_console.give_up("StreamFailures", a_stream_failure("1", "1"))
    operator_console.streams.has_forgotten = True

    with pytest.raises(OperationError, match="stay where they are"):
        operator_console.run(redrive_dead_letters, "StreamFailures", "--all")
    assert operator_console.functions.given == []
    assert (
        operator_console.run(redrive_dead_letters, "StreamFailures", "--all", "--from-table")
        == "1 redriven\n"
    )

    assert _announced(operator_console) == ["REGISTRATION#1"]
    assert operator_console.functions.given[0][1]["Records"][0]["eventName"] == "INSERT"


@pytest.mark.parametrize("queue", ["StreamFailures", "RollUpFailures"])
def test_letter_that_cannot_be_read_stays_until_it_is_dropped(queue: str, operator_console: Operator) -> None:
    operator_console.give_up(queue, "{")
    with pytest.raises(OperationError, match="stay where they are"):
        operator_console.run(redrive_dead_letters, queue, "--all")
    assert operator_console.bodies(queue) == ["{"]
