"""Exporting final days: rows first, the manifest after them, and what it no longer names is taken away.

The same day gives the same bytes, so an export that is made twice changes nothing, and one that was stopped
is made again.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from chalicelib.campaigns.model import CampaignDay
from chalicelib.clock import Clock
from chalicelib.crypto.hashing import KeyedHash
from chalicelib.exports.model import ExportFile, Manifest, format_row
from chalicelib.registrations.captures import CaptureFacts, DayFact, Outcome
from chalicelib.rollups.model import Counts, Summary, SummaryState
from chalicelib.rollups.outbox import Consumer, OutboxEntry

# Captures that came after the count are counted within the hour, and exported after that.
_LATE_AFTER = timedelta(hours=3)


class _CapturesChanged(Exception):
    """Captures came, or went, since the summary was counted."""


class ExportUnfinished(Exception):
    """The time that a day was given was over before its captures were read. Nothing of it was stored."""


class Outbox(Protocol):
    """The days that are still to be exported."""

    def iter_entries(self, consumer: Consumer) -> Iterator[OutboxEntry]:
        """Every day that waits for a reader."""

    def record_attempt(self, consumer: Consumer, entry: OutboxEntry, attempted_at: datetime) -> None:
        """Keep when a day was begun, unless it was asked for once more since it was read."""

    def acquire_lease(self, consumer: Consumer, now: datetime, expires_at: datetime) -> bool:
        """Whether nobody else is at a reader's days; if so, nobody else will be before that time."""

    def release_lease(self, consumer: Consumer, expires_at: datetime) -> None:
        """Let others be at a reader's days again."""

    def remove(self, consumer: Consumer, entry: OutboxEntry) -> None:
        """Let a day wait no longer, unless it was asked for once more since it was read."""


class Summaries(Protocol):
    """What exporting needs of summaries."""

    def find_latest(self, campaign_day: CampaignDay) -> Summary | None:
        """The newest version of a day."""


class Captures(Protocol):
    """What exporting needs of registrations."""

    def iter_capture_facts(self, campaign_day: CampaignDay) -> Iterable[DayFact]:
        """What counts of a campaign day's captures."""


class ExportStore(Protocol):
    """Where exports stand for analysts."""

    def put(self, campaign_day: CampaignDay, version: int, rows: Iterable[bytes]) -> ExportFile:
        """Store rows, in no order that says when they were made. Memory does not grow with their number.

        Nothing is stored before the last row was given.
        """

    def publish(self, manifest: Manifest) -> None:
        """Name what a day consists of, and take away whatever else stands there of it."""


@dataclass(frozen=True)
class ExportResult:
    """What became of a day: its manifest, or None where its captures are not those of the summary (yet)."""

    manifest: Manifest | None
    is_late: bool


class ExportService:
    """Exports the days that wait for it."""

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
        """The days that wait: first what was asked for first, and what was begun in vain after that."""
        days = self._outbox.iter_entries(Consumer.ANALYSTS)
        return sorted(days, key=lambda each: (each.tried_at or each.enqueued_at, each.campaign_day))

    def acquire_lease(self, expires_at: datetime) -> bool:
        """Whether nobody else is exporting; if so, nobody else will before that time.

        Two at once could each publish a day and take away the other's rows.
        """
        return self._outbox.acquire_lease(Consumer.ANALYSTS, self._clock(), expires_at)

    def release_lease(self, expires_at: datetime) -> None:
        """Let others export."""
        self._outbox.release_lease(Consumer.ANALYSTS, expires_at)

    def export(self, entry: OutboxEntry, *, deadline: datetime) -> ExportResult:
        """Export a day as its newest summary has it.

        It is kept that the day was begun, so that it comes after all others next time, however this ends.
        Raises ExportUnfinished if its captures are not read by then.

        Nothing is published where captures came since the summary: its next version brings both together.
        A day that is not final waits no longer; becoming final will ask for it again.
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
        return Manifest(
            campaign_id=summary.campaign_id,
            day=summary.day,
            version=summary.version,
            counted_at=summary.counted_at,
            content_hash=summary.content_hash,
            counts=summary.counts,
            files=[
                self._store.put(summary.campaign_day, summary.version, self._iter_rows(summary, deadline))
            ],
        )

    def _iter_rows(self, summary: Summary, deadline: datetime) -> Iterator[bytes]:
        """The rows of a day. Raises _CapturesChanged after the last where they are not those of the summary."""
        outcomes: Counter[str] = Counter()
        for fact in self._captures.iter_capture_facts(summary.campaign_day):
            if self._clock() >= deadline:
                raise ExportUnfinished
            if isinstance(fact.facts, CaptureFacts):
                outcomes[fact.facts.outcome] += 1
                yield format_row(fact, fact.facts, summary.campaign_day, self._hashing)
        if _count_outcomes(outcomes) != summary.counts:
            raise _CapturesChanged


def _count_outcomes(outcomes: Counter[str]) -> Counts:
    refused = outcomes[Outcome.REFUSED]
    return Counts(
        captures=outcomes.total() - refused,
        created=outcomes[Outcome.CREATED],
        already_registered=outcomes[Outcome.ALREADY_REGISTERED],
        reactivated=outcomes[Outcome.REACTIVATED],
        refused=refused,
    )
