"""Ageing: time-outs of registrations on their day, and one that fails holds up no other."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from chalicelib.conflicts import WriteConflict
from chalicelib.registrations import schedule
from chalicelib.registrations.model import Registration, Status
from chalicelib.registrations.reported_events import Cancellation
from chalicelib.registrations.schedule import AgeingPartialFailure
from tests.registrations.conftest import CORE_CALLER, RegistrationHarness
from tests.support.builders import NOW, make_caller
from tests.support.concurrent_writer import with_concurrent_writes
from tests.support.lifecycle_events import make_payment
from tests.support.rollup_harness import FakeLambdaContext

DAY = timedelta(days=1)


def statuses(harness: RegistrationHarness, *registrations: Registration) -> list[Status]:
    return [harness.stores.reading.get(each.reference).lifecycle.status for each in registrations]


def test_an_unpaid_application_expires_after_thirty_days(harness: RegistrationHarness) -> None:
    registration = harness.register()
    harness.advance_days(29)
    assert harness.age_due() == {}
    harness.advance_days(1)
    assert harness.age_due() == {"expired": 1}
    assert statuses(harness, registration) == [Status.EXPIRED]


def test_the_thirty_days_begin_on_the_day_of_receipt(
    harness: RegistrationHarness,
) -> None:
    harness.advance_days(20)
    registration = harness.register()
    harness.advance_days(29)
    assert harness.age_due() == {}
    harness.advance_days(1)
    assert harness.age_due() == {"expired": 1}
    assert statuses(harness, registration) == [Status.EXPIRED]


def test_a_day_begins_at_midnight_in_jakarta(harness: RegistrationHarness) -> None:
    harness.register()
    harness.clock.now = datetime(2024, 11, 7, 16, 59, 59, tzinfo=UTC)
    assert harness.age_due() == {}
    harness.clock.now = datetime(2024, 11, 7, 17, 0, tzinfo=UTC)
    assert harness.age_due() == {"expired": 1}


def test_a_membership_lapses_when_three_months_are_unpaid(harness: RegistrationHarness) -> None:
    registration = harness.register()
    harness.lifecycle_service.record_payment(
        registration.reference, make_payment(paid_at=harness.clock()), caller=CORE_CALLER
    )
    for instant, changed in (
        (datetime(2025, 1, 31, 16, 59, tzinfo=UTC), {}),
        (datetime(2025, 1, 31, 17, 0, tzinfo=UTC), {"lapsed": 1}),
    ):
        harness.clock.now = instant
        assert harness.age_due() == changed
    assert statuses(harness, registration) == [Status.LAPSED]


def test_a_payment_moves_the_day_of_lapsing(harness: RegistrationHarness) -> None:
    registration = harness.register()
    for number in (1, 2):
        harness.lifecycle_service.record_payment(
            registration.reference, make_payment(f"p-{number}", paid_at=harness.clock()), caller=CORE_CALLER
        )
    harness.clock.now = datetime(2025, 2, 1, 12, tzinfo=UTC)
    assert harness.age_due() == {}
    harness.clock.now = datetime(2025, 3, 1, 12, tzinfo=UTC)
    assert harness.age_due() == {"lapsed": 1}


def test_a_run_that_comes_twice_or_days_late_changes_each_registration_once(
    harness: RegistrationHarness,
) -> None:
    registrations = [harness.register(number) for number in range(1, 6)]
    harness.advance_days(80)

    assert harness.age_due() == {"expired": 5}
    items = harness.scan_items()
    harness.advance_days(1)
    assert harness.age_due() == {}

    assert harness.scan_items() == items
    assert {len(harness.stores.reading.get(each.reference).lifecycle.history) for each in registrations} == {
        2
    }


def test_registrations_that_are_not_due_or_have_ended_do_not_change(harness: RegistrationHarness) -> None:
    cancelled, waiting, paid = (harness.register(number) for number in (1, 2, 3))
    harness.lifecycle_service.cancel(cancelled.reference, Cancellation(reason="other"), caller=make_caller())
    harness.lifecycle_service.record_payment(
        paid.reference, make_payment(months=12, paid_at=harness.clock()), caller=CORE_CALLER
    )
    harness.advance_days(29)
    items = harness.scan_items()

    assert harness.age_due() == {}

    assert harness.scan_items() == items
    assert statuses(harness, cancelled, waiting, paid) == ["cancelled", "received", "active"]


def test_only_due_registrations_are_read(harness: RegistrationHarness) -> None:
    due = harness.submit(1).reference
    harness.advance_days(10)
    harness.submit(2)
    harness.advance_days(20)
    assert list(harness.lifecycle_service.iter_due()) == [due]


class StubbornStore:
    """Satisfies `lifecycle.LifecycleStore`; never changes one registration."""

    def __init__(self, harness: RegistrationHarness, stubborn: Registration) -> None:
        self._store = harness.stores.lifecycle
        self._stubborn = stubborn.reference
        self.iter_due = self._store.iter_due

    def replace(self, registration: Registration, *, previous: Registration, **options: Any) -> None:
        if registration.reference == self._stubborn:
            raise WriteConflict
        self._store.replace(registration, previous=previous, **options)


def test_a_registration_that_cannot_be_changed_holds_up_no_other_and_fails_the_run(
    harness: RegistrationHarness,
) -> None:
    registrations = [harness.register(number) for number in range(1, 10)]
    harness.advance_days(30)
    store = StubbornStore(harness, registrations[4])

    with pytest.raises(AgeingPartialFailure, match="1 failed, 8 aged"):
        schedule.age_due_registrations(
            harness.make_lifecycle_service(store),
            harness.erasure_service,
            harness.erased_sms.append,
            FakeLambdaContext(harness.clock, timedelta(minutes=15)),
        )

    assert statuses(harness, *registrations).count(Status.EXPIRED) == 8
    assert harness.age_due() == {"expired": 1}


def test_a_registration_that_cannot_be_read_neither_holds_up_another_nor_fails_the_run(
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

    assert harness.age_due() == {"expired": 8}

    others = registrations[:4] + registrations[5:]
    assert statuses(harness, *others) == [Status.EXPIRED] * 8


def test_a_payment_during_the_run_prevails(harness: RegistrationHarness) -> None:
    registration = harness.register()
    harness.advance_days(30)
    store = with_concurrent_writes(
        harness.stores.lifecycle,
        "replace",
        lambda: harness.lifecycle_service.record_payment(
            registration.reference, make_payment(paid_at=NOW), caller=CORE_CALLER
        ),
    )

    assert harness.make_lifecycle_service(store).age(registration.reference) == []
    assert statuses(harness, registration) == [Status.ACTIVE]


def test_a_worker_whose_application_expired_last_night_can_register_in_the_morning(
    harness: RegistrationHarness,
) -> None:
    first = harness.register()
    harness.advance_days(30)
    harness.age_due()

    again = harness.submit(2, nik_number=1)

    assert again.outcome == "reactivated"
    assert harness.stores.reading.get(again.reference).follows == first.reference
