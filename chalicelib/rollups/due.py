"""Finding the campaign days to count by when they are due, so that a day that is not due costs nothing.

The due list has an entry for each dirty day, and one for each campaign until its last day is final. An entry
only says when to look; what is counted follows from stored summaries and dirty days. So it does no harm if an
entry is early, late or read twice.
"""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from itertools import groupby, takewhile
from typing import Protocol

from chalicelib.campaigns.errors import CampaignUnknown
from chalicelib.campaigns.model import Campaign, CampaignDay
from chalicelib.clock import Clock
from chalicelib.rollups.model import Headline, SummaryState
from chalicelib.rollups.service import CampaignReader, DirtyDay, DueDay
from chalicelib.shares import WHOLE, Share

# How long after the end of a campaign its days are looked for that were never summarised or are not final.
# Only a campaign without captures needs this: any capture makes its day dirty, and a dirty day stays until it
# is counted.
_LOOK_BACK_PERIOD = timedelta(days=31)

# A campaign with more due days than this lets every other campaign have its turn before the next ones.
_DAYS_PER_TURN = 2

# While a release is deployed, functions of an earlier one may still add items without an entry.
_DEPLOYMENT_PERIOD = timedelta(minutes=30)

_NEVER = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True)
class DueEntry:
    """A campaign, or with `day` a dirty day of it, and when to look at it."""

    campaign_id: str
    day: date | None
    due_at: datetime


@dataclass(frozen=True)
class ListProgress:
    """The state of adding the items of an earlier release to the due list.

    `position` is the last day of the campaigns that were added last.
    """

    begun_at: datetime
    position: date | None = None
    is_complete: bool = False


class DueList(Protocol):
    """The stored entries."""

    def iter_due(self, now: datetime) -> Iterator[DueEntry]:
        """Yield the entries that are due, longest due first."""

    def reschedule(self, entry: DueEntry, due_at: datetime | None) -> None:
        """Store when an entry is due next, None for never, unless it changed since it was read."""

    def add_missing(self, entry: DueEntry) -> None:
        """Store an entry, unless there is one or the day is not dirty any more."""

    def find_progress(self) -> ListProgress | None:
        """Return the progress of completing the list, or None if it has not begun."""

    def save_progress(self, progress: ListProgress) -> None:
        """Store the progress of completing the list."""


class DirtyDays(Protocol):
    """The days that changed since they were counted."""

    def iter_dirty_days(self) -> Iterator[DirtyDay]:
        """Yield every dirty day, by day."""

    def find_dirty_day(self, campaign_day: CampaignDay) -> DirtyDay | None:
        """Return the dirty day, or None if the day is not dirty."""


class Headlines(Protocol):
    """The newest summary of each day, in brief."""

    def iter_headlines(self, campaign_id: str) -> Iterator[Headline]:
        """Yield the headline of each summarised day of a campaign, by day."""


class Campaigns(CampaignReader, Protocol):
    """Campaigns, as the due list uses them."""

    def iter_ids_ending_since(self, first_last_day: date) -> Iterator[tuple[date, str]]:
        """Yield last day and id of the campaigns with this or a later last day, by last day."""


OnFailure = Callable[[DueEntry, Exception], object]


def _raise(_: DueEntry, error: Exception) -> None:
    raise error


class DueDayFinder:
    """Finds the days to count now."""

    def __init__(
        self,
        *,
        due_list: DueList,
        dirty_days: DirtyDays,
        headlines: Headlines,
        campaigns: Campaigns,
        clock: Clock,
    ) -> None:
        self._due_list = due_list
        self._dirty_days = dirty_days
        self._headlines = headlines
        self._campaigns = campaigns
        self._clock = clock

    def iter_due_days(
        self, on_failure: OnFailure = _raise, *, deadline: datetime | None = None, share: Share = WHOLE
    ) -> Iterator[DueDay]:
        """Yield every day to count now of a share of the campaigns: dirty, never counted, or not yet final.

        Each must be counted before the next one is requested. Whoever stops early loses nothing: an entry is
        rescheduled only after its days, and one with many days goes behind the others. An entry that cannot
        be read is given to `on_failure` and stays due. No entry is read after `deadline`.
        """
        begun_at = self._clock()
        ends_at = deadline or _NEVER
        if share.is_first:
            self._complete_list(begun_at, ends_at)
        seen: set[CampaignDay] = set()
        waiting: deque[tuple[DueEntry, Sequence[DueDay]]] = deque()
        for entry in takewhile(lambda _: self._clock() < ends_at, self._due_list.iter_due(begun_at)):
            if not share.has(entry.campaign_id):
                continue
            try:
                found, next_look = self._look(entry)
            except Exception as error:  # noqa: BLE001 - the other campaigns must still be counted
                self._reschedule(entry, begun_at)
                on_failure(entry, error)
                continue
            days = [each for each in found if each.campaign_day not in seen]
            if days:
                seen.update(each.campaign_day for each in days)
                # The first turn of each campaign comes before the second turn of any.
                waiting.appendleft((entry, days))
                yield from self._yield_next_days(waiting)
            else:
                self._reschedule(entry, next_look)
        while waiting and self._clock() < ends_at:
            yield from self._yield_next_days(waiting)

    def _yield_next_days(self, waiting: deque[tuple[DueEntry, Sequence[DueDay]]]) -> Iterator[DueDay]:
        """Yield the next days of the first entry, then let it wait for its next turn or its next look."""
        entry, days = waiting.popleft()
        # Before they are counted: whatever ends the run meanwhile, the next run begins with the others.
        entry = self._reschedule(entry, self._clock())
        yield from days[:_DAYS_PER_TURN]
        if len(days) > _DAYS_PER_TURN:
            waiting.append((entry, days[_DAYS_PER_TURN:]))
        else:
            _, next_look = self._look(entry)
            self._reschedule(entry, next_look)

    def _reschedule(self, entry: DueEntry, next_look: datetime | None) -> DueEntry:
        """Store the next look at an entry, now at the earliest, and return the entry with it."""
        due_at = None if next_look is None else max(next_look, self._clock())
        self._due_list.reschedule(entry, due_at)
        return replace(entry, due_at=due_at or entry.due_at)

    def _look(self, entry: DueEntry) -> tuple[list[DueDay], datetime | None]:
        """Return the days of an entry that are due, and when one is due next, which may be now."""
        now = self._clock()
        if entry.day is None:
            campaign = self._campaigns.get(entry.campaign_id)
            looks = list(self._iter_looks(campaign))
            days = [
                DueDay(day, campaign.summary_due_at(day.day), self._dirty_days.find_dirty_day(day))
                for day, look_at in looks
                if look_at <= now
            ]
            return days, min((look_at for _, look_at in looks), default=None)
        dirty_day = self._dirty_days.find_dirty_day(CampaignDay(entry.campaign_id, entry.day))
        if dirty_day is None:
            return [], None
        due_at = self._get_due_at(dirty_day)
        due_day = DueDay(dirty_day.campaign_day, max(due_at, dirty_day.marked_at), dirty_day)
        return [due_day] if due_at <= now else [], due_at

    def _iter_looks(self, campaign: Campaign) -> Iterator[tuple[CampaignDay, datetime]]:
        """Yield the days of a campaign that are not final, up to the next one, and when each is due."""
        now = self._clock()
        if campaign.last_day < (now - _LOOK_BACK_PERIOD).date():
            return
        headlines = {each.day: each for each in self._headlines.iter_headlines(campaign.campaign_id)}
        for day in campaign.iter_days():
            campaign_day, headline = CampaignDay(campaign.campaign_id, day), headlines.get(day)
            due_at = campaign.summary_due_at(day)
            if headline is None:
                yield campaign_day, due_at
                if due_at > now:
                    return
            elif headline.state is SummaryState.PROVISIONAL:
                # One that was counted before its summary hour is dirty, and is counted again at that hour.
                is_early = datetime.fromisoformat(headline.counted_at) < due_at
                is_due_again = is_early and self._dirty_days.find_dirty_day(campaign_day) is not None
                yield campaign_day, due_at if is_due_again else campaign.summary_final_at(day)

    def _get_due_at(self, dirty_day: DirtyDay) -> datetime:
        campaign_day = dirty_day.campaign_day
        try:
            return self._campaigns.get(campaign_day.campaign_id).summary_due_at(campaign_day.day)
        except CampaignUnknown:
            # Due at once: counting it fails with the reason, and delays no other day.
            return dirty_day.marked_at

    def _complete_list(self, now: datetime, ends_at: datetime) -> None:
        """Add the campaigns and dirty days that an earlier release stored without an entry."""
        progress = self._due_list.find_progress() or ListProgress(now)
        if progress.is_complete:
            return
        since = progress.position or (now - _LOOK_BACK_PERIOD).date()
        for last_day, ending in groupby(
            self._campaigns.iter_ids_ending_since(since), key=lambda each: each[0]
        ):
            if self._clock() >= ends_at:
                return
            for _, campaign_id in ending:
                self._due_list.add_missing(DueEntry(campaign_id, None, now))
            self._due_list.save_progress(replace(progress, position=last_day))
        for each in self._dirty_days.iter_dirty_days():
            self._due_list.add_missing(DueEntry(each.campaign_day.campaign_id, each.campaign_day.day, now))
        is_complete = now >= progress.begun_at + _DEPLOYMENT_PERIOD
        self._due_list.save_progress(replace(progress, position=None, is_complete=is_complete))
