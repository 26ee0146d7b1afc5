"""The time: clocks as the domain takes them, the real one, and the form in which instants are stored."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

Clock = Callable[[], datetime]
"""Returns the current instant, aware and in UTC."""


def utc_now() -> datetime:
    """Return the current instant."""
    return datetime.now(UTC)


def sleep(duration: timedelta) -> None:
    """Block the thread for `duration`."""
    time.sleep(duration.total_seconds())


def to_timestamp(instant: datetime) -> str:
    """Return an instant as it is stored and sent: UTC, milliseconds, so that text order is time order."""
    return instant.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def to_expiry(instant: datetime) -> int:
    """Return an instant as DynamoDB's time to live compares it: in whole seconds since 1970."""
    return int(instant.timestamp())


def to_optional_timestamp(instant: datetime | None) -> str | None:
    return None if instant is None else to_timestamp(instant)


def from_optional_timestamp(timestamp: str | None) -> datetime | None:
    return None if timestamp is None else datetime.fromisoformat(timestamp)
