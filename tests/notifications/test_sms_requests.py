"""Requests to send an SMS once more: who may have it, how often, and that each is sent once."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.callers import Caller
from chalicelib.crypto.hashing import HashKey, KeyedHash
from chalicelib.messaging.errors import OutcomeUnknown
from chalicelib.notifications import consumer
from chalicelib.notifications.errors import (
    SmsNotApplicable,
    SmsRequestCapReached,
    SmsRequestsExhausted,
    WorkerOptedOut,
    WorkerWithoutPhone,
)
from chalicelib.notifications.model import SmsState
from chalicelib.notifications.requests import (
    MAX_REQUESTS,
    MAX_REQUESTS_PER_DAY,
    REPEAT_WINDOW,
    SmsRequestService,
)
from chalicelib.notifications.schemas import RequestSms
from chalicelib.refusals import Refusal
from chalicelib.registrations.domain_events import SmsRequested
from chalicelib.registrations.model import EventType, LifecycleState, Registration
from chalicelib.registrations.reported_events import Cancellation, Payment, PaymentCode, VerificationResult
from chalicelib.sms_purposes import Purpose
from tests.support.builders import NOW, make_caller
from tests.support.fakes.campaigns import InMemoryCampaigns
from tests.support.notification_harness import NotificationHarness
from tests.support.registration_builders import REFERENCE, make_campaign, make_registration

CODE = PaymentCode(code="8808123456", amount=50_400, expires_on=date(2024, 11, 8))
PAYMENT = Payment(payment_id="p-1", amount=50_400, months=1, paid_at=NOW)
Step = Callable[[LifecycleState], LifecycleState]
# What is said in place of `active` after the paid months has no request of its own. A cancelled registration
# takes no more events.
REQUESTABLE = [each for each in Purpose if each not in {Purpose.PAYMENT_LATE, Purpose.CANCELLED}]
AFTER_WINDOW = REPEAT_WINDOW + timedelta(seconds=1)


def issue_code(lifecycle: LifecycleState) -> LifecycleState:
    return lifecycle.with_payment_code(CODE, occurred_at=NOW, client_id="core")


def pay(lifecycle: LifecycleState) -> LifecycleState:
    return lifecycle.with_payment(PAYMENT, occurred_at=NOW, client_id="core")


def mismatch(lifecycle: LifecycleState) -> LifecycleState:
    result = VerificationResult(result="mismatch")
    return lifecycle.with_verification(result, occurred_at=NOW, client_id="core")


def cancel(lifecycle: LifecycleState) -> LifecycleState:
    return lifecycle.with_cancellation(Cancellation(reason="other"), occurred_at=NOW, client_id="van-1")


def age_to(today: date) -> Step:
    return lambda lifecycle: lifecycle.age(today=today, occurred_at=NOW, expires_on=date(2030, 1, 1))


# The purposes that can be requested in each state: what the SMS says is true.
STATES: dict[str, tuple[tuple[Step, ...], set[str]]] = {
    "received": ((), {"received", "already_registered"}),
    "awaiting payment": ((issue_code,), {"payment_code", "already_registered"}),
    "mismatch": ((mismatch,), {"mismatch", "already_registered"}),
    "active": ((pay,), {"active", "already_registered"}),
    "active, paid by code": ((issue_code, pay), {"active", "already_registered"}),
    "active, with another code": ((pay, issue_code), {"active", "payment_code", "already_registered"}),
    "reminded": (
        (pay, age_to(date(2025, 1, 20))),
        {"active", "lapsing_soon", "already_registered"},
    ),
    # It says that the payment was received and that its months are over.
    "lapsed": ((pay, age_to(date(2025, 1, 20)), age_to(date(2025, 2, 1))), {"active"}),
    "cancelled": ((cancel,), set()),
    "expired": ((age_to(date(2031, 1, 1)),), set()),
}


class RequestHarness(NotificationHarness):
    """A notification harness with a service for requests. It stores changes and publishes requests."""

    def __init__(self, *answers: str | Exception, steps: tuple[Step, ...] = (), **worker: Any) -> None:
        registration = make_registration(**worker)
        for step in steps:
            registration = replace(registration, lifecycle=step(registration.lifecycle))
        super().__init__(*answers, registrations=[registration])
        self.conflicting_change: Step | None = None
        self.request_service = SmsRequestService(
            reading=self,
            lifecycle=self,
            campaigns=InMemoryCampaigns(make_campaign()),
            opt_outs=self.opt_outs,
            hashing=KeyedHash(lambda: HashKey(bytes(32))),
            clock=self.clock,
        )

    def look_up(self, typed_reference: str, *, caller: Caller) -> Registration:
        return self.registrations.get(typed_reference)

    def store_change(
        self, registration: Registration, change: Callable[[Registration], Registration]
    ) -> Registration:
        """Store a change as the lifecycle service does, after a conflict if there is a change for one."""
        changed = change(registration)
        if self.conflicting_change is not None:
            registration = replace(registration, lifecycle=self.conflicting_change(registration.lifecycle))
            self.conflicting_change = None
            changed = change(registration)
        self.registrations.put(changed)
        return changed

    def request(self, purpose: str = "received", client_id: str = "van-1") -> bool:
        """Request an SMS. Return True if it was a repeat."""
        _, is_repeat = self.request_service.request(
            REFERENCE, Purpose(purpose), caller=make_caller(client_id=client_id)
        )
        return is_repeat

    def publish(self, times: int = 1) -> None:
        """Deliver the message of every request that was made, as often as `times`."""
        for version, event in enumerate(self.registrations.get(REFERENCE).lifecycle.history, start=1):
            if event.event_type is EventType.SMS_REQUESTED:
                purpose = str(event.detail["purpose"])
                message = SmsRequested(
                    reference=REFERENCE, correlation_id="c-2", purpose=purpose, event_version=version
                )
                for _ in range(times):
                    consumer.handle(self.service, message.model_dump_json())


def find_refusal(harness: RequestHarness, purpose: str = "received") -> type[Refusal] | None:
    try:
        harness.request(purpose)
    except Refusal as refusal:
        return type(refusal)
    return None


def test_every_purpose_with_an_event_or_a_reference_can_be_requested() -> None:
    assert set(get_args(RequestSms.model_fields["purpose"].annotation)) == set(REQUESTABLE)


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("purpose", REQUESTABLE)
def test_an_sms_can_be_requested_where_it_is_true(state: str, purpose: Purpose) -> None:
    steps, requestable = STATES[state]
    harness = RequestHarness(steps=steps)

    expected = None if purpose in requestable else SmsNotApplicable
    assert find_refusal(harness, purpose) is expected
    if expected is None:
        harness.publish()
        harness.run_due_sms()
        (sent,) = harness.gateway.sent_sms
        assert sent.purpose == purpose


def test_the_sms_is_the_same_text_to_the_same_phone_and_has_a_row_of_its_own() -> None:
    harness = RequestHarness(language="en")
    harness.consume_event()
    harness.request()
    harness.publish(times=3)

    first, again = harness.gateway.sent_sms
    assert (first.body, first.phone) == (again.body, again.phone)
    assert "We have received the data" in again.body
    assert first.sms_id != again.sms_id
    assert harness.count_sms().by_state == {"accepted": 2}


def test_the_history_says_who_asked_for_what_and_when() -> None:
    harness = RequestHarness()
    harness.request(client_id="kiosk-2")

    event = harness.registrations.get(REFERENCE).lifecycle.history[-1]
    assert (event.event_type, event.client_id, event.occurred_at) == ("sms_requested", "kiosk-2", NOW)
    assert event.detail == {"purpose": "received"}


def test_the_same_request_within_ten_minutes_is_a_repeat() -> None:
    harness = RequestHarness()
    harness.consume_event()

    repeats = [harness.request()]
    harness.advance(REPEAT_WINDOW - timedelta(seconds=1))
    repeats.append(harness.request(client_id="kiosk-2"))
    harness.advance(timedelta(seconds=1))
    repeats.append(harness.request())

    assert repeats == [False, True, False]
    harness.publish(times=2)
    assert len(harness.gateway.sent_sms) == 3


def test_requests_for_two_purposes_do_not_hide_each_other() -> None:
    harness = RequestHarness()
    assert [harness.request("received"), harness.request("already_registered")] == [False, False]
    assert [harness.request("received"), harness.request("already_registered")] == [True, True]


def test_of_two_requests_at_once_one_is_recorded() -> None:
    harness = RequestHarness()
    harness.conflicting_change = lambda lifecycle: lifecycle.with_sms_request(
        "received", occurred_at=NOW, client_id="kiosk-2"
    )
    assert harness.request()
    harness.publish()
    assert len(harness.gateway.sent_sms) == 1


def test_a_request_that_a_cancellation_overtakes_is_refused() -> None:
    harness = RequestHarness()
    harness.conflicting_change = cancel
    assert find_refusal(harness) is SmsNotApplicable


def test_a_day_has_three_requests_and_the_refusal_says_when_the_next_one_is_taken() -> None:
    harness = RequestHarness()
    for _ in range(MAX_REQUESTS_PER_DAY):
        harness.request()
        harness.advance(AFTER_WINDOW)
    with pytest.raises(SmsRequestCapReached) as refused:
        harness.request("already_registered")
    seconds = refused.value.retry_after_seconds
    assert seconds is not None

    harness.advance(timedelta(seconds=seconds - 1))
    assert find_refusal(harness) is SmsRequestCapReached
    harness.advance(timedelta(seconds=1))
    assert find_refusal(harness) is None


def test_a_registration_has_twenty_requests_in_all() -> None:
    harness = RequestHarness()
    for _ in range(MAX_REQUESTS):
        harness.request()
        harness.advance(timedelta(hours=9))
    assert find_refusal(harness) is SmsRequestsExhausted


def test_a_worker_without_a_phone_gets_none() -> None:
    harness = RequestHarness(phone=None)
    assert find_refusal(harness) is WorkerWithoutPhone
    assert len(harness.registrations.get(REFERENCE).lifecycle.history) == 1


def test_a_phone_whose_owner_opted_out_gets_none() -> None:
    harness = RequestHarness()
    phone_hash = KeyedHash(lambda: HashKey(bytes(32))).digest("phone", make_registration().worker.phone or "")
    harness.opt_outs.record(phone_hash, occurred_at=NOW, source="twilio")
    assert find_refusal(harness) is WorkerOptedOut


def test_an_opt_out_after_the_request_stops_the_sms() -> None:
    harness = RequestHarness()
    harness.request()
    phone_hash = KeyedHash(lambda: HashKey(bytes(32))).digest("phone", make_registration().worker.phone or "")
    harness.opt_outs.record(phone_hash, occurred_at=NOW, source="twilio")
    harness.publish()

    assert (harness.get_only_sms().state, harness.get_only_sms().reason) == (SmsState.FAILED, "opted_out")
    assert harness.gateway.sent_sms == []


def test_a_requested_sms_counts_for_the_limit_of_the_phone_and_waits_for_the_morning() -> None:
    harness = RequestHarness()
    harness.service = harness.make_service(sms_per_day=1)
    harness.consume_event()
    harness.request()
    harness.publish()

    waiting = [sms for sms in harness.ledger.sms_by_id.values() if sms.request_version == 2]
    assert [(sms.state, sms.reason) for sms in waiting] == [(SmsState.PENDING, "daily_limit_reached")]
    harness.clock.advance(timedelta(days=1))
    harness.run_due_sms()
    assert len(harness.gateway.sent_sms) == 2


def test_a_requested_reminder_keeps_the_quiet_hours() -> None:
    harness = RequestHarness(steps=STATES["reminded"][0])
    harness.clock.advance(timedelta(hours=9))  # 21:00 in Jakarta
    harness.request("lapsing_soon")
    harness.publish()

    assert [sms.reason for sms in harness.run_due_sms()] == ["quiet_hours"]
    harness.clock.advance(timedelta(hours=12))
    harness.run_due_sms()
    assert [sent.purpose for sent in harness.gateway.sent_sms] == ["lapsing_soon"]


def test_a_requested_sms_that_is_not_true_any_more_is_not_sent() -> None:
    harness = RequestHarness(steps=(mismatch,))
    harness.request("mismatch")
    registration = harness.registrations.get(REFERENCE)
    matched = registration.lifecycle.with_verification(
        VerificationResult(result="matched"), occurred_at=NOW, client_id="core"
    )
    harness.registrations.put(replace(registration, lifecycle=matched))
    harness.publish()

    assert (harness.get_only_sms().reason, harness.gateway.sent_sms) == ("overtaken", [])


def test_a_requested_sms_with_an_unknown_outcome_is_not_sent_again_by_its_message() -> None:
    harness = RequestHarness(OutcomeUnknown("timeout"))
    harness.request()
    harness.publish(times=3)

    assert (harness.get_only_sms().state, len(harness.gateway.sent_sms)) == (SmsState.UNKNOWN, 1)


@given(
    acts=st.lists(
        st.tuples(st.sampled_from(["received", "already_registered"]), st.integers(0, 26 * 60)), max_size=30
    )
)
def test_there_are_never_more_sms_than_requests_that_were_not_repeats(acts: list[tuple[str, int]]) -> None:
    harness = RequestHarness()
    harness.service = harness.make_service(sms_per_day=1_000)
    accepted = 0
    for purpose, minutes in acts:
        harness.advance(timedelta(minutes=minutes))
        try:
            accepted += not harness.request(purpose)
        except (SmsRequestCapReached, SmsRequestsExhausted):
            continue
        harness.publish(times=2)

    assert len(harness.gateway.sent_sms) == accepted == len(harness.ledger.sms_by_id)
    assert accepted <= MAX_REQUESTS
