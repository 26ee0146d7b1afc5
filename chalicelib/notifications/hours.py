"""When a text may go out: retries spread over hours, and quiet hours in the worker's own zone."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

# Most faults of a gateway are over within minutes; the last of these repeats until the text's deadline.
_RETRY_DELAYS = (
    timedelta(seconds=30),
    timedelta(minutes=2),
    timedelta(minutes=10),
    timedelta(minutes=30),
    timedelta(hours=2),
)

# Waits differ by up to this much either way, so that texts refused together do not come back together.
_JITTER = 0.2

# What waits for the morning is spread over its first half hour.
_MORNING_SPREAD = timedelta(minutes=30)

_ZONES_FILE = Path(__file__).with_name("zones.json")


def compute_retry_at(now: datetime, attempts: int, random_fraction: float) -> datetime:
    """When to try again after so many attempts. `random_fraction` is between 0 and 1."""
    wait = _RETRY_DELAYS[min(max(attempts, 1), len(_RETRY_DELAYS)) - 1]
    return now + wait * (1 + _JITTER * (2 * random_fraction - 1))


@dataclass(frozen=True)
class QuietHours:
    """Local hours in which nobody is reminded of anything: from one hour up to another."""

    start_hour: int
    end_hour: int

    def is_quiet(self, now: datetime, zone: str) -> bool:
        """Whether it is quiet where the worker is."""
        hour = now.astimezone(ZoneInfo(zone)).hour
        if self.start_hour <= self.end_hour:
            return self.start_hour <= hour < self.end_hour
        return hour >= self.start_hour or hour < self.end_hour

    def compute_next_morning(self, now: datetime, zone: str, random_fraction: float) -> datetime:
        """Shortly after the quiet hours next end."""
        local = now.astimezone(ZoneInfo(zone))
        morning = datetime.combine(local.date(), time(self.end_hour), tzinfo=local.tzinfo)
        if morning <= local:
            morning = datetime.combine(
                local.date() + timedelta(days=1), time(self.end_hour), tzinfo=local.tzinfo
            )
        return morning.astimezone(now.tzinfo) + _MORNING_SPREAD * random_fraction


def find_zone(postal_code: str, default: str) -> str:
    """The zone that a worker lives in, by the first two digits of the postal code."""
    return _load_zones().get(postal_code[:2], default)


@cache
def _load_zones() -> Mapping[str, str]:
    kept = json.loads(_ZONES_FILE.read_text(encoding="utf-8"))["by_postal_code"]
    return {
        f"{number:02d}": each["zone"]
        for each in kept
        for number in range(int(each["first"]), int(each["last"]) + 1)
    }
