"""The rules of age, on the local day of capture in each zone."""

from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.registrations import rules
from chalicelib.registrations.rules import AgeLimits
from tests.support.builders import NOW
from tests.support.rule_checks import find_broken_rules, read_worker

ZONES = ["Asia/Jakarta", "Asia/Pontianak", "Asia/Makassar", "Asia/Jayapura"]
A_SECOND = timedelta(seconds=1)


def make_capture_on(day: date, *, zone: str = "Asia/Jakarta", **worker: Any) -> dict[str, Any]:
    """Return a capture in the first second of the only day of a campaign."""
    midnight = datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(zone))
    days = dict.fromkeys(("first_day", "last_day"), day.isoformat())
    return {
        "now": midnight + timedelta(hours=3),
        "campaign": {**days, "zone": zone, "accepts_until": "2099-12-31"},
        "captured_at": midnight.isoformat(),
        "consent": {"given_at": midnight.isoformat()},
        "worker": worker,
    }


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize(
    ("birth_date", "on", "refused_for"),
    [
        ("2007-10-10", date(2024, 10, 9), "age_too_young"),
        ("2007-10-09", date(2024, 10, 9), None),
        ("2007-10-08", date(2024, 10, 9), None),
        ("1959-10-10", date(2024, 10, 9), None),
        ("1959-10-09", date(2024, 10, 9), "age_too_old"),
        ("1959-10-08", date(2024, 10, 9), "age_too_old"),
        ("2008-02-29", date(2025, 2, 28), "age_too_young"),
        ("2008-02-29", date(2025, 3, 1), None),
        ("1960-02-29", date(2025, 2, 28), None),
        ("1960-02-29", date(2025, 3, 1), "age_too_old"),
        ("2007-03-01", date(2024, 2, 29), "age_too_young"),
        ("2007-02-28", date(2024, 2, 29), None),
        ("2024-10-09", date(2024, 10, 9), "age_too_young"),
        ("2030-01-01", date(2024, 10, 9), "age_too_young"),
        ("0001-01-01", date(2024, 10, 9), "age_too_old"),
    ],
)
def test_a_worker_is_seventeen_to_sixty_four_on_the_local_day(
    zone: str, birth_date: str, on: date, refused_for: str | None
) -> None:
    capture = make_capture_on(on, zone=zone, birth_date=birth_date)
    if refused_for is None:
        assert read_worker(**capture).birth_date.isoformat() == birth_date
    else:
        assert find_broken_rules(**capture) == [f"worker.birth_date: {refused_for}"]


@pytest.mark.parametrize("zone", ZONES)
def test_a_worker_comes_of_age_at_local_midnight(zone: str) -> None:
    capture = make_capture_on(date(2024, 10, 9), zone=zone, birth_date="2007-10-09")
    midnight = datetime.fromisoformat(capture["captured_at"])
    capture["campaign"]["first_day"] = "2024-10-08"
    assert read_worker(**capture)
    capture["captured_at"] = (midnight - A_SECOND).isoformat()
    assert find_broken_rules(**capture) == ["worker.birth_date: age_too_young"]


def test_the_age_on_the_day_of_capture_counts() -> None:
    a_year_later = NOW + timedelta(days=365)
    assert find_broken_rules(worker={"birth_date": "2007-10-10"}, now=a_year_later) == [
        "worker.birth_date: age_too_young"
    ]
    assert read_worker(worker={"birth_date": "1959-10-10"}, now=a_year_later)


@pytest.mark.parametrize(
    ("minimum", "birth_date", "may"),
    [
        (15, "2009-10-09", True),
        (15, "2009-10-10", False),
        (18, "2006-10-10", False),
        (18, "2006-10-09", True),
    ],
)
def test_the_youngest_age_is_a_setting(minimum: int, birth_date: str, may: bool) -> None:
    age_limits, worker = AgeLimits(minimum_age=minimum), {"birth_date": birth_date}
    if may:
        assert read_worker(age_limits=age_limits, worker=worker)
    else:
        broken_rules = find_broken_rules(age_limits=age_limits, worker=worker)
        assert broken_rules == ["worker.birth_date: age_too_young"]


@given(born=st.dates(date(1900, 1, 1), date(2100, 1, 1)), on=st.dates(date(2000, 1, 1), date(2099, 12, 31)))
def test_age_is_the_number_of_birthdays_had(born: date, on: date) -> None:
    def birthday(year: int) -> date:
        try:
            return born.replace(year=year)
        except ValueError:
            return date(year, 3, 1)

    had = sum(birthday(year) <= on for year in range(born.year + 1, on.year + 1))
    if born <= on:
        assert rules.compute_age(on, born) == had
    else:
        assert rules.compute_age(on, born) < 0
