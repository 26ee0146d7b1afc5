"""Reading of single registrations and captures, positions to resume a listing from, and a device's gaps."""

import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol
from uuid import UUID

from chalicelib.callers import Caller, Disclosure, Role
from chalicelib.clock import Clock, to_timestamp
from chalicelib.http.pagination import CursorInvalid, Page, Position, cut_page
from chalicelib.registrations import references
from chalicelib.registrations.capture_source import CaptureSource
from chalicelib.registrations.captures import Capture
from chalicelib.registrations.errors import (
    CaptureErased,
    CaptureUnknown,
    RegistrationDestroyed,
    RegistrationUnknown,
)
from chalicelib.registrations.latest_capture import LatestCapture
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


@dataclass(frozen=True)
class CaptureReport:
    """The part of a capture that its caller may learn.

    `capture` is None if it was erased, `registration` unless `disclosure` is OFFICER.
    """

    capture_id: str
    disclosure: Disclosure
    capture: Capture | None = None
    registration: Registration | None = None


@dataclass(frozen=True)
class DeletionCounts:
    """The registrations of a campaign that were deleted by retention, and those that lost the identity."""

    registrations: int = 0
    identities: int = 0


class ReadingStore(Protocol):
    """The reads of the registrations table that the service needs."""

    def get(self, reference: Reference) -> Registration:
        """Return a registration. Raise RegistrationUnknown, or RegistrationDestroyed."""

    def get_capture(self, capture_id: str) -> Capture:
        """Return a capture. Raise CaptureUnknown, or CaptureErased."""

    def find_latest(self, worker_key: str) -> Reference | None:
        """Return the reference of a worker's latest registration, or None if the worker is not known."""

    def count_deletions(self, campaign_id: str) -> DeletionCounts:
        """Return how much of a campaign was deleted by retention."""

    def iter_sources(self, registration: Registration) -> Iterator[CaptureSource]:
        """Yield the source of every capture whose answer names a registration."""

    def iter_device_sequences(self, client_id: str, *, start_after: int = 0) -> Iterator[int]:
        """Yield the sequence numbers of a device's captures that have arrived, in order, from a number on."""

    def find_last_device_sequence(self, client_id: str) -> int | None:
        """Return the highest sequence number of a device's captures that have arrived, or None."""

    def find_latest_capture(self, client_id: str) -> LatestCapture | None:
        """Return a device's capture with the highest number, or None."""


class ReadingService:
    def __init__(self, *, store: ReadingStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def get(self, reference: str) -> Registration:
        """Return the registration with a stored reference, such as one in a queue's message.

        Raise RegistrationUnknown, or RegistrationDestroyed.
        """
        return self._store.get(Reference(reference))

    def count_deletions(self, campaign_id: str) -> DeletionCounts:
        """Return how much of a campaign was deleted by retention."""
        return self._store.count_deletions(campaign_id)

    def is_latest(self, registration: Registration) -> bool:
        """Return True if the worker has not registered again since. During an erasure return False."""
        return self._store.find_latest(registration.worker_key) == registration.reference

    def look_up(self, typed_reference: str, *, caller: Caller, includes_met: bool = False) -> Registration:
        """Return the registration with a typed reference, if the caller may access its campaign.

        With `includes_met`, an officer's device may also see a registration of another campaign that was
        named in the answer to one of its own captures. Raise RegistrationUnknown, or RegistrationDestroyed.
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
        is_own = caller.may_access_campaign(registration.capture_metadata.campaign_id)
        if not is_own and not (includes_met and self._has_met(caller, registration)):
            raise RegistrationUnknown("registration of another campaign")
        return registration

    def look_up_capture(self, typed_capture_id: str, *, caller: Caller) -> CaptureReport:
        """Return what a caller may learn of a capture that it sent, or of one of a campaign that it manages.

        Raise CaptureUnknown for any other one, and CaptureErased, but not for the public.
        """
        try:
            capture_id = str(UUID(typed_capture_id))
        except ValueError:
            raise CaptureUnknown("malformed id") from None
        try:
            capture = self._store.get_capture(capture_id)
        except CaptureErased as erased:
            if _find_disclosure(caller, erased.source) is Disclosure.OFFICER:
                raise
            return CaptureReport(capture_id, Disclosure.PUBLIC)
        disclosure = _find_disclosure(caller, capture.source)
        registration = None
        if disclosure is Disclosure.OFFICER and capture.answer is not None:
            # The registration may have been destroyed, or be of a campaign that is not the manager's.
            with suppress(RegistrationUnknown):
                registration = self.look_up(capture.answer.reference, caller=caller, includes_met=True)
        return CaptureReport(capture_id, disclosure, capture, registration)

    def _has_met(self, caller: Caller, registration: Registration) -> bool:
        return caller.disclosure is Disclosure.OFFICER and any(
            source.client_id == caller.client_id and source.disclosure is Disclosure.OFFICER
            for source in self._store.iter_sources(registration)
        )

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
        gaps = self._iter_gaps(client_id, int(start_after or 0))
        return cut_page(gaps, page_size, start_after=start_after, get_position=lambda gap: str(gap.last))

    def count_owed(self, client_id: str) -> int:
        """Return how many numbers of a device have not arrived, below the highest that has."""
        return sum(gap.last - gap.first + 1 for gap in self._iter_gaps(client_id, 0))

    def find_latest_capture(self, client_id: str) -> LatestCapture | None:
        """Return a device's capture with the highest number, or None."""
        return self._store.find_latest_capture(client_id)

    def find_last_device_sequence(self, client_id: str) -> int:
        """Return the highest number of a device's captures that has arrived, 0 if none has."""
        return self._store.find_last_device_sequence(client_id) or 0

    def _iter_gaps(self, client_id: str, start_after: int) -> Iterator[SequenceGap]:
        expected = start_after + 1
        for sequence in self._store.iter_device_sequences(client_id, start_after=start_after):
            if sequence > expected:
                yield SequenceGap(first=expected, last=sequence - 1)
            expected = max(expected, sequence + 1)


def _find_disclosure(caller: Caller, source: CaptureSource | None) -> Disclosure:
    """Return what a caller may learn of a capture. Raise CaptureUnknown if that is nothing."""
    if source is not None:
        if caller.has_role(Role.MANAGER) and caller.may_access_campaign(source.campaign_id):
            return Disclosure.OFFICER
        if source.client_id == caller.client_id:
            is_officer = source.disclosure is caller.disclosure is Disclosure.OFFICER
            return Disclosure.OFFICER if is_officer else Disclosure.PUBLIC
    raise CaptureUnknown("capture of another client")
