"""The report of a device: read from headers, never a reason to refuse."""

from datetime import timedelta

import pytest

from chalicelib.registrations.device_report import DeviceReport


@pytest.mark.parametrize(
    ("skew", "read"),
    [
        ("3600", 3600),
        ("-3600", -3600),
        ("0", 0),
        (" 12 ", 12),
        ("86400", 86400),
        ("86401", None),
        ("-86401", None),
        ("1.5", None),
        ("\u0663", None),
        ("NaN", None),
        ("", None),
    ],
)
def test_a_skew_is_whole_seconds_of_a_day_at_most(skew: str, read: int | None) -> None:
    assert DeviceReport.from_headers({"device-clock-skew": skew}).clock_skew == read


@pytest.mark.parametrize("version", ["0123456789abcdef", "1.2.3", "app_1-2"])
def test_a_version_is_read(version: str) -> None:
    assert DeviceReport.from_headers({"app-version": version}).app_version == version


@pytest.mark.parametrize("version", ["", "-1", "a b", "3171075204857001@x", "a" * 41, "<b>"])
def test_a_malformed_version_is_left_out(version: str) -> None:
    assert DeviceReport.from_headers({"app-version": version}).app_version is None


def test_only_a_fast_clock_is_allowed_for() -> None:
    assert DeviceReport(clock_skew=3600).clock_lead == timedelta(hours=1)
    assert DeviceReport(clock_skew=-3600).clock_lead == DeviceReport().clock_lead == timedelta(0)
