"""Events of chats, as every channel reports them. Pure.

All of it is personal data: it is sealed before it leaves the function that received it, and never logged.
"""

from typing import Annotated, Literal

from pydantic import AwareDatetime, Field

from chalicelib.models import FrozenModel

ChannelName = Literal["telegram", "whatsapp", "sms", "ussd"]


class TypedText(FrozenModel):
    """Words that the person wrote."""

    kind: Literal["text"] = "text"
    text: str


class Choice(FrozenModel):
    """A tap on a button; `choice_id` is the id that our prompt gave it."""

    kind: Literal["choice"] = "choice"
    choice_id: str


class Contact(FrozenModel):
    """A phone number from a contact card; `is_own` if the channel proves that it is the sender's."""

    kind: Literal["contact"] = "contact"
    phone: str
    is_own: bool


class Media(FrozenModel):
    """A photo, a voice message, a place or anything else that is no text. Its content is not read."""

    kind: Literal["media"] = "media"


class Blocked(FrozenModel):
    """The person blocked our account, or removed it."""

    kind: Literal["blocked"] = "blocked"


class Dialled(FrozenModel):
    """A step of a USSD session: all that was typed in it so far, joined by `*`."""

    kind: Literal["dialled"] = "dialled"
    session_id: str
    history: str


class DeliveryReport(FrozenModel):
    """A channel's report about one of our messages."""

    kind: Literal["delivery"] = "delivery"
    message_id: str
    status: str
    occurred_at: AwareDatetime
    tracker: str | None = None
    error_codes: tuple[int, ...] = ()
    is_billable: bool | None = None
    pricing_category: str | None = None


Content = Annotated[
    TypedText | Choice | Contact | Media | Blocked | Dialled | DeliveryReport, Field(discriminator="kind")
]


class InboundEvent(FrozenModel):
    """One message of one person to one of our accounts.

    `event_id` is the channel's own, by which a repeated delivery is known. `sender` is the address to answer
    to. `phone` is given only where the channel proves it. A tap is acknowledged by its `callback_id`.
    `app_url` is the address of the web app, as the request tells it.
    """

    version: Literal[1] = 1
    channel: ChannelName
    account: str
    sender: str
    event_id: str
    received_at: AwareDatetime
    content: Content
    phone: str | None = None
    callback_id: str | None = None
    app_url: str = ""

    def describe_sender(self) -> str:
        """Return the text whose keyed hash names the chat."""
        return f"{self.channel}\x1f{self.account}\x1f{self.sender}"

    def describe_event(self) -> str:
        """Return the text whose keyed hash names the event."""
        return f"{self.channel}\x1f{self.account}\x1f{self.event_id}"


class SealedEvent(FrozenModel):
    """A message of the queue of chat events: hashes in the clear, and the event sealed (base64)."""

    version: Literal[1] = 1
    channel: ChannelName
    chat_key: str
    event_key: str
    sealed: str
