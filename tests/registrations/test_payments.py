"""Payments: the months paid for, and the day on which a membership lapses."""

from datetime import date, timedelta, timezone
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from chalicelib.registrations.errors import PaymentReused
from chalicelib.registrations.model import EventType, Status
from tests.support.lifecycle_events import (
    OCCURRED_AT,
    age,
    make_lifecycle,
    make_payment,
    make_payment_code,
    pay,
)


@pytest.mark.parametrize(
    ("paid_at", "months", "through", "active_until", "lapses_on"),
    [
        ("2026-11-22T12:00:00+07:00", 1, "2026-11", date(2026, 11, 30), date(2027, 3, 1)),
        ("2026-11-22T12:00:00+07:00", 2, "2026-12", date(2026, 12, 31), date(2027, 4, 1)),
        ("2026-11-22T12:00:00+07:00", 3, "2027-01", date(2027, 1, 31), date(2027, 5, 1)),
        ("2026-11-22T12:00:00+07:00", 12, "2027-10", date(2027, 10, 31), date(2028, 2, 1)),
        ("2028-02-01T00:00:00+07:00", 1, "2028-02", date(2028, 2, 29), date(2028, 6, 1)),
        ("2026-02-28T23:59:59+07:00", 1, "2026-02", date(2026, 2, 28), date(2026, 6, 1)),
        ("2026-12-31T23:59:59+07:00", 1, "2026-12", date(2026, 12, 31), date(2027, 4, 1)),
        ("2026-12-31T16:59:59Z", 1, "2026-12", date(2026, 12, 31), date(2027, 4, 1)),
        ("2026-12-31T17:00:00Z", 1, "2027-01", date(2027, 1, 31), date(2027, 5, 1)),
    ],
)
def test_a_first_payment_pays_from_the_month_it_was_made_in(
    paid_at: str, months: int, through: str, active_until: date, lapses_on: date
) -> None:
    lifecycle = pay(make_payment(paid_at=paid_at, months=months))(make_lifecycle())
    assert (lifecycle.paid_through, lifecycle.active_until, lifecycle.lapses_on) == (
        through,
        active_until,
        lapses_on,
    )


@pytest.mark.parametrize(
    ("paid_at", "months", "through"),
    [
        ("2026-11-30T12:00:00+07:00", 1, "2027-02"),
        ("2026-11-22T12:00:00+07:00", 12, "2028-01"),
        ("2027-01-31T23:59:59+07:00", 1, "2027-02"),
        ("2027-02-01T00:00:00+07:00", 1, "2027-02"),
        ("2027-03-01T00:00:00+07:00", 1, "2027-03"),
        ("2027-12-15T12:00:00+07:00", 2, "2028-01"),
        ("2026-10-01T12:00:00+07:00", 1, "2027-01"),
    ],
)
def test_a_further_payment_pays_for_the_next_months_and_for_none_in_the_past(
    paid_at: str, months: int, through: str
) -> None:
    until_january = pay(make_payment(months=3))(make_lifecycle())
    lifecycle = pay(make_payment("p-2", paid_at=paid_at, months=months))(until_january)
    assert (lifecycle.status, lifecycle.paid_through) == (Status.ACTIVE, through)


def test_a_lapsed_membership_is_active_again_when_it_is_paid() -> None:
    lapsed = age(date(2099, 1, 1))(pay(make_payment())(make_lifecycle()))
    assert lapsed.status is Status.LAPSED
    lifecycle = pay(make_payment("p-2", paid_at="2099-01-05T12:00:00+07:00"))(lapsed)
    assert (lifecycle.status, lifecycle.paid_through) == (Status.ACTIVE, "2099-01")


def test_a_payment_counts_once_however_its_instant_is_written() -> None:
    once = pay(make_payment(paid_at="2026-11-22T12:00:00+07:00"))(make_lifecycle())
    assert pay(make_payment(paid_at="2026-11-22T05:00:00Z"))(once) is once


@pytest.mark.parametrize(
    "change",
    [
        {"amount": 16_401},
        {"months": 2},
        {"paid_at": OCCURRED_AT + timedelta(seconds=1)},
        {"kpj": "21012345678"},
    ],
    ids=str,
)
def test_a_payment_id_used_for_another_payment_is_refused(change: dict[str, Any]) -> None:
    once = pay(make_payment())(make_lifecycle())
    with pytest.raises(PaymentReused):
        pay(make_payment(**change))(once)


def test_the_last_card_number_is_kept() -> None:
    lifecycle = make_lifecycle()
    for number, kpj in enumerate([None, "21012345678", None, "21012345679", None]):
        lifecycle = pay(make_payment(f"p-{number}", kpj=kpj))(lifecycle)
    assert lifecycle.kpj == "21012345679"


def test_a_membership_lapses_after_three_unpaid_months() -> None:
    active = pay(make_payment(months=3))(make_lifecycle())
    assert age(date(2027, 4, 30))(active).status is Status.ACTIVE
    assert age(date(2027, 5, 1))(active).status is Status.LAPSED


def test_a_reminder_is_due_once_two_weeks_before_a_membership_lapses() -> None:
    active = pay(make_payment(months=3))(make_lifecycle())
    assert active.next_ageing_on == date(2027, 4, 17)
    assert age(date(2027, 4, 16))(active) is active

    reminded = age(date(2027, 4, 17))(active)

    assert (reminded.history[-1].event_type, reminded.status) == (EventType.LAPSING_SOON, Status.ACTIVE)
    assert reminded.next_ageing_on == date(2027, 5, 1)
    assert age(date(2027, 4, 30))(reminded) is reminded
    assert age(date(2027, 5, 1))(reminded).status is Status.LAPSED


def test_a_payment_after_a_reminder_makes_another_one_due_before_the_next_lapse() -> None:
    reminded = age(date(2027, 4, 17))(pay(make_payment(months=3))(make_lifecycle()))
    paid = pay(make_payment(payment_id="p-2", months=1))(reminded)
    assert paid.next_ageing_on == date(2027, 5, 18)
    assert age(date(2027, 5, 18))(paid).history[-1].event_type is EventType.LAPSING_SOON


def test_a_run_on_the_day_of_lapsing_gives_no_reminder() -> None:
    active = pay(make_payment(months=3))(make_lifecycle())
    lapsed = age(date(2027, 6, 1))(active)
    assert [event.event_type for event in lapsed.history][-2:] == [EventType.PAID, EventType.LAPSED]


@pytest.mark.parametrize(
    ("make", "slip"),
    [
        (make_payment_code, {"code": "123"}),
        (make_payment_code, {"code": "kode bayar"}),
        (make_payment_code, {"amount": 0}),
        (make_payment_code, {"amount": 16_400.5}),
        (make_payment_code, {"expires_on": "15-12-2026"}),
        (make_payment, {"payment_id": ""}),
        (make_payment, {"payment_id": "p 1"}),
        (make_payment, {"amount": -1}),
        (make_payment, {"months": 0}),
        (make_payment, {"months": 13}),
        (make_payment, {"paid_at": "2026-11-22T12:00:00"}),
        (make_payment, {"paid_at": "0001-01-01T00:00:00+14:00"}),
        (make_payment, {"paid_at": "9999-12-31T23:59:59Z"}),
        (make_payment, {"kpj": "2101234567"}),
        (make_payment, {"payer": "Siti"}),
    ],
    ids=lambda value: value.__name__ if callable(value) else next(iter(value)),
)
def test_an_invalid_value_is_refused(make: Any, slip: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        make(**slip)


@given(months=st.lists(st.sampled_from([1, 2, 3, 6, 12]), min_size=1, max_size=8))
def test_payments_of_one_month_add_up(months: list[int]) -> None:
    lifecycle = make_lifecycle()
    for number, each in enumerate(months):
        lifecycle = pay(make_payment(f"p-{number}", months=each))(lifecycle)
    year, month = divmod(2026 * 12 + 10 + sum(months) - 1, 12)
    assert lifecycle.paid_through == f"{year}-{month + 1:02d}"


def test_payments_reported_in_another_order_pay_for_the_same_months() -> None:
    paid = [
        make_payment("p-1", paid_at="2027-01-10T12:00:00+07:00"),
        make_payment("p-2"),
        make_payment("p-3", months=3),
    ]
    through = set()
    for order in permutations(paid):
        lifecycle = make_lifecycle()
        for payment in order:
            lifecycle = pay(payment)(lifecycle)
        through.add(lifecycle.paid_through)
    assert len(through) == 1


def test_a_pasted_card_number_is_cleaned() -> None:
    assert make_payment(kpj=" ２1012345678\u200b").kpj == "21012345678"  # noqa: RUF001 - full width


@pytest.mark.parametrize("payment_id", ["p-1 ", "\ufeffp-1", "ｐ-1"])  # noqa: RUF001 - full width
def test_an_id_of_the_core_system_is_taken_as_it_is_or_refused(payment_id: str) -> None:
    with pytest.raises(ValidationError):
        make_payment(payment_id)


@pytest.mark.parametrize("kpj", ["2101234567.0", "21012345678.0", "2.1012345678E+10"])
def test_the_card_number_of_a_spreadsheet_is_refused(kpj: str) -> None:
    with pytest.raises(ValidationError):
        make_payment(kpj=kpj)


def test_a_payment_reported_again_in_another_zone_changes_nothing() -> None:
    once = pay(make_payment())(make_lifecycle())
    in_jayapura = OCCURRED_AT.astimezone(timezone(timedelta(hours=9)))
    assert pay(make_payment(paid_at=in_jayapura))(once) == once
