"""After a correction of the phone the right one gets one SMS, the wrong one none; after a death nobody."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.corrections.service import PURPOSES as SERVICE_PURPOSES
from chalicelib.messaging.errors import TransientFailure
from chalicelib.notifications import consumer
from chalicelib.notifications.bodies import find_event_version
from chalicelib.notifications.model import SmsState
from chalicelib.registrations.domain_events import SmsRequested
from chalicelib.registrations.model import (
    TRANSITIONS,
    CorrectionImpact,
    EventType,
    LifecycleState,
    Registration,
)
from chalicelib.registrations.phone import Phone
from chalicelib.sms_purposes import Purpose
from tests.notifications.test_cancelled_registrations import (
    CancellationHarness,
    Step,
    issue_code,
    mismatch,
    pay_and_lapse,
)
from tests.support.builders import NOW
from tests.support.registration_builders import REFERENCE, make_registration

WRONG, RIGHT = make_registration().worker.phone, Phone("+6282455507999")
NO_IMPACT = CorrectionImpact(changes_identity=False, changes_price=False)
PURPOSES = [each for each in Purpose if each not in {Purpose.PAYMENT_LATE, Purpose.ALREADY_REGISTERED}]


def die(lifecycle: LifecycleState) -> LifecycleState:
    return lifecycle.with_death(occurred_at=NOW, client_id="core")


class CorrectionHarness(CancellationHarness):
    """A notification harness whose registration is corrected while its SMS wait."""

    def correct_phone(self, phone: Phone | None = RIGHT, *, purpose: str = "received") -> Registration:
        """Store the registration with another phone, as the service of corrections does."""
        registration = self.registrations.get(REFERENCE)
        lifecycle = registration.lifecycle.with_correction(
            {"fields": "worker.phone", **({} if phone is None else {"purpose": purpose})},
            NO_IMPACT,
            occurred_at=NOW,
            client_id="branch-office",
        )
        changed = replace(registration, lifecycle=lifecycle, worker=replace(registration.worker, phone=phone))
        self.registrations.put(changed)
        return changed

    def tell_of_correction(self, registration: Registration, *, purpose: str = "received") -> None:
        """Deliver the message of a correction."""
        message = SmsRequested(
            reference=REFERENCE,
            correlation_id="c-1",
            purpose=purpose,
            event_version=registration.lifecycle.version,
        )
        consumer.handle(self.service, message.model_dump_json())

    def list_phones(self) -> list[str | None]:
        """Return the phones that SMS went out to."""
        return [each.phone for each in self.gateway.sent_sms]


def test_every_status_that_can_be_corrected_has_an_sms() -> None:
    assert set(SERVICE_PURPOSES) == set(TRANSITIONS[EventType.CORRECTED])
    assert {Purpose(each) for each in SERVICE_PURPOSES.values()} <= set(PURPOSES)


def test_the_right_phone_gets_one_sms_after_the_wrong_one_got_it() -> None:
    harness = CorrectionHarness()
    harness.consume_event()

    corrected = harness.correct_phone()
    for _ in range(3):
        harness.tell_of_correction(corrected)

    assert harness.list_phones() == [WRONG, RIGHT]


def test_what_waits_for_the_wrong_phone_is_not_sent_beside_the_sms_to_the_right_one() -> None:
    harness = CorrectionHarness(TransientFailure("ThrottlingException"))
    harness.consume_event()
    attempts = harness.list_phones()

    harness.tell_of_correction(harness.correct_phone())
    harness.advance(timedelta(hours=1)).run_due_sms()

    assert harness.list_phones() == [*attempts, RIGHT]


def test_an_event_that_is_announced_after_the_correction_sends_no_second_sms() -> None:
    harness = CorrectionHarness()

    harness.tell_of_correction(harness.correct_phone())
    late = harness.consume_event()

    assert (late.state, late.reason) == (SmsState.FAILED, "overtaken")
    assert harness.list_phones() == [RIGHT]


def test_events_after_the_correction_go_to_the_right_phone() -> None:
    harness = CorrectionHarness()
    harness.correct_phone()
    registration = harness.change(issue_code)

    harness.consume_event(Purpose.PAYMENT_CODE, event_version=registration.lifecycle.version)

    assert harness.list_phones() == [RIGHT]


def test_a_phone_that_was_taken_away_gets_nothing() -> None:
    harness = CorrectionHarness(TransientFailure("ThrottlingException"))
    harness.consume_event()
    attempts = harness.list_phones()

    harness.correct_phone(None)
    harness.advance(timedelta(hours=1)).run_due_sms()

    assert harness.list_phones() == attempts


def test_a_correction_while_the_sms_waits_for_its_slot_stops_it() -> None:
    harness = CorrectionHarness()
    harness.rate_limiter.on_reserve = harness.correct_phone

    sms = harness.consume_event()

    assert (sms.state, harness.list_phones()) == (SmsState.PENDING, [])


@pytest.mark.parametrize("purpose", PURPOSES)
@pytest.mark.parametrize(
    "steps",
    [(), (issue_code,), (mismatch,), (pay_and_lapse,)],
    ids=["received", "code", "mismatch", "lapsed"],
)
def test_no_sms_goes_out_after_a_death_not_even_one_that_waits(
    steps: tuple[Step, ...], purpose: Purpose
) -> None:
    harness = CorrectionHarness(TransientFailure("ThrottlingException"))
    version = find_event_version(purpose, harness.change(*steps))
    if version:
        harness.consume_event(purpose, event_version=version)
    attempts = len(harness.gateway.sent_sms)
    harness.change(die)

    harness.advance(timedelta(hours=14)).run_due_sms()
    harness.consume_event(purpose, event_version=version or 1)

    assert len(harness.gateway.sent_sms) == attempts


def test_a_death_while_the_sms_waits_for_its_slot_stops_it() -> None:
    harness = CorrectionHarness()
    harness.rate_limiter.on_reserve = lambda: harness.change(die)

    sms = harness.consume_event()
    (stopped,) = harness.advance(timedelta(hours=1)).run_due_sms()

    assert harness.list_phones() == []
    assert (stopped.sms_id, stopped.state, stopped.reason) == (sms.sms_id, SmsState.FAILED, "deceased")


@given(steps=st.lists(st.sampled_from(["event", "correct", "tell", "due"]), max_size=8))
def test_whatever_comes_in_between_each_phone_gets_one_sms_at_most(steps: list[str]) -> None:
    harness = CorrectionHarness()
    corrected: Registration | None = None
    for step in steps:
        if step == "event":
            harness.consume_event()
        elif step == "correct" and corrected is None:
            corrected = harness.correct_phone()
        elif step == "tell" and corrected is not None:
            harness.tell_of_correction(corrected)
        else:
            harness.run_due_sms()
    phones = harness.list_phones()
    assert phones in ([], [WRONG], [RIGHT], [WRONG, RIGHT])
    if corrected is not None and "tell" in steps[steps.index("correct") :]:
        assert RIGHT in phones
