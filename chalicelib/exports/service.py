"""Exporting final days: first the rows, then the manifest, then the deletion of outdated objects.

The same day gives the same bytes, so a repeated export changes nothing, and an interrupted one is repeated.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from chalicelib.campaigns.model import CampaignDay
from chalicelib.clock import Clock
from chalicelib.crypto.hashing import KeyedHash
from chalicelib.exports.model import Manifest, StoredRows, format_row
from chalicelib.registrations.captures import CaptureFacts, DayFact, Outcome, UnreadableFacts
from chalicelib.rollups.model import Counts, Summary, SummaryState
from chalicelib.rollups.outbox import Consumer, OutboxEntry

# Captures that arrive after a count are counted and exported within two hourly runs.
_LATE_AFTER = timedelta(hours=3)


class _CapturesChanged(Exception):
    """Captures were added or erased since the summary was counted."""


class ExportUnfinished(Exception):
    """The deadline passed before all captures of a day were read. Nothing of it was stored."""


class ExportRunning(Exception):
    """Another export holds the lease."""


class Outbox(Protocol):
    """The days that are still to be exported, and the lease of the running export."""

    def iter_entries(self, consumer: Consumer) -> Iterator[OutboxEntry]:
        """Yield a consumer's entries, by day."""

    def record_attempt(self, consumer: Consumer, entry: OutboxEntry, attempted_at: datetime) -> None:
        """Store when an entry was attempted, unless it was enqueued again since it was read."""

    def acquire_lease(self, consumer: Consumer, now: datetime, expires_at: datetime) -> bool:
        """Reserve a consumer's entries until `expires_at`. Return False while another run holds them."""

    def release_lease(self, consumer: Consumer, expires_at: datetime) -> None:
        """End the lease that was acquired until `expires_at`, and no other one."""

    def remove(self, consumer: Consumer, entry: OutboxEntry) -> None:
        """Delete an entry, unless it was enqueued again since it was read."""


class Summaries(Protocol):
    """Stored summaries."""

    def find_latest(self, campaign_day: CampaignDay) -> Summary | None:
        """Return the newest version of a day, or None."""


class Captures(Protocol):
    """The captures that are exported."""

    def iter_capture_facts(self, campaign_day: CampaignDay) -> Iterable[DayFact]:
        """Yield the facts of a campaign day's captures."""


class ExportStore(Protocol):
    """The objects that analysts read."""

    def put(self, campaign_day: CampaignDay, version: int, rows: Iterable[bytes]) -> StoredRows:
        """Store rows in an order that does not reveal when they were captured, in memory of a fixed size.

        Nothing is stored before the last row was read.
        """

    def publish(self, manifest: Manifest) -> None:
        """Store a day's manifest, then delete the day's objects that it does not name."""


@dataclass(frozen=True)
class ExportResult:
    """Result of one day: its manifest, or None if nothing was published.

    `is_late` is true if the captures have differed from the summary for longer than counting takes.
    """

    manifest: Manifest | None
    is_late: bool


class ExportService:
    """Exports the days in the outbox."""

    def __init__(
        self,
        *,
        outbox: Outbox,
        summaries: Summaries,
        captures: Captures,
        store: ExportStore,
        hashing: KeyedHash,
        clock: Clock,
    ) -> None:
        self._outbox = outbox
        self._summaries = summaries
        self._captures = captures
        self._store = store
        self._hashing = hashing
        self._clock = clock

    def list_entries(self) -> list[OutboxEntry]:
        """Return the entries by the time they were last attempted, or enqueued if they were not attempted."""
        entries = self._outbox.iter_entries(Consumer.ANALYSTS)
        return sorted(
            entries, key=lambda entry: (entry.attempted_at or entry.enqueued_at, entry.campaign_day)
        )

    @contextmanager
    def hold_lease(self, expires_at: datetime) -> Iterator[None]:
        """Hold the lease until the block ends, and at most until `expires_at`. Raise ExportRunning.

        Two exports at once could publish the same day and delete each other's rows.
        """
        if not self._outbox.acquire_lease(Consumer.ANALYSTS, self._clock(), expires_at):
            raise ExportRunning
        try:
            yield
        finally:
            self._outbox.release_lease(Consumer.ANALYSTS, expires_at)

    def export(self, entry: OutboxEntry, *, deadline: datetime) -> ExportResult:
        """Export the newest summary of a day and its captures.

        The attempt is stored first, so that the day comes after all others in the next run even if this run
        is killed. Raise ExportUnfinished if the captures are not read by `deadline`.

        Nothing is published if captures differ from the summary: the day is exported after the next count.
        The entry of a day that is not final is removed; its final version enqueues it again.
        """
        self._outbox.record_attempt(Consumer.ANALYSTS, entry, self._clock())
        summary = self._summaries.find_latest(entry.campaign_day)
        if summary is None or summary.state is not SummaryState.FINAL:
            self._outbox.remove(Consumer.ANALYSTS, entry)
            return ExportResult(None, is_late=False)
        try:
            manifest = self._store_files(summary, deadline)
        except _CapturesChanged:
            return ExportResult(None, is_late=self._clock() > entry.enqueued_at + _LATE_AFTER)
        self._store.publish(manifest)
        self._outbox.remove(Consumer.ANALYSTS, entry)
        return ExportResult(manifest, is_late=False)

    def _store_files(self, summary: Summary, deadline: datetime) -> Manifest:
        stored = self._store.put(summary.campaign_day, summary.version, self._iter_rows(summary, deadline))
        return Manifest(
            campaign_id=summary.campaign_id,
            day=summary.day,
            version=summary.version,
            counted_at=summary.counted_at,
            content_hash=summary.content_hash,
            counts=summary.counts,
            files=stored.files,
            parquet=stored.parquet,
        )

    def _iter_rows(self, summary: Summary, deadline: datetime) -> Iterator[bytes]:
        """Yield the rows of a day. Raise _CapturesChanged after the last if the summary has other counts.

        A capture that cannot be read has no row; the summary may have counted it while it could be read.
        """
        outcomes: Counter[str] = Counter()
        cancelled = unreadable = 0
        for fact in self._captures.iter_capture_facts(summary.campaign_day):
            if self._clock() >= deadline:
                raise ExportUnfinished
            unreadable += isinstance(fact.facts, UnreadableFacts)
            if isinstance(fact.facts, CaptureFacts):
                outcomes[fact.facts.outcome] += 1
                cancelled += fact.facts.is_cancelled
                yield format_row(fact, fact.facts, summary.campaign_day, self._hashing)
        counts = _count_outcomes(outcomes, cancelled)
        if not _are_counts_explained(summary.counts, counts, unreadable):
            raise _CapturesChanged


def _are_counts_explained(summarised: Counts, exported: Counts, unreadable: int) -> bool:
    """Return True if the rows lack nothing that the summary counts, but for the unreadable captures."""
    missing: list[int] = [
        getattr(summarised, name) - getattr(exported, name)
        for name in ("created", "already_registered", "reactivated", "refused")
    ]
    # Captures do not name the registrations that an earlier release cancelled; the summary counts them.
    missing_registered: int = summarised.registered - exported.registered
    return min(missing) >= 0 and max(sum(missing), missing_registered) <= unreadable


def _count_outcomes(outcomes: Counter[str], cancelled: int) -> Counts:
    refused = outcomes[Outcome.REFUSED]
    return Counts(
        captures=outcomes.total() - refused,
        created=outcomes[Outcome.CREATED],
        already_registered=outcomes[Outcome.ALREADY_REGISTERED],
        reactivated=outcomes[Outcome.REACTIVATED],
        refused=refused,
        registered=outcomes[Outcome.CREATED] + outcomes[Outcome.REACTIVATED] - cancelled,
    )
