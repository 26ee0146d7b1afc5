"""Requests of gateways for SMS and USSD as events of chats. Pure.

The forms are those of Africa's Talking, which other gateways offer too: an SMS is `from`, `text`, `id` and
`date`, a step of a USSD session is `sessionId`, `phoneNumber` and `text`.
"""

from datetime import datetime
from hmac import compare_digest
from urllib.parse import parse_qsl

from chalicelib.conversations.events import Dialled, InboundEvent, TypedText
from chalicelib.registrations import phone
from chalicelib.registrations.errors import InvalidValue

_MAX_FIELDS = 20
_MAX_TEXT_LENGTH = 1600
_MAX_ID_LENGTH = 200
_SCHEME = "Bearer "


def is_authentic(authorization: str, expected: str) -> bool:
    """Return True if a request has the token of our gateway. Compare in constant time."""
    token = authorization.removeprefix(_SCHEME)
    return bool(expected) and compare_digest(token.encode(), expected.encode())


def parse_sms(body: bytes, *, received_at: datetime) -> InboundEvent | None:
    """Return the event of an SMS, or None if it has no Indonesian mobile number or no text."""
    form = _parse_form(body)
    sender = _parse_phone(form.get("from", ""))
    text = form.get("text", "")
    if sender is None or not text:
        return None
    # A gateway without ids sends the same SMS with the same date again.
    event_id = form.get("id") or f"{form.get('date', '')} {text}"
    return InboundEvent(
        channel="sms",
        account=form.get("to", "")[:_MAX_ID_LENGTH],
        sender=sender,
        event_id=event_id,
        received_at=received_at,
        content=TypedText(text=text[:_MAX_TEXT_LENGTH]),
        phone=sender,
    )


def parse_ussd(body: bytes, *, received_at: datetime) -> InboundEvent | None:
    """Return the event of a step of a USSD session, or None if it has no number or no session."""
    form = _parse_form(body)
    sender = _parse_phone(form.get("phoneNumber", ""))
    session_id = form.get("sessionId", "")[:_MAX_ID_LENGTH]
    if sender is None or not session_id:
        return None
    history = form.get("text", "")[:_MAX_TEXT_LENGTH]
    return InboundEvent(
        channel="ussd",
        account=form.get("serviceCode", "")[:_MAX_ID_LENGTH],
        sender=sender,
        event_id=f"{session_id} {history}",
        received_at=received_at,
        content=Dialled(session_id=session_id, history=history),
        phone=sender,
    )


def _parse_form(body: bytes) -> dict[str, str]:
    try:
        return dict(parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=_MAX_FIELDS))
    except ValueError:
        return {}


def _parse_phone(text: str) -> str | None:
    try:
        return phone.parse(text)
    except InvalidValue:
        return None
