"""Messages onto an SQS queue, put into Python once for every package."""

from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel

from chalicelib.refusals import TryAgain

_MAX_BATCH_SIZE = 10  # SQS takes no more entries in one request.


def send_all(client: Any, queue_url: str, messages: Sequence[BaseModel]) -> None:
    """Send every message.

    Raises TryAgain if the queue did not take one; others may have gone out then.
    """
    for start in range(0, len(messages), _MAX_BATCH_SIZE):
        entries = [
            {"Id": str(position), "MessageBody": message.model_dump_json()}
            for position, message in enumerate(messages[start : start + _MAX_BATCH_SIZE])
        ]
        refused = client.send_message_batch(QueueUrl=queue_url, Entries=entries).get("Failed", [])
        if refused:
            raise TryAgain(f"the queue refused {len(refused)}: {refused[0]['Code']}")
