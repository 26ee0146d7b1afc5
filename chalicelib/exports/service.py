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
from chalicelib.exports.model import ExportedFile, Manifest, row
from chalicelib.privacy.hashing import KeyedHash
from chalicelib.registrations.model import CaptureFacts, DayFact, Outcome
from chalicelib.rollups.model import Counts, State, Summary
from chalicelib.rollups.outbox import Reader, Waiting

# Captures that came after the count are counted within the hour, and exported after that.
_LATE_AFTER = timedelta(hours=3)


class _FiguresMoved(Exception):
    """Captures came, or went, since the summary was counted."""


class ExportUnfinished(Exception):
    """The time that a day was given was over before its captures were read. Nothing of it was stored."""


class Outbox(Protocol):
    """The days that are still to be exported."""

    def waiting(self, reader: Reader) -> Iterator[Waiting]:
        """Every day that waits for a reader."""

    def begin(self, reader: Reader, waiting: Waiting, at: datetime) -> None:
        """Keep when a day was begun, unless it was asked for once more since it was read."""

    def take_turn(self, reader: Reader, now: datetime, until: datetime) -> bool:
        """Whether nobody else is at a reader's days; if so, nobody else will be before that time."""

    def end_turn(self, reader: Reader, until: datetime) -> None:
        """Let others be at a reader's days again."""

    def done(self, reader: Reader, waiting: Waiting) -> None:
        """Let a day wait no longer, unless it was asked for once more since it was read."""


class Summaries(Protocol):
    """What exporting needs of summaries."""

    def latest(self, of: CampaignDay) -> Summary | None:
        """The newest version of a day."""


class Captures(Protocol):
    """What exporting needs of registrations."""

    def captures_of(self, of: CampaignDay) -> Iterable[DayFact]:
        """What counts of a campaign day's captures."""


class Shelf(Protocol):
    """Where exports stand for analysts."""

    def put(self, of: CampaignDay, version: int, rows: Iterable[bytes]) -> ExportedFile:
        """Store rows, in no order that says when they were made. Memory does not grow with their number.

        Nothing is stored before the last row was given.
        """

    def publish(self, manifest: Manifest) -> None:
        """Name what a day consists of, and take away whatever else stands there of it."""


@dataclass(frozen=True)
class Exported:
    """What became of a day: its manifest, or None where its captures are not those of the summary (yet)."""

    manifest: Manifest | None
    is_late: bool


class Exporter:
    """Exports the days that wait for it."""

    def __init__(
        self,
        *,
        outbox: Outbox,
        summaries: Summaries,
        captures: Captures,
        shelf: Shelf,
        hashing: KeyedHash,
        clock: Clock,
    ) -> None:
        self._outbox = outbox
        self._summaries = summaries
        self._captures = captures
        self._shelf = shelf
        self._hashing = hashing
        self._clock = clock

    def waiting(self) -> list[Waiting]:
        """The days that wait: first what was asked for first, and what was begun in vain after that."""
        days = self._outbox.waiting(Reader.ANALYSTS)
        return sorted(days, key=lambda each: (each.tried_at or each.asked_at, each.of))

    def take_turn(self, until: datetime) -> bool:
        """Whether nobody else is exporting; if so, nobody else will before that time.

        Two at once could each publish a day and take away the other's rows.
        """
        return self._outbox.take_turn(Reader.ANALYSTS, self._clock(), until)

    def end_turn(self, until: datetime) -> None:
        """Let others export."""
        self._outbox.end_turn(Reader.ANALYSTS, until)

    def export(self, waiting: Waiting, *, until: datetime) -> Exported:
        """Export a day as its newest summary has it.

        It is kept that the day was begun, so that it comes after all others next time, however this ends.
        Raises ExportUnfinished if its captures are not read by then.

        Nothing is published where captures came since the summary: its next version brings both together.
        A day that is not final waits no longer; becoming final will ask for it again.
        """
        self._outbox.begin(Reader.ANALYSTS, waiting, self._clock())
        summary = self._summaries.latest(waiting.of)
        if summary is None or summary.state is not State.FINAL:
            self._outbox.done(Reader.ANALYSTS, waiting)
            return Exported(None, is_late=False)
        try:
            manifest = self._exported(summary, until)
        except _FiguresMoved:
            return Exported(None, is_late=self._clock() > waiting.asked_at + _LATE_AFTER)
        self._shelf.publish(manifest)
        self._outbox.done(Reader.ANALYSTS, waiting)
        return Exported(manifest, is_late=False)

    def _exported(self, summary: Summary, until: datetime) -> Manifest:
        return Manifest(
            campaign_id=summary.campaign_id,
            day=summary.day,
            version=summary.version,
            counted_at=summary.counted_at,
            content_hash=summary.content_hash,
            counts=summary.counts,
            files=[self._shelf.put(summary.of, summary.version, self._rows(summary, until))],
        )

    def _rows(self, summary: Summary, until: datetime) -> Iterator[bytes]:
        """The rows of a day. Raises _FiguresMoved after the last where they are not those of the summary."""
        outcomes: Counter[str] = Counter()
        for fact in self._captures.captures_of(summary.of):
            if self._clock() >= until:
                raise ExportUnfinished
            if isinstance(fact.facts, CaptureFacts):
                outcomes[fact.facts.outcome] += 1
                yield row(fact, fact.facts, summary.of, self._hashing)
        if _counts(outcomes) != summary.counts:
            raise _FiguresMoved


def _counts(outcomes: Counter[str]) -> Counts:
    refused = outcomes[Outcome.REFUSED]
    return Counts(
        captures=outcomes.total() - refused,
        created=outcomes[Outcome.CREATED],
        already_registered=outcomes[Outcome.ALREADY_REGISTERED],
        reactivated=outcomes[Outcome.REACTIVATED],
        refused=refused,
    )
