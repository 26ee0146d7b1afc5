"""What to do with each message of the senders' queues, and of the queue of receipts."""

from collections.abc import Callable
from functools import partial
from typing import Annotated

from pydantic import Field, TypeAdapter, ValidationError

from chalicelib import observability
from chalicelib.notifications import aws_events, occasions
from chalicelib.notifications.messages import ReceiptTaken, TextDue
from chalicelib.notifications.model import MessageId, Text
from chalicelib.notifications.receipts import Receipt, TakesReceipts
from chalicelib.notifications.service import Notifier
from chalicelib.notifications.templates import Purpose
from chalicelib.registrations.messages import KnownWorkerMet, RegistrationChanged, RegistrationReceived

Message = RegistrationReceived | RegistrationChanged | KnownWorkerMet | TextDue

_MESSAGES: TypeAdapter[Message] = TypeAdapter(Annotated[Message, Field(discriminator="type")])


def handler(notifier: Notifier) -> Callable[[str], None]:
    """What to do with the body of each message."""
    return partial(handle, notifier)


def handle(notifier: Notifier, body: str) -> None:
    """Do what a message asks for. Raises for one that nobody can read, or that cannot be worked on now."""
    text = _worked_on(notifier, _MESSAGES.validate_json(body))
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
