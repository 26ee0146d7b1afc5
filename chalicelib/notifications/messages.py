"""What crosses the border of the notifications package.

The round of each minute sends `SmsDue` to the senders; the API sends `ReceiptReceived` where the events of AWS
are read.
"""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict

from chalicelib.notifications.model import SmsId
from chalicelib.notifications.receipts import Receipt


class SmsDue(BaseModel):
    """A text is due. The ledger knows everything else."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    type: Literal["SmsDue"] = "SmsDue"
    version: Literal[1] = 1
    sms_id: str


class ReceiptReceived(BaseModel):
    """A gateway has reported on a text over HTTP, and has proved to be that gateway."""

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
        """A receipt as a message."""
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
        """The receipt again."""
        return Receipt(
            sms_id=SmsId(self.sms_id),
            gateway=self.gateway,
            gateway_id=self.gateway_id,
            state=self.state,
            occurred_at=self.at,
            reason=self.reason,
            opted_out=self.opted_out,
        )
