"""Handling a letter again.

Every way is safe to repeat: the ledger knows each text, and days are counted whole.
"""

import base64
import json
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from botocore.exceptions import ClientError

from ops.dead_letters.queues import DeadLetter
from ops.deploy.stages import Stage

_BATCH_SIZE = 100
# An open shard may answer with nothing some times before it comes to the records asked for.
_MAX_EMPTY_PAGES = 50
_EXPIRED_ERRORS = {"TrimmedDataAccessException", "ResourceNotFoundException"}
# Clocks of the stream and of the API need not agree to the second.
_CLOCK_SKEW = timedelta(minutes=1)


class RedriveFailed(Exception):
    """The letter stays where it is; the message says why, and what to do."""


def redrive(dead_letter: DeadLetter, stage: Stage, *, from_table: bool = False) -> None:
    """Have a letter handled again by whoever gave it up. Raises RedriveFailed.

    `from_table` takes what the stream no longer has from the registrations table.
    """
    if dead_letter.queue.source_queue:
        _send_to_source(dead_letter, stage, dead_letter.queue.source_queue)
    elif dead_letter.queue.is_for_stream:
        _republish_records(dead_letter, stage, from_table=from_table)
    else:
        # As its schedule does: these may run longer than anybody would wait, and come back here if they fail.
        _invoke_function(
            stage, dead_letter.queue.function_id, _read_event(dead_letter), InvocationType="Event"
        )


def _send_to_source(dead_letter: DeadLetter, stage: Stage, source_queue: str) -> None:
    attributes = {
        name: {field: value for field, value in each.items() if field in {"DataType", "StringValue"}}
        for name, each in dead_letter.attributes.items()
    }
    stage.aws_client("sqs").send_message(
        QueueUrl=stage.outputs[f"{source_queue}Url"],
        MessageBody=dead_letter.body,
        MessageAttributes=attributes,
    )


def _read_event(dead_letter: DeadLetter) -> Any:
    """The event that was not handled: Lambda wraps it, EventBridge does not."""
    content = dead_letter.content
    if not content:
        raise RedriveFailed("the letter cannot be read: drop it")
    return content.get("requestPayload", content)


def _republish_records(dead_letter: DeadLetter, stage: Stage, *, from_table: bool) -> None:
    place = dead_letter.content.get("DDBStreamBatchInfo")
    if not place:
        raise RedriveFailed("the letter does not say where in the stream its records are: drop it")
    records = list(_read_table(place, stage) if from_table else _read_stream(place, stage))
    for start in range(0, len(records), _BATCH_SIZE):
        answer = _invoke_function(
            stage, dead_letter.queue.function_id, {"Records": records[start : start + _BATCH_SIZE]}
        )
        if answer.get("batchItemFailures"):
            raise RedriveFailed("it failed again: mend the cause first")


def _read_stream(batch_info: dict[str, Any], stage: Stage) -> Iterator[dict[str, Any]]:
    """The records from the first to the last that were given up, as Lambda hands them over."""
    streams, last = stage.aws_client("dynamodbstreams"), int(batch_info["endSequenceNumber"])
    try:
        iterator = streams.get_shard_iterator(
            StreamArn=batch_info["streamArn"],
            ShardId=batch_info["shardId"],
            ShardIteratorType="AT_SEQUENCE_NUMBER",
            SequenceNumber=batch_info["startSequenceNumber"],
        )["ShardIterator"]
        empty_answers = 0
        while iterator and empty_answers < _MAX_EMPTY_PAGES:
            page = streams.get_records(ShardIterator=iterator, Limit=_BATCH_SIZE)
            for record in page["Records"]:
                if int(record["dynamodb"]["SequenceNumber"]) > last:
                    return
                yield _to_event_json({**record, "eventSourceARN": batch_info["streamArn"]})
                if int(record["dynamodb"]["SequenceNumber"]) == last:
                    return
            empty_answers = 0 if page["Records"] else empty_answers + 1
            iterator = page.get("NextShardIterator")
    except ClientError as error:
        if error.response["Error"]["Code"] not in _EXPIRED_ERRORS:
            raise
    raise RedriveFailed(
        "its records have left the stream, which keeps them for 24 hours: "
        "redrive it with --from-table, which reads what was received then from the registrations table"
    )


def _read_table(batch_info: dict[str, Any], stage: Stage) -> Iterator[dict[str, Any]]:
    """What was received while those records were written, as if it had just been stored."""
    first = datetime.fromisoformat(batch_info["approximateArrivalOfFirstRecord"]) - _CLOCK_SKEW
    last = datetime.fromisoformat(batch_info["approximateArrivalOfLastRecord"]) + _CLOCK_SKEW
    pages = (
        stage.aws_client("dynamodb")
        .get_paginator("scan")
        .paginate(
            TableName=stage.outputs["RegistrationsTableName"],
            FilterExpression="taken.received_at BETWEEN :first AND :last",
            ExpressionAttributeValues={
                ":first": {"S": first.strftime("%Y-%m-%dT%H:%M:%S")},
                ":last": {"S": last.strftime("%Y-%m-%dT%H:%M:%SZ")},
            },
        )
    )
    for page in pages:
        for number, item in enumerate(page["Items"]):
            keys = {name: item[name] for name in ("pk", "sk")}
            change = {"SequenceNumber": str(number), "Keys": keys, "NewImage": item}
            yield _to_event_json({"eventName": "INSERT", "eventSource": "aws:dynamodb", "dynamodb": change})


def _to_event_json(value: Any) -> Any:
    """A record as it is in an event: bytes are base64 text there, and times numbers."""
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, datetime):
        return value.timestamp()
    if isinstance(value, dict):
        return {name: _to_event_json(inner) for name, inner in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_to_event_json(inner) for inner in value]
    return value


def _invoke_function(stage: Stage, function_id: str, event: Any, **options: str) -> dict[str, Any]:
    answer = stage.aws_client("lambda").invoke(
        FunctionName=stage.outputs[f"{function_id}Name"], Payload=json.dumps(event), **options
    )
    told = json.loads(answer["Payload"].read() or b"null")
    if "FunctionError" in answer:
        raise RedriveFailed(f"{function_id} failed again: mend the cause first")
    return told if isinstance(told, dict) else {}
