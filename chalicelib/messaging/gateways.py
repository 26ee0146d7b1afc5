"""The interface of SMS gateways."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from chalicelib.languages import WorkerLanguage
from chalicelib.messaging.errors import PermanentFailure
from chalicelib.messaging.model import SmsId
from chalicelib.registrations.phone import Phone


@dataclass(frozen=True)
class ChatTarget:
    """The chat of a worker, where an SMS goes as a message instead.

    `is_window_open`: the channel takes a free text now, and not only a message by an approved template.
    """

    channel: str
    account: str
    recipient: str
    language: WorkerLanguage
    chat_key: str
    is_window_open: bool = True


@dataclass(frozen=True)
class OutgoingSms:
    """One attempt to send one SMS, in the worker's chat if there is one.

    After `deadline` the SMS would mislead its reader; it is passed to gateways as a time to live. A worker
    who has a chat alone has no `phone`.
    """

    phone: Phone | None
    body: str
    sms_id: SmsId
    correlation_id: str
    parts: int
    deadline: datetime
    purpose: str
    campaign_id: str
    chat: ChatTarget | None = None

    @property
    def number(self) -> Phone:
        """Return the phone. Raise PermanentFailure if there is none."""
        if self.phone is None:
            raise PermanentFailure("no_phone")
        return self.phone

    def compute_ttl_seconds(self, now: datetime, *, minimum: int, maximum: int) -> int:
        """Return the seconds until the deadline, within the limits of a gateway."""
        return min(max(int((self.deadline - now).total_seconds()), minimum), maximum)


@dataclass(frozen=True)
class GatewayAcceptance:
    """The gateway that accepted an SMS, and its own id for it.

    `parts` and `price`, in rupiah, are given where they are other than those of an SMS.
    """

    gateway: str
    gateway_id: str
    parts: int | None = None
    price: int | None = None


class Gateway(Protocol):
    @property
    def name(self) -> str:
        """Return the name that the ledger and receipts use."""

    def send(self, outgoing: OutgoingSms) -> GatewayAcceptance:
        """Send one SMS. Raise TransientFailure, PermanentFailure, AccountFailure or OutcomeUnknown."""
