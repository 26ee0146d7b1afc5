"""The daily round: what time alone does, to each registration by itself."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from chalicelib.registrations import schedule
from chalicelib.registrations.intake import WriteConflict
from chalicelib.registrations.model import Registration
from chalicelib.registrations.schedule import AgeingPartialFailure
from chalicelib.registrations.states import Cancellation, Status
from tests.registrations.conftest import CORE_CALLER, RegistrationHarness
from tests.support.builders import NOW, make_caller
from tests.support.concurrent_writer import ConcurrentWriterStore
from tests.support.lifecycle_events import make_payment

DAY = timedelta(days=1)


def a_round(harness: RegistrationHarness) -> dict[str, int]:
    return schedule.age_due_registrations(harness.lifecycle_service, harness.erasure_service)


def statuses(harness: RegistrationHarness, *registrations: Registration) -> list[Status]:
    return [harness.registrations.get(each.reference).lifecycle.status for each in registrations]


def everything_kept(harness: RegistrationHarness) -> list[Any]:
    items: list[Any] = harness.dynamodb.scan(TableName="RegistrationsTable")["Items"]
    return sorted(items, key=str)


def test_an_application_that_nobody_paid_for_expires_after_thirty_days(harness: RegistrationHarness) -> None:
    registration = harness.register()
    harness.advance_days(29)
    assert a_round(harness) == {}
    harness.advance_days(1)
    assert a_round(harness) == {"expired": 1}
    assert statuses(harness, registration) == [Status.EXPIRED]


def test_the_thirty_days_begin_when_the_capture_arrives_not_when_it_was_taken(
    harness: RegistrationHarness,
) -> None:
    harness.advance_days(20)
    registration = harness.register()
    harness.advance_days(29)
    assert a_round(harness) == {}
    harness.advance_days(1)
    assert a_round(harness) == {"expired": 1}
    assert statuses(harness, registration) == [Status.EXPIRED]


def test_a_day_begins_at_midnight_in_jakarta(harness: RegistrationHarness) -> None:
    harness.register()
    harness.clock.now = datetime(2024, 11, 7, 16, 59, 59, tzinfo=UTC)
    assert a_round(harness) == {}
    harness.clock.now = datetime(2024, 11, 7, 17, 0, tzinfo=UTC)
    assert a_round(harness) == {"expired": 1}


def test_a_membership_lapses_when_three_months_are_unpaid(harness: RegistrationHarness) -> None:
    registration = harness.register()
    harness.lifecycle_service.record_payment(
        registration.reference, make_payment(paid_at=harness.clock()), caller=CORE_CALLER
    )
    for at, became in (
        (datetime(2025, 1, 31, 16, 59, tzinfo=UTC), {}),
        (datetime(2025, 1, 31, 17, 0, tzinfo=UTC), {"lapsed": 1}),
    ):
        harness.clock.now = at
        assert a_round(harness) == became
    assert statuses(harness, registration) == [Status.LAPSED]


def test_a_payment_puts_the_day_of_lapsing_off(harness: RegistrationHarness) -> None:
    registration = harness.register()
    for number in (1, 2):
        harness.lifecycle_service.record_payment(
            registration.reference, make_payment(f"p-{number}", paid_at=harness.clock()), caller=CORE_CALLER
        )
    harness.clock.now = datetime(2025, 2, 1, 12, tzinfo=UTC)
    assert a_round(harness) == {}
    harness.clock.now = datetime(2025, 3, 1, 12, tzinfo=UTC)
    assert a_round(harness) == {"lapsed": 1}


def test_a_round_that_comes_twice_or_days_late_changes_each_once(harness: RegistrationHarness) -> None:
    registrations = [harness.register(number) for number in range(1, 6)]
    harness.advance_days(80)

    assert a_round(harness) == {"expired": 5}
    kept = everything_kept(harness)
    harness.advance_days(1)
    assert a_round(harness) == {}

    assert everything_kept(harness) == kept
    assert {len(harness.registrations.get(each.reference).lifecycle.history) for each in registrations} == {2}


def test_what_is_not_due_and_what_has_ended_is_left_alone(harness: RegistrationHarness) -> None:
    cancelled, waiting, paid = (harness.register(number) for number in (1, 2, 3))
    harness.lifecycle_service.cancel(cancelled.reference, Cancellation(reason="other"), caller=make_caller())
    harness.lifecycle_service.record_payment(
        paid.reference, make_payment(months=12, paid_at=harness.clock()), caller=CORE_CALLER
    )
    harness.advance_days(29)
    kept = everything_kept(harness)

    assert a_round(harness) == {}

    assert everything_kept(harness) == kept
    assert statuses(harness, cancelled, waiting, paid) == ["cancelled", "received", "active"]


def test_only_what_is_due_is_read(harness: RegistrationHarness) -> None:
    due = harness.submit(1).reference
    harness.advance_days(10)
    harness.submit(2)
    harness.advance_days(20)
    assert list(harness.lifecycle_service.iter_due()) == [due]


class Stubborn:
    """A store that will not change one registration."""

    def __init__(self, harness: RegistrationHarness, stubborn: Registration) -> None:
        self._store = harness.registrations
        self._stubborn = stubborn.reference
        self.iter_due = harness.registrations.iter_due
        self.get = harness.registrations.get

    def replace(self, registration: Registration, *, previous: Registration) -> None:
        if registration.reference == self._stubborn:
            raise WriteConflict
        self._store.replace(registration, previous=previous)


def test_one_registration_that_cannot_be_changed_holds_up_no_other_and_fails_the_round(
    harness: RegistrationHarness,
) -> None:
    registrations = [harness.register(number) for number in range(1, 10)]
    harness.advance_days(30)
    store: Any = Stubborn(harness, registrations[4])

    with pytest.raises(AgeingPartialFailure, match="1 failed, 8 aged"):
        schedule.age_due_registrations(harness.make_lifecycle_service(store), harness.erasure_service)

    assert statuses(harness, *registrations).count(Status.EXPIRED) == 8
    assert a_round(harness) == {"expired": 1}


def test_one_registration_that_cannot_be_read_holds_up_no_other_and_fails_the_round(
    harness: RegistrationHarness,
) -> None:
    registrations = [harness.register(number) for number in range(1, 10)]
    harness.dynamodb.update_item(
        TableName="RegistrationsTable",
        Key={"pk": {"S": f"REGISTRATION#{registrations[4].reference}"}, "sk": {"S": "APPLICATION"}},
        UpdateExpression="SET money = :altered",
        ExpressionAttributeValues={":altered": {"B": b"altered"}},
    )
    harness.advance_days(30)

    with pytest.raises(AgeingPartialFailure, match="1 failed, 8 aged"):
        a_round(harness)

    others = registrations[:4] + registrations[5:]
    assert statuses(harness, *others) == [Status.EXPIRED] * 8


def test_a_payment_that_comes_in_the_middle_of_the_round_is_what_counts(harness: RegistrationHarness) -> None:
    registration = harness.register()
    harness.advance_days(30)
    store: Any = ConcurrentWriterStore(
        harness,
        lambda: harness.lifecycle_service.record_payment(
            registration.reference, make_payment(paid_at=NOW), caller=CORE_CALLER
        ),
    )

    assert harness.make_lifecycle_service(store).age(registration.reference) is None
    assert statuses(harness, registration) == [Status.ACTIVE]


def test_a_worker_whose_application_expired_last_night_can_register_in_the_morning(
    harness: RegistrationHarness,
) -> None:
    first = harness.register()
    harness.advance_days(30)
    a_round(harness)

    again = harness.submit(2, nik_number=1)

    assert again.outcome == "reactivated"
    assert harness.registrations.get(again.reference).follows == first.reference
