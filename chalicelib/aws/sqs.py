"""Sending of messages to SQS queues."""

from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel

from chalicelib.refusals import TryAgain

_MAX_BATCH_SIZE = 10  # Limit of SQS for one request.


def send_all(client: Any, queue_url: str, messages: Sequence[BaseModel]) -> None:
    """Send every message. Raise TryAgain if the queue rejects one; others may have been sent then."""
    for start in range(0, len(messages), _MAX_BATCH_SIZE):
        entries = [
            {"Id": str(position), "MessageBody": message.model_dump_json()}
            for position, message in enumerate(messages[start : start + _MAX_BATCH_SIZE])
        ]
        rejected = client.send_message_batch(QueueUrl=queue_url, Entries=entries).get("Failed", [])
        if rejected:
            raise TryAgain(f"the queue rejected {len(rejected)}: {rejected[0]['Code']}")
