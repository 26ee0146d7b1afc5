"""Opt-outs: phones whose owners want no SMS, neither as workers nor as managers."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True)
class OptOut:
    """The last opt-out of a phone, its source, and by whom and when it was lifted.

    A lifted opt-out is kept: a gateway may report an older opt-out again.
    """

    opted_out_at: datetime
    source: str
    lifted_at: datetime | None = None
    lifted_by: str | None = None

    @property
    def is_in_force(self) -> bool:
        """Return True until the opt-out is lifted."""
        return self.lifted_at is None


class OptOutStore(Protocol):
    """Stores opt-outs by the keyed hash of the phone."""

    def record(self, phone_hash: str, *, occurred_at: datetime, source: str) -> None:
        """Store an opt-out.

        Change nothing if one is in force, or if `occurred_at` is not after the last one was lifted.
        """

    def lift(self, phone_hash: str, *, occurred_at: datetime, lifted_by: str) -> bool:
        """Lift the opt-out of a phone. Return False if none is in force."""

    def find(self, phone_hash: str) -> OptOut | None:
        """Return the last opt-out of a phone, lifted or not, or None."""

    def has_opted_out(self, phone_hash: str) -> bool:
        """Return True if an opt-out of the phone is in force."""
