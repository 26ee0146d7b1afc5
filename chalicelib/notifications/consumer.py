"""What to do with each message of the notifications queue."""

from collections.abc import Callable
from functools import partial

from chalicelib import observability
from chalicelib.notifications.errors import TryLater
from chalicelib.notifications.model import TextState
from chalicelib.notifications.service import Notifier
from chalicelib.registrations import reference
from chalicelib.registrations.errors import RegistrationUnknown
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
    except RegistrationUnknown:
        if reference.parse(event.reference) is None:
            raise
        # A registration stands before it is announced, so this one was erased since: nobody is to be told.
        observability.logger.info("nobody to tell", extra={"reference": event.reference})
        return
    except TryLater:
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
