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

from chalicelib.clients.errors import ClientCapReached
from chalicelib.clients.model import Caller, DailyCap, Role
from chalicelib.clock import Clock

_KNOWN_FOR = timedelta(seconds=60)
_A_DAY = timedelta(days=1)
_PART_OF_WHAT_IS_LEFT = 20


class DayCounts(Protocol):
    """Where the captures that clients have had accepted are counted, by day."""

    def add(self, client_id: str, day: date, number: int) -> int:
        """Add to a client's count of a day, or take away; the count after that."""


@dataclass
class _Tally:
    """What this container knows of one client's day: the common count, and what it has not put to it yet."""

    common: int
    asked_at: datetime
    own: int = 0

    @property
    def count(self) -> int:
        return self.common + self.own

    def is_worth_asking(self, now: datetime, cap: DailyCap) -> bool:
        if now - self.asked_at >= _KNOWN_FOR:
            return True
        left = (cap.flag if self.count < cap.flag else cap.cap) - self.count
        # A client that is refused anyway, again and again, shall not cost a write each time.
        return left > 0 and self.own >= left // _PART_OF_WHAT_IS_LEFT


class Allowance:
    """What is left to each client of its day. Made once in a container; its threads may share it."""

    def __init__(self, *, counts: DayCounts, caps: Mapping[Role, DailyCap], clock: Clock) -> None:
        self._counts = counts
        self._caps = caps
        self._clock = clock
        self._tallies: dict[tuple[str, date], _Tally] = {}
        self._lock = Lock()

    def take(self, by: Caller, day: date) -> bool:
        """Count one capture of a client; True if it is over the number that passes without a flag.

        Raises ClientCapReached, and then has counted nothing.
        """
        cap = self._cap_of(by)
        with self._lock:
            tally = self._up_to_date(by.client_id, day, cap)
            if tally.count >= cap.cap:
                raise ClientCapReached(f"{by.client_id}: {cap.cap} on {day}")
            tally.own += 1
            return tally.count > cap.flag

    def give_back(self, by: Caller, day: date) -> None:
        """Take back the count of one capture: it was known already, or was not accepted in the end."""
        with self._lock:
            self._tallies[by.client_id, day].own -= 1

    def _cap_of(self, by: Caller) -> DailyCap:
        if by.daily_cap is not None:
            return by.daily_cap
        return self._caps[Role.BOT if by.speaks_with_strangers else Role.KIOSK]

    def _up_to_date(self, client_id: str, day: date, cap: DailyCap) -> _Tally:
        now = self._clock()
        tally = self._tallies.get((client_id, day))
        if tally is None:
            self._forget_days_before(day - _A_DAY)
            tally = self._tallies[client_id, day] = _Tally(self._counts.add(client_id, day, 0), now)
        elif tally.is_worth_asking(now, cap):
            own = tally.own
            tally.common, tally.asked_at = self._counts.add(client_id, day, own), now
            tally.own -= own
        return tally

    def _forget_days_before(self, day: date) -> None:
        self._tallies = {key: tally for key, tally in self._tallies.items() if key[1] >= day}
