"""Reading of single registrations, positions to resume a listing from, and gaps in a device's captures."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from itertools import islice
from typing import Protocol

from chalicelib.callers import Caller
from chalicelib.clock import Clock, to_timestamp
from chalicelib.http.pagination import CursorInvalid, Page, Position
from chalicelib.registrations import references
from chalicelib.registrations.errors import RegistrationDestroyed, RegistrationUnknown
from chalicelib.registrations.model import Registration
from chalicelib.registrations.references import Reference

# The longest time from reading the clock for a write until the write is in an index. A pull that resumes at a
# position this old misses nothing.
_INDEX_LAG = timedelta(minutes=1)

_SEQUENCE_PATTERN = re.compile(r"[0-9]{1,15}", re.ASCII)


@dataclass(frozen=True)
class SequenceGap:
    """A run of a device's captures that has not arrived, first and last."""

    first: int
    last: int


class ReadingStore(Protocol):
    """The reads of the registrations table that the service needs."""

    def get(self, reference: Reference) -> Registration:
        """Return a registration. Raise RegistrationUnknown, or RegistrationDestroyed."""

    def iter_device_sequences(self, client_id: str, *, start_after: int = 0) -> Iterator[int]:
        """Yield the sequence numbers of a device's captures that have arrived, in order, from a number on."""


class ReadingService:
    def __init__(self, *, store: ReadingStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def get(self, reference: str) -> Registration:
        """Return the registration with a stored reference, such as one in a queue's message.

        Raise RegistrationUnknown, or RegistrationDestroyed.
        """
        return self._store.get(Reference(reference))

    def look_up(self, typed_reference: str, *, caller: Caller) -> Registration:
        """Return the registration with a typed reference, if the caller may access its campaign.

        Raise RegistrationUnknown, or RegistrationDestroyed.
        """
        reference = references.parse(typed_reference)
        if reference is None:
            raise RegistrationUnknown("malformed reference")
        try:
            registration = self._store.get(reference)
        except RegistrationDestroyed as destroyed:
            if caller.may_access_campaign(destroyed.campaign_id):
                raise
            raise RegistrationUnknown("registration of another campaign") from None
        if not caller.may_access_campaign(registration.capture_metadata.campaign_id):
            raise RegistrationUnknown("registration of another campaign")
        return registration

    def get_settled_position(self) -> Position:
        """Return the position before which nothing new can appear: a minute ago."""
        return Position(to_timestamp(self._clock() - _INDEX_LAG))

    def compute_resume_position(
        self, page: Page[Registration], *, start_after: Position | None, settled: Position | None = None
    ) -> Position | None:
        """Return the position from which a later pull of a status resumes.

        A write during the read of a page may sort before its end, so this is never after `settled`, the
        settled position when the pull began (or now): a later pull repeats some rows and misses none.
        """
        reached = page.last_position or start_after
        if reached is None:
            return None
        return min(reached, settled or self.get_settled_position())

    def list_gaps(self, client_id: str, *, start_after: Position | None, page_size: int) -> Page[SequenceGap]:
        """Return a page of the runs of a device's numbered captures that are missing.

        They are below the highest number that arrived. Raise CursorInvalid.
        """
        if start_after is not None and _SEQUENCE_PATTERN.fullmatch(start_after) is None:
            raise CursorInvalid("not a sequence number")
        gaps = list(islice(self._iter_gaps(client_id, int(start_after or 0)), page_size + 1))
        kept = gaps[:page_size]
        return Page(
            kept,
            last_position=Position(str(kept[-1].last)) if kept else start_after,
            has_more=len(gaps) > page_size,
        )

    def _iter_gaps(self, client_id: str, start_after: int) -> Iterator[SequenceGap]:
        expected = start_after + 1
        for sequence in self._store.iter_device_sequences(client_id, start_after=start_after):
            if sequence > expected:
                yield SequenceGap(first=expected, last=sequence - 1)
            expected = max(expected, sequence + 1)
