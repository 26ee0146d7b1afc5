"""What to do with each message of the senders' queues, and of the queue of receipts."""

import re
from collections.abc import Callable
from functools import partial
from typing import Annotated

from pydantic import Field, TypeAdapter, ValidationError

from chalicelib import observability
from chalicelib.notifications import aws_events, occasions
from chalicelib.notifications.messages import ReceiptTaken, TextDue
from chalicelib.notifications.model import MessageId, Text
from chalicelib.notifications.receipts import Receipt, TakesReceipts
from chalicelib.notifications.service import Notifier, TextUnknown
from chalicelib.notifications.templates import Purpose
from chalicelib.registrations import reference
from chalicelib.registrations.errors import RegistrationUnknown
from chalicelib.registrations.messages import KnownWorkerMet, RegistrationChanged, RegistrationReceived

Message = RegistrationReceived | RegistrationChanged | KnownWorkerMet | TextDue

_MESSAGES: TypeAdapter[Message] = TypeAdapter(Annotated[Message, Field(discriminator="type")])

# As `model.message_id` makes them.
_MESSAGE_ID = re.compile(r"[0-9a-f]{32}")


def handler(notifier: Notifier) -> Callable[[str], None]:
    """What to do with the body of each message."""
    return partial(handle, notifier)


def handle(notifier: Notifier, body: str) -> None:
    """Do what a message asks for. Raises for one that nobody can read, or that cannot be worked on now."""
    message = _MESSAGES.validate_json(body)
    try:
        text = _worked_on(notifier, message)
    except (RegistrationUnknown, TextUnknown):
        if not _was_erased(message):
            raise
        _log_nobody_to_tell(message)
        return
    observability.count("Texts", state=text.state)
    observability.logger.info(
        "worker told",
        extra={
            "sms_id": text.message_id,
            "purpose": text.purpose,
            "state": text.state,
            "attempts": text.attempts,
            "reason": text.reason,
        },
    )


def _was_erased(message: Message) -> bool:
    """Whether what a message names, and is not there, was there once.

    A registration stands before it is announced, and a text before it is due: only what could not be the
    name of one never stood.
    """
    if isinstance(message, TextDue):
        return _MESSAGE_ID.fullmatch(message.message_id) is not None
    return reference.parse(message.reference) is not None


def _log_nobody_to_tell(message: Message) -> None:
    if isinstance(message, TextDue):
        observability.logger.info("nobody to tell", extra={"sms_id": message.message_id})
    else:
        observability.logger.info("nobody to tell", extra={"reference": message.reference})


def _worked_on(notifier: Notifier, message: Message) -> Text:
    if isinstance(message, TextDue):
        text = notifier.take_up(MessageId(message.message_id))
        observability.correlate(text.correlation_id)
        return text
    observability.correlate(message.correlation_id)
    purpose, occasion = _told_as(message)
    return notifier.tell(purpose, message.reference, occasion=occasion, correlation_id=message.correlation_id)


def _told_as(message: RegistrationReceived | RegistrationChanged | KnownWorkerMet) -> tuple[Purpose, int]:
    match message:
        case RegistrationReceived():
            return Purpose.RECEIVED, 1
        case KnownWorkerMet():
            return Purpose.ALREADY_REGISTERED, 1
        case RegistrationChanged():
            return occasions.TOLD[message.happening], message.life_version


def receipt_handler(takes: TakesReceipts) -> Callable[[str], None]:
    """What to do with the body of each report of a gateway."""
    return partial(handle_receipt, takes)


def handle_receipt(takes: TakesReceipts, body: str) -> None:
    """Note what a report says. Raises for one that nobody can read."""
    receipt = _receipt(body)
    if receipt is None:
        return
    takes.note(receipt)
    observability.count("Receipts", state=receipt.state)
    observability.logger.info(
        "receipt noted",
        extra={"sms_id": receipt.message_id, "state": receipt.state, "reason": receipt.reason},
    )


def _receipt(body: str) -> Receipt | None:
    """A report that came over HTTP is a message of ours; what AWS publishes is not."""
    try:
        return ReceiptTaken.model_validate_json(body).receipt()
    except ValidationError:
        return aws_events.receipt(body)
