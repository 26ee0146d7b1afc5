"""Batches from queues and streams: a record that fails does not fail the others.

Lambda reads both answers only if the event source mapping has `ReportBatchItemFailures`, which `infra/` sets.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from chalicelib import observability
from chalicelib.refusals import Refusal

# A person waits for the answer to a message.
_MAX_DELAY_SECONDS = 300

PartialBatch = dict[str, list[dict[str, str]]]
StreamRecord = Mapping[str, Any]


def consume_queue(event: Mapping[str, Any], handle: Callable[[str], None]) -> PartialBatch:
    """Pass the body of each message to `handle`, and return the messages for which it raised.

    These alone return to their queue and, after some attempts, go to its dead-letter queue.
    """
    # Imported here because the cold start of the API, which shares the zip, would pay for it too.
    from aws_lambda_powertools.utilities.batch import (  # noqa: PLC0415
        BatchProcessor,
        EventType,
        process_partial_response,
    )
    from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord  # noqa: PLC0415

    def handle_record(record: SQSRecord) -> None:
        try:
            handle(record.body)
        except Exception as error:
            observability.log_exception(error, "message not handled", {"message_id": record.message_id})
            raise

    response = process_partial_response(
        event=dict(event),
        record_handler=handle_record,
        processor=BatchProcessor(event_type=EventType.SQS, raise_on_entire_batch_failure=False),
    )
    return {
        "batchItemFailures": [
            {"itemIdentifier": str(each["itemIdentifier"])} for each in response["batchItemFailures"]
        ]
    }


def consume_fifo_queue(
    event: Mapping[str, Any],
    handle: Callable[[str], None],
    delay: Callable[[str, int], object],
) -> PartialBatch:
    """Pass the body of each message to `handle`, in order, and return those that are to come again.

    After a failure the later messages of its group wait behind it. `delay` is called with the receipt handle
    of the one that failed, and with the seconds after which it may come again: those of a refusal, or else
    more from time to time.
    """
    failed: list[str] = []
    blocked_groups: set[str] = set()
    for record in event["Records"]:
        group = record["attributes"]["MessageGroupId"]
        if group in blocked_groups:
            failed.append(record["messageId"])
            continue
        try:
            handle(record["body"])
        except Exception as error:  # noqa: BLE001 - reported to Lambda, which retries
            message_id = record["messageId"]
            observability.log_exception(error, "message not handled", {"message_id": message_id})
            blocked_groups.add(group)
            failed.append(message_id)
            delay(record["receiptHandle"], _choose_delay(error, record))
    return {"batchItemFailures": [{"itemIdentifier": each} for each in failed]}


def _choose_delay(error: Exception, record: Mapping[str, Any]) -> int:
    attempts = int(record["attributes"]["ApproximateReceiveCount"])
    asked = error.retry_after_seconds if isinstance(error, Refusal) else None
    return min(max(asked or 0, 1 << (attempts - 1)), _MAX_DELAY_SECONDS)


def consume_stream(
    event: Mapping[str, Any], publish: Callable[[Sequence[StreamRecord]], object]
) -> PartialBatch:
    """Pass the batch to `publish`; if that fails, pass the records one by one up to the first that fails.

    Return that record alone: Lambda reads the stream again from the first failure.
    """
    records: list[StreamRecord] = list(event["Records"])
    try:
        publish(records)
    except Exception as error:  # noqa: BLE001 - each record is then tried alone
        observability.log_exception(error, "batch not published at once", {"records": len(records)})
    else:
        observability.logger.info("batch published", extra={"records": len(records)})
        return {"batchItemFailures": []}
    for record in records:
        try:
            publish([record])
        except Exception as error:  # noqa: BLE001 - reported to Lambda, which retries
            sequence_number = record["dynamodb"]["SequenceNumber"]
            observability.log_exception(error, "record not published", {"sequence_number": sequence_number})
            return {"batchItemFailures": [{"itemIdentifier": sequence_number}]}
    return {"batchItemFailures": []}
