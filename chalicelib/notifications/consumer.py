"""What to do with each message of the senders' queues, and of the queue of receipts."""

import re
from collections.abc import Callable
from functools import partial
from typing import Annotated

from pydantic import Field, TypeAdapter, ValidationError

from chalicelib import observability
from chalicelib.notifications import aws_events, bodies
from chalicelib.notifications.messages import ReceiptReceived, SmsDue
from chalicelib.notifications.model import Sms, SmsId
from chalicelib.notifications.receipts import Receipt, ReceiptSink
from chalicelib.notifications.service import NotificationService, SmsUnknown
from chalicelib.notifications.templates import Purpose
from chalicelib.registrations import references
from chalicelib.registrations.errors import RegistrationUnknown
from chalicelib.registrations.messages import KnownWorkerMet, RegistrationChanged, RegistrationReceived

Message = RegistrationReceived | RegistrationChanged | KnownWorkerMet | SmsDue

_MESSAGE_ADAPTER: TypeAdapter[Message] = TypeAdapter(Annotated[Message, Field(discriminator="type")])

# As `model.sms_id` makes them.
_SMS_ID_PATTERN = re.compile(r"[0-9a-f]{32}")


def make_handler(service: NotificationService) -> Callable[[str], None]:
    """What to do with the body of each message."""
    return partial(handle, service)


def handle(service: NotificationService, body: str) -> None:
    """Do what a message asks for. Raises for one that nobody can read, or that cannot be worked on now."""
    message = _MESSAGE_ADAPTER.validate_json(body)
    try:
        text = _process(service, message)
    except (RegistrationUnknown, SmsUnknown):
        if not _was_erased(message):
            raise
        _log_no_recipient(message)
        return
    observability.count("Sms", state=text.state)
    observability.logger.info(
        "sms processed",
        extra={
            "sms_id": text.sms_id,
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
    if isinstance(message, SmsDue):
        return _SMS_ID_PATTERN.fullmatch(message.sms_id) is not None
    return references.parse(message.reference) is not None


def _log_no_recipient(message: Message) -> None:
    if isinstance(message, SmsDue):
        observability.logger.info("no recipient", extra={"sms_id": message.sms_id})
    else:
        observability.logger.info("no recipient", extra={"reference": message.reference})


def _process(service: NotificationService, message: Message) -> Sms:
    if isinstance(message, SmsDue):
        text = service.resume(SmsId(message.sms_id))
        observability.set_correlation_id(text.correlation_id)
        return text
    observability.set_correlation_id(message.correlation_id)
    purpose, occasion = _get_purpose_and_version(message)
    return service.send(
        purpose, message.reference, event_version=occasion, correlation_id=message.correlation_id
    )


def _get_purpose_and_version(
    message: RegistrationReceived | RegistrationChanged | KnownWorkerMet,
) -> tuple[Purpose, int]:
    match message:
        case RegistrationReceived():
            return Purpose.RECEIVED, 1
        case KnownWorkerMet():
            return Purpose.ALREADY_REGISTERED, 1
        case RegistrationChanged():
            return bodies.PURPOSE_BY_EVENT_TYPE[message.event_type], message.event_version


def make_receipt_handler(sink: ReceiptSink) -> Callable[[str], None]:
    """What to do with the body of each report of a gateway."""
    return partial(handle_receipt, sink)


def handle_receipt(sink: ReceiptSink, body: str) -> None:
    """Note what a report says. Raises for one that nobody can read."""
    receipt = _parse_receipt(body)
    if receipt is None:
        return
    sink.record_receipt(receipt)
    observability.count("Receipts", state=receipt.state)
    observability.logger.info(
        "receipt recorded",
        extra={"sms_id": receipt.sms_id, "state": receipt.state, "reason": receipt.reason},
    )


def _parse_receipt(body: str) -> Receipt | None:
    """A report that came over HTTP is a message of ours; what AWS publishes is not."""
    try:
        return ReceiptReceived.model_validate_json(body).to_receipt()
    except ValidationError:
        return aws_events.parse_receipt(body)
