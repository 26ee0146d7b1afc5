"""When a text may go out: retries spread over hours, and quiet hours in the worker's own zone."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

# Most faults of a gateway are over within minutes; the last of these repeats until the text's deadline.
_RETRIES = (
    timedelta(seconds=30),
    timedelta(minutes=2),
    timedelta(minutes=10),
    timedelta(minutes=30),
    timedelta(hours=2),
)

# Waits differ by up to this much either way, so that texts refused together do not come back together.
_JITTER = 0.2

# What waits for the morning is spread over its first half hour.
_MORNING = timedelta(minutes=30)

_ZONES = Path(__file__).with_name("zones.json")


def retry_at(now: datetime, attempts: int, chance: float) -> datetime:
    """When to try again after so many attempts. `chance` is between 0 and 1."""
    wait = _RETRIES[min(max(attempts, 1), len(_RETRIES)) - 1]
    return now + wait * (1 + _JITTER * (2 * chance - 1))


@dataclass(frozen=True)
class QuietHours:
    """Local hours in which nobody is reminded of anything: from one hour up to another."""

    begin: int
    end: int

    def covers(self, at: datetime, zone: str) -> bool:
        """Whether it is quiet where the worker is."""
        hour = at.astimezone(ZoneInfo(zone)).hour
        if self.begin <= self.end:
            return self.begin <= hour < self.end
        return hour >= self.begin or hour < self.end

    def next_morning(self, at: datetime, zone: str, chance: float) -> datetime:
        """Shortly after the quiet hours next end."""
        local = at.astimezone(ZoneInfo(zone))
        morning = datetime.combine(local.date(), time(self.end), tzinfo=local.tzinfo)
        if morning <= local:
            morning = datetime.combine(local.date() + timedelta(days=1), time(self.end), tzinfo=local.tzinfo)
        return morning.astimezone(at.tzinfo) + _MORNING * chance


def zone_of(postal_code: str, otherwise: str) -> str:
    """The zone that a worker lives in, by the first two digits of the postal code."""
    return _zones().get(postal_code[:2], otherwise)


@cache
def _zones() -> Mapping[str, str]:
    kept = json.loads(_ZONES.read_text(encoding="utf-8"))["by_postal_code"]
    return {
        f"{number:02d}": each["zone"]
        for each in kept
        for number in range(int(each["first"]), int(each["last"]) + 1)
    }
