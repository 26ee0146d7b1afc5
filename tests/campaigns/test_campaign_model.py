"""Campaigns: their fields, and their days in their zone."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from chalicelib.campaigns.model import CampaignDay
from tests.support.registration_builders import make_campaign

OFFSETS = {"Asia/Jakarta": 7, "Asia/Pontianak": 7, "Asia/Makassar": 8, "Asia/Jayapura": 9}


def test_a_campaign_may_last_one_day() -> None:
    campaign = make_campaign(last_day="2024-10-09", accepts_until="2024-10-09")
    assert list(campaign.iter_days()) == [date(2024, 10, 9)]


def test_a_campaign_has_every_day_from_the_first_to_the_last() -> None:
    campaign = make_campaign(first_day="2024-02-28", last_day="2024-03-01")
    assert list(campaign.iter_days()) == [date(2024, 2, 28), date(2024, 2, 29), date(2024, 3, 1)]
    assert [campaign.has_day(day) for day in (date(2024, 2, 27), date(2024, 2, 28), date(2024, 3, 1))] == [
        False,
        True,
        True,
    ]
    assert not campaign.has_day(date(2024, 3, 2))


@pytest.mark.parametrize(
    "days",
    [
        {"first_day": "2024-10-11"},
        {"last_day": "2024-10-08"},
        {"accepts_until": "2024-10-09"},
    ],
)
def test_days_out_of_order_are_refused(days: dict[str, str]) -> None:
    with pytest.raises(ValidationError) as error_info:
        make_campaign(**days)
    assert [field["type"] for field in error_info.value.errors()] == ["days_out_of_order"]


def test_a_campaign_lasts_a_year_at_most() -> None:
    days = {"first_day": "2024-01-01", "accepts_until": "2025-12-31"}
    assert len(list(make_campaign(**days, last_day="2024-12-31").iter_days())) == 366
    with pytest.raises(ValidationError) as error_info:
        make_campaign(**days, last_day="2025-01-01")
    assert [field["type"] for field in error_info.value.errors()] == ["campaign_too_long"]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"campaign_id": "ab"}, "campaign_id"),
        ({"campaign_id": "Tanah-Abang"}, "campaign_id"),
        ({"campaign_id": "-tanah-abang"}, "campaign_id"),
        ({"campaign_id": "tanah abang"}, "campaign_id"),
        ({"campaign_id": "tanah#abang"}, "campaign_id"),
        ({"campaign_id": "a" * 65}, "campaign_id"),
        ({"campaign_id": "tanah-abang\n"}, "campaign_id"),
        ({"zone": "Asia/Singapore"}, "zone"),
        ({"zone": "WIB"}, "zone"),
        ({"summary_hour": 24}, "summary_hour"),
        ({"summary_hour": -1}, "summary_hour"),
        ({"first_day": "9 October"}, "first_day"),
        ({"target": -1}, "target"),
        ({"sms_budget": -1}, "sms_budget"),
        ({"name": ""}, "name"),
        ({"owner": "…"}, "owner"),
        ({"managers": [{"name": "Kepala", "email": "not an address"}]}, "managers"),
        ({"managers": [{"name": ""}]}, "managers"),
        ({"sponsors": [{"sponsor_id": "pt-contoh"}]}, "sponsors"),
        ({"sponsors": [{"sponsor_id": "pt-contoh", "name": ""}]}, "sponsors"),
        ({"sponsors": [{"sponsor_id": "PT Contoh", "name": "PT Contoh"}]}, "sponsors"),
        ({"sponsors": [{"sponsor_id": "pt-contoh", "name": "PT Contoh", "quota": -1}]}, "sponsors"),
        ({"sponsors": [{"sponsor_id": "pt-contoh", "name": each} for each in ("PT A", "PT B")]}, "sponsors"),
        ({"sponsors": [{"sponsor_id": f"pt-{each}", "name": "PT"} for each in range(51)]}, "sponsors"),
    ],
)
def test_each_invalid_field_is_named(changes: dict[str, Any], field: str) -> None:
    with pytest.raises(ValidationError) as error_info:
        make_campaign(**changes)
    assert [error["loc"][0] for error in error_info.value.errors()] == [field]


@pytest.mark.parametrize("zone", OFFSETS)
@given(at=st.datetimes(datetime(2024, 1, 1), datetime(2030, 12, 31), timezones=st.just(UTC)))  # noqa: DTZ001 - the strategy adds the zone
def test_an_instant_falls_on_the_local_day_of_its_zone(zone: str, at: datetime) -> None:
    assert make_campaign(zone=zone).local_day(at) == (at + timedelta(hours=OFFSETS[zone])).date()


@pytest.mark.parametrize("zone", OFFSETS)
def test_a_summary_is_due_at_its_hour_and_final_the_next_morning_local_time(zone: str) -> None:
    campaign, day = make_campaign(zone=zone, summary_hour=20), date(2024, 10, 9)
    offset = timedelta(hours=OFFSETS[zone])
    assert campaign.summary_due_at(day) == datetime(2024, 10, 9, 20, tzinfo=UTC) - offset
    assert campaign.summary_final_at(day) == datetime(2024, 10, 10, 7, tzinfo=UTC) - offset


@pytest.mark.parametrize("hour", [0, 23])
def test_a_summary_is_due_before_it_is_final_whatever_its_hour(hour: int) -> None:
    campaign = make_campaign(summary_hour=hour)
    assert campaign.summary_due_at(date(2024, 12, 31)) < campaign.summary_final_at(date(2024, 12, 31))


def test_campaign_days_sort_by_campaign_and_day() -> None:
    days = [
        CampaignDay("b", date(2024, 1, 1)),
        CampaignDay("a", date(2024, 1, 2)),
        CampaignDay("a", date(2024, 1, 1)),
    ]
    assert sorted(days) == [days[2], days[1], days[0]]
