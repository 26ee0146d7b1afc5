"""Redrive dead letters: have the function handle them again.

Every repeat is safe: the ledger knows each SMS, and a day is always counted as a whole.
"""

import base64
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from botocore.exceptions import ClientError

from ops.dead_letters.queues import DeadLetter
from ops.deploy.stages import Stage
from ops.errors import OperationError
from ops.invoke import invoke_function

_BATCH_SIZE = 100
# An open shard may return empty pages before the records.
_MAX_EMPTY_PAGES = 50
_EXPIRED_ERRORS = {"TrimmedDataAccessException", "ResourceNotFoundException"}
# The clocks of the stream and of the API may differ by this.
_CLOCK_SKEW = timedelta(minutes=1)
# The attribute that `_read_table` filters by; `chalicelib/registrations` stores it.
_RECEIVED_AT_PATH = "taken.received_at"


class RedriveFailed(Exception):
    """The dead letter stays in its queue; the message says why and what to do."""


def redrive(dead_letter: DeadLetter, stage: Stage, *, from_table: bool = False) -> None:
    """Send a dead letter to the function that failed on it. Raise RedriveFailed.

    With `from_table`, records that have left the stream are read from the registrations table.
    """
    if dead_letter.queue.source_queue:
        _send_to_source(dead_letter, stage, dead_letter.queue.source_queue)
    elif dead_letter.queue.is_for_stream:
        _republish_records(dead_letter, stage, from_table=from_table)
    else:
        # Asynchronously, as its schedule does: these functions run long, and return to this queue if they
        # fail.
        _invoke_again(stage, dead_letter.queue.function_id, _read_event(dead_letter), InvocationType="Event")


def _send_to_source(dead_letter: DeadLetter, stage: Stage, source_queue: str) -> None:
    attributes = {
        name: {field: value for field, value in each.items() if field in {"DataType", "StringValue"}}
        for name, each in dead_letter.attributes.items()
    }
    # A queue that keeps an order has groups. The id is another one, because the first is known for a while.
    order = (
        {"MessageGroupId": dead_letter.group_id, "MessageDeduplicationId": f"again-{dead_letter.message_id}"}
        if dead_letter.group_id
        else {}
    )
    stage.aws_client("sqs").send_message(
        QueueUrl=stage.outputs[f"{source_queue}Url"],
        MessageBody=dead_letter.body,
        MessageAttributes=attributes,
        **order,
    )


def _read_event(dead_letter: DeadLetter) -> Any:
    """Return the event that was not handled. Lambda wraps it, EventBridge does not."""
    content = dead_letter.content
    if not content:
        raise RedriveFailed("the dead letter cannot be read: drop it")
    return content.get("requestPayload", content)


def _republish_records(dead_letter: DeadLetter, stage: Stage, *, from_table: bool) -> None:
    batch_info = _read_batch_info(dead_letter)
    records = list(_read_table(batch_info, stage) if from_table else _read_stream(batch_info, stage))
    for start in range(0, len(records), _BATCH_SIZE):
        batch = {"Records": records[start : start + _BATCH_SIZE]}
        result = _invoke_again(stage, dead_letter.queue.function_id, batch)
        if result and result.get("batchItemFailures"):
            raise RedriveFailed("it failed again: fix the cause first")


def _read_batch_info(dead_letter: DeadLetter) -> dict[str, Any]:
    """Return where the records of a failed batch are. Raise RedriveFailed if it is not in the message."""
    batch_info: Any = dead_letter.content.get("DDBStreamBatchInfo")
    try:
        for name in ("streamArn", "shardId"):
            batch_info[name].strip()
        for name in ("startSequenceNumber", "endSequenceNumber"):
            int(batch_info[name])
        for name in ("approximateArrivalOfFirstRecord", "approximateArrivalOfLastRecord"):
            datetime.fromisoformat(batch_info[name])
    except (TypeError, KeyError, AttributeError, ValueError):
        raise RedriveFailed("the dead letter does not name its records in the stream: drop it") from None
    return dict(batch_info)


def _read_stream(batch_info: dict[str, Any], stage: Stage) -> Iterator[dict[str, Any]]:
    """Yield the records of the failed batch, in the form of a Lambda event."""
    streams, last = stage.aws_client("dynamodbstreams"), int(batch_info["endSequenceNumber"])
    try:
        iterator = streams.get_shard_iterator(
            StreamArn=batch_info["streamArn"],
            ShardId=batch_info["shardId"],
            ShardIteratorType="AT_SEQUENCE_NUMBER",
            SequenceNumber=batch_info["startSequenceNumber"],
        )["ShardIterator"]
        empty_pages = 0
        while iterator and empty_pages < _MAX_EMPTY_PAGES:
            page = streams.get_records(ShardIterator=iterator, Limit=_BATCH_SIZE)
            for record in page["Records"]:
                if int(record["dynamodb"]["SequenceNumber"]) > last:
                    return
                yield _to_event_json({**record, "eventSourceARN": batch_info["streamArn"]})
                if int(record["dynamodb"]["SequenceNumber"]) == last:
                    return
            empty_pages = 0 if page["Records"] else empty_pages + 1
            iterator = page.get("NextShardIterator")
    except ClientError as error:
        if error.response["Error"]["Code"] not in _EXPIRED_ERRORS:
            raise
    raise RedriveFailed(
        "its records have left the stream, which keeps them for 24 hours: "
        "redrive it with --from-table, which reads the captures of that time from the registrations table"
    )


def _read_table(batch_info: dict[str, Any], stage: Stage) -> Iterator[dict[str, Any]]:
    """Yield the items received while the batch was written, as records of insertions."""
    first = datetime.fromisoformat(batch_info["approximateArrivalOfFirstRecord"]) - _CLOCK_SKEW
    last = datetime.fromisoformat(batch_info["approximateArrivalOfLastRecord"]) + _CLOCK_SKEW
    pages = (
        stage.aws_client("dynamodb")
        .get_paginator("scan")
        .paginate(
            TableName=stage.outputs["RegistrationsTableName"],
            FilterExpression=f"{_RECEIVED_AT_PATH} BETWEEN :first AND :last",
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
    """Return a record as in an event: bytes become base64 text, and times numbers."""
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, datetime):
        return value.timestamp()
    if isinstance(value, dict):
        return {name: _to_event_json(inner) for name, inner in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_to_event_json(inner) for inner in value]
    return value


def _invoke_again(stage: Stage, function_id: str, event: Any, **options: str) -> Any:
    try:
        return invoke_function(stage, function_id, event, **options)
    except OperationError:
        raise RedriveFailed(f"{function_id} failed again: fix the cause first") from None
