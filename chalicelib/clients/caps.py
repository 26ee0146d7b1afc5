"""The daily cap of a client: attempts above its flag limit are flagged, attempts above its cap are refused.

Every attempt costs, whatever became of it, so that nobody can ask about more NIKs than may be registered.
Repeats of known workers, refused and capped attempts are counted beside: many of them are unusual.

A shared count that every attempt updates would cost a request each, and concurrent ones would conflict.
So each process counts locally and adds its number to the shared count once a minute, or earlier after a
twentieth of the number that remains until the next limit; close to a limit, after each attempt. Processes
that work at the same time may exceed a limit by that much.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from threading import Lock
from typing import Protocol

from chalicelib.callers import Caller, DailyCap, Role
from chalicelib.clients.errors import ClientCapReached
from chalicelib.clock import Clock
from chalicelib.values import Value

_SYNC_INTERVAL = timedelta(seconds=60)
_ONE_DAY = timedelta(days=1)
_SYNC_DIVISOR = 20


class UnusualOutcome(StrEnum):
    """An outcome of an attempt that a client should not meet often. The values name the counts."""

    KNOWN = "known"
    REFUSED = "refused"
    CAPPED = "capped"


class AttemptCounts(Value):
    """The attempts of a client on one day. `total` counts against its cap."""

    total: int = 0
    known: int = 0
    refused: int = 0
    capped: int = 0

    @property
    def unusual(self) -> int:
        return self.known + self.refused + self.capped

    def __add__(self, other: "AttemptCounts") -> "AttemptCounts":
        return AttemptCounts(
            self.total + other.total,
            self.known + other.known,
            self.refused + other.refused,
            self.capped + other.capped,
        )


class Allowance(Value):
    """The state of a client's day for its next attempt.

    `is_over_flag`: it exceeds the flag limit. `is_unusual`: the client met unusually many known, refused or
    capped workers. `keeps_refusals`: so few were refused that the next refusal is stored.
    """

    is_over_flag: bool = False
    is_unusual: bool = False
    keeps_refusals: bool = True


class DayCounts(Protocol):
    """The store of attempts per client and day."""

    def add(self, client_id: str, day: date, counts: AttemptCounts) -> AttemptCounts:
        """Add `counts`, whose numbers may be negative, to those of a day. Return the sums."""


class _Tally:
    """This process's view of one client's day: the shared counts, and the attempts not added to them yet.

    `reported` is the number of times that the threshold of unusual attempts was reported to be exceeded.
    """

    def __init__(self, *, shared: AttemptCounts, synced_at: datetime) -> None:
        self.shared = shared
        self.synced_at = synced_at
        self.unsynced = AttemptCounts()
        self.reported = 0

    @property
    def counts(self) -> AttemptCounts:
        return self.shared + self.unsynced

    def is_sync_due(self, now: datetime, cap: DailyCap) -> bool:
        if now - self.synced_at >= _SYNC_INTERVAL:
            return True
        total = self.counts.total
        remaining = (cap.flag if total < cap.flag else cap.cap) - total
        # A client over its cap must not cost a write for each refusal.
        return remaining > 0 and self.unsynced.total >= remaining // _SYNC_DIVISOR


class DailyCapLimiter:
    """Enforces the daily caps of clients. One instance per process, safe to share between threads.

    `unusual` is the number of unusual attempts of a day from which on a client of a role is reported.
    """

    def __init__(
        self, *, counts: DayCounts, caps: Mapping[Role, DailyCap], unusual: Mapping[Role, int], clock: Clock
    ) -> None:
        self._counts = counts
        self._caps = caps
        self._unusual = unusual
        self._clock = clock
        self._tallies: dict[tuple[str, date], _Tally] = {}
        self._lock = Lock()

    def reserve(self, caller: Caller, day: date) -> Allowance:
        """Count one attempt of a client. Raise ClientCapReached, without counting, if the cap is reached."""
        cap, threshold = self._get_cap(caller), self._unusual[_get_role(caller)]
        with self._lock:
            tally = self._get_synced_tally(caller.client_id, day, cap)
            if tally.counts.total >= cap.cap:
                raise ClientCapReached(f"{caller.client_id}: {cap.cap} on {day}")
            tally.unsynced += AttemptCounts(total=1)
            counts = tally.counts
            return Allowance(
                is_over_flag=counts.total > cap.flag,
                is_unusual=counts.unusual >= threshold,
                keeps_refusals=counts.refused < threshold,
            )

    def release(self, caller: Caller, day: date) -> None:
        """Undo `reserve` for a replay, which tells nothing new, and for an attempt that failed."""
        with self._lock:
            self._tallies[caller.client_id, day].unsynced += AttemptCounts(total=-1)

    def record(self, caller: Caller, day: date, unusual: UnusualOutcome) -> int | None:
        """Count what became of an attempt.

        Return the client's number of unusual attempts when it has reached the threshold, or the next multiple
        of it; else None.
        """
        threshold = self._unusual[_get_role(caller)]
        with self._lock:
            tally = self._tallies[caller.client_id, day]
            tally.unsynced += replace(AttemptCounts(), **{str(unusual): 1})
            reached = tally.counts.unusual // threshold
            if reached <= tally.reported:
                return None
            tally.reported = reached
            return tally.counts.unusual

    def _get_cap(self, caller: Caller) -> DailyCap:
        return self._caps[_get_role(caller)] if caller.daily_cap is None else caller.daily_cap

    def _get_synced_tally(self, client_id: str, day: date, cap: DailyCap) -> _Tally:
        now = self._clock()
        tally = self._tallies.get((client_id, day))
        if tally is None:
            self._drop_tallies_before(day - _ONE_DAY)
            shared = self._counts.add(client_id, day, AttemptCounts())
            tally = self._tallies[client_id, day] = _Tally(shared=shared, synced_at=now)
        elif tally.is_sync_due(now, cap):
            unsynced = tally.unsynced
            tally.shared, tally.synced_at = self._counts.add(client_id, day, unsynced), now
            tally.unsynced = AttemptCounts()
        return tally

    def _drop_tallies_before(self, day: date) -> None:
        self._tallies = {key: tally for key, tally in self._tallies.items() if key[1] >= day}


def _get_role(caller: Caller) -> Role:
    return Role.KIOSK if Role.KIOSK in caller.roles else Role.BOT
