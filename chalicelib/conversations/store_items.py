"""The items of the conversations table, and the message of the queue of chat events.

CHAT#<chat key>          SESSION                 the session of a chat, sealed
CHAT#<chat key>          EVENT#<event key>       a handled event, with its reply where that is the answer
CHAT#<chat key>          OUT#<outbox id>         a message to the person, sealed; the sender adds its attempts
CHAT#<chat key>          OPT_OUT                 the person wants no messages but answers
CHAT#<chat key>          HAND_OFF                where a person is answered who asked for somebody, sealed
CAPTURE#<capture id>     LINK                    the chat that a capture was made in

A chat key is a keyed hash of the channel and of the address there. `worker_key`, the keyed hash of a NIK,
is on each item that says something about its bearer: the index `by_worker` finds them.
"""

import base64
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from pydantic import BaseModel

from chalicelib.aws.items import Values
from chalicelib.campaigns.model import CampaignDay
from chalicelib.clock import to_expiry
from chalicelib.conversations.events import InboundEvent, SealedEvent
from chalicelib.conversations.layout import render_body
from chalicelib.conversations.messages import ChatLink, ChatRecord, OutboxContent
from chalicelib.conversations.model import OfficerMessage, Prompt, Session
from chalicelib.conversations.service import Turn
from chalicelib.crypto.encryption import FieldCipher
from chalicelib.records import record_parser

DRAFT_RETENTION = timedelta(days=7)
"""A person comes back on the next market day, a week later; a draft is of no use after that."""

EVENT_RETENTION = timedelta(days=9)
"""WhatsApp sends an event again for up to 7 days; one more, and one because events wait in queues."""

OUTBOX_RETENTION = timedelta(days=2)
"""A message that could not be sent for a day is not sent any more."""

HAND_OFF_RETENTION = DRAFT_RETENTION
"""Whoever waited for a week for an answer has gone elsewhere."""

# How long a worker may be told by chat: the longest coverage, a year, and the reminders before it ends.
LINK_RETENTION = timedelta(days=400)

_SEALED = "sealed"


def build_chat_key(chat_key: str, sort_key: str) -> Values:
    return {"pk": f"CHAT#{chat_key}", "sk": sort_key}


def build_outbox_key(chat_key: str, outbox_id: str) -> Values:
    return build_chat_key(chat_key, f"OUT#{outbox_id}")


def build_link_key(capture_id: str) -> Values:
    return {"pk": f"CAPTURE#{capture_id}", "sk": "LINK"}


def build_session_values(turn: Turn, cipher: FieldCipher) -> Values:
    """Return the item of a session; it expires 7 days after the last event."""
    key = build_chat_key(turn.chat_key, "SESSION")
    return {
        **key,
        "channel": turn.channel,
        "revision": turn.revision + 1,
        "worker_key": turn.worker_key,
        _SEALED: _seal(turn.session, key, cipher),
        "expires_at": to_expiry(turn.now + DRAFT_RETENTION),
    }


def build_event_values(turn: Turn, cipher: FieldCipher) -> Values:
    """Return the item of a handled event."""
    key = build_chat_key(turn.chat_key, f"EVENT#{turn.event_key}")
    return {
        **key,
        "outbox_ids": list(turn.outbox_ids),
        "worker_key": None if turn.reply is None else turn.worker_key,
        _SEALED: None if turn.reply is None else _seal(turn.reply, key, cipher),
        "expires_at": to_expiry(turn.now + EVENT_RETENTION),
    }


def build_outbox_values(  # noqa: PLR0913 - keyword-only, one for each attribute
    chat_key: str,
    outbox_id: str,
    content: OutboxContent,
    cipher: FieldCipher,
    *,
    now: datetime,
    worker_key: str | None,
    campaign_day: CampaignDay | None = None,
    fingerprint: str | None = None,
) -> Values:
    """Return the item of a message that waits for its sender.

    It is counted on its `campaign_day`. One with a `fingerprint` is known for as long as a hand-off, so that
    it is not sent again.
    """
    key = build_outbox_key(chat_key, outbox_id)
    return {
        **key,
        "channel": content.channel,
        "state": "pending",
        "created_at": now.isoformat(),
        "worker_key": worker_key,
        "campaign_day": None
        if campaign_day is None
        else [campaign_day.campaign_id, campaign_day.day.isoformat()],
        "fingerprint": fingerprint,
        _SEALED: _seal(content, key, cipher),
        "expires_at": to_expiry(now + (OUTBOX_RETENTION if fingerprint is None else HAND_OFF_RETENTION)),
    }


def build_link_values(
    capture_id: str,
    link: ChatLink,
    cipher: FieldCipher,
    *,
    now: datetime,
    worker_key: str | None,
    retention: timedelta,
) -> Values:
    key = build_link_key(capture_id)
    return {
        **key,
        "channel": link.channel,
        "worker_key": worker_key,
        _SEALED: _seal(link, key, cipher),
        "expires_at": to_expiry(now + retention),
    }


def build_hand_off_values(
    link: ChatLink, item_id: str, cipher: FieldCipher, *, now: datetime, worker_key: str | None
) -> Values:
    key = build_chat_key(link.chat_key, "HAND_OFF")
    return {
        **key,
        "channel": link.channel,
        "item_id": item_id,
        "worker_key": worker_key,
        _SEALED: _seal(link, key, cipher),
        "expires_at": to_expiry(now + HAND_OFF_RETENTION),
    }


@record_parser
def parse_session(values: Mapping[str, Any], cipher: FieldCipher) -> Session:
    """Return a session from its item. Raise RecordUnreadable."""
    return Session.model_validate_json(_unseal(values, cipher))


@record_parser
def parse_reply(values: Mapping[str, Any], cipher: FieldCipher) -> OutboxContent | None:
    """Return the reply to an event, or None if it was sent as a message. Raise RecordUnreadable."""
    return OutboxContent.model_validate_json(_unseal(values, cipher)) if _SEALED in values else None


@record_parser
def parse_outbox_content(values: Mapping[str, Any], cipher: FieldCipher) -> OutboxContent:
    """Return a message from its item. Raise RecordUnreadable."""
    return OutboxContent.model_validate_json(_unseal(values, cipher))


@record_parser
def parse_link(values: Mapping[str, Any], cipher: FieldCipher) -> ChatLink:
    """Return the chat of a capture from its item. Raise RecordUnreadable."""
    return ChatLink.model_validate_json(_unseal(values, cipher))


@record_parser
def parse_worker_record(values: Mapping[str, Any], cipher: FieldCipher) -> ChatRecord | None:
    """Return what an item holds on a worker, or None for nothing. Raise RecordUnreadable."""
    if _SEALED not in values:
        return None
    if values["sk"] == "LINK":
        return ChatRecord("chat", parse_link(values, cipher).channel)
    if values["sk"] == "HAND_OFF":
        return ChatRecord("hand_off", values["channel"], review_item=values["item_id"])
    if values["sk"] == "SESSION":
        session = parse_session(values, cipher)
        return ChatRecord("draft", values["channel"], session.answers) if session.answers else None
    content = parse_outbox_content(values, cipher)
    text = _render_text(content)
    return None if text is None else ChatRecord("message", content.channel, text=text)


@record_parser
def reseal(values: Mapping[str, Any], cipher: FieldCipher) -> Values:
    """Return the attributes that an older key sealed, sealed again. Raise RecordUnreadable."""
    if _SEALED not in values:
        return {}
    resealed = cipher.reseal(values[_SEALED], record=_name_record(values), field=_SEALED)
    return {} if resealed is None else {_SEALED: resealed}


def seal_event(event: InboundEvent, cipher: FieldCipher, *, chat_key: str, event_key: str) -> SealedEvent:
    """Return an event as the queue keeps it: without anything that names or quotes the person."""
    sealed = cipher.seal(event.model_dump_json(), record=f"event {event_key}", field=chat_key)
    return SealedEvent(
        channel=event.channel,
        chat_key=chat_key,
        event_key=event_key,
        sealed=base64.b64encode(sealed).decode(),
    )


def unseal_event(sealed: SealedEvent, cipher: FieldCipher) -> InboundEvent:
    """Return the event of a message. Raise UnsealError."""
    text = cipher.unseal(
        base64.b64decode(sealed.sealed), record=f"event {sealed.event_key}", field=sealed.chat_key
    )
    return InboundEvent.model_validate_json(text)


def _render_text(content: OutboxContent) -> str | None:
    match content.message:
        case Prompt() as prompt:
            return render_body(prompt, content.language)
        case OfficerMessage(text=text):
            return text
    return None


def _seal(content: BaseModel, key: Values, cipher: FieldCipher) -> bytes:
    return cipher.seal(content.model_dump_json(), record=_name_record(key), field=_SEALED)


def _unseal(values: Mapping[str, Any], cipher: FieldCipher) -> str:
    return cipher.unseal(values[_SEALED], record=_name_record(values), field=_SEALED)


def _name_record(values: Mapping[str, Any]) -> str:
    return f"{values['pk']} {values['sk']}"
