"""Handlers for messages of the notification queues and of the receipts queue."""

from typing import Annotated

from pydantic import Field, TypeAdapter, ValidationError

from chalicelib import observability
from chalicelib.messaging import aws_events
from chalicelib.messaging.model import SmsId, parse_sms_id
from chalicelib.messaging.receipts import Receipt, ReceiptSink
from chalicelib.notifications import bodies
from chalicelib.notifications.errors import NoPhone, SmsUnknown
from chalicelib.notifications.messages import ReceiptReceived, SmsDue
from chalicelib.notifications.model import Sms, SmsState
from chalicelib.notifications.service import NotificationService
from chalicelib.registrations import references
from chalicelib.registrations.domain_events import (
    KnownWorkerMet,
    RegistrationChanged,
    RegistrationReceived,
    SmsRequested,
)
from chalicelib.registrations.errors import RegistrationUnknown
from chalicelib.sms_purposes import Purpose

Message = RegistrationReceived | RegistrationChanged | KnownWorkerMet | SmsRequested | SmsDue

_MESSAGE_ADAPTER: TypeAdapter[Message] = TypeAdapter(Annotated[Message, Field(discriminator="type")])


def handle(service: NotificationService, body: str) -> None:
    """Send the SMS that a message of a notification queue asks for.

    Raise an exception if the message is malformed or must be repeated.
    """
    message = _MESSAGE_ADAPTER.validate_json(body)
    try:
        sms = _process(service, message)
    except (RegistrationUnknown, SmsUnknown):
        if not _was_erased(message):
            raise
        facts = (
            {"sms_id": message.sms_id} if isinstance(message, SmsDue) else {"reference": message.reference}
        )
        observability.logger.info("no recipient", extra=facts)
        return
    except NoPhone:
        observability.logger.info("worker without phone")
        return
    observability.count("Sms", state=sms.state)
    if (sms.state, sms.reason) == (SmsState.FAILED, "expired"):
        observability.count("SmsExpired")
    observability.logger.info(
        "sms processed",
        extra={
            "sms_id": sms.sms_id,
            "purpose": sms.purpose,
            "state": sms.state,
            "attempts": sms.attempts,
            "reason": sms.reason,
        },
    )


def _was_erased(message: Message) -> bool:
    """Return True if the missing registration or SMS must have been erased.

    Both are stored before a message names them, so a well-formed id or reference must have existed.
    """
    if isinstance(message, SmsDue):
        return parse_sms_id(message.sms_id) is not None
    return references.parse(message.reference) is not None


def _process(service: NotificationService, message: Message) -> Sms:
    if isinstance(message, SmsDue):
        sms = service.resume(SmsId(message.sms_id))
        observability.set_correlation_id(sms.correlation_id)
        return sms
    observability.set_correlation_id(message.correlation_id)
    if isinstance(message, SmsRequested):
        return service.send_again(
            Purpose(message.purpose),
            message.reference,
            request_version=message.event_version,
            correlation_id=message.correlation_id,
        )
    purpose, event_version = _get_purpose_and_version(message)
    return service.send(
        purpose, message.reference, event_version=event_version, correlation_id=message.correlation_id
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


def handle_receipt(sink: ReceiptSink, body: str) -> None:
    """Record the receipt in a message of the receipts queue.

    Raise ValueError, KeyError or TypeError if the message is malformed.
    """
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
    """Return the receipt of a message: `ReceiptReceived` from the HTTP API, or an event of AWS."""
    try:
        return ReceiptReceived.model_validate_json(body).to_receipt()
    except ValidationError:
        return aws_events.parse_receipt(body)
