"""The queues that take what nobody could handle, and reading one of them without losing anything."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from ops.deploy.stages import Stage
from ops.local.processes import OperationError

# While an operator looks, nobody else sees a letter; whatever happens to the operator, it is back after this.
_VISIBILITY_TIMEOUT_SECONDS = 120
_BATCH_SIZE = 10


@dataclass(frozen=True)
class DeadLetterQueue:
    """One such queue, by its logical id, and the function that gave up.

    It read `source_queue`, or else the stream, or else it was sent an event.
    """

    logical_id: str
    function_id: str
    source_queue: str | None = None
    is_for_stream: bool = False


DEAD_LETTER_QUEUES = {
    each.logical_id: each
    for each in (
        DeadLetterQueue("NotificationsDeadLetters", "OnNotifications", source_queue="NotificationsQueue"),
        DeadLetterQueue("RemindersDeadLetters", "OnNotifications", source_queue="RemindersQueue"),
        DeadLetterQueue("ReceiptsDeadLetters", "OnReceipts", source_queue="ReceiptsQueue"),
        DeadLetterQueue("DueSmsFailures", "QueueDueSms"),
        DeadLetterQueue("StreamFailures", "OnRegistrationChanges", is_for_stream=True),
        DeadLetterQueue("RollUpFailures", "RollUpDueDays"),
        DeadLetterQueue("DeliveryFailures", "DeliverReports"),
        DeadLetterQueue("ExportFailures", "ExportDays"),
        DeadLetterQueue("AgeingFailures", "AgeRegistrations"),
    )
}


@dataclass(frozen=True)
class DeadLetter:
    """One message that was given up. Its body may name a person, so it is never shown."""

    queue: DeadLetterQueue
    message_id: str
    sent_at: datetime
    body: str = field(repr=False)
    attributes: dict[str, Any] = field(repr=False)
    receipt_handle: str = field(repr=False)

    @property
    def content(self) -> dict[str, Any]:
        """The body as an object; empty if it is none."""
        try:
            content = json.loads(self.body)
        except ValueError:
            return {}
        return content if isinstance(content, dict) else {}


class DeadLetterReader:
    """The letters of one queue."""

    def __init__(self, stage: Stage, queue_name: str) -> None:
        if queue_name not in DEAD_LETTER_QUEUES:
            raise OperationError(f"there is no queue {queue_name}: {', '.join(DEAD_LETTER_QUEUES)}")
        self.queue = DEAD_LETTER_QUEUES[queue_name]
        self._url = stage.outputs[f"{queue_name}Url"]
        self._sqs = stage.aws_client("sqs")

    @contextmanager
    def hold_messages(self) -> Iterator[Iterator[DeadLetter]]:
        """Every letter, one after the other; those not removed are back in the queue afterwards."""
        receipts: list[str] = []
        try:
            yield self._receive(receipts)
        finally:
            for start in range(0, len(receipts), _BATCH_SIZE):
                self._release(receipts[start : start + _BATCH_SIZE])

    def remove(self, dead_letter: DeadLetter) -> None:
        """Take one letter out for good."""
        self._sqs.delete_message(QueueUrl=self._url, ReceiptHandle=dead_letter.receipt_handle)

    def _receive(self, receipt_handles: list[str]) -> Iterator[DeadLetter]:
        while True:
            # A long poll asks every server of the queue, so that an empty answer means an empty queue.
            messages = self._sqs.receive_message(
                QueueUrl=self._url,
                MaxNumberOfMessages=_BATCH_SIZE,
                VisibilityTimeout=_VISIBILITY_TIMEOUT_SECONDS,
                WaitTimeSeconds=1,
                AttributeNames=["SentTimestamp"],
                MessageAttributeNames=["All"],
            ).get("Messages", [])
            if not messages:
                return
            receipt_handles.extend(message["ReceiptHandle"] for message in messages)
            yield from map(self._parse, messages)

    def _parse(self, message: dict[str, Any]) -> DeadLetter:
        return DeadLetter(
            queue=self.queue,
            message_id=message["MessageId"],
            sent_at=datetime.fromtimestamp(int(message["Attributes"]["SentTimestamp"]) / 1000, UTC),
            body=message["Body"],
            attributes=message.get("MessageAttributes", {}),
            receipt_handle=message["ReceiptHandle"],
        )

    def _release(self, receipt_handles: list[str]) -> None:
        # Of a letter that was removed meanwhile SQS says so in its answer, and that is all right.
        self._sqs.change_message_visibility_batch(
            QueueUrl=self._url,
            Entries=[
                {"Id": str(number), "ReceiptHandle": receipt, "VisibilityTimeout": 0}
                for number, receipt in enumerate(receipt_handles)
            ],
        )
