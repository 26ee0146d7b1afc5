"""What happens to a registration after intake: nothing that is reported gets lost or happens twice."""

from collections.abc import Callable
from typing import Any

import pytest

from chalicelib.refusals import TryAgain
from chalicelib.registrations.errors import (
    PaymentReused,
    RegistrationSuperseded,
    RegistrationUnknown,
    TransitionNotAllowed,
)
from chalicelib.registrations.intake import WriteConflict
from chalicelib.registrations.lifecycle import LifecycleService
from chalicelib.registrations.model import Outcome, Registration
from chalicelib.registrations.references import Reference
from chalicelib.registrations.states import Cancellation, Status, VerificationResult
from tests.registrations.conftest import CORE_CALLER, RegistrationHarness
from tests.support.builders import make_caller
from tests.support.concurrent_writer import ConcurrentWriterStore
from tests.support.lifecycle_events import make_payment, make_payment_code

OTHER = Cancellation(reason="other")
MATCHED, MISMATCH = VerificationResult(result="matched"), VerificationResult(result="mismatch")


def meddled(harness: RegistrationHarness, *meddling: Callable[[], object]) -> LifecycleService:
    store: Any = ConcurrentWriterStore(harness, *meddling)
    return harness.make_lifecycle_service(store)


def story(registration: Registration) -> list[str]:
    return [event.event_type for event in registration.lifecycle.history]


def test_each_event_is_stored_with_who_and_when(harness: RegistrationHarness) -> None:
    reference = harness.submit().reference
    harness.advance_days(1)
    harness.lifecycle_service.record_verification(reference, MATCHED, caller=CORE_CALLER)
    harness.advance_days(1)
    harness.lifecycle_service.issue_payment_code(reference, make_payment_code(), caller=CORE_CALLER)
    harness.advance_days(1)
    told = harness.lifecycle_service.record_payment(
        reference, make_payment(kpj="21012345678"), caller=CORE_CALLER
    )

    stored = harness.registrations.get(reference)
    assert stored == told
    assert story(stored) == ["registered", "matched", "payment_code_issued", "paid"]
    assert [event.client_id for event in stored.lifecycle.history] == ["van-1", *["membership"] * 3]
    assert [event.occurred_at.day for event in stored.lifecycle.history] == [9, 10, 11, 12]
    assert (stored.lifecycle.status, stored.lifecycle.kpj, stored.lifecycle.version) == (
        Status.ACTIVE,
        "21012345678",
        4,
    )


@pytest.mark.parametrize(
    "report",
    [
        lambda casework, reference: casework.issue_payment_code(
            reference, make_payment_code(), caller=CORE_CALLER
        ),
        lambda casework, reference: casework.record_payment(reference, make_payment(), caller=CORE_CALLER),
        lambda casework, reference: casework.record_verification(reference, MISMATCH, caller=CORE_CALLER),
        lambda casework, reference: casework.cancel(reference, OTHER, caller=make_caller()),
    ],
    ids=["payment code", "payment", "verification", "cancellation"],
)
def test_an_event_reported_again_later_changes_nothing(harness: RegistrationHarness, report: Any) -> None:
    reference = harness.submit().reference
    first = report(harness.lifecycle_service, reference)
    harness.advance_days(5)

    assert report(harness.lifecycle_service, reference) == first
    assert harness.registrations.get(reference) == first


def test_a_payment_that_comes_between_reading_and_storing_is_not_lost(harness: RegistrationHarness) -> None:
    reference = harness.submit().reference
    casework = meddled(
        harness,
        lambda: harness.lifecycle_service.record_payment(reference, make_payment("p-1"), caller=CORE_CALLER),
        lambda: harness.lifecycle_service.record_payment(reference, make_payment("p-2"), caller=CORE_CALLER),
    )

    casework.record_payment(reference, make_payment("p-3"), caller=CORE_CALLER)

    stored = harness.registrations.get(reference)
    assert [payment.payment_id for payment in stored.lifecycle.payments] == ["p-1", "p-2", "p-3"]
    assert (stored.lifecycle.paid_through, stored.lifecycle.version) == ("2027-01", 4)


def test_a_payment_reported_by_two_at_once_counts_once(harness: RegistrationHarness) -> None:
    reference = harness.submit().reference
    again = meddled(
        harness,
        lambda: harness.lifecycle_service.record_payment(reference, make_payment(), caller=CORE_CALLER),
    )

    told = again.record_payment(reference, make_payment(), caller=CORE_CALLER)

    assert told == harness.registrations.get(reference)
    assert story(told) == ["registered", "paid"]


def test_two_payments_under_one_id_at_once_are_one_and_a_refusal(harness: RegistrationHarness) -> None:
    reference = harness.submit().reference
    other = meddled(
        harness,
        lambda: harness.lifecycle_service.record_payment(reference, make_payment(), caller=CORE_CALLER),
    )

    with pytest.raises(PaymentReused):
        other.record_payment(reference, make_payment(amount=1), caller=CORE_CALLER)


def test_what_was_allowed_when_it_was_read_and_is_no_more_is_refused(harness: RegistrationHarness) -> None:
    reference = harness.submit().reference
    late = meddled(harness, lambda: harness.lifecycle_service.cancel(reference, OTHER, caller=make_caller()))

    with pytest.raises(TransitionNotAllowed):
        late.record_payment(reference, make_payment(), caller=CORE_CALLER)

    assert story(harness.registrations.get(reference)) == ["registered", "cancelled"]


def test_a_race_without_end_is_given_up_and_stores_nothing(harness: RegistrationHarness) -> None:
    reference = harness.submit().reference
    others = (f"other-{number}" for number in range(100))
    in_the_way = [
        lambda: harness.lifecycle_service.issue_payment_code(
            reference, make_payment_code(code=next(others)), caller=CORE_CALLER
        )
    ] * 100
    with pytest.raises(TryAgain):
        meddled(harness, *in_the_way).record_payment(reference, make_payment(), caller=CORE_CALLER)

    assert harness.registrations.get(reference).lifecycle.payments == ()


@pytest.mark.parametrize("typed", ["7K4-M2Q-X9P", "", "no reference", "7K4-M2Q-X9P\n", "%2e%2e"])
def test_nothing_happens_to_a_registration_that_nobody_has(harness: RegistrationHarness, typed: str) -> None:
    with pytest.raises(RegistrationUnknown):
        harness.lifecycle_service.record_payment(typed, make_payment(), caller=CORE_CALLER)


def test_a_registration_of_another_campaign_is_as_unknown_as_none(harness: RegistrationHarness) -> None:
    elsewhere = make_caller(campaigns=frozenset({"senen-2024"}))
    with pytest.raises(RegistrationUnknown):
        harness.lifecycle_service.cancel(harness.submit().reference, OTHER, caller=elsewhere)


def test_while_a_registration_is_open_its_status_is_what_another_capture_is_told(
    harness: RegistrationHarness,
) -> None:
    reference = harness.submit().reference
    tellings = []
    for number, report in enumerate(
        [
            lambda: None,
            lambda: harness.lifecycle_service.issue_payment_code(
                reference, make_payment_code(), caller=CORE_CALLER
            ),
            lambda: harness.lifecycle_service.record_verification(reference, MISMATCH, caller=CORE_CALLER),
            lambda: harness.lifecycle_service.record_verification(reference, MATCHED, caller=CORE_CALLER),
            lambda: harness.lifecycle_service.record_payment(reference, make_payment(), caller=CORE_CALLER),
        ],
        start=2,
    ):
        report()
        answer = harness.submit(number, nik_number=1)
        assert (answer.outcome, answer.reference) == (Outcome.ALREADY_REGISTERED, reference)
        tellings.append(answer.status)
    assert tellings == ["received", "awaiting_payment", "mismatch", "received", "active"]


def cancelled(harness: RegistrationHarness, reference: str) -> None:
    harness.lifecycle_service.cancel(reference, OTHER, caller=make_caller())


def expired(harness: RegistrationHarness, reference: str) -> None:
    harness.advance_days(30)
    harness.lifecycle_service.age(Reference(reference))


def lapsed(harness: RegistrationHarness, reference: str) -> None:
    harness.lifecycle_service.record_payment(
        reference, make_payment(paid_at=harness.clock()), caller=CORE_CALLER
    )
    harness.advance_days(150)
    harness.lifecycle_service.age(Reference(reference))


@pytest.mark.parametrize("ended", [cancelled, expired, lapsed])
def test_when_a_registration_has_ended_another_capture_opens_one_that_follows_it(
    harness: RegistrationHarness, ended: Any
) -> None:
    first = harness.register()
    ended(harness, first.reference)
    assert harness.registrations.get(first.reference).lifecycle.status == ended.__name__

    answer = harness.submit(2, nik_number=1)

    assert (answer.outcome, answer.status) == (Outcome.REACTIVATED, Status.RECEIVED)
    second = harness.registrations.get(answer.reference)
    assert (second.follows, second.worker_key) == (first.reference, first.worker_key)
    assert harness.registrations.get(first.reference).lifecycle.status == ended.__name__
    third = harness.submit(3, nik_number=1)
    assert (third.outcome, third.reference) == (Outcome.ALREADY_REGISTERED, second.reference)


def test_a_worker_may_come_back_any_number_of_times(harness: RegistrationHarness) -> None:
    followed = None
    for number in range(1, 6):
        registration = harness.register(number, nik_number=1)
        assert registration.follows == followed
        cancelled(harness, registration.reference)
        followed = registration.reference


def test_the_first_capture_is_told_its_first_answer_whatever_has_happened_since(
    harness: RegistrationHarness,
) -> None:
    first = harness.submit()
    cancelled(harness, first.reference)
    harness.submit(2, nik_number=1)

    assert harness.submit() == first


def test_a_payment_for_a_lapsed_membership_brings_it_back_if_nothing_follows_it(
    harness: RegistrationHarness,
) -> None:
    reference = harness.submit().reference
    lapsed(harness, reference)

    paid = harness.lifecycle_service.record_payment(
        reference, make_payment("p-2", paid_at=harness.clock()), caller=CORE_CALLER
    )

    assert paid.lifecycle.status is Status.ACTIVE
    assert harness.submit(2, nik_number=1).status is Status.ACTIVE


def test_what_is_reported_of_a_lapsed_membership_that_something_follows_is_refused(
    harness: RegistrationHarness,
) -> None:
    first = harness.register()
    lapsed(harness, first.reference)
    second = harness.submit(2, nik_number=1).reference
    before = [harness.registrations.get(each) for each in (first.reference, second)]

    with pytest.raises(RegistrationSuperseded):
        harness.lifecycle_service.record_payment(
            first.reference, make_payment("p-2", paid_at=harness.clock()), caller=CORE_CALLER
        )

    assert [harness.registrations.get(each) for each in (first.reference, second)] == before


def test_a_payment_that_races_the_registration_which_follows_is_taken_or_refused_never_lost(
    harness: RegistrationHarness,
) -> None:
    first = harness.register()
    lapsed(harness, first.reference)
    late = meddled(harness, lambda: harness.submit(2, nik_number=1))

    with pytest.raises(RegistrationSuperseded):
        late.record_payment(first.reference, make_payment("p-2", paid_at=harness.clock()), caller=CORE_CALLER)
    assert harness.registrations.get(first.reference).lifecycle.status is Status.LAPSED


def test_of_two_stale_copies_one_is_stored(harness: RegistrationHarness) -> None:
    registration = harness.register()
    harness.lifecycle_service.record_verification(registration.reference, MATCHED, caller=CORE_CALLER)
    with pytest.raises(WriteConflict):
        harness.registrations.replace(registration, previous=registration)
