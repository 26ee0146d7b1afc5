"""Requests about SMS over HTTP, and their answers."""

from collections.abc import Iterable
from datetime import date, datetime
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, Field

from chalicelib.models import StrictModel

if TYPE_CHECKING:
    from chalicelib.notifications.model import Sms


class RequestSms(StrictModel):
    """Have an SMS sent to a worker once more."""

    purpose: Literal["received", "payment_code", "active", "mismatch", "lapsing_soon", "already_registered"]


class HeldSmsView(BaseModel):
    """The held SMS of a campaign, and what is left of the budget of its today, in rupiah."""

    campaign_id: str
    held: dict[str, int] = Field(description="By the reason: budget_exhausted, or receipts_silent.")
    budget_day: date
    budget: int
    committed: int = Field(description="Spent, and reserved for SMS that are being sent.")


class ReleaseView(BaseModel):
    """The number of held SMS that were released."""

    released: int
    is_finished: bool = Field(description="False if there are more: send the same request again.")


class WorkerSmsView(BaseModel):
    """An SMS to the worker of a registration: neither its text nor the phone number."""

    purpose: str
    state: str = Field(
        description="pending, claimed, attempt_started, accepted, sent, delivered, failed, unknown or held."
    )
    reason: str | None = Field(
        description="Why it was not sent, or waits: budget_exhausted, opted_out, expired, overtaken, "
        "quiet_hours, daily_limit_reached ..., or the gateway's own code."
    )
    requested_at: datetime
    gateway: str | None
    parts: int


class SmsListView(BaseModel):
    """The SMS of a registration, oldest first. One that was requested moments ago may be missing."""

    sms: list[WorkerSmsView]

    @classmethod
    def build(cls, found: Iterable["Sms"]) -> "SmsListView":
        return cls(
            sms=[
                WorkerSmsView(
                    purpose=each.purpose,
                    state=each.state,
                    # What the gateway said stands after it.
                    reason=each.reason and each.reason.partition(":")[0],
                    requested_at=each.begun_at,
                    gateway=each.gateway,
                    parts=each.parts_sent or each.parts,
                )
                for each in sorted(found, key=lambda sms: sms.begun_at)
            ]
        )
