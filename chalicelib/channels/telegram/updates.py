"""Updates of Telegram's Bot API (https://core.telegram.org/bots/api#update) as events of a chat. Pure.

Only private chats are answered. What Telegram sends beside the fields that are read here is ignored.
"""

import re
from datetime import datetime
from hmac import compare_digest

from pydantic import BaseModel, Field, ValidationError

from chalicelib.conversations.events import Blocked, Choice, Contact, Content, InboundEvent, Media, TypedText

SECRET_HEADER = "x-telegram-bot-api-secret-token"  # noqa: S105 - the name of the header

_BOT_NAME = re.compile(r"^(/[A-Za-z_]+)@\w+")
# The longest text that Telegram delivers. A button's id is 64 bytes, a phone number far less.
_MAX_TEXT_LENGTH = 4096
_MAX_SHORT_LENGTH = 64


class _User(BaseModel):
    id: int


class _Chat(BaseModel):
    id: int
    type: str


class _ContactCard(BaseModel):
    phone_number: str = Field(max_length=_MAX_SHORT_LENGTH)
    user_id: int | None = None


class _Message(BaseModel):
    chat: _Chat
    sender: _User | None = Field(default=None, alias="from")
    text: str | None = Field(default=None, max_length=_MAX_TEXT_LENGTH)
    contact: _ContactCard | None = None


class _CallbackQuery(BaseModel):
    id: str = Field(max_length=_MAX_SHORT_LENGTH)
    sender: _User = Field(alias="from")
    message: _Message | None = None
    data: str = Field(default="", max_length=_MAX_SHORT_LENGTH)


class _MemberStatus(BaseModel):
    status: str


class _MembershipChange(BaseModel):
    chat: _Chat
    new_chat_member: _MemberStatus


class _Update(BaseModel):
    update_id: int
    message: _Message | None = None
    callback_query: _CallbackQuery | None = None
    my_chat_member: _MembershipChange | None = None


def is_authentic(secret: str, expected: str) -> bool:
    """Return True if a request has the secret of our webhook. Compare in constant time."""
    return bool(expected) and compare_digest(secret.encode(), expected.encode())


def parse_update(body: bytes, *, bot_id: str, received_at: datetime) -> InboundEvent | None:
    """Return the event of an update, or None if it is none that a bot for private chats answers."""
    try:
        update = _Update.model_validate_json(body)
    except ValidationError:
        return None
    found = _read_content(update)
    if found is None:
        return None
    chat_id, content, callback_id = found
    return InboundEvent(
        channel="telegram",
        account=bot_id,
        sender=str(chat_id),
        event_id=str(update.update_id),
        received_at=received_at,
        content=content,
        callback_id=callback_id,
    )


def _read_content(update: _Update) -> tuple[int, Content, str | None] | None:
    """Return chat, content and the id by which a tap is acknowledged."""
    if (query := update.callback_query) is not None:
        # The id of a private chat is its user's. A tap on a message that is too old comes without it.
        if query.message is not None and query.message.chat.type != "private":
            return None
        return query.sender.id, Choice(choice_id=query.data), query.id
    if (change := update.my_chat_member) is not None:
        if change.chat.type != "private" or change.new_chat_member.status != "kicked":
            return None
        return change.chat.id, Blocked(), None
    message = update.message
    if message is None or message.chat.type != "private" or message.sender is None:
        return None
    return message.chat.id, _read_message(message, message.sender), None


def _read_message(message: _Message, sender: _User) -> Content:
    if message.contact is not None:
        # Anybody can send anybody's card: only that with the sender's own id is proof of a number.
        is_own = message.contact.user_id == sender.id
        return Contact(phone=message.contact.phone_number, is_own=is_own)
    if message.text is None:
        return Media()
    return TypedText(text=_BOT_NAME.sub(r"\1", message.text))
