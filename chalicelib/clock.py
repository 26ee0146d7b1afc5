"""Time, as the domain takes it: a function that gives the present instant, aware and in UTC."""

from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]


def to_timestamp(instant: datetime) -> str:
    """An instant as it is stored and sent: UTC, milliseconds, so that text order is time order."""
    return instant.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
