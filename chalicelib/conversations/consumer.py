"""Handler for messages of the queue of chat events."""

from chalicelib import observability
from chalicelib.conversations.events import DeliveryReport, InboundEvent, SealedEvent
from chalicelib.conversations.service import ConversationService, HandledEvent
from chalicelib.conversations.store_items import unseal_event
from chalicelib.crypto.encryption import FieldCipher

_CORRELATION_DIGITS = 32


def handle(service: ConversationService, cipher: FieldCipher, body: str) -> None:
    """Answer an event. Raise an exception if the message cannot be read or must be repeated."""
    sealed = SealedEvent.model_validate_json(body)
    observability.set_correlation_id(sealed.event_key[:_CORRELATION_DIGITS])
    event = unseal_event(sealed, cipher)
    if not isinstance(event.content, DeliveryReport):
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
