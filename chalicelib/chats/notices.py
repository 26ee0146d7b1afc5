"""Notifications as messages of the chat providers, and the chats that they go to."""

from datetime import datetime
from typing import Protocol

from chalicelib.channels.whatsapp.rendering import Message, render_template
from chalicelib.chats.prices import find_price
from chalicelib.chats.service import ChatProvider
from chalicelib.clock import Clock
from chalicelib.conversations.capabilities import CAPABILITIES
from chalicelib.conversations.messages import ChatLink, OutboxContent
from chalicelib.conversations.model import OfficerMessage
from chalicelib.conversations.service import StoredSession
from chalicelib.messaging.content import BRAND
from chalicelib.messaging.errors import PermanentFailure
from chalicelib.messaging.gateways import ChatTarget, GatewayAcceptance, OutgoingSms


class ConversationStore(Protocol):
    def find_link(self, capture_id: str) -> ChatLink | None:
        """Return the chat that a capture was made in, or None."""

    def has_opted_out(self, chat_key: str) -> bool:
        """Return True if the person wants no messages but answers."""

    def find_session(self, chat_key: str, *, now: datetime) -> StoredSession:
        """Return the session of a chat; one that has expired counts as none."""


class TemplateSender(Protocol):
    """A provider that takes messages by approved templates."""

    def send_message(self, recipient: str, message: Message, tracker: str) -> GatewayAcceptance:
        """Send a message in the provider's own form. Raise a GatewayError."""


class CaptureChats:
    """Finds the chats of captures. `has_template`: a message may come when WhatsApp's window is closed."""

    def __init__(
        self, conversations: ConversationStore, *, channels: frozenset[str], has_template: bool
    ) -> None:
        self._conversations = conversations
        self._channels = channels
        self._has_template = has_template

    def find_target(self, capture_id: str, *, now: datetime) -> ChatTarget | None:
        """Return the chat of a capture if a message would be taken there now."""
        chat = self._conversations.find_link(capture_id) if self._channels else None
        if chat is None or chat.channel not in self._channels:
            return None
        if self._conversations.has_opted_out(chat.chat_key):
            return None
        is_open = self._is_window_open(chat, now)
        if not is_open and not self._has_template:
            return None
        return ChatTarget(
            channel=chat.channel,
            account=chat.account,
            recipient=chat.recipient,
            language=chat.language,
            chat_key=chat.chat_key,
            is_window_open=is_open,
        )

    def _is_window_open(self, chat: ChatLink, now: datetime) -> bool:
        capabilities = CAPABILITIES[chat.channel]
        if capabilities.reply_window is None:
            return capabilities.takes_text(None, now)
        session = self._conversations.find_session(chat.chat_key, now=now).session
        return capabilities.takes_text(None if session is None else session.touched_at, now)


class ChatNoticeGateway:
    """Satisfies `messaging.gateways.Gateway`: sends an SMS as a message of one chat provider."""

    def __init__(
        self,
        provider: ChatProvider,
        *,
        clock: Clock,
        template: str = "",
        template_sender: TemplateSender | None = None,
    ) -> None:
        """`template` is the name of an approved template with one parameter; empty for none."""
        self._provider = provider
        self._template_sender = template_sender
        self._template = template
        self._clock = clock

    @property
    def name(self) -> str:
        return self._provider.name

    def send(self, outgoing: OutgoingSms) -> GatewayAcceptance:
        """Send one notification. Raise a GatewayError."""
        chat = outgoing.chat
        if chat is None:
            raise PermanentFailure("no_chat", gateway=self.name)
        if chat.is_window_open:
            category, acceptance = "service", self._send_text(outgoing, chat)
        else:
            category, acceptance = "utility", self._send_template(outgoing, chat)
        price = find_price(self.name, category, self._clock().date())
        return GatewayAcceptance(self.name, f"{self.name}:{acceptance.gateway_id}", parts=0, price=price)

    def _send_text(self, outgoing: OutgoingSms, chat: ChatTarget) -> GatewayAcceptance:
        content = OutboxContent.model_validate(
            {
                "channel": chat.channel,
                "account": chat.account,
                "recipient": chat.recipient,
                "language": chat.language,
                "message": OfficerMessage(text=outgoing.body),
            }
        )
        return self._provider.send(content, outgoing.sms_id)

    def _send_template(self, outgoing: OutgoingSms, chat: ChatTarget) -> GatewayAcceptance:
        if not self._template or self._template_sender is None:
            raise PermanentFailure("window_closed", gateway=self.name)
        # The template begins with the brand itself.
        text = outgoing.body.removeprefix(f"{BRAND}: ")
        message = render_template(self._template, chat.language, text)
        return self._template_sender.send_message(chat.recipient, message, outgoing.sms_id)
