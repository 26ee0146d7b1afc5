"""What to do with each message of the notifications queue."""

from collections.abc import Callable
from functools import partial

from chalicelib import observability
from chalicelib.notifications.errors import StopEverything, TryLater
from chalicelib.notifications.model import TextState
from chalicelib.notifications.service import Notifier
from chalicelib.registrations.messages import RegistrationReceived


def handler(notifier: Notifier) -> Callable[[str], None]:
    """What to do with the body of each message."""
    return partial(handle, notifier)


def handle(notifier: Notifier, body: str) -> None:
    """Tell one worker. Raises for a message that is to come again, or that nobody can read."""
    event = RegistrationReceived.model_validate_json(body)
    observability.correlate(event.correlation_id)
    try:
        text = notifier.tell_received(event)
    except (TryLater, StopEverything):
        observability.count("Texts", state=TextState.PENDING)
        raise
    observability.count("Texts", state=text.state)
    observability.logger.info(
        "worker told",
        extra={
            "sms_id": text.message_id,
            "state": text.state,
            "attempts": text.attempts,
            "reason": text.reason,
        },
    )
