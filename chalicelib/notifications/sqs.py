"""Texts that are due, on SQS queues: one for confirmations, one for reminders."""

from collections.abc import Mapping, Sequence
from typing import Any

from chalicelib.notifications.messages import TextDue
from chalicelib.notifications.templates import Kind
from chalicelib.sqs import send_all


class SQSDueTexts:
    """Satisfies `requeue.Queues`."""

    def __init__(self, client: Any, queue_urls: Mapping[Kind, str]) -> None:
        self._client = client
        self._queue_urls = queue_urls

    def send(self, kind: Kind, due: Sequence[TextDue]) -> None:
        """Send every message. Raises TryAgain if the queue did not take one."""
        send_all(self._client, self._queue_urls[kind], due)
