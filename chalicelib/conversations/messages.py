"""Messages to people on their way out, and the chats of captures. All of it is personal data. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import Field

from chalicelib.conversations.events import ChannelName
from chalicelib.conversations.model import Acknowledgement, OfficerMessage, Prompt
from chalicelib.languages import WorkerLanguage
from chalicelib.models import FrozenModel


class OutboxContent(FrozenModel):
    """A message to a person, with where and in which language it goes."""

    channel: ChannelName
    account: str
    recipient: str
    language: WorkerLanguage
    message: Prompt | OfficerMessage | Acknowledgement = Field(discriminator="kind")


class ChatLink(FrozenModel):
    """The chat that a capture was made in."""

    channel: ChannelName
    account: str
    recipient: str
    language: WorkerLanguage
    chat_key: str


@dataclass(frozen=True)
class ChatRecord:
    """A record of a worker in a chat: a `draft` with answers, a `message` as text, or the `chat` itself.

    A `hand_off` says that the person wanted to talk to somebody, with the review item of that.
    """

    kind: Literal["draft", "message", "chat", "hand_off"]
    channel: str
    answers: Mapping[str, Any] | None = None
    text: str | None = None
    review_item: str | None = None


class OutboxEntry(FrozenModel):
    """A message of the queue of the chat sender: the id of what it is to send."""

    version: int = 1
    chat_key: str
    outbox_id: str
