"""The daily round: what time alone does, to each registration by itself."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from chalicelib.registrations import schedule
from chalicelib.registrations.lifecycle import Cancellation, Status
from chalicelib.registrations.model import Registration
from chalicelib.registrations.schedule import SomeNotAged
from chalicelib.registrations.service import Contended
from tests.builders import NOW, a_caller
from tests.registrations.conftest import CORE, Desk
from tests.registrations.happenings import a_payment
from tests.registrations.meddling import Meddled

DAY = timedelta(days=1)


def a_round(desk: Desk) -> dict[str, int]:
    return schedule.age_due(desk.casework, desk.erasing)


def statuses(desk: Desk, *registrations: Registration) -> list[Status]:
    return [desk.store.get(each.reference).life.status for each in registrations]


def everything_kept(desk: Desk) -> list[Any]:
    items: list[Any] = desk.client.scan(TableName="RegistrationsTable")["Items"]
    return sorted(items, key=str)


def test_an_application_that_nobody_paid_for_expires_after_thirty_days(desk: Desk) -> None:
    registration = desk.registered()
    desk.days_later(29)
    assert a_round(desk) == {}
    desk.days_later(1)
    assert a_round(desk) == {"expired": 1}
    assert statuses(desk, registration) == [Status.EXPIRED]


def test_the_thirty_days_begin_when_the_capture_arrives_not_when_it_was_taken(desk: Desk) -> None:
    desk.days_later(20)
    registration = desk.registered()
    desk.days_later(29)
    assert a_round(desk) == {}
    desk.days_later(1)
    assert a_round(desk) == {"expired": 1}
    assert statuses(desk, registration) == [Status.EXPIRED]


def test_a_day_begins_at_midnight_in_jakarta(desk: Desk) -> None:
    desk.registered()
    desk.clock.at = datetime(2024, 11, 7, 16, 59, 59, tzinfo=UTC)
    assert a_round(desk) == {}
    desk.clock.at = datetime(2024, 11, 7, 17, 0, tzinfo=UTC)
    assert a_round(desk) == {"expired": 1}


def test_a_membership_lapses_when_three_months_are_unpaid(desk: Desk) -> None:
    registration = desk.registered()
    desk.casework.take_payment(registration.reference, a_payment(paid_at=desk.clock()), by=CORE)
    for at, became in (
        (datetime(2025, 1, 31, 16, 59, tzinfo=UTC), {}),
        (datetime(2025, 1, 31, 17, 0, tzinfo=UTC), {"lapsed": 1}),
    ):
        desk.clock.at = at
        assert a_round(desk) == became
    assert statuses(desk, registration) == [Status.LAPSED]


def test_a_payment_puts_the_day_of_lapsing_off(desk: Desk) -> None:
    registration = desk.registered()
    for number in (1, 2):
        desk.casework.take_payment(
            registration.reference, a_payment(f"p-{number}", paid_at=desk.clock()), by=CORE
        )
    desk.clock.at = datetime(2025, 2, 1, 12, tzinfo=UTC)
    assert a_round(desk) == {}
    desk.clock.at = datetime(2025, 3, 1, 12, tzinfo=UTC)
    assert a_round(desk) == {"lapsed": 1}


def test_a_round_that_comes_twice_or_days_late_changes_each_once(desk: Desk) -> None:
    registrations = [desk.registered(number) for number in range(1, 6)]
    desk.days_later(80)

    assert a_round(desk) == {"expired": 5}
    kept = everything_kept(desk)
    desk.days_later(1)
    assert a_round(desk) == {}

    assert everything_kept(desk) == kept
    assert {len(desk.store.get(each.reference).life.history) for each in registrations} == {2}


def test_what_is_not_due_and_what_has_ended_is_left_alone(desk: Desk) -> None:
    cancelled, waiting, paid = (desk.registered(number) for number in (1, 2, 3))
    desk.casework.cancel(cancelled.reference, Cancellation(reason="other"), by=a_caller())
    desk.casework.take_payment(paid.reference, a_payment(months=12, paid_at=desk.clock()), by=CORE)
    desk.days_later(29)
    kept = everything_kept(desk)

    assert a_round(desk) == {}

    assert everything_kept(desk) == kept
    assert statuses(desk, cancelled, waiting, paid) == ["cancelled", "received", "active"]


def test_only_what_is_due_is_read(desk: Desk) -> None:
    due = desk.submit(1).reference
    desk.days_later(10)
    desk.submit(2)
    desk.days_later(20)
    assert list(desk.casework.due()) == [due]


class Stubborn:
    """A store that will not change one registration."""

    def __init__(self, desk: Desk, stubborn: Registration) -> None:
        self._store = desk.store
        self._stubborn = stubborn.reference
        self.due = desk.store.due
        self.get = desk.store.get

    def replace(self, registration: Registration, *, was: Registration) -> None:
        if registration.reference == self._stubborn:
            raise Contended
        self._store.replace(registration, was=was)


def test_one_registration_that_cannot_be_changed_holds_up_no_other_and_fails_the_round(desk: Desk) -> None:
    registrations = [desk.registered(number) for number in range(1, 10)]
    desk.days_later(30)
    store: Any = Stubborn(desk, registrations[4])

    with pytest.raises(SomeNotAged, match="1 failed, 8 aged"):
        schedule.age_due(desk.casework_on(store), desk.erasing)

    assert statuses(desk, *registrations).count(Status.EXPIRED) == 8
    assert a_round(desk) == {"expired": 1}


def test_one_registration_that_cannot_be_read_holds_up_no_other_and_fails_the_round(desk: Desk) -> None:
    registrations = [desk.registered(number) for number in range(1, 10)]
    desk.client.update_item(
        TableName="RegistrationsTable",
        Key={"pk": {"S": f"REGISTRATION#{registrations[4].reference}"}, "sk": {"S": "APPLICATION"}},
        UpdateExpression="SET money = :altered",
        ExpressionAttributeValues={":altered": {"B": b"altered"}},
    )
    desk.days_later(30)

    with pytest.raises(SomeNotAged, match="1 failed, 8 aged"):
        a_round(desk)

    others = registrations[:4] + registrations[5:]
    assert statuses(desk, *others) == [Status.EXPIRED] * 8


def test_a_payment_that_comes_in_the_middle_of_the_round_is_what_counts(desk: Desk) -> None:
    registration = desk.registered()
    desk.days_later(30)
    store: Any = Meddled(
        desk, lambda: desk.casework.take_payment(registration.reference, a_payment(paid_at=NOW), by=CORE)
    )

    assert desk.casework_on(store).age(registration.reference) is None
    assert statuses(desk, registration) == [Status.ACTIVE]


def test_a_worker_whose_application_expired_last_night_can_register_in_the_morning(desk: Desk) -> None:
    first = desk.registered()
    desk.days_later(30)
    a_round(desk)

    again = desk.submit(2, nik=1)

    assert again.outcome == "reactivated"
    assert desk.store.get(again.reference).follows == first.reference
