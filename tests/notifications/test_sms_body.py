"""The body of the SMS for each event, and events that have none any more."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest

from chalicelib.notifications import bodies
from chalicelib.registrations.domain_events import RegistrationChanged
from chalicelib.registrations.model import EventType, LifecycleState
from chalicelib.registrations.reported_events import Cancellation, Payment, PaymentCode, VerificationResult
from chalicelib.sms_purposes import Purpose
from tests.support.builders import NOW
from tests.support.registration_builders import REFERENCE, make_registration

CODE = PaymentCode(code="8808123456", amount=50_400, expires_on=date(2024, 11, 8))
PAYMENT = Payment(payment_id="p-1", amount=50_400, months=3, paid_at=NOW, kpj="21012345678")
Step = Callable[[LifecycleState], LifecycleState]


def issue_code(code: PaymentCode = CODE) -> Step:
    return lambda lifecycle: lifecycle.with_payment_code(code, occurred_at=NOW, client_id="core")


def pay(payment: Payment = PAYMENT) -> Step:
    return lambda lifecycle: lifecycle.with_payment(payment, occurred_at=NOW, client_id="core")


def verify(result: str) -> Step:
    return lambda lifecycle: lifecycle.with_verification(
        VerificationResult.model_validate({"result": result}), occurred_at=NOW, client_id="core"
    )


def age(today: date) -> Step:
    return lambda lifecycle: lifecycle.age(today=today, occurred_at=NOW, expires_on=date(2030, 1, 1))


def cancel(lifecycle: LifecycleState) -> LifecycleState:
    return lifecycle.with_cancellation(Cancellation(reason="other"), occurred_at=NOW, client_id="van-1")


def render(
    purpose: Purpose, event_version: int, *steps: Step, language: str = "id", now: datetime = NOW
) -> str | None:
    registration = make_registration(language=language)
    for step in steps:
        registration = replace(registration, lifecycle=step(registration.lifecycle))
    body = bodies.render_body(purpose, event_version, registration, local_now=now)
    return None if body is None else body.text


def test_every_purpose_has_an_event_type_and_a_message() -> None:
    for event_type in bodies.PURPOSE_BY_EVENT_TYPE:
        RegistrationChanged(reference=REFERENCE, correlation_id="c", event_type=event_type, event_version=2)
    assert set(bodies.PURPOSE_BY_EVENT_TYPE.values()) | {
        Purpose.RECEIVED,
        Purpose.ALREADY_REGISTERED,
        Purpose.PAYMENT_LATE,
    } == set(Purpose)


def test_payment_code_body_has_amount_and_expiry() -> None:
    assert render(Purpose.PAYMENT_CODE, 2, issue_code()) == (
        "BPJAMSOSTEK: Kode bayar Melati Kusumawati 880 812 345 6, iuran Rp50.400."
        " Bayar di bank/Alfamart s.d. 8 Nov 24. Info 175"
    )


@pytest.mark.parametrize(
    "steps",
    [
        (issue_code(), issue_code(PaymentCode(code="99-AB", amount=1, expires_on=date(2024, 11, 9)))),
        (issue_code(), pay()),
        (issue_code(), cancel),
        (issue_code(), verify("mismatch")),
    ],
    ids=["another code", "paid", "cancelled", "mismatch"],
)
def test_superseded_payment_code_has_no_body(steps: tuple[Step, ...]) -> None:
    assert render(Purpose.PAYMENT_CODE, 2, *steps) is None


def test_second_payment_code_has_its_own_body() -> None:
    second = PaymentCode(code="99-AB", amount=16_800, expires_on=date(2024, 11, 9))
    body = render(Purpose.PAYMENT_CODE, 3, issue_code(), issue_code(second))
    assert body is not None
    assert "99-AB, iuran Rp16.800" in body


def test_payment_body_has_the_end_of_membership() -> None:
    assert render(Purpose.ACTIVE, 3, issue_code(), pay()) == (
        "BPJAMSOSTEK: Iuran Rp50.400 sudah kami terima. Melati Kusumawati aktif sampai 31 Des 24."
        " Kartu digital di aplikasi JMO. Info 175"
    )


def test_each_payment_body_has_its_own_amount() -> None:
    second = Payment(payment_id="p-2", amount=16_800, months=1, paid_at=NOW)
    first, second_body = (
        render(Purpose.ACTIVE, event_version, pay(), pay(second)) for event_version in (2, 3)
    )
    assert first is not None
    assert second_body is not None
    assert "Rp50.400" in first
    assert "Rp16.800" in second_body


def test_mismatch_has_a_body_until_it_is_resolved() -> None:
    body = render(Purpose.MISMATCH, 2, verify("mismatch"))
    assert body is not None
    assert "belum cocok dengan KTP" in body
    assert render(Purpose.MISMATCH, 2, verify("mismatch"), verify("matched")) is None


def test_lapsing_membership_has_a_body_until_it_is_paid() -> None:
    age_to_march = age(date(2025, 3, 20))
    assert render(Purpose.LAPSING_SOON, 3, pay(), age_to_march) == (
        "BPJAMSOSTEK: Masa iuran Melati Kusumawati sudah habis."
        " Bayar sebelum 1 Apr 25 agar kepesertaan tetap aktif. Info 175"
    )
    late = Payment(payment_id="p-2", amount=1, months=1, paid_at=NOW + timedelta(days=160))
    assert render(Purpose.LAPSING_SOON, 3, pay(), age_to_march, pay(late)) is None


def test_already_registered_body_exists_while_the_registration_is_open() -> None:
    body = render(Purpose.ALREADY_REGISTERED, 1, language="en")
    assert body is not None
    assert f"is registered already, ref {REFERENCE}" in body
    assert render(Purpose.ALREADY_REGISTERED, 1, cancel) is None


def test_event_that_never_happened_has_no_body() -> None:
    for purpose in (Purpose.PAYMENT_CODE, Purpose.ACTIVE, Purpose.MISMATCH, Purpose.LAPSING_SOON):
        assert render(purpose, 7) is None
    assert EventType.REGISTERED not in bodies.PURPOSE_BY_EVENT_TYPE
