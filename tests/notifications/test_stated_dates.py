"""No SMS states a date that is over: of what was reported late the worker is told what is true today."""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.messaging.errors import TransientFailure
from chalicelib.messaging.receipts import Receipt
from chalicelib.notifications.bodies import PURPOSE_BY_EVENT_TYPE, render_body
from chalicelib.notifications.model import SmsState
from chalicelib.notifications.templates import MONTHS, format_day
from chalicelib.registrations.errors import TransitionNotAllowed
from chalicelib.registrations.model import LifecycleState, Registration, Status
from chalicelib.registrations.reported_events import Payment, PaymentCode
from chalicelib.sms_purposes import Purpose
from tests.support.builders import NOW
from tests.support.notification_harness import NotificationHarness
from tests.support.registration_builders import make_registration

JAKARTA = ZoneInfo("Asia/Jakarta")
STATED_DATE = re.compile(r"(\d{1,2}) ([A-Z][a-z]{2}) (\d{2})")
A_SECOND = timedelta(seconds=1)


def make_paid(paid_at: datetime, *, months: int = 1, language: str = "id") -> Registration:
    payment = Payment(payment_id="p-1", amount=16_800, months=months, paid_at=paid_at)
    return change(
        lambda lifecycle: lifecycle.with_payment(payment, occurred_at=NOW, client_id="core"), language
    )


def make_with_code(expires_on: date) -> Registration:
    code = PaymentCode(code="EPS-4711", amount=16_800, expires_on=expires_on)
    return change(lambda lifecycle: lifecycle.with_payment_code(code, occurred_at=NOW, client_id="core"))


def change(event: Callable[[LifecycleState], LifecycleState], language: str = "id") -> Registration:
    registration = make_registration(language=language)
    return replace(registration, lifecycle=event(registration.lifecycle))


def test_of_a_payment_reported_after_its_month_the_worker_is_told_what_is_true_today() -> None:
    registration = make_paid(NOW - timedelta(days=60))
    harness = NotificationHarness("gateway-1", registrations=[registration])

    sms = harness.consume_event(Purpose.ACTIVE, event_version=2)

    assert registration.lifecycle.status is Status.ACTIVE
    assert (sms.purpose, sms.state) == (Purpose.ACTIVE, SmsState.ACCEPTED)
    assert [each.body for each in harness.gateway.sent_sms] == [
        "BPJAMSOSTEK: Iuran Rp16.800 sudah kami terima. Masa iuran Melati Kusumawati sudah habis."
        " Bayar iuran lagi agar terlindungi. Info 175"
    ]


def test_a_late_payment_that_has_lapsed_before_it_is_told_is_told() -> None:
    paid = make_paid(NOW - timedelta(days=400))
    lapsed = replace(
        paid, lifecycle=paid.lifecycle.age(today=NOW.date(), occurred_at=NOW, expires_on=NOW.date())
    )
    harness = NotificationHarness("gateway-1", registrations=[lapsed])

    harness.consume_event(Purpose.ACTIVE, event_version=2)

    assert lapsed.lifecycle.status is Status.LAPSED
    (sent,) = harness.gateway.sent_sms
    assert "Masa iuran Melati Kusumawati sudah habis" in sent.body


def test_a_payment_whose_months_end_while_its_sms_waits_is_told_once_as_it_is_then() -> None:
    harness = NotificationHarness(
        TransientFailure("ThrottlingException"), "gateway-1", registrations=[make_paid(NOW)]
    )
    midnight = datetime(2024, 10, 31, 17, tzinfo=UTC)
    harness.advance(midnight - NOW - A_SECOND).consume_event(Purpose.ACTIVE, event_version=2)

    (sms,) = harness.advance(timedelta(minutes=5)).run_due_sms()

    assert sms.state is SmsState.ACCEPTED
    before, after = (each.body for each in harness.gateway.sent_sms)
    assert "aktif sampai 31 Okt 24" in before
    assert "sudah habis" in after
    assert "Okt" not in after


def test_a_code_that_is_announced_after_its_last_day_is_not_texted() -> None:
    harness = NotificationHarness(registrations=[make_with_code(date(2024, 10, 8))])

    sms = harness.consume_event(Purpose.PAYMENT_CODE, event_version=2)

    assert (sms.state, sms.reason) == (SmsState.FAILED, "overtaken")
    assert harness.gateway.sent_sms == []


def test_on_its_last_day_a_date_is_texted_and_the_gateway_drops_the_sms_at_midnight() -> None:
    harness = NotificationHarness("gateway-1", registrations=[make_with_code(date(2024, 10, 9))])

    harness.consume_event(Purpose.PAYMENT_CODE, event_version=2)

    (sent,) = harness.gateway.sent_sms
    assert "s.d. 9 Okt 24" in sent.body
    assert sent.deadline == datetime(2024, 10, 9, 17, tzinfo=UTC)


@pytest.mark.parametrize(("wait", "state"), [(-A_SECOND, SmsState.ACCEPTED), (timedelta(0), SmsState.FAILED)])
def test_an_sms_that_waited_past_midnight_is_given_up(wait: timedelta, state: SmsState) -> None:
    harness = NotificationHarness(
        TransientFailure("ThrottlingException"),
        "gateway-1",
        registrations=[make_with_code(date(2024, 10, 9))],
    )
    harness.consume_event(Purpose.PAYMENT_CODE, event_version=2)

    (sms,) = harness.advance(datetime(2024, 10, 9, 17, tzinfo=UTC) - NOW + wait).run_due_sms()

    assert sms.state is state


def test_a_reminder_to_pay_before_a_day_is_given_up_on_that_day() -> None:
    registration = make_paid(NOW)
    lapses_on = registration.lifecycle.lapses_on
    assert lapses_on is not None
    reminded = replace(
        registration,
        lifecycle=registration.lifecycle.age(
            today=lapses_on - timedelta(days=1), occurred_at=NOW, expires_on=lapses_on
        ),
    )
    harness = NotificationHarness(registrations=[reminded])
    morning = datetime(lapses_on.year, lapses_on.month, lapses_on.day, 3, tzinfo=UTC)
    harness.advance(morning - NOW - timedelta(days=1))
    harness.consume_event(Purpose.LAPSING_SOON, event_version=3)

    (sms,) = harness.advance(timedelta(days=1)).run_due_sms()

    assert (sms.state, sms.reason) == (SmsState.FAILED, "overtaken")


@given(
    paid_days_ago=st.integers(0, 400),
    months=st.sampled_from([1, 2, 3, 6, 12]),
    delay=st.timedeltas(timedelta(0), timedelta(days=40)),
    language=st.sampled_from(["id", "en"]),
)
def test_whenever_a_payment_is_reported_one_sms_is_sent_and_its_date_is_not_over(
    paid_days_ago: int, months: int, delay: timedelta, language: str
) -> None:
    registration = make_paid(NOW - timedelta(days=paid_days_ago), months=months, language=language)
    harness = NotificationHarness("gateway-1", registrations=[registration])

    harness.advance(delay).consume_event(Purpose.ACTIVE, event_version=2)

    active_until = registration.lifecycle.active_until
    assert active_until is not None
    is_true_today = harness.clock().astimezone(JAKARTA).date() <= active_until
    (sent,) = harness.gateway.sent_sms
    assert (format_day(active_until, registration.worker.language) in sent.body) == is_true_today
    assert bool(STATED_DATE.search(sent.body)) == is_true_today


EVENTS = st.one_of(
    st.tuples(st.just("code"), st.integers(0, 60)),
    st.tuples(st.just("payment"), st.integers(0, 200)),
    st.tuples(st.just("ageing"), st.integers(0, 200)),
)


def apply_events(events: list[tuple[str, int]]) -> Registration:
    """Return a registration after events on one day: codes until, payments of and ageing after some days."""
    registration = make_registration()
    lifecycle = registration.lifecycle
    for number, (event, days) in enumerate(events):
        try:
            if event == "code":
                code = PaymentCode(code=f"EPS-{number}", amount=1, expires_on=NOW.date() + timedelta(days))
                lifecycle = lifecycle.with_payment_code(code, occurred_at=NOW, client_id="core")
            elif event == "payment":
                payment = Payment(payment_id=f"p-{number}", amount=1, months=1, paid_at=NOW - timedelta(days))
                lifecycle = lifecycle.with_payment(payment, occurred_at=NOW, client_id="core")
            else:
                today = NOW.date() + timedelta(days)
                lifecycle = lifecycle.age(today=today, occurred_at=NOW, expires_on=date(2099, 1, 1))
        except TransitionNotAllowed:
            continue
    return replace(registration, lifecycle=lifecycle)


def find_stated_days(text: str) -> list[date]:
    months = {name: number for number, name in enumerate(MONTHS["id"], start=1)}
    return [date(2000 + int(year), months[month], int(day)) for day, month, year in STATED_DATE.findall(text)]


@given(events=st.lists(EVENTS, max_size=6), delay=st.timedeltas(timedelta(0), timedelta(days=200)))
def test_whatever_happened_and_whenever_it_is_told_no_sms_states_a_date_that_is_over(
    events: list[tuple[str, int]], delay: timedelta
) -> None:
    registration, local_now = apply_events(events), (NOW + delay).astimezone(JAKARTA)
    for version, event in enumerate(registration.lifecycle.history, start=1):
        purpose = PURPOSE_BY_EVENT_TYPE.get(event.event_type)
        body = purpose and render_body(purpose, version, registration, local_now=local_now)
        if body:
            stated = find_stated_days(body.text)
            assert all(day >= local_now.date() for day in stated)
            assert (body.valid_until is not None) == bool(stated)
            assert body.valid_until is None or body.valid_until > local_now


@pytest.mark.parametrize("offset", [timedelta(days=-9000), timedelta(days=9000)])
def test_an_opt_out_reported_at_an_impossible_time_belongs_to_its_sms(offset: timedelta) -> None:
    harness = NotificationHarness("gateway-1")
    sms = harness.consume_event()
    receipt = Receipt(
        sms_id=sms.sms_id,
        gateway="scripted",
        gateway_id="gateway-1",
        state="failed",
        occurred_at=NOW + offset,
        opted_out=True,
    )

    harness.service.record_receipt(receipt)

    opt_out = harness.opt_outs.find(sms.phone_hash)
    assert opt_out is not None
    assert opt_out.opted_out_at == NOW
