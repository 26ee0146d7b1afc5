"""What crosses the border of the notifications package.

The round of each minute sends `TextDue` to the senders; the API sends `ReceiptTaken` where the events of AWS
are read.
"""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict

from chalicelib.notifications.model import MessageId
from chalicelib.notifications.receipts import Receipt


class TextDue(BaseModel):
    """A text is due. The ledger knows everything else."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    type: Literal["TextDue"] = "TextDue"
    version: Literal[1] = 1
    message_id: str


class ReceiptTaken(BaseModel):
    """A gateway has reported on a text over HTTP, and has proved to be that gateway."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    type: Literal["ReceiptTaken"] = "ReceiptTaken"
    version: Literal[1] = 1
    message_id: str
    gateway: str
    gateway_id: str
    state: Literal["sent", "delivered", "failed"]
    at: datetime
    reason: str | None = None
    opted_out: bool = False

    @classmethod
    def of(cls, receipt: Receipt) -> "ReceiptTaken":
        """A receipt as a message."""
        return cls(
            message_id=receipt.message_id,
            gateway=receipt.gateway,
            gateway_id=receipt.gateway_id,
            state=receipt.state,
            at=receipt.at,
            reason=receipt.reason,
            opted_out=receipt.opted_out,
        )

    def receipt(self) -> Receipt:
        """The receipt again."""
        return Receipt(
            message_id=MessageId(self.message_id),
            gateway=self.gateway,
            gateway_id=self.gateway_id,
            state=self.state,
            at=self.at,
            reason=self.reason,
            opted_out=self.opted_out,
        )
