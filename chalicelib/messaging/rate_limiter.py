"""How fast texts go out, over all senders together, and whether they go out at all.

Each part takes one slot of a line of evenly spaced slots. A confirmation takes the next free slot, however
long the line; a reminder takes a slot only when there is no line, so that every confirmation goes first.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol


class SendingStopped(Exception):
    """Nothing is to be sent now; `until` when is not always known."""

    def __init__(self, reason: str, ends_at: datetime | None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.ends_at = ends_at


class RateLimited(Exception):
    """Confirmations are in line."""


@dataclass(frozen=True)
class SendRate:
    """How many parts a second may go out, as the contract with the gateway says."""

    parts_per_second: float

    def compute_duration(self, parts: int) -> timedelta:
        """How long a text of so many parts keeps the line."""
        return timedelta(seconds=parts / self.parts_per_second)


@dataclass(frozen=True)
class SendingStop:
    """Why nothing is sent, and until when; None means until somebody resumes."""

    reason: str
    ends_at: datetime | None


class SendRateLimiter(Protocol):
    """The one line that every sender stands in. Every change is one conditional write."""

    def reserve(self, duration: timedelta, *, now: datetime, max_wait: timedelta) -> datetime:
        """When to send: the next free slot.

        Raises Stopped, or RateLimited where that is longer off than the sender may stand in line.
        """

    def stop(self, stop: SendingStop) -> None:
        """Let nobody send. A stop by a gateway never shortens one by hand."""

    def resume(self, now: datetime) -> None:
        """Let everybody send again."""

    @property
    def resumed_at(self) -> datetime | None:
        """When somebody last let everybody send again, as this sender saw it when it last took a slot."""

    def find_stop(self, now: datetime) -> SendingStop | None:
        """Why nothing is sent now, if so."""
