"""Webhooks of the WhatsApp Cloud API as events of chats. Pure.

One request may hold many entries with many messages, the same one twice, and kinds of messages that are not
known yet. The person is known by the business-scoped `user_id`; a phone number may be missing.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, TypeVar

from pydantic import BaseModel, Field, ValidationError

from chalicelib.conversations.events import (
    Choice,
    Contact,
    Content,
    DeliveryReport,
    InboundEvent,
    Media,
    TypedText,
)

Model = TypeVar("Model", bound=BaseModel)
Default = TypeVar("Default")

_MAX_TEXT_LENGTH = 4096
# What changes or takes back an earlier message is not an answer to a question.
_IGNORED_TYPES = frozenset({"edit", "revoke", "reaction", "system", "unsupported"})


class _Metadata(BaseModel):
    phone_number_id: str


class _TextBody(BaseModel):
    body: str


class _Reply(BaseModel):
    id: str


class _Interactive(BaseModel):
    button_reply: _Reply | None = None
    list_reply: _Reply | None = None


class _TemplateButton(BaseModel):
    payload: str = ""
    text: str = ""


class _Phone(BaseModel):
    phone: str = ""
    wa_id: str = ""


class _ContactCard(BaseModel):
    phones: list[_Phone] = []
    origin: str = ""


class _Message(BaseModel):
    id: str
    type: str
    sender: str = Field(default="", alias="from")
    from_user_id: str = ""
    text: _TextBody | None = None
    interactive: _Interactive | None = None
    button: _TemplateButton | None = None
    contacts: list[_ContactCard] = []


class _Profile(BaseModel):
    wa_id: str = ""
    user_id: str = ""


class _Error(BaseModel):
    code: int


class _Pricing(BaseModel):
    billable: bool | None = None
    category: str | None = None


class _Status(BaseModel):
    id: str
    status: str
    timestamp: str
    recipient_id: str = ""
    recipient_user_id: str = ""
    biz_opaque_callback_data: str | None = None
    errors: list[_Error] = []
    pricing: _Pricing | None = None


class _Value(BaseModel):
    metadata: _Metadata
    contacts: list[_Profile] = []
    messages: list[dict[str, Any]] = []
    statuses: list[dict[str, Any]] = []


class _Change(BaseModel):
    field: str = ""
    value: dict[str, Any]


class _Entry(BaseModel):
    changes: list[_Change] = []


class _Envelope(BaseModel):
    entry: list[dict[str, Any]] = []


def parse_webhook(body: bytes, *, received_at: datetime, app_url: str = "") -> list[InboundEvent] | None:
    """Return the events of a request, each once, or None if it is no webhook at all."""
    try:
        envelope = _Envelope.model_validate_json(body)
    except ValidationError:
        return None
    events = {
        event.describe_event(): event.model_copy(update={"app_url": app_url})
        for entry in envelope.entry
        for event in iter_entry_events(entry, received_at=received_at)
    }
    return list(events.values())


def iter_entry_events(entry: dict[str, Any], *, received_at: datetime) -> Iterator[InboundEvent]:
    """Yield the events of one entry; what cannot be read does not stop the others."""
    for change in _parse(_Entry, entry, _Entry()).changes:
        value = _parse(_Value, change.value, None)
        if change.field not in ("", "messages") or value is None:
            continue
        for document in value.messages:
            message = _parse(_Message, document, None)
            if message is not None and message.type not in _IGNORED_TYPES:
                yield from _read_message(message, value, received_at)
        for document in value.statuses:
            status = _parse(_Status, document, None)
            if status is not None:
                yield from _read_status(status, value, received_at)


def _read_message(message: _Message, value: _Value, received_at: datetime) -> Iterator[InboundEvent]:
    sender = _find_sender(message, value)
    if sender:
        yield InboundEvent(
            channel="whatsapp",
            account=value.metadata.phone_number_id,
            sender=sender,
            event_id=message.id,
            received_at=received_at,
            content=_read_content(message),
        )


def _find_sender(message: _Message, value: _Value) -> str:
    """Return the business-scoped id of the sender, or else the phone number."""
    if message.from_user_id:
        return message.from_user_id
    scoped = [
        each.user_id for each in value.contacts if each.wa_id == message.sender or len(value.contacts) == 1
    ]
    return next(filter(None, scoped), message.sender)


def _read_content(message: _Message) -> Content:
    if message.text is not None:
        return TypedText(text=message.text.body[:_MAX_TEXT_LENGTH])
    if message.interactive is not None:
        reply = message.interactive.button_reply or message.interactive.list_reply
        return Media() if reply is None else Choice(choice_id=reply.id)
    if message.button is not None:
        return Choice(choice_id=message.button.payload)
    for card in message.contacts:
        for phone in card.phones:
            # Only a card that we asked for is proof of the sender's own number.
            return Contact(phone=phone.phone or phone.wa_id, is_own=card.origin == "contact_request")
    return Media()


def _read_status(status: _Status, value: _Value, received_at: datetime) -> Iterator[InboundEvent]:
    recipient = status.recipient_user_id or status.recipient_id
    if not recipient or not status.timestamp.isdecimal():
        return
    pricing = status.pricing or _Pricing()
    yield InboundEvent(
        channel="whatsapp",
        account=value.metadata.phone_number_id,
        sender=recipient,
        event_id=f"{status.id}:{status.status}",
        received_at=received_at,
        content=DeliveryReport(
            message_id=status.id,
            status=status.status,
            occurred_at=datetime.fromtimestamp(int(status.timestamp), UTC),
            tracker=status.biz_opaque_callback_data,
            error_codes=tuple(error.code for error in status.errors),
            is_billable=pricing.billable,
            pricing_category=pricing.category,
        ),
    )


def _parse(kind: type[Model], document: dict[str, Any], default: Default) -> Model | Default:
    try:
        return kind.model_validate(document)
    except ValidationError:
        return default
