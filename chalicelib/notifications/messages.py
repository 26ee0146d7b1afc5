"""Messages of the notification queues.

The schedule sends `SmsDue` each minute; the API sends `ReceiptReceived` to the queue of AWS's events.
"""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict

from chalicelib.messaging.receipts import Receipt


class SmsDue(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")

    type: Literal["SmsDue"] = "SmsDue"
    version: Literal[1] = 1
    sms_id: str


class ReceiptReceived(BaseModel):
    """A gateway has reported on an SMS over HTTP, with a valid signature."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    type: Literal["ReceiptReceived"] = "ReceiptReceived"
    version: Literal[1] = 1
    sms_id: str
    gateway: str
    gateway_id: str
    state: Literal["sent", "delivered", "failed"]
    at: datetime
    reason: str | None = None
    opted_out: bool = False

    @classmethod
    def from_receipt(cls, receipt: Receipt) -> "ReceiptReceived":
        return cls(at=receipt.occurred_at, **vars(receipt))

    def to_receipt(self) -> Receipt:
        return Receipt(occurred_at=self.at, **self.model_dump(exclude={"type", "version", "at"}))
