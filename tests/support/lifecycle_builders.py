"""Registrations at any point of their lifecycles, with the captures that made them."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from chalicelib.registrations.captures import Capture, Outcome
from chalicelib.registrations.model import LifecycleState, Registration
from chalicelib.registrations.nik import NIK
from chalicelib.registrations.reported_events import Cancellation, Payment, PaymentCode, VerificationResult
from chalicelib.registrations.worker import Check
from tests.support.builders import NOW
from tests.support.payloads import make_nik
from tests.support.registration_builders import (
    make_capture,
    make_capture_metadata,
    make_reference,
    make_registration,
)

RECEIVED_AT = NOW
EXPIRES_ON = date(2024, 11, 8)


def make_received_registration(
    number: int = 1, *, worker_number: int | None = None, **changes: Any
) -> Registration:
    """Return a received registration. Another `number` is another capture, and another worker by default.

    Registrations are received a minute after one another, or at `received_at`.
    """
    received_at = changes.pop("received_at", RECEIVED_AT + timedelta(minutes=number))
    metadata = make_capture_metadata(
        number, captured_at=received_at - timedelta(minutes=48), received_at=received_at
    )
    registration = make_registration(
        make_reference(number),
        metadata,
        worker_key=f"worker-{number if worker_number is None else worker_number}",
        nik=NIK(make_nik(number)),
        checks=(Check.BIRTH_DATE_DIFFERS,),
    )
    return replace(registration, **changes)


def make_matching_capture(
    registration: Registration, outcome: Outcome = Outcome.CREATED, **metadata_changes: Any
) -> Capture:
    """Return the capture that made a registration, or found it, with changed circumstances."""
    metadata = replace(registration.capture_metadata, **metadata_changes)
    return make_capture(metadata, outcome, reference=registration.reference)


def with_lifecycle(registration: Registration, lifecycle: LifecycleState) -> Registration:
    """Return the registration with another state."""
    return replace(registration, lifecycle=lifecycle)


def add_payment(registration: Registration, payment_id: str = "p-1", **changes: Any) -> Registration:
    """Return the registration after a payment."""
    values = {"payment_id": payment_id, "amount": 16_431, "months": 1, "paid_at": RECEIVED_AT, **changes}
    lifecycle = registration.lifecycle.with_payment(
        Payment.model_validate(values), occurred_at=RECEIVED_AT + timedelta(days=1), client_id="core"
    )
    return with_lifecycle(registration, lifecycle)


def make_registration_with_history(number: int = 1) -> Registration:
    """Return a registration with a payment code, two verifications and two payments."""
    received = make_received_registration(number)
    occurred_at = RECEIVED_AT + timedelta(days=1)
    code = PaymentCode(code="EPS-4711", amount=32_862, expires_on=date(2024, 12, 15))
    lifecycle = received.lifecycle.with_payment_code(code, occurred_at=occurred_at, client_id="core")
    for result in (VerificationResult(result="mismatch"), VerificationResult(result="matched")):
        lifecycle = lifecycle.with_verification(result, occurred_at=occurred_at, client_id="core")
    registration = with_lifecycle(received, lifecycle)
    for payment_id, kpj in (("p-1", "21012345678"), ("p-2", None)):
        registration = add_payment(registration, payment_id, kpj=kpj)
    return registration


def cancel(registration: Registration) -> Registration:
    """Return the registration after its cancellation."""
    lifecycle = registration.lifecycle.with_cancellation(
        Cancellation(reason="other"), occurred_at=RECEIVED_AT + timedelta(days=1), client_id="van-1"
    )
    return with_lifecycle(registration, lifecycle)


def expire_or_lapse(registration: Registration, *, today: date = date(2030, 1, 1)) -> Registration:
    """Return the registration after the time-outs that are due on `today`."""
    lifecycle = registration.lifecycle.age(
        today=today, occurred_at=RECEIVED_AT + timedelta(days=40), expires_on=registration.expires_on
    )
    return with_lifecycle(registration, lifecycle)
