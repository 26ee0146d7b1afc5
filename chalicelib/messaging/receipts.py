"""Receipts: later reports of gateways on SMS that they accepted, in one shape for all gateways."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

from chalicelib.messaging.model import SmsId


@dataclass(frozen=True)
class Receipt:
    """The report of a gateway on one SMS. It may come late, repeatedly, or out of order.

    `sms_id` is echoed by the gateway. `parts` and `price_microusd`, in millionths of a US dollar, are those
    of the whole SMS. `opted_out`: the recipient has opted out.
    """

    sms_id: SmsId
    gateway: str
    gateway_id: str
    state: Literal["sent", "delivered", "failed"]
    occurred_at: datetime
    reason: str | None = None
    parts: int | None = None
    price_microusd: int | None = None
    opted_out: bool = False


class ReceiptSink(Protocol):
    """Records receipts: `NotificationService`, or the queue before it."""

    def record_receipt(self, receipt: Receipt) -> None:
        """Add a receipt to the ledger. Repeated receipts and those of unknown SMS change nothing."""


class ReceiptFlow(Protocol):
    """Knows when the gateways' receipts last came in."""

    def record(self, now: datetime) -> None:
        """Store that a receipt came in, at most once a minute."""

    def has_receipt_since(self, instant: datetime) -> bool:
        """Return True if a receipt came in after `instant`, to the minute."""
