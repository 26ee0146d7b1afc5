"""Handler for messages of the queue of chat events."""

from collections.abc import Callable

from chalicelib import observability
from chalicelib.conversations.events import DeliveryReport, InboundEvent, SealedEvent
from chalicelib.conversations.service import ConversationService, HandledEvent
from chalicelib.conversations.store_items import unseal_event
from chalicelib.crypto.encryption import FieldCipher

_CORRELATION_DIGITS = 32


def handle(
    service: ConversationService,
    cipher: FieldCipher,
    record_report: Callable[[str, DeliveryReport], None],
    body: str,
) -> None:
    """Answer an event, or pass on a report about a message of ours.

    Raise an exception if the message cannot be read or must be repeated.
    """
    sealed = SealedEvent.model_validate_json(body)
    observability.set_correlation_id(sealed.event_key[:_CORRELATION_DIGITS])
    event = unseal_event(sealed, cipher)
    if isinstance(event.content, DeliveryReport):
        record_report(event.channel, event.content)
    else:
        answer(service, event)


def answer(service: ConversationService, event: InboundEvent) -> HandledEvent:
    """Answer an event, and log that, without anything of it."""
    handled = service.handle(event)
    observability.count("ChatEvents", channel=event.channel)
    observability.logger.info(
        "chat event handled",
        extra={
            "channel": event.channel,
            "kind": event.content.kind,
            "messages": len(handled.outbox_ids),
        },
    )
    return handled
