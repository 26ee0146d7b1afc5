"""What is said on each occasion, and what is no longer said because it is no longer true."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta

import pytest

from chalicelib.notifications import bodies
from chalicelib.notifications.templates import Purpose, get_template
from chalicelib.registrations.messages import RegistrationChanged
from chalicelib.registrations.states import (
    Cancellation,
    EventType,
    LifecycleState,
    Payment,
    PaymentCode,
    VerificationResult,
)
from tests.support.builders import NOW
from tests.support.registration_builders import REFERENCE, make_registration

CODE = PaymentCode(code="8808123456", amount=50_400, expires_on=date(2024, 11, 8))
PAYMENT = Payment(payment_id="p-1", amount=50_400, months=3, paid_at=NOW, kpj="21012345678")
Step = Callable[[LifecycleState], LifecycleState]


def coded(code: PaymentCode = CODE) -> Step:
    return lambda life: life.with_payment_code(code, occurred_at=NOW, client_id="core")


def paid(payment: Payment = PAYMENT) -> Step:
    return lambda life: life.with_payment(payment, occurred_at=NOW, client_id="core")


def verified(result: str) -> Step:
    return lambda life: life.with_verification(
        VerificationResult.model_validate({"result": result}), occurred_at=NOW, client_id="core"
    )


def aged(today: date) -> Step:
    return lambda life: life.age(today=today, occurred_at=NOW, expires_on=date(2030, 1, 1))


def cancelled(life: LifecycleState) -> LifecycleState:
    return life.with_cancellation(Cancellation(reason="other"), occurred_at=NOW, client_id="van-1")


def words(purpose: Purpose, occasion: int, *steps: Step, language: str = "id") -> str | None:
    registration = make_registration(language=language)
    for step in steps:
        registration = replace(registration, lifecycle=step(registration.lifecycle))
    return bodies.render_body(get_template(purpose), occasion, registration)


def test_every_happening_that_is_told_has_words_and_a_message() -> None:
    for happening in bodies.PURPOSE_BY_EVENT_TYPE:
        RegistrationChanged(reference=REFERENCE, correlation_id="c", event_type=happening, event_version=2)
    assert set(bodies.PURPOSE_BY_EVENT_TYPE.values()) | {
        Purpose.RECEIVED,
        Purpose.ALREADY_REGISTERED,
    } == set(Purpose)


def test_a_payment_code_is_told_with_what_to_pay_and_until_when() -> None:
    assert words(Purpose.PAYMENT_CODE, 2, coded()) == (
        "BPJAMSOSTEK: Kode bayar Melati Kusumawati 880 812 345 6, iuran Rp50.400."
        " Bayar di bank/Alfamart s.d. 8 Nov 24. Info 175"
    )


@pytest.mark.parametrize(
    "steps",
    [
        (coded(), coded(PaymentCode(code="99-AB", amount=1, expires_on=date(2024, 11, 9)))),
        (coded(), paid()),
        (coded(), cancelled),
        (coded(), verified("mismatch")),
    ],
    ids=["another code since", "paid since", "cancelled since", "mismatch since"],
)
def test_a_payment_code_that_is_overtaken_is_not_told(steps: tuple[Step, ...]) -> None:
    assert words(Purpose.PAYMENT_CODE, 2, *steps) is None


def test_a_second_code_is_told_on_its_own_occasion() -> None:
    second = PaymentCode(code="99-AB", amount=16_800, expires_on=date(2024, 11, 9))
    told = words(Purpose.PAYMENT_CODE, 3, coded(), coded(second))
    assert told is not None
    assert "99-AB, iuran Rp16.800" in told


def test_a_payment_is_told_with_how_long_the_membership_lasts() -> None:
    assert words(Purpose.ACTIVE, 3, coded(), paid()) == (
        "BPJAMSOSTEK: Iuran Rp50.400 sudah kami terima. Melati Kusumawati aktif sampai 31 Des 24."
        " Kartu digital di aplikasi JMO. Info 175"
    )


def test_each_payment_is_told_with_its_own_amount() -> None:
    second = Payment(payment_id="p-2", amount=16_800, months=1, paid_at=NOW)
    first_told, second_told = (words(Purpose.ACTIVE, occasion, paid(), paid(second)) for occasion in (2, 3))
    assert first_told is not None
    assert second_told is not None
    assert "Rp50.400" in first_told
    assert "Rp16.800" in second_told


def test_a_mismatch_is_told_while_it_is_one() -> None:
    told = words(Purpose.MISMATCH, 2, verified("mismatch"))
    assert told is not None
    assert "belum cocok dengan KTP" in told
    assert words(Purpose.MISMATCH, 2, verified("mismatch"), verified("matched")) is None


def test_a_membership_that_lapses_soon_is_told_while_it_is_unpaid() -> None:
    soon = aged(date(2025, 3, 20))
    assert words(Purpose.LAPSING_SOON, 3, paid(), soon) == (
        "BPJAMSOSTEK: Iuran Melati Kusumawati terbayar sampai 31 Des 24."
        " Bayar sebelum 1 Apr 25 agar kepesertaan tidak berhenti. Info 175"
    )
    late = Payment(payment_id="p-2", amount=1, months=1, paid_at=NOW + timedelta(days=160))
    assert words(Purpose.LAPSING_SOON, 3, paid(), soon, paid(late)) is None


def test_a_known_worker_is_told_so_while_the_registration_is_open() -> None:
    told = words(Purpose.ALREADY_REGISTERED, 1, language="en")
    assert told is not None
    assert f"is registered already, ref {REFERENCE}" in told
    assert words(Purpose.ALREADY_REGISTERED, 1, cancelled) is None


def test_an_event_that_never_happened_is_told_to_nobody() -> None:
    for purpose in (Purpose.PAYMENT_CODE, Purpose.ACTIVE, Purpose.MISMATCH, Purpose.LAPSING_SOON):
        assert words(purpose, 7) is None
    assert EventType.REGISTERED not in bodies.PURPOSE_BY_EVENT_TYPE
