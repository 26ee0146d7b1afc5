"""Counting campaign days: at their summary hour, again when something changed, and on request."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Protocol

from chalicelib.campaigns.errors import CampaignUnknown
from chalicelib.campaigns.model import Campaign, CampaignDay
from chalicelib.clock import Clock, timestamp
from chalicelib.refusals import TryAgain
from chalicelib.rollups.errors import DayNotInCampaign, SummaryUnknown
from chalicelib.rollups.model import Countable, Headline, State, Summary, Texts, summarise, tally
from chalicelib.rollups.report import DayOfCurve, Report

# How far back an hourly tick looks for days never summarised or not yet final. Only a campaign on which
# nothing was captured needs this: any capture marks its day, and a mark waits for ever.
_LOOK_BACK = timedelta(days=31)

# The index that is counted lags the table by moments. A mark younger than this stays, so that the next tick
# counts again.
_INDEX_LAG = timedelta(minutes=1)

_ROUNDS = 3


@dataclass(frozen=True)
class Mark:
    """A day that changed since it was last counted. `marks` tells one state of the mark from the next."""

    of: CampaignDay
    marks: int
    marked_at: datetime


class AlreadyWritten(Exception):
    """Another count wrote this version of the summary first."""


class Summaries(Protocol):
    """Where every version of every summary is kept, and the marks."""

    def add(self, summary: Summary) -> None:
        """Store a new version. Raises AlreadyWritten."""

    def latest(self, of: CampaignDay) -> Summary | None:
        """The newest version of a day."""

    def find(self, of: CampaignDay, version: int) -> Summary | None:
        """One version of a day, however old."""

    def headlines(self, campaign_id: str) -> Iterator[Headline]:
        """What a list of a campaign's days says of each that was summarised, by day."""

    def mark(self, of: CampaignDay, *, at: datetime) -> None:
        """Ask for a day to be counted again."""

    def marks(self) -> Iterator[Mark]:
        """Every day that is marked."""

    def unmark(self, mark: Mark) -> None:
        """Take a mark away, unless the day was marked once more since it was read."""


class Campaigns(Protocol):
    """What counting needs of campaigns."""

    def get(self, campaign_id: str) -> Campaign:
        """Raises CampaignUnknown."""

    def ending_since(self, day: date) -> Iterator[Campaign]:
        """The campaigns whose last day is this one or later."""


class Captures(Protocol):
    """What counting needs of registrations."""

    def captured_on(self, of: CampaignDay) -> Iterable[Countable]:
        """Every capture of a campaign day."""


class TextsOfADay(Protocol):
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


class Sent(Protocol):
    """What counting needs of texts."""

    def texts_of(self, day: CampaignDay) -> TextsOfADay:
        """The texts of the registrations of a campaign day."""


@dataclass(frozen=True)
class Due:
    """A day that is to be counted, and since when."""

    of: CampaignDay
    since: datetime
    mark: Mark | None


@dataclass(frozen=True)
class Counted:
    """What one recount found: the newest summary, and whether it had to be written."""

    summary: Summary
    is_new: bool


class RollUp:
    """Counts campaign days and keeps their summaries."""

    def __init__(
        self, *, captures: Captures, campaigns: Campaigns, summaries: Summaries, texts: Sent, clock: Clock
    ) -> None:
        self._captures = captures
        self._campaigns = campaigns
        self._summaries = summaries
        self._texts = texts
        self._clock = clock

    def mark(self, day: CampaignDay) -> None:
        """Ask for a day to be counted again at the next tick."""
        self._summaries.mark(day, at=self._clock())

    def read(self, of: CampaignDay, *, version: int | None = None) -> Summary:
        """The newest summary of a day, or an older version.

        Raises CampaignUnknown, DayNotInCampaign or SummaryUnknown.
        """
        self._campaign_of(of)
        summary = self._summaries.latest(of) if version is None else self._summaries.find(of, version)
        if summary is None:
            raise SummaryUnknown(f"{of.campaign_id} {of.day} {version or ''}")
        return summary

    def headlines(self, campaign_id: str) -> list[Headline]:
        """The days of a campaign that were summarised, and what each comes to. Raises CampaignUnknown."""
        self._campaigns.get(campaign_id)
        return list(self._summaries.headlines(campaign_id))

    def report(self, of: CampaignDay, *, version: int | None = None) -> Report:
        """What a manager reads of a day: as it is known now, or as an older version had it.

        Target, curve and revisions are as they are now. Raises as `read` does.
        """
        summary = self.read(of, version=version)
        campaign = self._campaign_of(of)
        known = [each for each in self._summaries.headlines(of.campaign_id) if each.day <= of.day]
        return Report(
            campaign=campaign,
            summary=summary,
            curve=tuple(_curve(known)),
            revisions=tuple(self._revisions(campaign, summary, known)),
        )

    def _revisions(
        self, campaign: Campaign, summary: Summary, known: Iterable[Headline]
    ) -> Iterator[Summary]:
        since = timestamp(_told_before(campaign, summary))
        for each in known:
            if each.day < summary.day and each.revision and each.counted_at > since:
                revised = self._summaries.find(CampaignDay(summary.campaign_id, each.day), each.version)
                if revised is not None:
                    yield revised

    def recount(self, of: CampaignDay) -> Counted:
        """Count a day now, and write a new version only if it says something new.

        Raises CampaignUnknown or DayNotInCampaign.
        """
        campaign = self._campaign_of(of)
        for _ in range(_ROUNDS):
            now = self._clock()
            before = self._summaries.latest(of)
            summary = summarise(
                tally(self._captures.captured_on(of)),
                of=of,
                state=State.FINAL if now >= campaign.final_from(of.day) else State.PROVISIONAL,
                counted_at=timestamp(now),
                before=before,
                texts=self._texts_of(of),
            )
            if summary is before:
                return Counted(summary, is_new=False)
            try:
                self._summaries.add(summary)
            except AlreadyWritten:
                continue
            return Counted(summary, is_new=True)
        raise TryAgain(f"other counts of {of.campaign_id} {of.day} were in the way")

    def due(self) -> Iterator[Due]:
        """Every day to count now: marked since it was counted, never counted, or not yet final.

        Ticks that come twice, late or not at all change nothing in what the summaries say in the end.
        """
        marked: set[CampaignDay] = set()
        for mark in self._summaries.marks():
            due_at = self._due_at(mark)
            if due_at <= self._clock():
                marked.add(mark.of)
                yield Due(mark.of, since=max(due_at, mark.marked_at), mark=mark)
        for campaign in self._campaigns.ending_since((self._clock() - _LOOK_BACK).date()):
            for day in campaign.days():
                of = CampaignDay(campaign.campaign_id, day)
                if of not in marked and self._is_due(campaign, of):
                    yield Due(of, since=campaign.summary_due_at(day), mark=None)

    def count_due(self, due: Due) -> Counted:
        """Count one due day, and take its mark away if nothing can have been missed."""
        counted = self.recount(due.of)
        if due.mark is not None and due.mark.marked_at + _INDEX_LAG < self._clock():
            self._summaries.unmark(due.mark)
        return counted

    def _due_at(self, mark: Mark) -> datetime:
        try:
            return self._campaigns.get(mark.of.campaign_id).summary_due_at(mark.of.day)
        except CampaignUnknown:
            # Due at once: counting it says what is wrong, and holds up no other day.
            return mark.marked_at

    def _is_due(self, campaign: Campaign, of: CampaignDay) -> bool:
        now = self._clock()
        if now < campaign.summary_due_at(of.day):
            return False
        summary = self._summaries.latest(of)
        return summary is None or (summary.state is State.PROVISIONAL and now >= campaign.final_from(of.day))

    def _texts_of(self, day: CampaignDay) -> Texts:
        texts = self._texts.texts_of(day)
        total = sum(texts.by_state.values())
        return Texts(
            total=total,
            by_state=dict(texts.by_state),
            unknown_share=round(texts.by_state.get("unknown", 0) / total, 4) if total else 0.0,
            parts=texts.parts,
            rupiah=texts.money,
        )

    def _campaign_of(self, of: CampaignDay) -> Campaign:
        campaign = self._campaigns.get(of.campaign_id)
        if not campaign.has_day(of.day):
            raise DayNotInCampaign(f"{of.campaign_id} {of.day}")
        return campaign


def _curve(known: Iterable[Headline]) -> Iterator[DayOfCurve]:
    cumulative = 0
    for each in known:
        cumulative += each.created
        yield DayOfCurve(each.day, each.created, cumulative, each.version, each.state)


def _told_before(campaign: Campaign, summary: Summary) -> datetime:
    """When the report before this one was due: a day is told in the evening, and finally next morning."""
    if summary.state is State.FINAL:
        return campaign.summary_due_at(summary.day)
    return campaign.final_from(summary.day - timedelta(days=1))
