"""The dead-letter commands, run on queues of moto, with a fake Lambda and fake streams."""

import io
import json
from datetime import UTC, datetime
from typing import Any

import boto3
import click
from click.testing import CliRunner

from ops.dead_letters.queues import DEAD_LETTER_QUEUES
from ops.deploy.stages import Stage

REGISTRATIONS_TABLE = "registrations"


class FakeLambda:
    """A Lambda client with scripted results; it records the events of each function."""

    def __init__(self) -> None:
        self.events: list[tuple[str, Any]] = []
        self.was_synchronous: list[bool] = []
        self.answer: Any = {"batchItemFailures": []}
        self.error: dict[str, str] = {}

    def invoke(self, **request: Any) -> dict[str, Any]:
        """Invoke a function."""
        self.events.append((request["FunctionName"], json.loads(request["Payload"])))
        self.was_synchronous.append(request.get("InvocationType") != "Event")
        return {"Payload": io.BytesIO(json.dumps(self.answer).encode()), **self.error}


class ShortPollingSqs:
    """An SQS client without long polls: moto knows at once if a queue is empty."""

    def __init__(self) -> None:
        self._sqs = boto3.client("sqs")

    def __getattr__(self, operation: str) -> Any:
        return getattr(self._sqs, operation)

    def receive_message(self, **request: Any) -> Any:
        """Receive without a wait."""
        assert request.pop("WaitTimeSeconds") > 0, "a short poll misses messages on AWS"
        return self._sqs.receive_message(**request)


class FakeStreams:
    """A client of one table's stream, which moto does not offer."""

    ARN = "arn:aws:dynamodb:eu-north-1:000000000000:table/registrations/stream/now"

    def __init__(self) -> None:
        self._sdk = boto3.client("dynamodbstreams")
        self.records: list[dict[str, Any]] = []
        self.is_trimmed = False

    def get_shard_iterator(self, **request: Any) -> Any:
        """Return the position of the record with a sequence number."""
        if self.is_trimmed:
            error = {"Error": {"Code": "TrimmedDataAccessException"}}
            raise self._sdk.exceptions.TrimmedDataAccessException(error, "GetShardIterator")
        numbers = [record["dynamodb"]["SequenceNumber"] for record in self.records]
        return {"ShardIterator": str(numbers.index(request["SequenceNumber"]))}

    def get_records(self, **request: Any) -> Any:
        """Return at most two records, then one empty page, as an open shard does."""
        start = int(request["ShardIterator"].strip("+"))
        if request["ShardIterator"].endswith("+"):
            return {"Records": [], "NextShardIterator": str(start)}
        return {"Records": self.records[start : start + 2], "NextShardIterator": f"{start + 2}+"}


class CommandRunner:
    """Runs commands on a stage with queues, logs and fake functions."""

    def __init__(self) -> None:
        self.sqs, self.logs, self.functions = boto3.client("sqs"), boto3.client("logs"), FakeLambda()
        self.streams = FakeStreams()
        queues = [
            *DEAD_LETTER_QUEUES,
            *(each.source_queue for each in DEAD_LETTER_QUEUES.values() if each.source_queue),
        ]
        urls = {f"{name}Url": self.sqs.create_queue(QueueName=name)["QueueUrl"] for name in queues}
        functions = {f"{each.function_id}Name": each.function_id for each in DEAD_LETTER_QUEUES.values()}
        outputs = {**urls, **functions, "RegistrationsTableName": REGISTRATIONS_TABLE}
        self.stage = Stage("daftar-test", outputs, self._client)
        for function in {each.function_id for each in DEAD_LETTER_QUEUES.values()}:
            group = self.stage.get_log_group(function)
            self.logs.create_log_group(logGroupName=group)
            self.logs.create_log_stream(logGroupName=group, logStreamName="s")

    def _client(self, service: str) -> Any:
        own = {"lambda": self.functions, "dynamodbstreams": self.streams, "sqs": ShortPollingSqs()}
        return own.get(service) or boto3.client(service)  # type: ignore[call-overload]

    def add_dead_letter(self, queue: str, body: Any, **attributes: str) -> str:
        """Put a message into a queue. Return its id."""
        sent = self.sqs.send_message(
            QueueUrl=self.stage.outputs[f"{queue}Url"],
            MessageBody=body if isinstance(body, str) else json.dumps(body),
            MessageAttributes={
                name: {"DataType": "String", "StringValue": value} for name, value in attributes.items()
            },
        )
        return str(sent["MessageId"])

    def log(self, function: str, **line: Any) -> None:
        """Write a log line as a function does."""
        event: Any = {"timestamp": int(datetime.now(UTC).timestamp() * 1000), "message": json.dumps(line)}
        group = self.stage.get_log_group(function)
        self.logs.put_log_events(logGroupName=group, logStreamName="s", logEvents=[event])

    def run(self, command: click.Command, *arguments: str, typed: str | None = None) -> str:
        """Return the output of a command. Raises its errors."""
        result = CliRunner().invoke(
            command, arguments, obj=self.stage, input=typed, catch_exceptions=False, standalone_mode=False
        )
        return result.output

    def list_bodies(self, queue: str) -> list[str]:
        """Return the bodies of a queue's messages."""
        url = self.stage.outputs[f"{queue}Url"]
        received = self.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=0)
        return [message["Body"] for message in received.get("Messages", [])]


def make_stream_failure(first: str, last: str, **changes: Any) -> dict[str, Any]:
    """Return a message of Lambda about a failed stream batch."""
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
