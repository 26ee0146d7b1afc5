"""The rules of time: days of capture, clocks of devices, and the closing of a campaign."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.support.builders import NOW
from tests.support.rule_checks import find_broken_rules, read_worker

# Midnight of the first campaign day, 9 October 2024, in each of the country's zones.
MIDNIGHTS = {
    "Asia/Jakarta": datetime(2024, 10, 8, 17, tzinfo=UTC),
    "Asia/Pontianak": datetime(2024, 10, 8, 17, tzinfo=UTC),
    "Asia/Makassar": datetime(2024, 10, 8, 16, tzinfo=UTC),
    "Asia/Jayapura": datetime(2024, 10, 8, 15, tzinfo=UTC),
}
A_MOMENT = timedelta(microseconds=1)
TWO_DAYS = timedelta(days=2)


def test_a_device_may_be_ten_minutes_ahead() -> None:
    assert read_worker(captured_at=(NOW + timedelta(minutes=10)).isoformat())


def test_a_device_may_not_be_further_ahead() -> None:
    ahead = NOW + timedelta(minutes=10) + A_MOMENT
    assert find_broken_rules(captured_at=ahead.isoformat()) == ["captured_at: captured_in_future"]


@pytest.mark.parametrize("zone", MIDNIGHTS)
def test_the_first_day_begins_at_local_midnight(zone: str) -> None:
    midnight = MIDNIGHTS[zone]
    assert read_worker(captured_at=midnight.isoformat(), campaign={"zone": zone})
    too_early = (midnight - A_MOMENT).isoformat()
    assert find_broken_rules(captured_at=too_early, campaign={"zone": zone}) == [
        "captured_at: captured_outside_campaign"
    ]


@pytest.mark.parametrize("zone", MIDNIGHTS)
def test_the_last_day_ends_at_local_midnight(zone: str) -> None:
    end, later = MIDNIGHTS[zone] + TWO_DAYS, NOW + timedelta(days=7)
    assert read_worker(captured_at=(end - A_MOMENT).isoformat(), campaign={"zone": zone}, now=later)
    assert find_broken_rules(captured_at=end.isoformat(), campaign={"zone": zone}, now=later) == [
        "captured_at: captured_outside_campaign"
    ]


@pytest.mark.parametrize(
    "written", ["2024-10-09T00:30:00+07:00", "2024-10-08T17:30:00Z", "2024-10-09T02:30:00+09:00"]
)
def test_the_day_is_that_of_the_campaigns_zone_whatever_offset_the_device_writes(written: str) -> None:
    assert read_worker(captured_at=written)


@pytest.mark.parametrize("zone", MIDNIGHTS)
def test_captures_are_accepted_until_the_end_of_the_last_accepting_day(zone: str) -> None:
    campaign = {"zone": zone, "accepts_until": "2024-10-31"}
    closing = MIDNIGHTS[zone] + timedelta(days=23)
    assert read_worker(now=closing - A_MOMENT, campaign=campaign)
    assert find_broken_rules(now=closing, campaign=campaign) == ["campaign_id: campaign_closed"]


@pytest.mark.parametrize("captured_at", ["2100-01-01T00:00:00Z", "2999-12-31T23:59:59Z"])
def test_a_clock_that_is_a_century_ahead_is_refused(captured_at: str) -> None:
    # By then, everyone is too old as well.
    assert find_broken_rules(captured_at=captured_at)[0] == "captured_at: captured_in_future"
