"""The cap of an unattended kiosk: so many captures a minute, of which it sends the rest a minute later.

Nobody stands beside a kiosk, so a script in its browser could make people up as fast as it goes.
The device keeps to the same number while it is offline; this is what holds if it does not.
"""

from datetime import datetime, timedelta
from typing import Protocol

from chalicelib.callers import Caller
from chalicelib.clients.errors import KioskCapReached
from chalicelib.clock import Clock

_MINUTE = timedelta(minutes=1)


class MinuteCounts(Protocol):
    """The store of captures per client and minute."""

    def add(self, client_id: str, minute: datetime, number: int) -> int:
        """Add a number of captures to those of a minute. Return the sum."""


class KioskCapLimiter:
    """Bounds the captures of each kiosk in a minute. Other clients are not counted."""

    def __init__(self, *, counts: MinuteCounts, cap: int, clock: Clock) -> None:
        self._counts = counts
        self._cap = cap
        self._clock = clock

    def reserve(self, caller: Caller, number: int) -> int:
        """Return how many of `number` captures a caller may send in this minute."""
        if not caller.is_kiosk or number == 0:
            return number
        total = self._counts.add(caller.client_id, self._find_minute(), number)
        return max(0, min(number, self._cap - (total - number)))

    def require(self, caller: Caller) -> None:
        """Count one capture. Raise KioskCapReached."""
        if not self.reserve(caller, 1):
            raise self.build_refusal(caller)

    def build_refusal(self, caller: Caller) -> KioskCapReached:
        """Return the refusal of a capture, which says when the next minute begins."""
        left = self._find_minute() + _MINUTE - self._clock()
        refusal = KioskCapReached(f"{caller.client_id}: {self._cap} a minute")
        return refusal.with_retry_after(max(1, round(left.total_seconds())))

    def _find_minute(self) -> datetime:
        return self._clock().replace(second=0, microsecond=0)
