"""Retry times, and quiet hours in the worker's time zone."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from functools import cache
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import Field

from chalicelib.campaigns.model import Zone
from chalicelib.models import StrictModel
from chalicelib.strict_json import parse_data_file

# Most faults of a gateway end within minutes. The last delay repeats until the deadline of the SMS.
_RETRY_DELAYS = (
    timedelta(seconds=30),
    timedelta(minutes=2),
    timedelta(minutes=10),
    timedelta(minutes=30),
    timedelta(hours=2),
)

# Delays vary by this fraction either way, so that SMS rejected together are not retried together.
_JITTER = 0.2

# SMS that wait for the morning are spread over its first half hour.
_MORNING_SPREAD = timedelta(minutes=30)

_ZONES_FILE = Path(__file__).with_name("zones.json")


def compute_retry_at(now: datetime, attempts: int, random_fraction: float) -> datetime:
    """Return when to try again after a number of attempts. `random_fraction` is from 0 to 1."""
    delay = _RETRY_DELAYS[min(max(attempts, 1), len(_RETRY_DELAYS)) - 1]
    return now + delay * (1 + _JITTER * (2 * random_fraction - 1))


@dataclass(frozen=True)
class QuietHours:
    """Local hours in which no reminder is sent, from `start_hour` up to `end_hour`."""

    start_hour: int
    end_hour: int

    def is_quiet(self, now: datetime, zone: str) -> bool:
        """Return True if `now` is within the quiet hours of a time zone."""
        hour = now.astimezone(ZoneInfo(zone)).hour
        if self.start_hour <= self.end_hour:
            return self.start_hour <= hour < self.end_hour
        return hour >= self.start_hour or hour < self.end_hour

    def compute_next_morning(self, now: datetime, zone: str, random_fraction: float) -> datetime:
        """Return a time in the half hour after the next end of the quiet hours."""
        local = now.astimezone(ZoneInfo(zone))
        day = local.date() + timedelta(days=local.hour >= self.end_hour)
        morning = datetime.combine(day, time(self.end_hour), tzinfo=local.tzinfo)
        return morning.astimezone(now.tzinfo) + _MORNING_SPREAD * random_fraction


def find_zone(postal_code: str | None, default: str) -> str:
    """Return the time zone of a postal code, by its first two digits; `default` without one."""
    return _load_zones().get((postal_code or "")[:2], default)


_PostalCodeStart = Annotated[str, Field(pattern=r"^[1-9][0-9]$")]


class _ZoneRange(StrictModel):
    first: _PostalCodeStart
    last: _PostalCodeStart
    zone: Zone
    where: str


class _ZonesFile(StrictModel):
    source: str
    by_postal_code: tuple[_ZoneRange, ...]


@cache
def _load_zones() -> Mapping[str, str]:
    ranges = parse_data_file(_ZonesFile, _ZONES_FILE.read_text(encoding="utf-8")).by_postal_code
    return {
        f"{number:02d}": each.zone for each in ranges for number in range(int(each.first), int(each.last) + 1)
    }
