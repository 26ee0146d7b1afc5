"""The SQS queues of chats: of what people write, and of the messages to them, in the order of each chat."""

from collections.abc import Sequence
from typing import Any

from chalicelib.conversations.events import InboundEvent
from chalicelib.conversations.messages import OutboxEntry
from chalicelib.conversations.store_items import seal_event
from chalicelib.crypto.encryption import FieldCipher
from chalicelib.crypto.hashing import KeyedHash


class SQSChatEvents:
    """Queues the events of chats: webhooks need not wait for the answers."""

    def __init__(self, client: Any, queue_url: str, *, cipher: FieldCipher, hashing: KeyedHash) -> None:
        self._client = client
        self._queue_url = queue_url
        self._cipher = cipher
        self._hashing = hashing

    def put(self, event: InboundEvent) -> None:
        """Queue an event behind the others of its chat. A repeated delivery within minutes is dropped."""
        chat_key = self._hashing.digest("chat", event.describe_sender())
        event_key = self._hashing.digest("chat event", event.describe_event())
        sealed = seal_event(event, self._cipher, chat_key=chat_key, event_key=event_key)
        self._client.send_message(
            QueueUrl=self._queue_url,
            MessageBody=sealed.model_dump_json(),
            MessageGroupId=chat_key,
            MessageDeduplicationId=event_key,
        )

    def delay(self, receipt_handle: str, seconds: int) -> None:
        """Let a received event come again after some seconds."""
        self._client.change_message_visibility(
            QueueUrl=self._queue_url, ReceiptHandle=receipt_handle, VisibilityTimeout=seconds
        )


class SQSChatOutbox:
    """Queues the ids of messages for the sender of chats."""

    def __init__(self, client: Any, queue_url: str) -> None:
        self._client = client
        self._queue_url = queue_url

    def send(self, chat_key: str, outbox_ids: Sequence[str]) -> None:
        """Queue the messages of a chat in order; a repeat within minutes is dropped."""
        for outbox_id in outbox_ids:
            entry = OutboxEntry(chat_key=chat_key, outbox_id=outbox_id)
            self._client.send_message(
                QueueUrl=self._queue_url,
                MessageBody=entry.model_dump_json(),
                MessageGroupId=chat_key,
                MessageDeduplicationId=f"{chat_key[:32]}-{outbox_id}",
            )
