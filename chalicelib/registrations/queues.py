"""Messages of this package on an SQS queue."""

from collections.abc import Sequence
from typing import Any

from chalicelib.aws.sqs import send_all
from chalicelib.registrations.messages import DomainEvent


class SQSNotificationQueue:
    """Satisfies `relay.NotificationQueue`."""

    def __init__(self, client: Any, queue_url: str) -> None:
        self._client = client
        self._queue_url = queue_url

    def send(self, domain_events: Sequence[DomainEvent]) -> None:
        """Send every message.

        Raises TryAgain if the queue did not take one; others may have gone out then.
        """
        send_all(self._client, self._queue_url, domain_events)
