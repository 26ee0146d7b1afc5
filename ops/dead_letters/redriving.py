"""Handling a letter again.

Every way is safe to repeat: the ledger knows each text, and days are counted whole.
"""

import base64
import json
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from botocore.exceptions import ClientError

from ops.dead_letters.queues import Letter
from ops.stages import Stage

_A_BATCH = 100
# An open shard may answer with nothing some times before it comes to the records asked for.
_EMPTY_ANSWERS = 50
_GONE = {"TrimmedDataAccessException", "ResourceNotFoundException"}
# Clocks of the stream and of the API need not agree to the second.
_MARGIN = timedelta(minutes=1)


class NotRedriven(Exception):
    """The letter stays where it is; the message says why, and what to do."""


def redrive(letter: Letter, stage: Stage, *, from_table: bool = False) -> None:
    """Have a letter handled again by whoever gave it up. Raises NotRedriven.

    `from_table` takes what the stream no longer has from the registrations table.
    """
    if letter.resort.source:
        _send_back(letter, stage, letter.resort.source)
    elif letter.resort.is_of_stream:
        _announce_again(letter, stage, from_table=from_table)
    else:
        # As its schedule does: these may run longer than anybody would wait, and come back here if they fail.
        _invoke(stage, letter.resort.function, _event_of(letter), InvocationType="Event")


def _send_back(letter: Letter, stage: Stage, source: str) -> None:
    attributes = {
        name: {field: value for field, value in each.items() if field in {"DataType", "StringValue"}}
        for name, each in letter.attributes.items()
    }
    stage.clients("sqs").send_message(
        QueueUrl=stage.outputs[f"{source}Url"], MessageBody=letter.body, MessageAttributes=attributes
    )


def _event_of(letter: Letter) -> Any:
    """The event that was not handled: Lambda wraps it, EventBridge does not."""
    content = letter.content
    if not content:
        raise NotRedriven("the letter cannot be read: drop it")
    return content.get("requestPayload", content)


def _announce_again(letter: Letter, stage: Stage, *, from_table: bool) -> None:
    place = letter.content.get("DDBStreamBatchInfo")
    if not place:
        raise NotRedriven("the letter does not say where in the stream its records are: drop it")
    records = list(_in_table(place, stage) if from_table else _in_stream(place, stage))
    for start in range(0, len(records), _A_BATCH):
        answer = _invoke(stage, letter.resort.function, {"Records": records[start : start + _A_BATCH]})
        if answer.get("batchItemFailures"):
            raise NotRedriven("it failed again: mend the cause first")


def _in_stream(place: dict[str, Any], stage: Stage) -> Iterator[dict[str, Any]]:
    """The records from the first to the last that were given up, as Lambda hands them over."""
    streams, last = stage.clients("dynamodbstreams"), int(place["endSequenceNumber"])
    try:
        iterator = streams.get_shard_iterator(
            StreamArn=place["streamArn"],
            ShardId=place["shardId"],
            ShardIteratorType="AT_SEQUENCE_NUMBER",
            SequenceNumber=place["startSequenceNumber"],
        )["ShardIterator"]
        empty_answers = 0
        while iterator and empty_answers < _EMPTY_ANSWERS:
            page = streams.get_records(ShardIterator=iterator, Limit=_A_BATCH)
            for record in page["Records"]:
                if int(record["dynamodb"]["SequenceNumber"]) > last:
                    return
                yield _as_lambda_hands_over({**record, "eventSourceARN": place["streamArn"]})
                if int(record["dynamodb"]["SequenceNumber"]) == last:
                    return
            empty_answers = 0 if page["Records"] else empty_answers + 1
            iterator = page.get("NextShardIterator")
    except ClientError as error:
        if error.response["Error"]["Code"] not in _GONE:
            raise
    raise NotRedriven(
        "its records have left the stream, which keeps them for 24 hours: "
        "redrive it with --from-table, which reads what was received then from the registrations table"
    )


def _in_table(place: dict[str, Any], stage: Stage) -> Iterator[dict[str, Any]]:
    """What was received while those records were written, as if it had just been stored."""
    first = datetime.fromisoformat(place["approximateArrivalOfFirstRecord"]) - _MARGIN
    last = datetime.fromisoformat(place["approximateArrivalOfLastRecord"]) + _MARGIN
    pages = (
        stage.clients("dynamodb")
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
            yield _as_lambda_hands_over(
                {"eventName": "INSERT", "eventSource": "aws:dynamodb", "dynamodb": change}
            )


def _as_lambda_hands_over(value: Any) -> Any:
    """A record as it is in an event: bytes are base64 text there, and times numbers."""
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, datetime):
        return value.timestamp()
    if isinstance(value, dict):
        return {name: _as_lambda_hands_over(inner) for name, inner in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_as_lambda_hands_over(inner) for inner in value]
    return value


def _invoke(stage: Stage, function: str, event: Any, **more: str) -> dict[str, Any]:
    answer = stage.clients("lambda").invoke(
        FunctionName=stage.outputs[f"{function}Name"], Payload=json.dumps(event), **more
    )
    told = json.loads(answer["Payload"].read() or b"null")
    if "FunctionError" in answer:
        raise NotRedriven(f"{function} failed again: mend the cause first")
    return told if isinstance(told, dict) else {}
