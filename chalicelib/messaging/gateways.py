"""The interface of SMS gateways."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from chalicelib.messaging.model import SmsId
from chalicelib.registrations.phone import Phone


@dataclass(frozen=True)
class OutgoingSms:
    """One attempt to send one SMS.

    After `deadline` the SMS would mislead its reader; it is passed to gateways as a time to live.
    """

    phone: Phone
    body: str
    sms_id: SmsId
    correlation_id: str
    parts: int
    deadline: datetime
    purpose: str
    campaign_id: str

    def compute_ttl_seconds(self, now: datetime, *, minimum: int, maximum: int) -> int:
        """Return the seconds until the deadline, within the limits of a gateway."""
        return min(max(int((self.deadline - now).total_seconds()), minimum), maximum)


@dataclass(frozen=True)
class GatewayAcceptance:
    """The gateway that accepted an SMS, and its own id for it."""

    gateway: str
    gateway_id: str


class Gateway(Protocol):
    @property
    def name(self) -> str:
        """Return the name that the ledger and receipts use."""

    def send(self, outgoing: OutgoingSms) -> GatewayAcceptance:
        """Send one SMS. Raise TransientFailure, PermanentFailure, AccountFailure or OutcomeUnknown."""
