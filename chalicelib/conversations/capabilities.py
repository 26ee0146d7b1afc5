"""The capabilities of the channels, one row each. A new channel is a row here and a package in `channels`."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from chalicelib.conversations.events import ChannelName


@dataclass(frozen=True, kw_only=True)
class Capabilities:
    """The limits of a channel, in its own units: characters, or septets of GSM-7 where `is_gsm7`.

    `max_buttons` and `max_rows` are 0 where options are numbered in the text. A text longer than `max_length`
    is cut into pages, which the person asks for one by one. `form_id` is the form that the channel fills in.
    A channel that `answers_at_once` gets its prompt as the answer to its request, others by calls of ours.
    Those take `messages_per_second` from all our chats, a part of it is left for notifications; and a free
    text for `reply_window` after the person's last message, None stands for always. The providers of
    some report if a message arrived.
    """

    max_length: int
    is_gsm7: bool = False
    max_buttons: int = 0
    max_button_length: int = 0
    max_rows: int = 0
    max_row_length: int = 0
    has_contact_share: bool = False
    proves_phone: bool = False
    answers_at_once: bool = False
    messages_per_second: int = 0
    reply_window: timedelta | None = None
    reports_delivery: bool = False
    form_id: str = "registration"
    consent_method: Literal["tick", "keypad"] = "tick"

    @property
    def has_pages(self) -> bool:
        """Return True if options are numbered, and long texts are shown in pages."""
        return self.max_buttons == 0

    def takes_text(self, last_heard_at: datetime | None, now: datetime) -> bool:
        """Return True if a message of ours is taken now; `last_heard_at` is when the person last wrote."""
        if self.answers_at_once:
            return False
        window = self.reply_window
        return window is None or (last_heard_at is not None and now < last_heard_at + window)


CAPABILITIES: Mapping[ChannelName, Capabilities] = {
    # https://core.telegram.org/bots/api#sendmessage: 4096 characters. Buttons have no limit of their own; a
    # label of more than 40 characters is cut off on a small phone.
    "telegram": Capabilities(
        max_length=4096,
        max_buttons=100,
        max_button_length=40,
        has_contact_share=True,
        # 30 (https://core.telegram.org/bots/faq).
        messages_per_second=25,
    ),
    # Three buttons of 20 characters, or a list of ten rows of 24, under a text of 1024.
    "whatsapp": Capabilities(
        max_length=1024,
        max_buttons=3,
        max_button_length=20,
        max_rows=10,
        max_row_length=24,
        # 80 for a number.
        messages_per_second=60,
        reports_delivery=True,
        # https://developers.facebook.com/docs/whatsapp/cloud-api/guides/send-messages#customer-service-windows
        reply_window=timedelta(hours=24),
        form_id="door",
    ),
    # Three parts of 153 septets: a person reads them as one message, and each part is paid for.
    "sms": Capabilities(
        max_length=459, is_gsm7=True, proves_phone=True, answers_at_once=True, consent_method="keypad"
    ),
    # A screen has 182 septets; gateways differ, so 160 are used.
    "ussd": Capabilities(
        max_length=160, is_gsm7=True, proves_phone=True, answers_at_once=True, consent_method="keypad"
    ),
}

CHAT_CHANNELS = frozenset(channel for channel, row in CAPABILITIES.items() if not row.answers_at_once)
"""The channels to which messages of ours go by calls of their providers."""

REPORTING_CHATS = frozenset(channel for channel in CHAT_CHANNELS if CAPABILITIES[channel].reports_delivery)
"""The chats whose provider tells whether a message arrived."""
