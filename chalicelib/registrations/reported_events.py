"""Reports on a registration: payment codes, payments, answers of the civil registry, cancellations."""

from typing import Annotated, Literal

from pydantic import Field

from chalicelib.campaigns.model import Instant
from chalicelib.fields import StrictDate
from chalicelib.models import StrictModel
from chalicelib.registrations.worker import CLEANED

DECEASED = "deceased"
"""The reason of a registration that ends because the worker died."""


class PaymentCode(StrictModel):
    """The amount that the core system asks the worker to pay, in rupiah, and the last day for it."""

    code: str = Field(pattern=r"^[A-Za-z0-9-]{4,30}$")
    amount: int = Field(gt=0, le=10_000_000_000)
    expires_on: StrictDate


class Payment(StrictModel):
    """A contribution paid, in rupiah, for a number of months."""

    payment_id: str = Field(pattern=r"^[A-Za-z0-9._-]{1,64}$")
    amount: int = Field(gt=0, le=10_000_000_000)
    months: int = Field(ge=1, le=12)
    paid_at: Instant
    kpj: Annotated[str, Field(pattern=r"^[0-9]{11}$"), CLEANED] | None = Field(
        default=None, description="The member's card number."
    )


class VerificationResult(StrictModel):
    """The civil registry's result for NIK, name and birth date."""

    result: Literal["matched", "mismatch"]


class Cancellation(StrictModel):
    """The reason to cancel an application before it is paid. `deceased` ends any, by core alone."""

    reason: Literal["worker_request", "captured_by_mistake", "duplicate", "other", "deceased"]
