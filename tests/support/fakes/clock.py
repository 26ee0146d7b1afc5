"""A clock for tests."""

from datetime import datetime, timedelta


class FixedClock:
    """A clock that changes only when a test moves it."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def advance(self, duration: timedelta) -> None:
        """Move the clock forward."""
        self.now += duration
