"""What gateways report later of the texts they took: one shape, whichever gateway it came from."""

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    # The ledger's rows are no business of the API, which takes receipts in: its cold start does without them.
    from chalicelib.notifications.model import SmsId


@dataclass(frozen=True)
class Receipt:
    """One fact about one text, as a gateway reports it: perhaps late, twice, or out of order.

    `sms_id` is ours, echoed by the gateway. Parts and price are those of the whole text, in millionths of
    a US dollar. `opt_outs` says that the worker no longer wants to be texted.
    """

    sms_id: "SmsId"
    gateway: str
    gateway_id: str
    state: Literal["sent", "delivered", "failed"]
    occurred_at: datetime
    reason: str | None = None
    parts: int | None = None
    price_microusd: int | None = None
    opted_out: bool = False


class ReceiptSink(Protocol):
    """Who is told of receipts: `service.NotificationService`."""

    def record_receipt(self, receipt: Receipt) -> None:
        """Add what a receipt says to the ledger; what is known or not ours adds nothing."""
