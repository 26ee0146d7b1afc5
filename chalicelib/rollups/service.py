"""Counting campaign days: at their summary hour, again when something changed, and on request."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Protocol

from chalicelib.campaigns.errors import CampaignUnknown
from chalicelib.campaigns.model import Campaign, CampaignDay
from chalicelib.clock import Clock, to_timestamp
from chalicelib.http.pagination import Position
from chalicelib.refusals import TryAgain
from chalicelib.registrations.captures import DayFact
from chalicelib.rollups.counting import AnomalyThresholds, DayCounter
from chalicelib.rollups.errors import CountUnfinished, DayNotInCampaign, SummaryUnknown
from chalicelib.rollups.model import (
    Headline,
    SmsCounts,
    Summary,
    SummaryState,
    Tally,
    summarise,
    with_changes_since,
)
from chalicelib.rollups.outbox import Consumer, OutboxEntry
from chalicelib.rollups.report import CurvePoint, Report

# How far back an hourly tick looks for days never summarised or not yet final. Only a campaign on which
# nothing was captured needs this: any capture marks its day, and a mark waits for ever.
_LOOK_BACK_PERIOD = timedelta(days=31)

# The index that is counted lags the table by moments. A mark younger than this stays, so that the next tick
# counts again.
_MAX_INDEX_LAG = timedelta(minutes=1)

_MAX_WRITE_ATTEMPTS = 3

# A count is laid aside every so many facts, so that one that is cut off has little to do again, and looks at
# the clock more often than that.
_FACTS_PER_CHECKPOINT = 20_000
_FACTS_PER_CLOCK_CHECK = 500

# A caller hears before the API's time is over.
_REQUEST_TIME_LIMIT = timedelta(seconds=18)


@dataclass(frozen=True)
class DirtyDay:
    """A day that changed since it was last counted. `marks` tells one state of the mark from the next."""

    campaign_day: CampaignDay
    generation: int
    marked_at: datetime


@dataclass(frozen=True)
class Checkpoint:
    """A count that was laid aside: up to where it came, and how the day stood when it began.

    Only while the day still stands like that may anybody go on with it. What changed behind the position
    would be missed, and what was forgotten meanwhile be counted twice.
    """

    started_at: datetime
    etag: str
    position: Position
    counter_state: str


class VersionExists(Exception):
    """Another count wrote this version of the summary first."""


class Summaries(Protocol):
    """Where every version of every summary is kept, and the marks."""

    def add(self, summary: Summary) -> None:
        """Store a new version. Raises VersionExists."""

    def find_latest(self, campaign_day: CampaignDay) -> Summary | None:
        """The newest version of a day."""

    def find_version(self, campaign_day: CampaignDay, version: int) -> Summary | None:
        """One version of a day, however old."""

    def iter_headlines(self, campaign_id: str) -> Iterator[Headline]:
        """What a list of a campaign's days says of each that was summarised, by day."""

    def enqueue(self, consumer: Consumer, entry: OutboxEntry) -> None:
        """Let a day wait for a reader, once more if it does already."""

    def mark_dirty(self, campaign_day: CampaignDay, *, occurred_at: datetime) -> None:
        """Ask for a day to be counted again."""

    def iter_dirty_days(self) -> Iterator[DirtyDay]:
        """Every day that is marked."""

    def find_dirty_day(self, campaign_day: CampaignDay) -> DirtyDay | None:
        """The mark of a day, if it is marked."""

    def clear_dirty(self, dirty_day: DirtyDay) -> None:
        """Take a mark away, unless the day was marked once more since it was read."""

    def save_checkpoint(self, campaign_day: CampaignDay, checkpoint: Checkpoint | None) -> None:
        """Keep a count that is not done, in place of the one kept before; None to keep none."""

    def find_checkpoint(self, campaign_day: CampaignDay) -> Checkpoint | None:
        """The count of a day that was laid aside last."""


class Campaigns(Protocol):
    """What counting needs of campaigns."""

    def get(self, campaign_id: str) -> Campaign:
        """Raises CampaignUnknown."""

    def iter_ending_since(self, first_last_day: date) -> Iterator[Campaign]:
        """The campaigns whose last day is this one or later."""


class FactSource(Protocol):
    """What counting needs of registrations."""

    def iter_day_facts(
        self, campaign_day: CampaignDay, *, start_after: Position | None = None
    ) -> Iterator[DayFact]:
        """All that counts for a campaign day, in order, from after a position."""


class DaySmsTotals(Protocol):
    """What counting tells of a day's texts."""

    @property
    def by_state(self) -> Mapping[str, int]:
        """How many stand in each state."""

    @property
    def parts(self) -> int:
        """How many parts gateways took."""

    @property
    def money(self) -> int:
        """What they cost, in rupiah."""


class SmsCounter(Protocol):
    """What counting needs of texts."""

    def count_sms(self, campaign_day: CampaignDay) -> DaySmsTotals:
        """The texts of the registrations of a campaign day."""


@dataclass(frozen=True)
class DueDay:
    """A day that is to be counted, and since when."""

    campaign_day: CampaignDay
    due_since: datetime
    dirty_day: DirtyDay | None


@dataclass(frozen=True)
class CountResult:
    """What one recount found: the newest summary, and whether it had to be written."""

    summary: Summary
    is_new: bool
    started_at: datetime


class RollUpService:
    """Counts campaign days and keeps their summaries."""

    def __init__(
        self,
        *,
        facts: FactSource,
        campaigns: Campaigns,
        summaries: Summaries,
        sms_counter: SmsCounter,
        thresholds: AnomalyThresholds,
        clock: Clock,
    ) -> None:
        self._facts = facts
        self._campaigns = campaigns
        self._summaries = summaries
        self._sms_counter = sms_counter
        self._thresholds = thresholds
        self._clock = clock

    def mark_dirty(self, campaign_day: CampaignDay) -> None:
        """Ask for a day to be counted again at the next tick."""
        self._summaries.mark_dirty(campaign_day, occurred_at=self._clock())

    def get_summary(self, campaign_day: CampaignDay, *, version: int | None = None) -> Summary:
        """The newest summary of a day, or an older version.

        Raises CampaignUnknown, DayNotInCampaign or SummaryUnknown.
        """
        self._get_campaign(campaign_day)
        summary = (
            self._summaries.find_latest(campaign_day)
            if version is None
            else self._summaries.find_version(campaign_day, version)
        )
        if summary is None:
            raise SummaryUnknown(f"{campaign_day.campaign_id} {campaign_day.day} {version or ''}")
        return summary

    def list_headlines(self, campaign_id: str) -> list[Headline]:
        """The days of a campaign that were summarised, and what each comes to. Raises CampaignUnknown."""
        self._campaigns.get(campaign_id)
        return list(self._summaries.iter_headlines(campaign_id))

    def build_report(self, campaign_day: CampaignDay, *, version: int | None = None) -> Report:
        """What a manager reads of a day: as it is known now, or as an older version had it.

        Target, curve and revisions are as they are now. Raises as `read` does.
        """
        summary = self.get_summary(campaign_day, version=version)
        campaign = self._get_campaign(campaign_day)
        known = [
            each
            for each in self._summaries.iter_headlines(campaign_day.campaign_id)
            if each.day <= campaign_day.day
        ]
        return Report(
            campaign=campaign,
            summary=summary,
            curve=tuple(_build_curve(known)),
            revisions=tuple(self._iter_revisions(campaign, summary, known)),
        )

    def build_live_report(self, campaign_day: CampaignDay) -> Report:
        """What a count would say of a day at this moment, kept nowhere; of a final day, its newest summary.

        It may take up a count that was laid aside, and leaves it there for whoever is to finish it.
        Raises CampaignUnknown, DayNotInCampaign or TryAgain (CountUnfinished).
        """
        campaign, now = self._get_campaign(campaign_day), self._clock()
        before = self._summaries.find_latest(campaign_day)
        if before is not None and before.state is SummaryState.FINAL:
            return self.build_report(campaign_day)
        _, counted = self._count_day(
            campaign_day, before, now + _REQUEST_TIME_LIMIT, may_save_checkpoint=False
        )
        summary = summarise(
            counted,
            campaign_day=campaign_day,
            state=SummaryState.PROVISIONAL,
            counted_at=to_timestamp(now),
            previous=before,
        )
        summary = summary.model_copy(update={"counted_at": to_timestamp(now)})
        known = [
            each
            for each in self._summaries.iter_headlines(campaign_day.campaign_id)
            if each.day < campaign_day.day
        ]
        return Report(
            campaign=campaign, summary=summary, curve=tuple(_build_curve([*known, summary.headline]))
        )

    def _iter_revisions(
        self, campaign: Campaign, summary: Summary, headlines: Iterable[Headline]
    ) -> Iterator[Summary]:
        since = to_timestamp(_get_previous_report_due_at(campaign, summary))
        for each in headlines:
            if each.day < summary.day and each.revision and each.counted_at > since:
                of = CampaignDay(summary.campaign_id, each.day)
                yield with_changes_since(
                    self._get_final_version(each, of, since), self.get_summary(of, version=each.version)
                )

    def _get_final_version(self, headline: Headline, campaign_day: CampaignDay, as_of: str) -> Summary:
        """The final version of a revised day that stood at a time; the first one if there was none yet."""
        final = range(headline.version - headline.revision, headline.version + 1)
        standing = bisect_right(
            final, as_of, key=lambda version: self.get_summary(campaign_day, version=version).counted_at
        )
        return self.get_summary(campaign_day, version=final[max(standing - 1, 0)])

    def recount(self, campaign_day: CampaignDay, *, deadline: datetime | None = None) -> CountResult:
        """Count a day now, and write a new version only if it says something new.

        A day that is counted before its summary hour is counted again then. What is not done by `until`, or
        in the time that a caller has, is laid aside. Raises CampaignUnknown, DayNotInCampaign, or TryAgain
        (CountUnfinished): the next call goes on from there.
        """
        campaign = self._get_campaign(campaign_day)
        deadline = deadline or self._clock() + _REQUEST_TIME_LIMIT
        for _ in range(_MAX_WRITE_ATTEMPTS):
            before = self._summaries.find_latest(campaign_day)
            began_at, counted = self._count_day(campaign_day, before, deadline)
            now = self._clock()
            summary = summarise(
                counted,
                campaign_day=campaign_day,
                state=SummaryState.FINAL
                if now >= campaign.summary_final_at(campaign_day.day)
                else SummaryState.PROVISIONAL,
                counted_at=to_timestamp(now),
                previous=before,
            )
            if summary is before:
                return CountResult(summary, is_new=False, started_at=began_at)
            if now < campaign.summary_due_at(campaign_day.day):
                # First of all: a version that is stored without it would never be told in the evening.
                self.mark_dirty(campaign_day)
            try:
                self._summaries.add(summary)
            except VersionExists:
                continue
            return CountResult(summary, is_new=True, started_at=began_at)
        raise TryAgain(f"other counts of {campaign_day.campaign_id} {campaign_day.day} were in the way")

    def _count_day(
        self,
        campaign_day: CampaignDay,
        previous: Summary | None,
        deadline: datetime,
        *,
        may_save_checkpoint: bool = True,
    ) -> tuple[datetime, Tally]:
        """When the count of a day was begun, and what it came to. Raises CountUnfinished."""
        stood = _compute_etag(previous, self._summaries.find_dirty_day(campaign_day))
        kept = self._summaries.find_checkpoint(campaign_day)
        if kept is not None and kept.etag == stood:
            began_at, after, count = (
                kept.started_at,
                kept.position,
                DayCounter.resume(kept.counter_state, self._thresholds),
            )
        else:
            began_at, after, count = self._clock(), None, DayCounter(self._thresholds)
        for number, fact in enumerate(self._facts.iter_day_facts(campaign_day, start_after=after), start=1):
            count.add(fact)
            is_late = number % _FACTS_PER_CLOCK_CHECK == 0 and self._clock() >= deadline
            if may_save_checkpoint and (is_late or number % _FACTS_PER_CHECKPOINT == 0):
                kept = Checkpoint(began_at, stood, fact.position, count.dump_state())
                self._summaries.save_checkpoint(campaign_day, kept)
            if is_late:
                raise CountUnfinished(f"{campaign_day.campaign_id} {campaign_day.day}")
        if may_save_checkpoint and kept is not None:
            self._summaries.save_checkpoint(campaign_day, None)
        return began_at, count.to_tally(self._count_sms(campaign_day))

    def iter_due_days(self) -> Iterator[DueDay]:
        """Every day to count now: marked since it was counted, never counted, or not yet final.

        Ticks that come twice, late or not at all change nothing in what the summaries say in the end.
        """
        marked: set[CampaignDay] = set()
        for mark in self._summaries.iter_dirty_days():
            due_at = self._get_due_at(mark)
            if due_at <= self._clock():
                marked.add(mark.campaign_day)
                yield DueDay(mark.campaign_day, due_since=max(due_at, mark.marked_at), dirty_day=mark)
        for campaign in self._campaigns.iter_ending_since((self._clock() - _LOOK_BACK_PERIOD).date()):
            for day in campaign.iter_days():
                of = CampaignDay(campaign.campaign_id, day)
                if of not in marked and self._is_due(campaign, of):
                    yield DueDay(of, due_since=campaign.summary_due_at(day), dirty_day=None)

    def count_due_day(self, due_day: DueDay, *, deadline: datetime | None = None) -> CountResult:
        """Count one due day, and take its mark away if nothing can have been missed.

        Raises as `recount` does.
        """
        counted = self.recount(due_day.campaign_day, deadline=deadline)
        if due_day.dirty_day is not None and counted.summary.state is SummaryState.FINAL:
            # What changed may be in no figure, as with an erasure, and yet in the rows that analysts have.
            self._summaries.enqueue(
                Consumer.ANALYSTS, OutboxEntry(due_day.campaign_day, counted.summary.version, self._clock())
            )
        if due_day.dirty_day is not None and counted.summary.counted_at < to_timestamp(
            self._get_due_at(due_day.dirty_day)
        ):
            # Nothing is new since the hour, and managers wait for this count.
            self._summaries.enqueue(
                Consumer.MANAGERS, OutboxEntry(due_day.campaign_day, counted.summary.version, self._clock())
            )
        if (
            due_day.dirty_day is not None
            and due_day.dirty_day.marked_at + _MAX_INDEX_LAG < counted.started_at
        ):
            self._summaries.clear_dirty(due_day.dirty_day)
        return counted

    def _get_due_at(self, dirty_day: DirtyDay) -> datetime:
        try:
            return self._campaigns.get(dirty_day.campaign_day.campaign_id).summary_due_at(
                dirty_day.campaign_day.day
            )
        except CampaignUnknown:
            # Due at once: counting it says what is wrong, and holds up no other day.
            return dirty_day.marked_at

    def _is_due(self, campaign: Campaign, campaign_day: CampaignDay) -> bool:
        now = self._clock()
        if now < campaign.summary_due_at(campaign_day.day):
            return False
        summary = self._summaries.find_latest(campaign_day)
        return summary is None or (
            summary.state is SummaryState.PROVISIONAL and now >= campaign.summary_final_at(campaign_day.day)
        )

    def _count_sms(self, campaign_day: CampaignDay) -> SmsCounts:
        texts = self._sms_counter.count_sms(campaign_day)
        total = sum(texts.by_state.values())
        return SmsCounts(
            total=total,
            by_state=dict(texts.by_state),
            unknown_share=round(texts.by_state.get("unknown", 0) / total, 4) if total else 0.0,
            parts=texts.parts,
            rupiah=texts.money,
        )

    def _get_campaign(self, campaign_day: CampaignDay) -> Campaign:
        campaign = self._campaigns.get(campaign_day.campaign_id)
        if not campaign.has_day(campaign_day.day):
            raise DayNotInCampaign(f"{campaign_day.campaign_id} {campaign_day.day}")
        return campaign


def _compute_etag(previous: Summary | None, dirty_day: DirtyDay | None) -> str:
    """How a day stands. Whatever happens to it marks it, and only a version takes a mark away for good."""
    version = 0 if previous is None else previous.version
    return (
        f"{version}"
        if dirty_day is None
        else f"{version} {dirty_day.generation} {to_timestamp(dirty_day.marked_at)}"
    )


def _build_curve(headlines: Iterable[Headline]) -> Iterator[CurvePoint]:
    cumulative = 0
    for each in headlines:
        cumulative += each.created
        yield CurvePoint(each.day, each.created, cumulative, each.version, each.state)


def _get_previous_report_due_at(campaign: Campaign, summary: Summary) -> datetime:
    """When the report before this one was due: a day is told in the evening, and finally next morning."""
    if summary.state is SummaryState.FINAL:
        return campaign.summary_due_at(summary.day)
    return campaign.summary_final_at(summary.day - timedelta(days=1))
