"""What happens to a registration after intake: nothing that is reported gets lost or happens twice."""

from collections.abc import Callable
from typing import Any

import pytest

from chalicelib.refusals import TryAgain
from chalicelib.registrations.casework import Casework
from chalicelib.registrations.errors import (
    PaymentReused,
    RegistrationUnknown,
    Superseded,
    TransitionNotAllowed,
)
from chalicelib.registrations.lifecycle import Cancellation, Status, VerificationResult
from chalicelib.registrations.model import Outcome, Registration
from chalicelib.registrations.reference import Reference
from chalicelib.registrations.service import Contended
from tests.builders import a_caller
from tests.registrations.conftest import CORE, Desk
from tests.registrations.happenings import a_code, a_payment
from tests.registrations.meddling import Meddled

OTHER = Cancellation(reason="other")
MATCHED, MISMATCH = VerificationResult(result="matched"), VerificationResult(result="mismatch")


def meddled(desk: Desk, *meddling: Callable[[], object]) -> Casework:
    store: Any = Meddled(desk, *meddling)
    return desk.casework_on(store)


def story(registration: Registration) -> list[str]:
    return [event.happening for event in registration.life.history]


def test_each_event_is_stored_with_who_and_when(desk: Desk) -> None:
    reference = desk.submit().reference
    desk.days_later(1)
    desk.casework.verify(reference, MATCHED, by=CORE)
    desk.days_later(1)
    desk.casework.issue_payment_code(reference, a_code(), by=CORE)
    desk.days_later(1)
    told = desk.casework.take_payment(reference, a_payment(kpj="21012345678"), by=CORE)

    stored = desk.store.get(reference)
    assert stored == told
    assert story(stored) == ["registered", "matched", "payment_code_issued", "paid"]
    assert [event.client_id for event in stored.life.history] == ["van-1", *["membership"] * 3]
    assert [event.at.day for event in stored.life.history] == [9, 10, 11, 12]
    assert (stored.life.status, stored.life.kpj, stored.life.version) == (Status.ACTIVE, "21012345678", 4)


@pytest.mark.parametrize(
    "report",
    [
        lambda casework, reference: casework.issue_payment_code(reference, a_code(), by=CORE),
        lambda casework, reference: casework.take_payment(reference, a_payment(), by=CORE),
        lambda casework, reference: casework.verify(reference, MISMATCH, by=CORE),
        lambda casework, reference: casework.cancel(reference, OTHER, by=a_caller()),
    ],
    ids=["payment code", "payment", "verification", "cancellation"],
)
def test_an_event_reported_again_later_changes_nothing(desk: Desk, report: Any) -> None:
    reference = desk.submit().reference
    first = report(desk.casework, reference)
    desk.days_later(5)

    assert report(desk.casework, reference) == first
    assert desk.store.get(reference) == first


def test_a_payment_that_comes_between_reading_and_storing_is_not_lost(desk: Desk) -> None:
    reference = desk.submit().reference
    casework = meddled(
        desk,
        lambda: desk.casework.take_payment(reference, a_payment("p-1"), by=CORE),
        lambda: desk.casework.take_payment(reference, a_payment("p-2"), by=CORE),
    )

    casework.take_payment(reference, a_payment("p-3"), by=CORE)

    stored = desk.store.get(reference)
    assert [payment.payment_id for payment in stored.life.payments] == ["p-1", "p-2", "p-3"]
    assert (stored.life.paid_through, stored.life.version) == ("2027-01", 4)


def test_a_payment_reported_by_two_at_once_counts_once(desk: Desk) -> None:
    reference = desk.submit().reference
    again = meddled(desk, lambda: desk.casework.take_payment(reference, a_payment(), by=CORE))

    told = again.take_payment(reference, a_payment(), by=CORE)

    assert told == desk.store.get(reference)
    assert story(told) == ["registered", "paid"]


def test_two_payments_under_one_id_at_once_are_one_and_a_refusal(desk: Desk) -> None:
    reference = desk.submit().reference
    other = meddled(desk, lambda: desk.casework.take_payment(reference, a_payment(), by=CORE))

    with pytest.raises(PaymentReused):
        other.take_payment(reference, a_payment(amount=1), by=CORE)


def test_what_was_allowed_when_it_was_read_and_is_no_more_is_refused(desk: Desk) -> None:
    reference = desk.submit().reference
    late = meddled(desk, lambda: desk.casework.cancel(reference, OTHER, by=a_caller()))

    with pytest.raises(TransitionNotAllowed):
        late.take_payment(reference, a_payment(), by=CORE)

    assert story(desk.store.get(reference)) == ["registered", "cancelled"]


def test_a_race_without_end_is_given_up_and_stores_nothing(desk: Desk) -> None:
    reference = desk.submit().reference
    others = (f"other-{number}" for number in range(100))
    in_the_way = [
        lambda: desk.casework.issue_payment_code(reference, a_code(code=next(others)), by=CORE)
    ] * 100
    with pytest.raises(TryAgain):
        meddled(desk, *in_the_way).take_payment(reference, a_payment(), by=CORE)

    assert desk.store.get(reference).life.payments == ()


@pytest.mark.parametrize("typed", ["7K4-M2Q-X9P", "", "no reference", "7K4-M2Q-X9P\n", "%2e%2e"])
def test_nothing_happens_to_a_registration_that_nobody_has(desk: Desk, typed: str) -> None:
    with pytest.raises(RegistrationUnknown):
        desk.casework.take_payment(typed, a_payment(), by=CORE)


def test_a_registration_of_another_campaign_is_as_unknown_as_none(desk: Desk) -> None:
    elsewhere = a_caller(campaigns=frozenset({"senen-2024"}))
    with pytest.raises(RegistrationUnknown):
        desk.casework.cancel(desk.submit().reference, OTHER, by=elsewhere)


def test_while_a_registration_is_open_its_status_is_what_another_capture_is_told(desk: Desk) -> None:
    reference = desk.submit().reference
    tellings = []
    for number, report in enumerate(
        [
            lambda: None,
            lambda: desk.casework.issue_payment_code(reference, a_code(), by=CORE),
            lambda: desk.casework.verify(reference, MISMATCH, by=CORE),
            lambda: desk.casework.verify(reference, MATCHED, by=CORE),
            lambda: desk.casework.take_payment(reference, a_payment(), by=CORE),
        ],
        start=2,
    ):
        report()
        answer = desk.submit(number, nik=1)
        assert (answer.outcome, answer.reference) == (Outcome.ALREADY_REGISTERED, reference)
        tellings.append(answer.status)
    assert tellings == ["received", "awaiting_payment", "mismatch", "received", "active"]


def cancelled(desk: Desk, reference: str) -> None:
    desk.casework.cancel(reference, OTHER, by=a_caller())


def expired(desk: Desk, reference: str) -> None:
    desk.days_later(30)
    desk.casework.age(Reference(reference))


def lapsed(desk: Desk, reference: str) -> None:
    desk.casework.take_payment(reference, a_payment(paid_at=desk.clock()), by=CORE)
    desk.days_later(150)
    desk.casework.age(Reference(reference))


@pytest.mark.parametrize("ended", [cancelled, expired, lapsed])
def test_when_a_registration_has_ended_another_capture_opens_one_that_follows_it(
    desk: Desk, ended: Any
) -> None:
    first = desk.registered()
    ended(desk, first.reference)
    assert desk.store.get(first.reference).life.status == ended.__name__

    answer = desk.submit(2, nik=1)

    assert (answer.outcome, answer.status) == (Outcome.REACTIVATED, Status.RECEIVED)
    second = desk.store.get(answer.reference)
    assert (second.follows, second.worker_key) == (first.reference, first.worker_key)
    assert desk.store.get(first.reference).life.status == ended.__name__
    third = desk.submit(3, nik=1)
    assert (third.outcome, third.reference) == (Outcome.ALREADY_REGISTERED, second.reference)


def test_a_worker_may_come_back_any_number_of_times(desk: Desk) -> None:
    followed = None
    for number in range(1, 6):
        registration = desk.registered(number, nik=1)
        assert registration.follows == followed
        cancelled(desk, registration.reference)
        followed = registration.reference


def test_the_first_capture_is_told_its_first_answer_whatever_has_happened_since(desk: Desk) -> None:
    first = desk.submit()
    cancelled(desk, first.reference)
    desk.submit(2, nik=1)

    assert desk.submit() == first


def test_a_payment_for_a_lapsed_membership_brings_it_back_if_nothing_follows_it(desk: Desk) -> None:
    reference = desk.submit().reference
    lapsed(desk, reference)

    paid = desk.casework.take_payment(reference, a_payment("p-2", paid_at=desk.clock()), by=CORE)

    assert paid.life.status is Status.ACTIVE
    assert desk.submit(2, nik=1).status is Status.ACTIVE


def test_what_is_reported_of_a_lapsed_membership_that_something_follows_is_refused(desk: Desk) -> None:
    first = desk.registered()
    lapsed(desk, first.reference)
    second = desk.submit(2, nik=1).reference
    before = [desk.store.get(each) for each in (first.reference, second)]

    with pytest.raises(Superseded):
        desk.casework.take_payment(first.reference, a_payment("p-2", paid_at=desk.clock()), by=CORE)

    assert [desk.store.get(each) for each in (first.reference, second)] == before


def test_a_payment_that_races_the_registration_which_follows_is_taken_or_refused_never_lost(
    desk: Desk,
) -> None:
    first = desk.registered()
    lapsed(desk, first.reference)
    late = meddled(desk, lambda: desk.submit(2, nik=1))

    with pytest.raises(Superseded):
        late.take_payment(first.reference, a_payment("p-2", paid_at=desk.clock()), by=CORE)
    assert desk.store.get(first.reference).life.status is Status.LAPSED


def test_of_two_stale_copies_one_is_stored(desk: Desk) -> None:
    registration = desk.registered()
    desk.casework.verify(registration.reference, MATCHED, by=CORE)
    with pytest.raises(Contended):
        desk.store.replace(registration, was=registration)
