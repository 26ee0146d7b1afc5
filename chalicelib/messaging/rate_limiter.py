"""The rate at which SMS are sent, over all worker processes together, and the switch that stops sending.

Each part of an SMS takes one of evenly spaced slots. A confirmation takes the next free slot, up to a maximum
wait; a reminder takes a slot only if one is free at once, so that confirmations go first.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from chalicelib.clock import Clock

_POLL_INTERVAL = timedelta(milliseconds=200)


class SendingStopped(Exception):
    """Sending is stopped until `ends_at`; None means until a person resumes it."""

    def __init__(self, reason: str, ends_at: datetime | None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.ends_at = ends_at


class RateLimited(Exception):
    """The next free slot is later than the caller may wait."""


@dataclass(frozen=True)
class SendRate:
    """The parts per second that the contract with the gateway allows."""

    parts_per_second: float

    def compute_duration(self, parts: int) -> timedelta:
        """Return how long an SMS of `parts` parts occupies the rate limiter."""
        return timedelta(seconds=parts / self.parts_per_second)


@dataclass(frozen=True)
class SendingStop:
    """A stop of all sending. `ends_at` None means until a person resumes it."""

    reason: str
    ends_at: datetime | None


class SendRateLimiter(Protocol):
    """Slots and the stop switch, shared by all worker processes. Every change is one conditional write."""

    def reserve(self, duration: timedelta, *, now: datetime, max_wait: timedelta) -> datetime:
        """Reserve the next free slot and return when it begins.

        Raise SendingStopped, or RateLimited if it begins later than `max_wait` after `now`.
        """

    def stop(self, stop: SendingStop) -> None:
        """Stop sending. A stop never shortens a longer one."""

    def resume(self, now: datetime) -> None:
        """End the stop, if there is one."""

    @property
    def resumed_at(self) -> datetime | None:
        """Return when sending was last resumed, as known from this instance's last write."""

    def find_stop(self, now: datetime) -> SendingStop | None:
        """Return the stop in force, or None."""


def wait_for_slot(
    rate_limiter: SendRateLimiter,
    duration: timedelta,
    *,
    clock: Clock,
    wait: Callable[[timedelta], None],
    max_wait: timedelta,
    max_polls: int = 1,
) -> None:
    """Reserve a slot and wait until it begins. Ask up to `max_polls` times, 200 ms apart.

    Raise SendingStopped, or RateLimited after the last poll.
    """
    for polls_left in reversed(range(max_polls)):
        now = clock()
        try:
            slot = rate_limiter.reserve(duration, now=now, max_wait=max_wait)
        except RateLimited:
            if not polls_left:
                raise
            wait(_POLL_INTERVAL)
        else:
            wait(max(slot - now, timedelta(0)))
            return
