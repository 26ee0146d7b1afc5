"""The dead-letter queues, and a reader that loses no message."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from infra.dead_letters import DeadLetterQueue, list_dead_letter_queues
from infra.template import join_template
from ops.deploy.stages import Stage
from ops.errors import OperationError

# A message that is being read is hidden from others for this long, also if the command is interrupted.
_VISIBILITY_TIMEOUT_SECONDS = 120
_BATCH_SIZE = 10


DEAD_LETTER_QUEUES = {each.logical_id: each for each in list_dead_letter_queues(join_template()["Resources"])}


@dataclass(frozen=True)
class DeadLetter:
    """A message of a dead-letter queue. Its body may hold personal data and is never shown."""

    queue: DeadLetterQueue
    message_id: str
    sent_at: datetime
    body: str = field(repr=False)
    attributes: dict[str, Any] = field(repr=False)
    receipt_handle: str = field(repr=False)
    group_id: str | None = None

    @property
    def content(self) -> dict[str, Any]:
        """Return the body as a JSON object; empty if it is none."""
        try:
            content = json.loads(self.body)
        except ValueError:
            return {}
        return content if isinstance(content, dict) else {}


class DeadLetterReader:
    """Reads the messages of one dead-letter queue."""

    def __init__(self, stage: Stage, queue_name: str) -> None:
        if queue_name not in DEAD_LETTER_QUEUES:
            raise OperationError(f"there is no queue {queue_name}, only {', '.join(DEAD_LETTER_QUEUES)}")
        self.queue = DEAD_LETTER_QUEUES[queue_name]
        self._url = stage.outputs[f"{queue_name}Url"]
        self._sqs = stage.aws_client("sqs")

    @contextmanager
    def hold_messages(self) -> Iterator[Iterator[DeadLetter]]:
        """Yield an iterator of all messages. At the end, those not removed become visible again."""
        receipt_handles: list[str] = []
        try:
            yield self._receive(receipt_handles)
        finally:
            for start in range(0, len(receipt_handles), _BATCH_SIZE):
                self._release(receipt_handles[start : start + _BATCH_SIZE])

    def remove(self, dead_letter: DeadLetter) -> None:
        self._sqs.delete_message(QueueUrl=self._url, ReceiptHandle=dead_letter.receipt_handle)

    def _receive(self, receipt_handles: list[str]) -> Iterator[DeadLetter]:
        while True:
            # A long poll asks all servers of the queue: an empty answer means an empty queue.
            messages = self._sqs.receive_message(
                QueueUrl=self._url,
                MaxNumberOfMessages=_BATCH_SIZE,
                VisibilityTimeout=_VISIBILITY_TIMEOUT_SECONDS,
                WaitTimeSeconds=1,
                AttributeNames=["SentTimestamp", "MessageGroupId"],
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
            group_id=message["Attributes"].get("MessageGroupId"),
        )

    def _release(self, receipt_handles: list[str]) -> None:
        # For a message that was removed meanwhile SQS reports an error in its answer, which is ignored.
        self._sqs.change_message_visibility_batch(
            QueueUrl=self._url,
            Entries=[
                {"Id": str(number), "ReceiptHandle": receipt, "VisibilityTimeout": 0}
                for number, receipt in enumerate(receipt_handles)
            ],
        )
