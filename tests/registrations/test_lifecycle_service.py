"""Events after intake: none that is reported gets lost, and none is recorded twice."""

from collections.abc import Callable
from typing import Any

import pytest

from chalicelib.conflicts import WriteConflict
from chalicelib.refusals import TryAgain
from chalicelib.registrations.captures import Outcome
from chalicelib.registrations.errors import (
    PaymentReused,
    RegistrationSuperseded,
    RegistrationUnknown,
    TransitionNotAllowed,
)
from chalicelib.registrations.lifecycle import LifecycleService
from chalicelib.registrations.model import Registration, Status
from chalicelib.registrations.references import Reference
from chalicelib.registrations.reported_events import Cancellation, VerificationResult
from tests.registrations.conftest import CORE_CALLER, RegistrationHarness
from tests.support.builders import make_caller
from tests.support.concurrent_writer import with_concurrent_writes
from tests.support.lifecycle_events import make_payment_at_capture, make_payment_code

OTHER = Cancellation(reason="other")
MATCHED, MISMATCH = VerificationResult(result="matched"), VerificationResult(result="mismatch")


def with_writes(harness: RegistrationHarness, *writes: Callable[[], object]) -> LifecycleService:
    """Return a service in which each of `writes` happens right before one of its own."""
    return harness.make_lifecycle_service(
        with_concurrent_writes(harness.stores.lifecycle, "replace", *writes)
    )


def list_events(registration: Registration) -> list[str]:
    return [event.event_type for event in registration.lifecycle.history]


def test_each_event_is_stored_with_its_client_and_time(harness: RegistrationHarness) -> None:
    reference = harness.submit().reference
    harness.advance_days(1)
    harness.lifecycle_service.record_verification(reference, MATCHED, caller=CORE_CALLER)
    harness.advance_days(1)
    harness.lifecycle_service.issue_payment_code(reference, make_payment_code(), caller=CORE_CALLER)
    harness.advance_days(1)
    registration = harness.lifecycle_service.record_payment(
        reference, make_payment_at_capture(kpj="21012345678"), caller=CORE_CALLER
    )

    stored = harness.stores.reading.get(reference)
    assert stored == registration
    assert list_events(stored) == ["registered", "matched", "payment_code_issued", "paid"]
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
        lambda service, reference: service.issue_payment_code(
            reference, make_payment_code(), caller=CORE_CALLER
        ),
        lambda service, reference: service.record_payment(
            reference, make_payment_at_capture(), caller=CORE_CALLER
        ),
        lambda service, reference: service.record_verification(reference, MISMATCH, caller=CORE_CALLER),
        lambda service, reference: service.cancel(reference, OTHER, caller=make_caller()),
    ],
    ids=["payment code", "payment", "verification", "cancellation"],
)
def test_an_event_reported_again_later_changes_nothing(
    harness: RegistrationHarness, report: Callable[[LifecycleService, str], Registration]
) -> None:
    reference = harness.submit().reference
    first = report(harness.lifecycle_service, reference)
    harness.advance_days(5)

    assert report(harness.lifecycle_service, reference) == first
    assert harness.stores.reading.get(reference) == first


def test_a_payment_that_comes_between_reading_and_storing_is_not_lost(harness: RegistrationHarness) -> None:
    reference = harness.submit().reference
    service = with_writes(
        harness,
        lambda: harness.lifecycle_service.record_payment(
            reference, make_payment_at_capture("p-1"), caller=CORE_CALLER
        ),
        lambda: harness.lifecycle_service.record_payment(
            reference, make_payment_at_capture("p-2"), caller=CORE_CALLER
        ),
    )

    service.record_payment(reference, make_payment_at_capture("p-3"), caller=CORE_CALLER)

    stored = harness.stores.reading.get(reference)
    assert [payment.payment_id for payment in stored.lifecycle.payments] == ["p-1", "p-2", "p-3"]
    assert (stored.lifecycle.paid_through, stored.lifecycle.version) == ("2024-12", 4)


def test_a_payment_reported_by_two_at_once_counts_once(harness: RegistrationHarness) -> None:
    reference = harness.submit().reference
    again = with_writes(
        harness,
        lambda: harness.lifecycle_service.record_payment(
            reference, make_payment_at_capture(), caller=CORE_CALLER
        ),
    )

    registration = again.record_payment(reference, make_payment_at_capture(), caller=CORE_CALLER)

    assert registration == harness.stores.reading.get(reference)
    assert list_events(registration) == ["registered", "paid"]


def test_two_payments_under_one_id_at_once_are_one_and_a_refusal(harness: RegistrationHarness) -> None:
    reference = harness.submit().reference
    other = with_writes(
        harness,
        lambda: harness.lifecycle_service.record_payment(
            reference, make_payment_at_capture(), caller=CORE_CALLER
        ),
    )

    with pytest.raises(PaymentReused):
        other.record_payment(reference, make_payment_at_capture(amount=1), caller=CORE_CALLER)


def test_an_event_that_a_concurrent_write_made_impossible_is_refused(harness: RegistrationHarness) -> None:
    reference = harness.submit().reference
    late = with_writes(
        harness, lambda: harness.lifecycle_service.cancel(reference, OTHER, caller=make_caller())
    )

    with pytest.raises(TransitionNotAllowed):
        late.record_payment(reference, make_payment_at_capture(), caller=CORE_CALLER)

    assert list_events(harness.stores.reading.get(reference)) == ["registered", "cancelled"]


def test_a_race_without_end_is_abandoned_and_stores_nothing(harness: RegistrationHarness) -> None:
    reference = harness.submit().reference
    others = (f"other-{number}" for number in range(100))
    in_the_way = [
        lambda: harness.lifecycle_service.issue_payment_code(
            reference, make_payment_code(code=next(others)), caller=CORE_CALLER
        )
    ] * 100
    with pytest.raises(TryAgain):
        with_writes(harness, *in_the_way).record_payment(
            reference, make_payment_at_capture(), caller=CORE_CALLER
        )

    assert harness.stores.reading.get(reference).lifecycle.payments == ()


@pytest.mark.parametrize("typed", ["7K4-M2Q-X9P", "", "no reference", "7K4-M2Q-X9P\n", "%2e%2e"])
def test_an_event_of_an_unknown_registration_is_refused(harness: RegistrationHarness, typed: str) -> None:
    with pytest.raises(RegistrationUnknown):
        harness.lifecycle_service.record_payment(typed, make_payment_at_capture(), caller=CORE_CALLER)


def test_an_event_of_a_registration_of_another_campaign_is_refused(harness: RegistrationHarness) -> None:
    elsewhere = make_caller(campaigns=frozenset({"senen-2024"}))
    with pytest.raises(RegistrationUnknown):
        harness.lifecycle_service.cancel(harness.submit().reference, OTHER, caller=elsewhere)


def test_while_a_registration_is_open_another_capture_gets_its_status(
    harness: RegistrationHarness,
) -> None:
    reference = harness.submit().reference
    statuses = []
    reports: list[Callable[[], object]] = [
        lambda: None,
        lambda: harness.lifecycle_service.issue_payment_code(
            reference, make_payment_code(), caller=CORE_CALLER
        ),
        lambda: harness.lifecycle_service.record_verification(reference, MISMATCH, caller=CORE_CALLER),
        lambda: harness.lifecycle_service.record_verification(reference, MATCHED, caller=CORE_CALLER),
        lambda: harness.lifecycle_service.record_payment(
            reference, make_payment_at_capture(), caller=CORE_CALLER
        ),
    ]
    for number, report in enumerate(reports, start=2):
        report()
        answer = harness.submit(number, nik_number=1)
        assert (answer.outcome, answer.reference) == (Outcome.ALREADY_REGISTERED, reference)
        statuses.append(answer.status)
    assert statuses == ["received", "awaiting_payment", "mismatch", "received", "active"]


def cancelled(harness: RegistrationHarness, reference: str) -> None:
    harness.lifecycle_service.cancel(reference, OTHER, caller=make_caller())


def expired(harness: RegistrationHarness, reference: str) -> None:
    harness.advance_days(30)
    harness.lifecycle_service.age(Reference(reference))


def lapsed(harness: RegistrationHarness, reference: str) -> None:
    harness.lifecycle_service.record_payment(
        reference, make_payment_at_capture(paid_at=harness.clock()), caller=CORE_CALLER
    )
    harness.advance_days(150)
    harness.lifecycle_service.age(Reference(reference))


@pytest.mark.parametrize("ended", [cancelled, expired, lapsed])
def test_when_a_registration_has_ended_another_capture_opens_one_that_follows_it(
    harness: RegistrationHarness, ended: Any
) -> None:
    first = harness.register()
    ended(harness, first.reference)
    assert harness.stores.reading.get(first.reference).lifecycle.status == ended.__name__

    answer = harness.submit(2, nik_number=1)

    assert (answer.outcome, answer.status) == (Outcome.REACTIVATED, Status.RECEIVED)
    second = harness.stores.reading.get(answer.reference)
    assert (second.follows, second.worker_key) == (first.reference, first.worker_key)
    assert harness.stores.reading.get(first.reference).lifecycle.status == ended.__name__
    third = harness.submit(3, nik_number=1)
    assert (third.outcome, third.reference) == (Outcome.ALREADY_REGISTERED, second.reference)


def test_a_worker_may_register_again_any_number_of_times(harness: RegistrationHarness) -> None:
    followed = None
    for number in range(1, 6):
        registration = harness.register(number, nik_number=1)
        assert registration.follows == followed
        cancelled(harness, registration.reference)
        followed = registration.reference


def test_the_first_capture_gets_its_first_answer_after_the_worker_registered_again(
    harness: RegistrationHarness,
) -> None:
    first = harness.submit()
    cancelled(harness, first.reference)
    harness.submit(2, nik_number=1)

    assert harness.submit() == first


def test_a_payment_for_a_lapsed_membership_reactivates_it_if_nothing_follows_it(
    harness: RegistrationHarness,
) -> None:
    reference = harness.submit().reference
    lapsed(harness, reference)

    paid = harness.lifecycle_service.record_payment(
        reference, make_payment_at_capture("p-2", paid_at=harness.clock()), caller=CORE_CALLER
    )

    assert paid.lifecycle.status is Status.ACTIVE
    assert harness.submit(2, nik_number=1).status is Status.ACTIVE


def test_a_payment_for_a_lapsed_membership_that_another_registration_follows_is_refused(
    harness: RegistrationHarness,
) -> None:
    first = harness.register()
    lapsed(harness, first.reference)
    second = harness.submit(2, nik_number=1).reference
    before = [harness.stores.reading.get(each) for each in (first.reference, second)]

    with pytest.raises(RegistrationSuperseded):
        harness.lifecycle_service.record_payment(
            first.reference, make_payment_at_capture("p-2", paid_at=harness.clock()), caller=CORE_CALLER
        )

    assert [harness.stores.reading.get(each) for each in (first.reference, second)] == before


def test_a_payment_that_races_a_following_registration_is_refused(
    harness: RegistrationHarness,
) -> None:
    first = harness.register()
    lapsed(harness, first.reference)
    late = with_writes(harness, lambda: harness.submit(2, nik_number=1))

    with pytest.raises(RegistrationSuperseded):
        late.record_payment(
            first.reference, make_payment_at_capture("p-2", paid_at=harness.clock()), caller=CORE_CALLER
        )
    assert harness.stores.reading.get(first.reference).lifecycle.status is Status.LAPSED


def test_of_two_stale_copies_one_is_stored(harness: RegistrationHarness) -> None:
    registration = harness.register()
    harness.lifecycle_service.record_verification(registration.reference, MATCHED, caller=CORE_CALLER)
    with pytest.raises(WriteConflict):
        harness.stores.lifecycle.replace(registration, previous=registration)
