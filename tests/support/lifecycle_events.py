"""Events of a registration, as functions from one state to the next."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

from chalicelib.registrations.model import EventType, LifecycleEvent, LifecycleState, Status
from chalicelib.registrations.reported_events import Cancellation, Payment, PaymentCode, VerificationResult
from tests.support.builders import NOW

RECEIVED_AT = datetime(2026, 11, 2, 3, 0, tzinfo=UTC)
OCCURRED_AT = datetime(2026, 11, 22, 5, 0, tzinfo=UTC)
EXPIRES_ON = date(2026, 12, 2)

LifecycleChange = Callable[[LifecycleState], LifecycleState]


def make_lifecycle(status: Status = Status.RECEIVED, **changes: Any) -> LifecycleState:
    """Return a state with any status and without the events that lead to it."""
    begun = LifecycleState.begin(occurred_at=RECEIVED_AT, client_id="van-1")
    event = LifecycleEvent(EventType.REGISTERED, status, RECEIVED_AT, "van-1")
    return LifecycleState(
        **{**vars(begun), "status": status, "version": 2, "history": (*begun.history, event), **changes}
    )


def make_payment_code(**changes: Any) -> PaymentCode:
    """Return a payment code."""
    return PaymentCode.model_validate(
        {"code": "EPS-1234", "amount": 16_400, "expires_on": date(2026, 12, 15), **changes}
    )


def make_payment(payment_id: str = "p-1", **changes: Any) -> Payment:
    """Return the payment of one month, paid now."""
    return Payment.model_validate(
        {"payment_id": payment_id, "amount": 16_400, "months": 1, "paid_at": OCCURRED_AT, **changes}
    )


def make_payment_at_capture(payment_id: str = "p-1", **changes: Any) -> Payment:
    """Return the payment of one month, paid when the harness's workers are captured."""
    return make_payment(payment_id, **{"paid_at": NOW, **changes})


def issue_payment_code(code: PaymentCode) -> LifecycleChange:
    """Return the event of an issued payment code."""
    return lambda lifecycle: lifecycle.with_payment_code(code, occurred_at=OCCURRED_AT, client_id="core")


def pay(payment: Payment) -> LifecycleChange:
    """Return the event of a payment."""
    return lambda lifecycle: lifecycle.with_payment(payment, occurred_at=OCCURRED_AT, client_id="core")


def verify(result: str) -> LifecycleChange:
    """Return the event of a verification."""
    return lambda lifecycle: lifecycle.with_verification(
        VerificationResult.model_validate({"result": result}), occurred_at=OCCURRED_AT, client_id="core"
    )


def cancel(reason: str = "other") -> LifecycleChange:
    """Return the event of a cancellation."""
    return lambda lifecycle: lifecycle.with_cancellation(
        Cancellation.model_validate({"reason": reason}), occurred_at=OCCURRED_AT, client_id="van-1"
    )


def age(today: date) -> LifecycleChange:
    """Return the time-outs that are due on `today`."""
    return lambda lifecycle: lifecycle.age(today=today, occurred_at=OCCURRED_AT, expires_on=EXPIRES_ON)
