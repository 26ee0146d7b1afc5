"""Registrations at any point of their lives, with the captures that made them, as a store is given them."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from chalicelib.campaigns.model import CampaignDay
from chalicelib.clients.model import Channel
from chalicelib.clock import timestamp
from chalicelib.contributions.messages import AskForQuote
from chalicelib.contributions.rules import shipped_rules
from chalicelib.contributions.service import Quoting
from chalicelib.registrations.lifecycle import Life, Payment, PaymentCode, VerificationResult
from chalicelib.registrations.model import (
    Answer,
    CaptureFacts,
    Check,
    Consent,
    Coverage,
    Outcome,
    Registration,
    Taken,
    Work,
    Worker,
)
from chalicelib.registrations.nik import NIK, Sex
from chalicelib.registrations.phone import Phone
from chalicelib.registrations.reference import ALPHABET, Reference
from chalicelib.registrations.service import Capture
from tests.builders import a_capture_id, a_nik

FIRST_DAY = CampaignDay("tanah-abang-2024", date(2024, 10, 9))
BEGUN = datetime(2024, 10, 9, 5, 0, tzinfo=UTC)
DUE = date(2024, 11, 8)


def a_reference(number: int) -> Reference:
    """Another number, another reference."""
    digits = ""
    for _ in range(9):
        number, digit = divmod(number, len(ALPHABET))
        digits = ALPHABET[digit] + digits
    return Reference(f"{digits[:3]}-{digits[3:6]}-{digits[6:]}")


def a_case(number: int = 1, *, worker: int | None = None, **changes: Any) -> Registration:
    """A registration received; another number is another capture, of another worker unless `worker` tells.

    Registrations begin a minute after one another.
    """
    begun = changes.pop("begun", BEGUN + timedelta(minutes=number))
    usual = Registration(
        reference=a_reference(number),
        worker_key=f"worker-{number if worker is None else worker}",
        life=Life.begun(at=begun, client_id="van-1"),
        taken=Taken(
            capture_id=a_capture_id(number),
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
            nik=NIK(a_nik(number)),
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
        consent=Consent(text_version="2024-10", given_at=BEGUN, method="tick", language="id"),
        quote=Quoting(rules=shipped_rules(), clock=lambda: BEGUN).quote(
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
        expires_on=DUE,
    )
    return replace(usual, **changes)


def its_capture(registration: Registration, outcome: Outcome = Outcome.CREATED, **taken: Any) -> Capture:
    """The capture that made a registration, or found it; keyword arguments change its circumstances."""
    circumstances = replace(registration.taken, **taken)
    answer = Answer(
        capture_id=circumstances.capture_id,
        outcome=outcome,
        reference=registration.reference,
        status=registration.life.status,
        received_at=timestamp(circumstances.received_at),
        quote=registration.quote,
    )
    facts = CaptureFacts(outcome, circumstances.channel, circumstances.client_id, ("porter",))
    return Capture(circumstances, "fingerprint", facts, None if outcome is Outcome.REFUSED else answer)


def with_life(registration: Registration, life: Life) -> Registration:
    """The registration further on in its life."""
    return replace(registration, life=life)


def paid(registration: Registration, payment_id: str = "p-1", **changes: Any) -> Registration:
    """The registration after a payment."""
    usual = {"payment_id": payment_id, "amount": 16_431, "months": 1, "paid_at": BEGUN}
    payment = Payment.model_validate({**usual, **changes})
    return with_life(
        registration, registration.life.with_payment(payment, at=BEGUN + timedelta(days=1), client_id="core")
    )


def a_long_life(number: int = 1) -> Registration:
    """A registration that everything has happened to."""
    begun = a_case(number)
    at = BEGUN + timedelta(days=1)
    code = PaymentCode(code="EPS-4711", amount=32_862, expires_on=date(2024, 12, 15))
    life = begun.life.with_payment_code(code, at=at, client_id="core")
    life = life.verified(VerificationResult(result="mismatch"), at=at, client_id="core")
    life = life.verified(VerificationResult(result="matched"), at=at, client_id="core")
    registration = with_life(begun, life)
    for payment, kpj in (("p-1", "21012345678"), ("p-2", None)):
        registration = paid(registration, payment, kpj=kpj)
    return registration


def ended(registration: Registration, *, on: date = date(2030, 1, 1)) -> Registration:
    """The registration after nobody paid (any more)."""
    life = registration.life.aged(today=on, at=BEGUN + timedelta(days=40), expires_on=registration.expires_on)
    return with_life(registration, life)
