"""How many captures a client may have accepted in a day: counted, flagged from a number on, then refused.

A count that every capture wrote to would cost each of them a request, and captures that arrive together
would be in one another's way. So each container counts by itself, and puts its number to that of the others
after a minute, or after a small part of what is left before the next limit: close to a limit that is each
time. What several containers accept at the very same time may go over a limit by that much.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from threading import Lock
from typing import Protocol

from chalicelib.callers import Caller, DailyCap, Disclosure, Role
from chalicelib.clients.errors import ClientCapReached
from chalicelib.clock import Clock

_SYNC_INTERVAL = timedelta(seconds=60)
_ONE_DAY = timedelta(days=1)
_SYNC_DIVISOR = 20


class DayCounts(Protocol):
    """Where the captures that clients have had accepted are counted, by day."""

    def add(self, client_id: str, day: date, number: int) -> int:
        """Add to a client's count of a day, or take away; the count after that."""


@dataclass
class _Tally:
    """What this container knows of one client's day: the common count, and what it has not put to it yet."""

    shared_count: int
    synced_at: datetime
    unsynced_count: int = 0

    @property
    def total(self) -> int:
        return self.shared_count + self.unsynced_count

    def is_sync_due(self, now: datetime, cap: DailyCap) -> bool:
        if now - self.synced_at >= _SYNC_INTERVAL:
            return True
        left = (cap.flag if self.total < cap.flag else cap.cap) - self.total
        # A client that is refused anyway, again and again, shall not cost a write each time.
        return left > 0 and self.unsynced_count >= left // _SYNC_DIVISOR


class DailyCapLimiter:
    """What is left to each client of its day. Made once in a container; its threads may share it."""

    def __init__(self, *, counts: DayCounts, caps: Mapping[Role, DailyCap], clock: Clock) -> None:
        self._counts = counts
        self._caps = caps
        self._clock = clock
        self._tallies: dict[tuple[str, date], _Tally] = {}
        self._lock = Lock()

    def reserve(self, caller: Caller, day: date) -> bool:
        """Count one capture of a client; True if it is over the number that passes without a flag.

        Raises ClientCapReached, and then has counted nothing.
        """
        cap = self._get_cap(caller)
        with self._lock:
            tally = self._get_synced_tally(caller.client_id, day, cap)
            if tally.total >= cap.cap:
                raise ClientCapReached(f"{caller.client_id}: {cap.cap} on {day}")
            tally.unsynced_count += 1
            return tally.total > cap.flag

    def release(self, caller: Caller, day: date) -> None:
        """Take back the count of one capture: it was known already, or was not accepted in the end."""
        with self._lock:
            self._tallies[caller.client_id, day].unsynced_count -= 1

    def _get_cap(self, caller: Caller) -> DailyCap:
        if caller.daily_cap is not None:
            return caller.daily_cap
        return self._caps[Role.BOT if caller.disclosure is Disclosure.PUBLIC else Role.KIOSK]

    def _get_synced_tally(self, client_id: str, day: date, cap: DailyCap) -> _Tally:
        now = self._clock()
        tally = self._tallies.get((client_id, day))
        if tally is None:
            self._drop_tallies_before(day - _ONE_DAY)
            tally = self._tallies[client_id, day] = _Tally(self._counts.add(client_id, day, 0), now)
        elif tally.is_sync_due(now, cap):
            own = tally.unsynced_count
            tally.shared_count, tally.synced_at = self._counts.add(client_id, day, own), now
            tally.unsynced_count -= own
        return tally

    def _drop_tallies_before(self, day: date) -> None:
        self._tallies = {key: tally for key, tally in self._tallies.items() if key[1] >= day}
