"""Registrations at any point of their lives, with the captures that made them, as a store is given them."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from chalicelib.callers import Channel
from chalicelib.campaigns.model import CampaignDay
from chalicelib.clock import to_timestamp
from chalicelib.contributions.rules import load_rules
from chalicelib.contributions.schemas import AskForQuote
from chalicelib.contributions.service import QuoteService
from chalicelib.registrations.intake import Capture
from chalicelib.registrations.model import (
    Answer,
    CaptureFacts,
    CaptureMetadata,
    Check,
    Consent,
    Coverage,
    Outcome,
    Registration,
    Work,
    Worker,
)
from chalicelib.registrations.nik import NIK, Sex
from chalicelib.registrations.phone import Phone
from chalicelib.registrations.references import ALPHABET, Reference
from chalicelib.registrations.states import LifecycleState, Payment, PaymentCode, VerificationResult
from tests.support.builders import make_capture_id, make_nik

FIRST_DAY = CampaignDay("tanah-abang-2024", date(2024, 10, 9))
RECEIVED_AT = datetime(2024, 10, 9, 5, 0, tzinfo=UTC)
EXPIRES_ON = date(2024, 11, 8)


def make_reference(number: int) -> Reference:
    """Another number, another reference."""
    digits = ""
    for _ in range(9):
        number, digit = divmod(number, len(ALPHABET))
        digits = ALPHABET[digit] + digits
    return Reference(f"{digits[:3]}-{digits[3:6]}-{digits[6:]}")


def make_received_registration(
    number: int = 1, *, worker_number: int | None = None, **changes: Any
) -> Registration:
    """A registration received; another number is another capture, of another worker unless `worker` tells.

    Registrations begin a minute after one another.
    """
    begun = changes.pop("begun", RECEIVED_AT + timedelta(minutes=number))
    usual = Registration(
        reference=make_reference(number),
        worker_key=f"worker-{number if worker_number is None else worker_number}",
        lifecycle=LifecycleState.begin(occurred_at=begun, client_id="van-1"),
        capture_metadata=CaptureMetadata(
            capture_id=make_capture_id(number),
            campaign_id=FIRST_DAY.campaign_id,
            day=FIRST_DAY.day,
            captured_at=begun - timedelta(minutes=48),
            received_at=begun,
            client_id="van-1",
            channel=Channel.VAN,
            officer="ofc-12",
            correlation_id="c0ffee00-0000-4000-8000-000000000001",
        ),
        worker=Worker(
            nik=NIK(make_nik(number)),
            name="Melati Kusumawati",
            sex=Sex.FEMALE,
            birth_date=date(1985, 4, 13),
            phone=Phone("+6282455507001"),
            email="melati@pasar.example",
            address="Jalan Contoh 7",
            postal_code="10250",
            language="id",
            checks=(Check.BIRTH_DATE_DIFFERS,),
        ),
        work=Work(occupations=("porter",), place="Blok A", monthly_income=2_513_000, employs_others=False),
        coverage=Coverage(programmes=("JKK", "JKM"), months=2, payer="self"),
        consent=Consent(text_version="2024-10", given_at=RECEIVED_AT, method="tick", language="id"),
        quote=QuoteService(rules=load_rules(), clock=lambda: RECEIVED_AT).quote(
            AskForQuote(
                monthly_income=2_513_000,
                occupations=("porter",),
                employs_others=False,
                programmes=("JKK", "JKM"),
                months=2,
                payer="self",
                start_month="2026-12",
            )
        ),
        expires_on=EXPIRES_ON,
    )
    return replace(usual, **changes)


def make_matching_capture(
    registration: Registration, outcome: Outcome = Outcome.CREATED, **metadata_changes: Any
) -> Capture:
    """The capture that made a registration, or found it; keyword arguments change its circumstances."""
    circumstances = replace(registration.capture_metadata, **metadata_changes)
    answer = Answer(
        capture_id=circumstances.capture_id,
        outcome=outcome,
        reference=registration.reference,
        status=registration.lifecycle.status,
        received_at=to_timestamp(circumstances.received_at),
        quote=registration.quote,
    )
    facts = CaptureFacts(outcome, circumstances.channel, circumstances.client_id, ("porter",))
    return Capture(circumstances, "fingerprint", facts, None if outcome is Outcome.REFUSED else answer)


def with_lifecycle(registration: Registration, lifecycle: LifecycleState) -> Registration:
    """The registration further on in its life."""
    return replace(registration, lifecycle=lifecycle)


def add_payment(registration: Registration, payment_id: str = "p-1", **changes: Any) -> Registration:
    """The registration after a payment."""
    usual = {"payment_id": payment_id, "amount": 16_431, "months": 1, "paid_at": RECEIVED_AT}
    payment = Payment.model_validate({**usual, **changes})
    return with_lifecycle(
        registration,
        registration.lifecycle.with_payment(
            payment, occurred_at=RECEIVED_AT + timedelta(days=1), client_id="core"
        ),
    )


def make_registration_with_history(number: int = 1) -> Registration:
    """A registration that everything has happened to."""
    begun = make_received_registration(number)
    at = RECEIVED_AT + timedelta(days=1)
    code = PaymentCode(code="EPS-4711", amount=32_862, expires_on=date(2024, 12, 15))
    life = begun.lifecycle.with_payment_code(code, occurred_at=at, client_id="core")
    life = life.with_verification(VerificationResult(result="mismatch"), occurred_at=at, client_id="core")
    life = life.with_verification(VerificationResult(result="matched"), occurred_at=at, client_id="core")
    registration = with_lifecycle(begun, life)
    for payment, kpj in (("p-1", "21012345678"), ("p-2", None)):
        registration = add_payment(registration, payment, kpj=kpj)
    return registration


def expire_or_lapse(registration: Registration, *, today: date = date(2030, 1, 1)) -> Registration:
    """The registration after nobody paid (any more)."""
    life = registration.lifecycle.age(
        today=today, occurred_at=RECEIVED_AT + timedelta(days=40), expires_on=registration.expires_on
    )
    return with_lifecycle(registration, life)
