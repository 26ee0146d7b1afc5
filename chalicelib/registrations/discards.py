"""Captures that a device has given up, by their numbers: nobody waits for them any more. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Protocol

from chalicelib.clock import Clock

_MAX_SHOWN = 200


@dataclass(frozen=True)
class Discard:
    """A capture that was discarded on its device before it was accepted, and the reason, as a code."""

    device_sequence: int
    reason: str
    reported_at: datetime


class DiscardStore(Protocol):
    """The store of discarded captures, by client and number."""

    def add(self, client_id: str, discard: Discard) -> None:
        """Store a discard, unless one is stored under its number."""

    def iter_latest(self, client_id: str, *, page_size: int) -> Iterator[Discard]:
        """Yield the discards of a client, the highest number first, read in pages of a size."""


class DiscardService:
    """Records what devices have discarded, and lists it."""

    def __init__(self, *, store: DiscardStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def record(self, client_id: str, discarded: Sequence[tuple[int, str]]) -> None:
        """Store the numbers and reasons of a device. A repeat changes nothing."""
        now = self._clock()
        for device_sequence, reason in discarded:
            self._store.add(client_id, Discard(device_sequence, reason, now))

    def list_latest(self, client_id: str) -> list[Discard]:
        """Return the 200 discards of a device with the highest numbers."""
        return list(islice(self._store.iter_latest(client_id, page_size=_MAX_SHOWN), _MAX_SHOWN))
