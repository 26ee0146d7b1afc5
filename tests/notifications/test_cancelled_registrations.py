"""Of a cancelled registration its worker is told once, and nothing that the cancellation made false."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.messaging.errors import OutcomeUnknown, TransientFailure
from chalicelib.notifications import consumer
from chalicelib.notifications.bodies import find_event_version
from chalicelib.notifications.errors import NoPhone
from chalicelib.notifications.model import SmsState
from chalicelib.registrations.domain_events import RegistrationChanged
from chalicelib.registrations.errors import RegistrationUnknown
from chalicelib.registrations.model import EventType, Flag, LifecycleState, Registration, Status
from chalicelib.registrations.reported_events import Cancellation, Payment, PaymentCode, VerificationResult
from chalicelib.sms_purposes import Purpose
from tests.support.builders import NOW
from tests.support.notification_harness import NotificationHarness
from tests.support.registration_builders import ANOTHER_REFERENCE, REFERENCE, make_registration

CODE = PaymentCode(code="EPS-4711", amount=16_800, expires_on=date(2024, 11, 8))
PAYMENT = Payment(payment_id="p-1", amount=16_800, months=1, paid_at=NOW)
CANCELLED_BODY = (
    "BPJAMSOSTEK: Pendaftaran Melati Kusumawati, No. daftar 7K4-M2Q-X9P, sudah dibatalkan."
    " Jangan bayar dengan kode bayarnya. Tanya petugas atau hubungi 175"
)
Step = Callable[[LifecycleState], LifecycleState]


def issue_code(lifecycle: LifecycleState) -> LifecycleState:
    return lifecycle.with_payment_code(CODE, occurred_at=NOW, client_id="core")


def cancel(lifecycle: LifecycleState) -> LifecycleState:
    return lifecycle.with_cancellation(Cancellation(reason="other"), occurred_at=NOW, client_id="van-1")


def expire(lifecycle: LifecycleState) -> LifecycleState:
    return lifecycle.age(today=NOW.date(), occurred_at=NOW, expires_on=NOW.date())


def mismatch(lifecycle: LifecycleState) -> LifecycleState:
    result = VerificationResult(result="mismatch")
    return lifecycle.with_verification(result, occurred_at=NOW, client_id="core")


def pay_and_lapse(lifecycle: LifecycleState) -> LifecycleState:
    paid = lifecycle.with_payment(PAYMENT, occurred_at=NOW, client_id="core")
    return paid.age(today=date(2025, 2, 1), occurred_at=NOW, expires_on=date(2025, 2, 1))


class CancellationHarness(NotificationHarness):
    """A notification harness whose registration changes while its SMS wait."""

    def __init__(self, *answers: str | Exception, flags: tuple[Flag, ...] = (), **worker: Any) -> None:
        registration = replace(make_registration(**worker), flags=flags)
        super().__init__(*answers, registrations=[registration])

    def change(self, *steps: Step) -> Registration:
        """Store the registration after `steps`."""
        registration = self.registrations.get(REFERENCE)
        for step in steps:
            registration = replace(registration, lifecycle=step(registration.lifecycle))
        self.registrations.put(registration)
        return registration

    def register_again(self) -> None:
        """Store a registration that follows the first one."""
        self.registrations.put(replace(make_registration(ANOTHER_REFERENCE), follows=REFERENCE))

    def tell_of_cancellation(self, times: int = 1) -> None:
        """Deliver the message of the cancellation, as often as `times`."""
        version = self.registrations.get(REFERENCE).lifecycle.version
        message = RegistrationChanged(
            reference=REFERENCE,
            correlation_id="c-1",
            event_type=EventType.CANCELLED,
            event_version=version,
        )
        for _ in range(times):
            consumer.handle(self.service, message.model_dump_json())

    def list_sent(self) -> list[str]:
        """Return the purposes of the SMS that went out."""
        return [each.purpose for each in self.gateway.sent_sms]


@pytest.mark.parametrize("steps", [(), (issue_code,), (mismatch,)], ids=["received", "code", "mismatch"])
def test_a_worker_is_told_once_that_the_registration_was_cancelled(steps: tuple[Step, ...]) -> None:
    harness = CancellationHarness()
    harness.change(*steps, cancel)

    harness.tell_of_cancellation(times=3)

    assert [each.body for each in harness.gateway.sent_sms] == [CANCELLED_BODY]
    assert harness.get_only_sms().state is SmsState.ACCEPTED


def test_the_worker_is_told_in_the_language_of_the_registration() -> None:
    harness = CancellationHarness(language="en")
    harness.change(cancel)
    harness.tell_of_cancellation()
    assert [each.body for each in harness.gateway.sent_sms] == [
        "BPJAMSOSTEK: The registration of Melati Kusumawati, ref 7K4-M2Q-X9P, was cancelled."
        " Do not pay with its payment number. Ask our officer or call 175"
    ]


@pytest.mark.parametrize("purpose", [each for each in Purpose if each not in {Purpose.PAYMENT_LATE}])
@pytest.mark.parametrize("steps", [(), (issue_code,), (mismatch,)], ids=["received", "code", "mismatch"])
def test_no_sms_that_waits_goes_out_after_the_cancellation(steps: tuple[Step, ...], purpose: Purpose) -> None:
    harness = CancellationHarness(TransientFailure("ThrottlingException"))
    registration = harness.change(*steps)
    version = find_event_version(purpose, registration)
    if version:
        harness.consume_event(purpose, event_version=version)
    attempts = len(harness.gateway.sent_sms)
    harness.change(cancel)

    harness.advance(timedelta(hours=1)).run_due_sms()

    assert len(harness.gateway.sent_sms) == attempts
    assert {each.reason for each in harness.ledger.sms_by_id.values()} <= {"overtaken"}


@pytest.mark.parametrize("end", [cancel, expire, pay_and_lapse])
def test_a_registration_that_has_ended_is_not_confirmed_any_more(end: Step) -> None:
    """The confirmation says to wait for a payment code."""
    harness = CancellationHarness()
    harness.change(end)

    sms = harness.consume_event()

    assert (sms.state, sms.reason, harness.list_sent()) == (SmsState.FAILED, "overtaken", [])


def test_an_unknown_confirmation_is_not_sent_once_more_after_the_cancellation() -> None:
    harness = CancellationHarness(OutcomeUnknown("ReadTimeoutError"))
    harness.consume_event()
    harness.change(cancel)
    harness.advance(timedelta(minutes=16)).receive_receipt_of_another_sms()

    (sms,) = harness.run_due_sms()

    assert sms.reason == "overtaken"
    assert harness.list_sent() == ["received"]


def test_a_worker_without_a_phone_is_told_nothing() -> None:
    harness = CancellationHarness(phone=None)
    registration = harness.change(issue_code, cancel)
    harness.tell_of_cancellation()
    with pytest.raises(NoPhone):
        harness.consume_event(Purpose.CANCELLED, event_version=registration.lifecycle.version)
    assert (harness.ledger.sms_by_id, harness.list_sent()) == ({}, [])


def test_a_worker_who_has_registered_again_is_not_told_of_the_cancellation() -> None:
    harness = CancellationHarness()
    harness.change(issue_code, cancel)
    harness.register_again()
    harness.tell_of_cancellation()
    assert (harness.get_only_sms().reason, harness.list_sent()) == ("overtaken", [])


def test_a_worker_who_registers_again_while_the_sms_waits_is_not_told_of_the_cancellation() -> None:
    harness = CancellationHarness(TransientFailure("ThrottlingException"))
    harness.change(cancel)
    harness.tell_of_cancellation()
    attempts = len(harness.list_sent())
    harness.register_again()

    (sms,) = harness.advance(timedelta(hours=1)).run_due_sms()

    assert (sms.reason, len(harness.list_sent())) == ("overtaken", attempts)


def test_a_lapsed_worker_who_has_registered_again_gets_no_code_of_the_earlier_registration() -> None:
    """Its payment would be refused (`registration_superseded`)."""
    harness = CancellationHarness()
    registration = harness.change(pay_and_lapse, issue_code)
    assert registration.lifecycle.status is Status.LAPSED
    harness.register_again()

    sms = harness.consume_event(Purpose.PAYMENT_CODE, event_version=registration.lifecycle.version)

    assert (sms.reason, harness.list_sent()) == ("overtaken", [])


def test_a_lapsed_worker_who_has_registered_again_is_told_of_a_payment() -> None:
    harness = CancellationHarness()
    harness.change(pay_and_lapse)
    harness.register_again()
    harness.consume_event(Purpose.ACTIVE, event_version=2)
    assert harness.list_sent() == ["active"]


@pytest.mark.parametrize(("steps", "told"), [((cancel,), []), ((issue_code, cancel), ["cancelled"])])
def test_a_phone_over_its_cap_is_told_only_if_it_had_a_payment_code(
    steps: tuple[Step, ...], told: list[str]
) -> None:
    harness = CancellationHarness(flags=(Flag.PHONE_OVER_CAP,))
    harness.change(*steps)
    harness.tell_of_cancellation()
    assert harness.list_sent() == told


def test_an_erased_worker_is_told_nothing() -> None:
    harness = CancellationHarness(TransientFailure("ThrottlingException"))
    harness.change(cancel)
    harness.tell_of_cancellation()
    attempts = len(harness.list_sent())
    harness.registrations.remove(REFERENCE)

    (sms,) = harness.advance(timedelta(hours=1)).run_due_sms()

    assert (sms.reason, len(harness.list_sent())) == ("no_recipient", attempts)
    with pytest.raises(RegistrationUnknown):
        harness.consume_event(Purpose.CANCELLED, event_version=2)


ACTS = ["event", "told of cancellation", "cancel", "code", "register again", "due run", "wait"]


def act(harness: CancellationHarness, name: str) -> None:
    lifecycle = harness.registrations.get(REFERENCE).lifecycle
    is_cancelled = lifecycle.status is Status.CANCELLED
    match name:
        case "event":
            harness.consume_event()
        case "told of cancellation" if is_cancelled:
            harness.tell_of_cancellation()
        case "cancel" if not is_cancelled:
            harness.change(cancel)
        case "code" if not is_cancelled:
            version = harness.change(issue_code).lifecycle.version
            harness.consume_event(Purpose.PAYMENT_CODE, event_version=version)
        case "register again" if is_cancelled:
            harness.register_again()
        case "due run":
            harness.run_due_sms()
        case "wait":
            harness.advance(timedelta(hours=1))


@given(acts=st.lists(st.sampled_from(ACTS), max_size=14), failures=st.lists(st.booleans(), max_size=6))
def test_whatever_the_order_of_events_no_sms_is_false_when_it_goes_out(
    acts: list[str], failures: list[bool]
) -> None:
    answers = [TransientFailure("ThrottlingException") if fails else "accepted" for fails in failures]
    harness = CancellationHarness(*answers)
    for name in acts:
        before = len(harness.list_sent())
        act(harness, name)
        registration = harness.registrations.get(REFERENCE)
        for purpose in harness.list_sent()[before:]:
            assert (purpose == "cancelled") == (registration.lifecycle.status is Status.CANCELLED)
            assert harness.registrations.is_latest(registration)
    rows = harness.ledger.sms_by_id.values()
    assert sum(each.purpose is Purpose.CANCELLED for each in rows) <= 1
