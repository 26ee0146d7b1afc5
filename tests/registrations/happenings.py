"""What can happen to a registration, as functions from one life to the next."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

from chalicelib.registrations.lifecycle import (
    Cancellation,
    Event,
    Happening,
    Life,
    Payment,
    PaymentCode,
    Status,
    VerificationResult,
)

BEGUN = datetime(2026, 11, 2, 3, 0, tzinfo=UTC)
AT = datetime(2026, 11, 22, 5, 0, tzinfo=UTC)
EXPIRES_ON = date(2026, 12, 2)

Do = Callable[[Life], Life]


def a_life(status: Status = Status.RECEIVED, **changes: Any) -> Life:
    """A registration that has come into a status somehow."""
    begun = Life.begun(at=BEGUN, client_id="van-1")
    came = Event(Happening.REGISTERED, status, BEGUN, "van-1")
    return Life(
        **{**vars(begun), "status": status, "version": 2, "history": (*begun.history, came), **changes}
    )


def a_code(**changes: Any) -> PaymentCode:
    """What the worker is asked to pay."""
    return PaymentCode.model_validate(
        {"code": "EPS-1234", "amount": 16_400, "expires_on": date(2026, 12, 15), **changes}
    )


def a_payment(payment_id: str = "p-1", **changes: Any) -> Payment:
    """One month, paid now."""
    return Payment.model_validate(
        {"payment_id": payment_id, "amount": 16_400, "months": 1, "paid_at": AT, **changes}
    )


def issue(code: PaymentCode) -> Do:
    """The core system issues a payment code."""
    return lambda life: life.with_payment_code(code, at=AT, client_id="core")


def pay(payment: Payment) -> Do:
    """The core system reports a payment."""
    return lambda life: life.with_payment(payment, at=AT, client_id="core")


def verify(result: str) -> Do:
    """The civil registry answers."""
    return lambda life: life.verified(
        VerificationResult.model_validate({"result": result}), at=AT, client_id="core"
    )


def cancel(reason: str = "other") -> Do:
    """An officer withdraws the application."""
    return lambda life: life.cancelled(
        Cancellation.model_validate({"reason": reason}), at=AT, client_id="van-1"
    )


def age(today: date) -> Do:
    """A day comes."""
    return lambda life: life.aged(today=today, at=AT, expires_on=EXPIRES_ON)
