"""What is handed to whoever carries texts to phones, and what comes back."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from chalicelib.notifications.model import SmsId
from chalicelib.registrations.phone import Phone


@dataclass(frozen=True)
class OutgoingSms:
    """One attempt at one text.

    After its deadline a text only confuses; a gateway that can drop it then is told to.
    """

    phone: Phone
    body: str
    sms_id: SmsId
    correlation_id: str
    parts: int
    deadline: datetime
    purpose: str
    campaign_id: str


@dataclass(frozen=True)
class GatewayAcceptance:
    """Which gateway accepted a text, and its own id for it."""

    gateway: str
    gateway_id: str


class Gateway(Protocol):
    """Who carries texts to phones."""

    @property
    def name(self) -> str:
        """What the ledger and receipts call it."""

    def send(self, outgoing: OutgoingSms) -> GatewayAcceptance:
        """Hand over one text. Raises TransientFailure, PermanentFailure, AccountFailure or OutcomeUnknown."""
