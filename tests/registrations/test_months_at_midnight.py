"""Months of captures and payments are of the campaign's local day; the fund's clock is kept apart."""

from datetime import UTC, date, datetime, timedelta
from typing import get_args
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.campaigns.model import Zone
from chalicelib.campaigns.service import CampaignService
from chalicelib.contributions.rules import load_rules
from chalicelib.contributions.schemas import AskForQuote
from chalicelib.contributions.service import FUND_ZONE, QuoteService
from chalicelib.registrations.intake import IntakeService
from chalicelib.registrations.model import LifecycleState, Registration
from chalicelib.registrations.reported_events import Payment
from tests.registrations.conftest import CORE_CALLER, RegistrationHarness
from tests.support.fakes.campaigns import InMemoryCampaigns
from tests.support.fakes.summaries import make_due_list
from tests.support.registration_builders import make_campaign

ZONES: tuple[Zone, ...] = get_args(Zone)
NOVEMBER = datetime(2024, 11, 1, tzinfo=UTC)  # in each test of the zone that it is about


def make_intake(harness: RegistrationHarness, zone: Zone) -> IntakeService:
    campaign = make_campaign(
        zone=zone, first_day="2024-10-01", last_day="2024-11-30", accepts_until="2024-12-31"
    )
    campaigns = CampaignService(
        campaigns=InMemoryCampaigns(campaign), get_due_list=make_due_list, clock=harness.clock
    )
    return harness.make_intake_service(harness.stores.intake, campaigns=campaigns)


def capture_at(harness: RegistrationHarness, zone: Zone, local: datetime) -> Registration:
    """Return the registration of a worker who is captured at a local time, and sent an hour later."""
    captured_at = local.replace(tzinfo=ZoneInfo(zone))
    harness.clock.advance(captured_at + timedelta(hours=1) - harness.clock())
    answer = harness.submit(
        captured_at=captured_at.isoformat(),
        consent={"given_at": captured_at.isoformat()},
        intake=make_intake(harness, zone),
    )
    return harness.stores.reading.get(answer.reference)


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize(
    ("minutes", "month"), [(-1, "2024-10"), (0, "2024-11"), (30, "2024-11"), (90, "2024-11")]
)
def test_a_quote_begins_with_the_month_of_the_local_day_of_its_capture(
    harness: RegistrationHarness, zone: Zone, minutes: int, month: str
) -> None:
    registration = capture_at(harness, zone, NOVEMBER + timedelta(minutes=minutes))

    assert registration.quote.months[0].month == month
    assert registration.capture_metadata.day.isoformat().startswith(month)


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize(
    ("minutes", "paid_through"), [(-1, "2024-10"), (0, "2024-11"), (45, "2024-11"), (119, "2024-11")]
)
def test_a_payment_counts_for_the_month_of_its_local_day_however_it_is_written(
    harness: RegistrationHarness, zone: Zone, minutes: int, paid_through: str
) -> None:
    registration = capture_at(harness, zone, NOVEMBER - timedelta(days=2))
    harness.advance_days(3)
    paid_at = (NOVEMBER + timedelta(minutes=minutes)).replace(tzinfo=ZoneInfo(zone))
    payment = Payment(payment_id="p-1", amount=32_800, months=1, paid_at=paid_at.astimezone(UTC))

    paid = harness.lifecycle_service.record_payment(registration.reference, payment, caller=CORE_CALLER)

    assert paid.lifecycle.paid_through == paid_through
    assert harness.stores.reading.get(paid.reference).lifecycle == paid.lifecycle


def test_a_registration_of_an_earlier_release_keeps_its_paid_months(harness: RegistrationHarness) -> None:
    registration = capture_at(harness, "Asia/Jayapura", NOVEMBER - timedelta(days=2))
    harness.remove_attribute("zone")
    harness.advance_days(3)
    in_october_by_the_funds_clock = datetime(2024, 11, 1, 0, 45, tzinfo=ZoneInfo("Asia/Jayapura"))

    paid = harness.lifecycle_service.record_payment(
        registration.reference,
        Payment(payment_id="p-1", amount=32_800, months=1, paid_at=in_october_by_the_funds_clock),
        caller=CORE_CALLER,
    )

    assert paid.lifecycle.paid_through == "2024-10"


def test_a_quote_without_a_capture_begins_with_the_present_month_of_the_funds_clock() -> None:
    before_midnight_in_jakarta = datetime(2024, 10, 31, 23, 30, tzinfo=FUND_ZONE)
    quotes = QuoteService(rules=load_rules(), clock=lambda: before_midnight_in_jakarta.astimezone(UTC))
    quote_request = AskForQuote(
        monthly_income=2_500_000,
        occupations=("porter",),
        employs_others=False,
        programmes=("JKK", "JKM"),
        months=1,
        payer="self",
    )

    assert quotes.quote(quote_request).months[0].month == "2024-10"


def test_memberships_lapse_by_the_funds_clock_in_every_zone(harness: RegistrationHarness) -> None:
    registration = capture_at(harness, "Asia/Jayapura", NOVEMBER - timedelta(days=2))
    payment = Payment(
        payment_id="p-1", amount=32_800, months=1, paid_at=registration.capture_metadata.captured_at
    )
    harness.lifecycle_service.record_payment(registration.reference, payment, caller=CORE_CALLER)
    lapse = datetime(2025, 2, 1, tzinfo=FUND_ZONE)

    harness.clock.advance(lapse - timedelta(minutes=30) - harness.clock())
    assert list(harness.lifecycle_service.iter_due()) == [registration.reference]  # the reminder alone
    assert harness.lifecycle_service.age(registration.reference) == []
    harness.clock.advance(timedelta(minutes=31))

    assert harness.lifecycle_service.age(registration.reference) == ["lapsed"]


@given(
    zone=st.sampled_from(ZONES),
    paid_at=st.integers(0, 11 * 365 * 24 * 60).map(lambda minutes: NOVEMBER + timedelta(minutes=minutes)),
    months=st.integers(1, 12),
)
def test_a_first_payment_pays_from_the_month_on_the_calendar_of_the_campaign(
    zone: Zone, paid_at: datetime, months: int
) -> None:
    lifecycle = LifecycleState.begin(occurred_at=paid_at, client_id="van-1", zone=zone)

    paid = lifecycle.with_payment(
        Payment(payment_id="p-1", amount=16_400, months=months, paid_at=paid_at),
        occurred_at=paid_at,
        client_id="core",
    )

    local_day = paid_at.astimezone(ZoneInfo(zone)).date()
    last_month = local_day.year * 12 + local_day.month - 1 + months - 1
    assert paid.paid_through == f"{last_month // 12}-{last_month % 12 + 1:02}"
    assert paid.active_until is not None
    assert paid.active_until >= date(local_day.year, local_day.month, local_day.day)
