"""Quiet hours, time zones and retry delays."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.notifications.hours import QuietHours, compute_retry_at, find_zone
from tests.support.builders import NOW

QUIET = QuietHours(20, 8)
ZONES = ["Asia/Jakarta", "Asia/Pontianak", "Asia/Makassar", "Asia/Jayapura"]


def at_jakarta(hour: int, minute: int = 0) -> datetime:
    """Return a local time in Jakarta, UTC+7."""
    return datetime(2024, 10, 9, hour, minute, tzinfo=UTC) - timedelta(hours=7)


@pytest.mark.parametrize(
    ("hour", "minute", "is_quiet"),
    [(19, 59, False), (20, 0, True), (0, 0, True), (7, 59, True), (8, 0, False), (12, 0, False)],
)
def test_quiet_hours_include_the_start_and_exclude_the_end(hour: int, minute: int, is_quiet: bool) -> None:
    assert QUIET.is_quiet(at_jakarta(hour, minute), "Asia/Jakarta") is is_quiet


def test_quiet_hours_may_be_within_one_day_or_empty() -> None:
    assert QuietHours(12, 14).is_quiet(at_jakarta(13), "Asia/Jakarta")
    assert not QuietHours(12, 14).is_quiet(at_jakarta(14), "Asia/Jakarta")
    assert not QuietHours(0, 0).is_quiet(at_jakarta(0), "Asia/Jakarta")


def test_quiet_hours_are_local() -> None:
    assert not QUIET.is_quiet(at_jakarta(18), "Asia/Jakarta")
    assert QUIET.is_quiet(at_jakarta(18), "Asia/Jayapura")


@given(
    instant=st.datetimes(datetime(2024, 1, 1), datetime(2027, 1, 1)),  # noqa: DTZ001 - made aware below
    zone=st.sampled_from(ZONES),
    random_fraction=st.floats(0, 1),
)
def test_next_morning_is_in_the_future_and_not_quiet(
    instant: datetime, zone: str, random_fraction: float
) -> None:
    now = instant.replace(tzinfo=UTC)
    morning = QUIET.compute_next_morning(now, zone, random_fraction)
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
        ("00000", "default"),
        (None, "default"),
    ],
)
def test_zone_follows_from_the_postal_code(postal_code: str | None, zone: str) -> None:
    assert find_zone(postal_code, "default") == zone


@given(attempts=st.integers(0, 50), random_fraction=st.floats(0, 1))
def test_retry_delay_varies_by_a_fifth(attempts: int, random_fraction: float) -> None:
    delay, mean_delay = (
        compute_retry_at(NOW, attempts, random_fraction) - NOW,
        compute_retry_at(NOW, attempts, 0.5) - NOW,
    )
    assert 0.8 * mean_delay - timedelta(seconds=1) <= delay <= 1.2 * mean_delay + timedelta(seconds=1)
    assert timedelta(seconds=30) <= mean_delay <= timedelta(hours=2)
