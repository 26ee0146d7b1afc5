"""The queues that take what nobody could handle, and reading one of them without losing anything."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from ops.processes import ProgramError
from ops.stages import Stage

# While an operator looks, nobody else sees a letter; whatever happens to the operator, it is back after this.
_HELD_SECONDS = 120
_A_BATCH = 10


@dataclass(frozen=True)
class LastResort:
    """One such queue, by its logical id, and the function that gave up.

    It read `source`, or else the stream, or else it was sent an event.
    """

    queue: str
    function: str
    source: str | None = None
    is_of_stream: bool = False


LAST_RESORTS = {
    each.queue: each
    for each in (
        LastResort("NotificationsDeadLetters", "OnNotifications", source="NotificationsQueue"),
        LastResort("RemindersDeadLetters", "OnNotifications", source="RemindersQueue"),
        LastResort("ReceiptsDeadLetters", "OnReceipts", source="ReceiptsQueue"),
        LastResort("DueTextsFailures", "QueueDueTexts"),
        LastResort("StreamFailures", "OnRegistrationChanges", is_of_stream=True),
        LastResort("RollUpFailures", "RollUpDueDays"),
        LastResort("DeliveryFailures", "DeliverReports"),
        LastResort("ExportFailures", "ExportDays"),
        LastResort("AgeingFailures", "AgeRegistrations"),
    )
}


@dataclass(frozen=True)
class Letter:
    """One message that was given up. Its body may name a person, so it is never shown."""

    resort: LastResort
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


class DeadLetters:
    """The letters of one queue."""

    def __init__(self, stage: Stage, queue: str) -> None:
        if queue not in LAST_RESORTS:
            raise ProgramError(f"there is no queue {queue}: {', '.join(LAST_RESORTS)}")
        self.resort = LAST_RESORTS[queue]
        self._url = stage.outputs[f"{queue}Url"]
        self._sqs = stage.clients("sqs")

    @contextmanager
    def held(self) -> Iterator[Iterator[Letter]]:
        """Every letter, one after the other; those not removed are back in the queue afterwards."""
        receipts: list[str] = []
        try:
            yield self._received(receipts)
        finally:
            for start in range(0, len(receipts), _A_BATCH):
                self._release(receipts[start : start + _A_BATCH])

    def remove(self, letter: Letter) -> None:
        """Take one letter out for good."""
        self._sqs.delete_message(QueueUrl=self._url, ReceiptHandle=letter.receipt_handle)

    def _received(self, receipts: list[str]) -> Iterator[Letter]:
        while True:
            # A long poll asks every server of the queue, so that an empty answer means an empty queue.
            messages = self._sqs.receive_message(
                QueueUrl=self._url,
                MaxNumberOfMessages=_A_BATCH,
                VisibilityTimeout=_HELD_SECONDS,
                WaitTimeSeconds=1,
                AttributeNames=["SentTimestamp"],
                MessageAttributeNames=["All"],
            ).get("Messages", [])
            if not messages:
                return
            receipts.extend(message["ReceiptHandle"] for message in messages)
            yield from map(self._letter, messages)

    def _letter(self, message: dict[str, Any]) -> Letter:
        return Letter(
            resort=self.resort,
            message_id=message["MessageId"],
            sent_at=datetime.fromtimestamp(int(message["Attributes"]["SentTimestamp"]) / 1000, UTC),
            body=message["Body"],
            attributes=message.get("MessageAttributes", {}),
            receipt_handle=message["ReceiptHandle"],
        )

    def _release(self, receipts: list[str]) -> None:
        # Of a letter that was removed meanwhile SQS says so in its answer, and that is all right.
        self._sqs.change_message_visibility_batch(
            QueueUrl=self._url,
            Entries=[
                {"Id": str(number), "ReceiptHandle": receipt, "VisibilityTimeout": 0}
                for number, receipt in enumerate(receipts)
            ],
        )
