"""Counting campaign days: at their summary hour, again when something changed, and on request."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Protocol

from chalicelib.campaigns.errors import CampaignUnknown
from chalicelib.campaigns.model import Campaign, CampaignDay
from chalicelib.clock import Clock, timestamp
from chalicelib.pagination import Position
from chalicelib.refusals import TryAgain
from chalicelib.registrations.model import DayFact
from chalicelib.rollups.counting import Count, Unusual
from chalicelib.rollups.errors import CountUnfinished, DayNotInCampaign, SummaryUnknown
from chalicelib.rollups.model import Headline, State, Summary, Tally, Texts, summarise, told_against
from chalicelib.rollups.outbox import Reader, Waiting
from chalicelib.rollups.report import DayOfCurve, Report

# How far back an hourly tick looks for days never summarised or not yet final. Only a campaign on which
# nothing was captured needs this: any capture marks its day, and a mark waits for ever.
_LOOK_BACK = timedelta(days=31)

# The index that is counted lags the table by moments. A mark younger than this stays, so that the next tick
# counts again.
_INDEX_LAG = timedelta(minutes=1)

_ROUNDS = 3

# A count is laid aside every so many facts, so that one that is cut off has little to do again, and looks at
# the clock more often than that.
_LAID_ASIDE_EVERY = 20_000
_LOOKS_EVERY = 500

# A caller hears before the API's time is over.
_TAKES = timedelta(seconds=18)


@dataclass(frozen=True)
class Mark:
    """A day that changed since it was last counted. `marks` tells one state of the mark from the next."""

    of: CampaignDay
    marks: int
    marked_at: datetime


@dataclass(frozen=True)
class LaidAside:
    """A count that was laid aside: up to where it came, and how the day stood when it began.

    Only while the day still stands like that may anybody go on with it. What changed behind the position
    would be missed, and what was forgotten meanwhile be counted twice.
    """

    began_at: datetime
    stood: str
    after: Position
    count: str


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

    def ask(self, reader: Reader, waiting: Waiting) -> None:
        """Let a day wait for a reader, once more if it does already."""

    def mark(self, of: CampaignDay, *, at: datetime) -> None:
        """Ask for a day to be counted again."""

    def marks(self) -> Iterator[Mark]:
        """Every day that is marked."""

    def find_mark(self, of: CampaignDay) -> Mark | None:
        """The mark of a day, if it is marked."""

    def unmark(self, mark: Mark) -> None:
        """Take a mark away, unless the day was marked once more since it was read."""

    def lay_aside(self, of: CampaignDay, count: LaidAside | None) -> None:
        """Keep a count that is not done, in place of the one kept before; None to keep none."""

    def find_laid_aside(self, of: CampaignDay) -> LaidAside | None:
        """The count of a day that was laid aside last."""


class Campaigns(Protocol):
    """What counting needs of campaigns."""

    def get(self, campaign_id: str) -> Campaign:
        """Raises CampaignUnknown."""

    def ending_since(self, day: date) -> Iterator[Campaign]:
        """The campaigns whose last day is this one or later."""


class Facts(Protocol):
    """What counting needs of registrations."""

    def facts_of(self, of: CampaignDay, *, after: Position | None = None) -> Iterator[DayFact]:
        """All that counts for a campaign day, in order, from after a position."""


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
    began_at: datetime


class RollUp:
    """Counts campaign days and keeps their summaries."""

    def __init__(
        self,
        *,
        facts: Facts,
        campaigns: Campaigns,
        summaries: Summaries,
        texts: Sent,
        unusual: Unusual,
        clock: Clock,
    ) -> None:
        self._facts = facts
        self._campaigns = campaigns
        self._summaries = summaries
        self._texts = texts
        self._unusual = unusual
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

    def report_as_of_now(self, of: CampaignDay) -> Report:
        """What a count would say of a day at this moment, kept nowhere; of a final day, its newest summary.

        It may take up a count that was laid aside, and leaves it there for whoever is to finish it.
        Raises CampaignUnknown, DayNotInCampaign or TryAgain (CountUnfinished).
        """
        campaign, now = self._campaign_of(of), self._clock()
        before = self._summaries.latest(of)
        if before is not None and before.state is State.FINAL:
            return self.report(of)
        _, counted = self._counted(of, before, now + _TAKES, lays_aside=False)
        summary = summarise(counted, of=of, state=State.PROVISIONAL, counted_at=timestamp(now), before=before)
        summary = summary.model_copy(update={"counted_at": timestamp(now)})
        known = [each for each in self._summaries.headlines(of.campaign_id) if each.day < of.day]
        return Report(campaign=campaign, summary=summary, curve=tuple(_curve([*known, summary.headline])))

    def _revisions(
        self, campaign: Campaign, summary: Summary, known: Iterable[Headline]
    ) -> Iterator[Summary]:
        since = timestamp(_told_before(campaign, summary))
        for each in known:
            if each.day < summary.day and each.revision and each.counted_at > since:
                of = CampaignDay(summary.campaign_id, each.day)
                yield told_against(self._stood(each, of, since), self.read(of, version=each.version))

    def _stood(self, newest: Headline, of: CampaignDay, at: str) -> Summary:
        """The final version of a revised day that stood at a time; the first one if there was none yet."""
        final = range(newest.version - newest.revision, newest.version + 1)
        standing = bisect_right(final, at, key=lambda version: self.read(of, version=version).counted_at)
        return self.read(of, version=final[max(standing - 1, 0)])

    def recount(self, of: CampaignDay, *, until: datetime | None = None) -> Counted:
        """Count a day now, and write a new version only if it says something new.

        A day that is counted before its summary hour is counted again then. What is not done by `until`, or
        in the time that a caller has, is laid aside. Raises CampaignUnknown, DayNotInCampaign, or TryAgain
        (CountUnfinished): the next call goes on from there.
        """
        campaign = self._campaign_of(of)
        until = until or self._clock() + _TAKES
        for _ in range(_ROUNDS):
            before = self._summaries.latest(of)
            began_at, counted = self._counted(of, before, until)
            now = self._clock()
            summary = summarise(
                counted,
                of=of,
                state=State.FINAL if now >= campaign.final_from(of.day) else State.PROVISIONAL,
                counted_at=timestamp(now),
                before=before,
            )
            if summary is before:
                return Counted(summary, is_new=False, began_at=began_at)
            if now < campaign.summary_due_at(of.day):
                # First of all: a version that is stored without it would never be told in the evening.
                self.mark(of)
            try:
                self._summaries.add(summary)
            except AlreadyWritten:
                continue
            return Counted(summary, is_new=True, began_at=began_at)
        raise TryAgain(f"other counts of {of.campaign_id} {of.day} were in the way")

    def _counted(
        self, of: CampaignDay, before: Summary | None, until: datetime, *, lays_aside: bool = True
    ) -> tuple[datetime, Tally]:
        """When the count of a day was begun, and what it came to. Raises CountUnfinished."""
        stood = _standing(before, self._summaries.find_mark(of))
        kept = self._summaries.find_laid_aside(of)
        if kept is not None and kept.stood == stood:
            began_at, after, count = kept.began_at, kept.after, Count.taken_up(kept.count, self._unusual)
        else:
            began_at, after, count = self._clock(), None, Count(self._unusual)
        for number, fact in enumerate(self._facts.facts_of(of, after=after), start=1):
            count.add(fact)
            is_late = number % _LOOKS_EVERY == 0 and self._clock() >= until
            if lays_aside and (is_late or number % _LAID_ASIDE_EVERY == 0):
                kept = LaidAside(began_at, stood, fact.position, count.laid_aside())
                self._summaries.lay_aside(of, kept)
            if is_late:
                raise CountUnfinished(f"{of.campaign_id} {of.day}")
        if lays_aside and kept is not None:
            self._summaries.lay_aside(of, None)
        return began_at, count.tally(self._texts_of(of))

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

    def count_due(self, due: Due, *, until: datetime | None = None) -> Counted:
        """Count one due day, and take its mark away if nothing can have been missed.

        Raises as `recount` does.
        """
        counted = self.recount(due.of, until=until)
        if due.mark is not None and counted.summary.state is State.FINAL:
            # What changed may be in no figure, as with an erasure, and yet in the rows that analysts have.
            self._summaries.ask(Reader.ANALYSTS, Waiting(due.of, counted.summary.version, self._clock()))
        if due.mark is not None and counted.summary.counted_at < timestamp(self._due_at(due.mark)):
            # Nothing is new since the hour, and managers wait for this count.
            self._summaries.ask(Reader.MANAGERS, Waiting(due.of, counted.summary.version, self._clock()))
        if due.mark is not None and due.mark.marked_at + _INDEX_LAG < counted.began_at:
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


def _standing(before: Summary | None, mark: Mark | None) -> str:
    """How a day stands. Whatever happens to it marks it, and only a version takes a mark away for good."""
    version = 0 if before is None else before.version
    return f"{version}" if mark is None else f"{version} {mark.marks} {timestamp(mark.marked_at)}"


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
