"""What happens to a registration after intake: nothing that is reported gets lost or happens twice."""

from collections.abc import Callable
from typing import Any

import pytest

from chalicelib.refusals import TryAgain
from chalicelib.registrations.casework import LifecycleService
from chalicelib.registrations.errors import (
    PaymentReused,
    RegistrationSuperseded,
    RegistrationUnknown,
    TransitionNotAllowed,
)
from chalicelib.registrations.lifecycle import Cancellation, Status, VerificationResult
from chalicelib.registrations.model import Outcome, Registration
from chalicelib.registrations.reference import Reference
from chalicelib.registrations.service import WriteConflict
from tests.builders import make_caller
from tests.registrations.conftest import CORE_CALLER, RegistrationHarness
from tests.registrations.happenings import make_payment, make_payment_code
from tests.registrations.meddling import ConcurrentWriterStore

OTHER = Cancellation(reason="other")
MATCHED, MISMATCH = VerificationResult(result="matched"), VerificationResult(result="mismatch")


def meddled(desk: RegistrationHarness, *meddling: Callable[[], object]) -> LifecycleService:
    store: Any = ConcurrentWriterStore(desk, *meddling)
    return desk.make_lifecycle_service(store)


def story(registration: Registration) -> list[str]:
    return [event.event_type for event in registration.lifecycle.history]


def test_each_event_is_stored_with_who_and_when(desk: RegistrationHarness) -> None:
    reference = desk.submit().reference
    desk.advance_days(1)
    desk.lifecycle_service.record_verification(reference, MATCHED, caller=CORE_CALLER)
    desk.advance_days(1)
    desk.lifecycle_service.issue_payment_code(reference, make_payment_code(), caller=CORE_CALLER)
    desk.advance_days(1)
    told = desk.lifecycle_service.record_payment(
        reference, make_payment(kpj="21012345678"), caller=CORE_CALLER
    )

    stored = desk.registrations.get(reference)
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
        lambda casework, reference: casework.take_payment(reference, make_payment(), caller=CORE_CALLER),
        lambda casework, reference: casework.verify(reference, MISMATCH, caller=CORE_CALLER),
        lambda casework, reference: casework.cancel(reference, OTHER, caller=make_caller()),
    ],
    ids=["payment code", "payment", "verification", "cancellation"],
)
def test_an_event_reported_again_later_changes_nothing(desk: RegistrationHarness, report: Any) -> None:
    reference = desk.submit().reference
    first = report(desk.lifecycle_service, reference)
    desk.advance_days(5)

    assert report(desk.lifecycle_service, reference) == first
    assert desk.registrations.get(reference) == first


def test_a_payment_that_comes_between_reading_and_storing_is_not_lost(desk: RegistrationHarness) -> None:
    reference = desk.submit().reference
    casework = meddled(
        desk,
        lambda: desk.lifecycle_service.record_payment(reference, make_payment("p-1"), caller=CORE_CALLER),
        lambda: desk.lifecycle_service.record_payment(reference, make_payment("p-2"), caller=CORE_CALLER),
    )

    casework.record_payment(reference, make_payment("p-3"), caller=CORE_CALLER)

    stored = desk.registrations.get(reference)
    assert [payment.payment_id for payment in stored.lifecycle.payments] == ["p-1", "p-2", "p-3"]
    assert (stored.lifecycle.paid_through, stored.lifecycle.version) == ("2027-01", 4)


def test_a_payment_reported_by_two_at_once_counts_once(desk: RegistrationHarness) -> None:
    reference = desk.submit().reference
    again = meddled(
        desk, lambda: desk.lifecycle_service.record_payment(reference, make_payment(), caller=CORE_CALLER)
    )

    told = again.record_payment(reference, make_payment(), caller=CORE_CALLER)

    assert told == desk.registrations.get(reference)
    assert story(told) == ["registered", "paid"]


def test_two_payments_under_one_id_at_once_are_one_and_a_refusal(desk: RegistrationHarness) -> None:
    reference = desk.submit().reference
    other = meddled(
        desk, lambda: desk.lifecycle_service.record_payment(reference, make_payment(), caller=CORE_CALLER)
    )

    with pytest.raises(PaymentReused):
        other.record_payment(reference, make_payment(amount=1), caller=CORE_CALLER)


def test_what_was_allowed_when_it_was_read_and_is_no_more_is_refused(desk: RegistrationHarness) -> None:
    reference = desk.submit().reference
    late = meddled(desk, lambda: desk.lifecycle_service.cancel(reference, OTHER, caller=make_caller()))

    with pytest.raises(TransitionNotAllowed):
        late.record_payment(reference, make_payment(), caller=CORE_CALLER)

    assert story(desk.registrations.get(reference)) == ["registered", "cancelled"]


def test_a_race_without_end_is_given_up_and_stores_nothing(desk: RegistrationHarness) -> None:
    reference = desk.submit().reference
    others = (f"other-{number}" for number in range(100))
    in_the_way = [
        lambda: desk.lifecycle_service.issue_payment_code(
            reference, make_payment_code(code=next(others)), caller=CORE_CALLER
        )
    ] * 100
    with pytest.raises(TryAgain):
        meddled(desk, *in_the_way).record_payment(reference, make_payment(), caller=CORE_CALLER)

    assert desk.registrations.get(reference).lifecycle.payments == ()


@pytest.mark.parametrize("typed", ["7K4-M2Q-X9P", "", "no reference", "7K4-M2Q-X9P\n", "%2e%2e"])
def test_nothing_happens_to_a_registration_that_nobody_has(desk: RegistrationHarness, typed: str) -> None:
    with pytest.raises(RegistrationUnknown):
        desk.lifecycle_service.record_payment(typed, make_payment(), caller=CORE_CALLER)


def test_a_registration_of_another_campaign_is_as_unknown_as_none(desk: RegistrationHarness) -> None:
    elsewhere = make_caller(campaigns=frozenset({"senen-2024"}))
    with pytest.raises(RegistrationUnknown):
        desk.lifecycle_service.cancel(desk.submit().reference, OTHER, caller=elsewhere)


def test_while_a_registration_is_open_its_status_is_what_another_capture_is_told(
    desk: RegistrationHarness,
) -> None:
    reference = desk.submit().reference
    tellings = []
    for number, report in enumerate(
        [
            lambda: None,
            lambda: desk.lifecycle_service.issue_payment_code(
                reference, make_payment_code(), caller=CORE_CALLER
            ),
            lambda: desk.lifecycle_service.record_verification(reference, MISMATCH, caller=CORE_CALLER),
            lambda: desk.lifecycle_service.record_verification(reference, MATCHED, caller=CORE_CALLER),
            lambda: desk.lifecycle_service.record_payment(reference, make_payment(), caller=CORE_CALLER),
        ],
        start=2,
    ):
        report()
        answer = desk.submit(number, nik_number=1)
        assert (answer.outcome, answer.reference) == (Outcome.ALREADY_REGISTERED, reference)
        tellings.append(answer.status)
    assert tellings == ["received", "awaiting_payment", "mismatch", "received", "active"]


def cancelled(desk: RegistrationHarness, reference: str) -> None:
    desk.lifecycle_service.cancel(reference, OTHER, caller=make_caller())


def expired(desk: RegistrationHarness, reference: str) -> None:
    desk.advance_days(30)
    desk.lifecycle_service.age(Reference(reference))


def lapsed(desk: RegistrationHarness, reference: str) -> None:
    desk.lifecycle_service.record_payment(reference, make_payment(paid_at=desk.clock()), caller=CORE_CALLER)
    desk.advance_days(150)
    desk.lifecycle_service.age(Reference(reference))


@pytest.mark.parametrize("ended", [cancelled, expired, lapsed])
def test_when_a_registration_has_ended_another_capture_opens_one_that_follows_it(
    desk: RegistrationHarness, ended: Any
) -> None:
    first = desk.register()
    ended(desk, first.reference)
    assert desk.registrations.get(first.reference).lifecycle.status == ended.__name__

    answer = desk.submit(2, nik_number=1)

    assert (answer.outcome, answer.status) == (Outcome.REACTIVATED, Status.RECEIVED)
    second = desk.registrations.get(answer.reference)
    assert (second.follows, second.worker_key) == (first.reference, first.worker_key)
    assert desk.registrations.get(first.reference).lifecycle.status == ended.__name__
    third = desk.submit(3, nik_number=1)
    assert (third.outcome, third.reference) == (Outcome.ALREADY_REGISTERED, second.reference)


def test_a_worker_may_come_back_any_number_of_times(desk: RegistrationHarness) -> None:
    followed = None
    for number in range(1, 6):
        registration = desk.register(number, nik=1)
        assert registration.follows == followed
        cancelled(desk, registration.reference)
        followed = registration.reference


def test_the_first_capture_is_told_its_first_answer_whatever_has_happened_since(
    desk: RegistrationHarness,
) -> None:
    first = desk.submit()
    cancelled(desk, first.reference)
    desk.submit(2, nik_number=1)

    assert desk.submit() == first


def test_a_payment_for_a_lapsed_membership_brings_it_back_if_nothing_follows_it(
    desk: RegistrationHarness,
) -> None:
    reference = desk.submit().reference
    lapsed(desk, reference)

    paid = desk.lifecycle_service.record_payment(
        reference, make_payment("p-2", paid_at=desk.clock()), caller=CORE_CALLER
    )

    assert paid.lifecycle.status is Status.ACTIVE
    assert desk.submit(2, nik_number=1).status is Status.ACTIVE


def test_what_is_reported_of_a_lapsed_membership_that_something_follows_is_refused(
    desk: RegistrationHarness,
) -> None:
    first = desk.register()
    lapsed(desk, first.reference)
    second = desk.submit(2, nik_number=1).reference
    before = [desk.registrations.get(each) for each in (first.reference, second)]

    with pytest.raises(RegistrationSuperseded):
        desk.lifecycle_service.record_payment(
            first.reference, make_payment("p-2", paid_at=desk.clock()), caller=CORE_CALLER
        )

    assert [desk.registrations.get(each) for each in (first.reference, second)] == before


def test_a_payment_that_races_the_registration_which_follows_is_taken_or_refused_never_lost(
    desk: RegistrationHarness,
) -> None:
    first = desk.register()
    lapsed(desk, first.reference)
    late = meddled(desk, lambda: desk.submit(2, nik_number=1))

    with pytest.raises(RegistrationSuperseded):
        late.record_payment(first.reference, make_payment("p-2", paid_at=desk.clock()), caller=CORE_CALLER)
    assert desk.registrations.get(first.reference).lifecycle.status is Status.LAPSED


def test_of_two_stale_copies_one_is_stored(desk: RegistrationHarness) -> None:
    registration = desk.register()
    desk.lifecycle_service.record_verification(registration.reference, MATCHED, caller=CORE_CALLER)
    with pytest.raises(WriteConflict):
        desk.registrations.replace(registration, previous=registration)
