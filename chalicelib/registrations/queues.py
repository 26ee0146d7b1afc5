"""The SQS queue of this package's events."""

from collections.abc import Sequence
from typing import Any

from chalicelib.aws.sqs import send_all
from chalicelib.registrations.domain_events import DomainEvent


class SQSNotificationQueue:
    """Satisfies `stream.NotificationQueue`."""

    def __init__(self, client: Any, queue_url: str) -> None:
        self._client = client
        self._queue_url = queue_url

    def send(self, domain_events: Sequence[DomainEvent]) -> None:
        send_all(self._client, self._queue_url, domain_events)
