"""How fast texts go out, over all senders together, and whether they go out at all.

Each part takes one slot of a line of evenly spaced slots. A confirmation takes the next free slot, however
long the line; a reminder takes a slot only when there is no line, so that every confirmation goes first.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol


class Stopped(Exception):
    """Nothing is to be sent now; `until` when is not always known."""

    def __init__(self, reason: str, until: datetime | None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.until = until


class LineBusy(Exception):
    """Confirmations are in line."""


@dataclass(frozen=True)
class Rate:
    """How many parts a second may go out, as the contract with the gateway says."""

    parts_a_second: float

    def takes(self, parts: int) -> timedelta:
        """How long a text of so many parts keeps the line."""
        return timedelta(seconds=parts / self.parts_a_second)


@dataclass(frozen=True)
class Stop:
    """Why nothing is sent, and until when; None means until somebody resumes."""

    reason: str
    until: datetime | None


class Line(Protocol):
    """The one line that every sender stands in. Every change is one conditional write."""

    def take(self, takes: timedelta, *, now: datetime, longest: timedelta) -> datetime:
        """When to send: the next free slot.

        Raises Stopped, or LineBusy where that is longer off than the sender may stand in line.
        """

    def stop(self, stop: Stop) -> None:
        """Let nobody send. A stop by a gateway never shortens one by hand."""

    def resume(self, at: datetime) -> None:
        """Let everybody send again."""

    @property
    def resumed_at(self) -> datetime | None:
        """When somebody last let everybody send again, as this sender saw it when it last took a slot."""

    def stopped(self, now: datetime) -> Stop | None:
        """Why nothing is sent now, if so."""
