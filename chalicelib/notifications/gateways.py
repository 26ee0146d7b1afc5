"""What is handed to whoever carries texts to phones, and what comes back."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from chalicelib.notifications.model import MessageId
from chalicelib.registrations.phone import Phone


@dataclass(frozen=True)
class Outgoing:
    """One attempt at one text.

    After its deadline a text only confuses; a gateway that can drop it then is told to.
    """

    to: Phone
    words: str
    message_id: MessageId
    correlation_id: str
    parts: int
    deadline: datetime
    purpose: str
    campaign_id: str


@dataclass(frozen=True)
class GatewayId:
    """Which gateway accepted a text, and its own id for it."""

    gateway: str
    gateway_id: str


class Gateway(Protocol):
    """Who carries texts to phones."""

    @property
    def name(self) -> str:
        """What the ledger and receipts call it."""

    def send(self, outgoing: Outgoing) -> GatewayId:
        """Hand over one text. Raises TryLater, Never, StopEverything or OutcomeUnknown."""
