"""The daily cap of a client: captures above its flag limit are flagged, captures above its cap are refused.

A shared count that every capture updates would cost a request each, and concurrent captures would conflict.
So each process counts locally and adds its number to the shared count once a minute, or earlier after a
twentieth of the number that remains until the next limit; close to a limit, after each capture. Processes
that accept captures at the same time may exceed a limit by that much.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from threading import Lock
from typing import Protocol

from chalicelib.callers import Caller, DailyCap, Role
from chalicelib.clients.errors import ClientCapReached
from chalicelib.clock import Clock

_SYNC_INTERVAL = timedelta(seconds=60)
_ONE_DAY = timedelta(days=1)
_SYNC_DIVISOR = 20


class DayCounts(Protocol):
    """The store of accepted captures per client and day."""

    def add(self, client_id: str, day: date, number: int) -> int:
        """Add `number`, which may be negative, to a client's count of a day. Return the count after that."""


@dataclass
class _Tally:
    """This process's view of one client's day: the shared count, and the captures not added to it yet."""

    shared_count: int
    synced_at: datetime
    unsynced_count: int = 0

    @property
    def total(self) -> int:
        return self.shared_count + self.unsynced_count

    def is_sync_due(self, now: datetime, cap: DailyCap) -> bool:
        if now - self.synced_at >= _SYNC_INTERVAL:
            return True
        remaining = (cap.flag if self.total < cap.flag else cap.cap) - self.total
        # A client over its cap must not cost a write for each refusal.
        return remaining > 0 and self.unsynced_count >= remaining // _SYNC_DIVISOR


class DailyCapLimiter:
    """Enforces the daily caps of clients. One instance per process, safe to share between threads."""

    def __init__(self, *, counts: DayCounts, caps: Mapping[Role, DailyCap], clock: Clock) -> None:
        self._counts = counts
        self._caps = caps
        self._clock = clock
        self._tallies: dict[tuple[str, date], _Tally] = {}
        self._lock = Lock()

    def reserve(self, caller: Caller, day: date) -> bool:
        """Count one capture of a client. Return True if it exceeds the flag limit.

        Raise ClientCapReached, without counting, if the cap is reached.
        """
        cap = self._get_cap(caller)
        with self._lock:
            tally = self._get_synced_tally(caller.client_id, day, cap)
            if tally.total >= cap.cap:
                raise ClientCapReached(f"{caller.client_id}: {cap.cap} on {day}")
            tally.unsynced_count += 1
            return tally.total > cap.flag

    def release(self, caller: Caller, day: date) -> None:
        """Undo `reserve` for a capture that was a repeat or was not accepted."""
        with self._lock:
            self._tallies[caller.client_id, day].unsynced_count -= 1

    def _get_cap(self, caller: Caller) -> DailyCap:
        if caller.daily_cap is not None:
            return caller.daily_cap
        return self._caps[Role.KIOSK if Role.KIOSK in caller.roles else Role.BOT]

    def _get_synced_tally(self, client_id: str, day: date, cap: DailyCap) -> _Tally:
        now = self._clock()
        tally = self._tallies.get((client_id, day))
        if tally is None:
            self._drop_tallies_before(day - _ONE_DAY)
            tally = self._tallies[client_id, day] = _Tally(self._counts.add(client_id, day, 0), now)
        elif tally.is_sync_due(now, cap):
            unsynced_count = tally.unsynced_count
            tally.shared_count, tally.synced_at = self._counts.add(client_id, day, unsynced_count), now
            tally.unsynced_count -= unsynced_count
        return tally

    def _drop_tallies_before(self, day: date) -> None:
        self._tallies = {key: tally for key, tally in self._tallies.items() if key[1] >= day}
