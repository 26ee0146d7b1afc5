"""Requests about SMS over HTTP."""

from typing import Literal

from chalicelib.models import StrictModel


class RequestSms(StrictModel):
    """Have an SMS sent to a worker once more."""

    purpose: Literal["received", "payment_code", "active", "mismatch", "lapsing_soon", "already_registered"]
