"""Messages of this package on an SQS queue."""

from collections.abc import Sequence
from typing import Any

from chalicelib.refusals import TryAgain
from chalicelib.registrations.messages import RegistrationReceived

_BATCH = 10  # SQS takes no more entries in one request.


class SQSNotifications:
    """Satisfies `relay.Notifications`."""

    def __init__(self, client: Any, queue_url: str) -> None:
        self._client = client
        self._queue_url = queue_url

    def send(self, messages: Sequence[RegistrationReceived]) -> None:
        """Send every message.

        Raises TryAgain if the queue did not take one; others may have gone out then.
        """
        for start in range(0, len(messages), _BATCH):
            entries = [
                {"Id": str(position), "MessageBody": message.model_dump_json()}
                for position, message in enumerate(messages[start : start + _BATCH])
            ]
            refused = self._client.send_message_batch(QueueUrl=self._queue_url, Entries=entries).get(
                "Failed", []
            )
            if refused:
                raise TryAgain(f"the queue refused {len(refused)}: {refused[0]['Code']}")
