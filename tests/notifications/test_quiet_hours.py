"""When a text may go out."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.notifications.hours import QuietHours, compute_retry_at, find_zone
from tests.support.builders import NOW

QUIET = QuietHours(20, 8)
ZONES = ["Asia/Jakarta", "Asia/Pontianak", "Asia/Makassar", "Asia/Jayapura"]


def at(hour: int, minute: int = 0) -> datetime:
    """A time of the day in Jakarta, seven hours before Greenwich's."""
    return datetime(2024, 10, 9, hour, minute, tzinfo=UTC) - timedelta(hours=7)


@pytest.mark.parametrize(
    ("hour", "minute", "is_quiet"),
    [(19, 59, False), (20, 0, True), (0, 0, True), (7, 59, True), (8, 0, False), (12, 0, False)],
)
def test_it_is_quiet_from_one_hour_up_to_another(hour: int, minute: int, is_quiet: bool) -> None:
    assert QUIET.is_quiet(at(hour, minute), "Asia/Jakarta") is is_quiet


def test_quiet_hours_may_lie_within_one_day_or_be_none() -> None:
    assert QuietHours(12, 14).is_quiet(at(13), "Asia/Jakarta")
    assert not QuietHours(12, 14).is_quiet(at(14), "Asia/Jakarta")
    assert not QuietHours(0, 0).is_quiet(at(0), "Asia/Jakarta")


def test_it_is_evening_two_hours_earlier_in_papua() -> None:
    assert not QUIET.is_quiet(at(18), "Asia/Jakarta")
    assert QUIET.is_quiet(at(18), "Asia/Jayapura")


@given(
    moment=st.datetimes(datetime(2024, 1, 1), datetime(2027, 1, 1)),  # noqa: DTZ001 - made aware below
    zone=st.sampled_from(ZONES),
    chance=st.floats(0, 1),
)
def test_the_next_morning_is_ahead_and_not_quiet(moment: datetime, zone: str, chance: float) -> None:
    now = moment.replace(tzinfo=UTC)
    morning = QUIET.compute_next_morning(now, zone, chance)
    assert now < morning <= now + timedelta(hours=24, minutes=30)
    assert not QUIET.is_quiet(morning, zone)


@pytest.mark.parametrize(
    ("postal_code", "zone"),
    [
        ("10250", "Asia/Jakarta"),
        ("60111", "Asia/Jakarta"),
        ("78112", "Asia/Pontianak"),
        ("80361", "Asia/Makassar"),
        ("90111", "Asia/Makassar"),
        ("97124", "Asia/Jayapura"),
        ("99351", "Asia/Jayapura"),
        ("00000", "the campaign's own"),
    ],
)
def test_a_worker_lives_in_the_zone_of_the_postal_code(postal_code: str, zone: str) -> None:
    assert find_zone(postal_code, "the campaign's own") == zone


@given(attempts=st.integers(0, 50), chance=st.floats(0, 1))
def test_a_wait_is_a_fifth_shorter_or_longer_by_chance(attempts: int, chance: float) -> None:
    wait, middle = compute_retry_at(NOW, attempts, chance) - NOW, compute_retry_at(NOW, attempts, 0.5) - NOW
    assert 0.8 * middle - timedelta(seconds=1) <= wait <= 1.2 * middle + timedelta(seconds=1)
    assert timedelta(seconds=30) <= middle <= timedelta(hours=2)
