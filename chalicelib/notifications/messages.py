"""Messages of the notification queues.

The schedule sends `SmsDue` each minute; the API sends `ReceiptReceived` to the queue of AWS's events.
"""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict

from chalicelib.messaging.model import SmsId
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
        return cls(
            sms_id=receipt.sms_id,
            gateway=receipt.gateway,
            gateway_id=receipt.gateway_id,
            state=receipt.state,
            at=receipt.occurred_at,
            reason=receipt.reason,
            opted_out=receipt.opted_out,
        )

    def to_receipt(self) -> Receipt:
        return Receipt(
            sms_id=SmsId(self.sms_id),
            gateway=self.gateway,
            gateway_id=self.gateway_id,
            state=self.state,
            occurred_at=self.at,
            reason=self.reason,
            opted_out=self.opted_out,
        )
