"""Fakes of the stores of summaries and of the state of counting."""

from collections.abc import Iterator
from datetime import date, datetime
from typing import TYPE_CHECKING

from chalicelib.campaigns.model import CampaignDay
from chalicelib.rollups.due import DueEntry, ListProgress
from chalicelib.rollups.model import Headline, Summary, SummaryState
from chalicelib.rollups.outbox import Consumer, OutboxEntry
from chalicelib.rollups.running_count import Checkpoint
from chalicelib.rollups.service import DirtyDay, VersionExists
from tests.support.fakes.outbox import InMemoryOutbox

if TYPE_CHECKING:
    from collections.abc import Callable


class InMemorySummaries:
    """Satisfies `rollups.service.SummaryWriter` and `rollups.reporting.SummaryReader`."""

    def __init__(self) -> None:
        self.stored_versions: list[Summary] = []
        self.on_headlines: Callable[[str], object] = lambda _: None
        self.outbox = InMemoryOutbox()

    def add(self, summary: Summary) -> None:
        """Store a new version. Raise VersionExists."""
        key = (summary.campaign_id, summary.day, summary.version)
        if any((each.campaign_id, each.day, each.version) == key for each in self.stored_versions):
            raise VersionExists
        self.stored_versions.append(summary)
        entry = OutboxEntry(summary.campaign_day, summary.version, datetime.fromisoformat(summary.counted_at))
        self.outbox.enqueue(Consumer.MANAGERS, entry)
        if summary.state is SummaryState.FINAL:
            self.outbox.enqueue(Consumer.ANALYSTS, entry)

    def find_latest(self, campaign_day: CampaignDay) -> Summary | None:
        """Return the newest version of a day, or None."""
        versions = [
            each
            for each in self.stored_versions
            if (each.campaign_id, each.day) == (campaign_day.campaign_id, campaign_day.day)
        ]
        return max(versions, key=lambda each: each.version, default=None)

    def find_version(self, campaign_day: CampaignDay, version: int) -> Summary | None:
        """Return one version of a day, or None."""
        found = [
            each
            for each in self.stored_versions
            if each.campaign_day == campaign_day and each.version == version
        ]
        return found[0] if found else None

    def iter_headlines(self, campaign_id: str) -> Iterator[Headline]:
        """Yield the headline of the newest version of each day, by day."""
        self.on_headlines(campaign_id)
        newest = dict[date, Headline]()
        for each in self.stored_versions:
            if each.campaign_id == campaign_id:
                newest[each.day] = each.headline
        yield from (newest[day] for day in sorted(newest))

    def enqueue(self, consumer: Consumer, entry: OutboxEntry) -> None:
        """Store an outbox entry."""
        self.outbox.enqueue(consumer, entry)


class InMemoryCountingState:
    """Satisfies `rollups.service.CountingState`."""

    def __init__(self) -> None:
        self._dirty_days: dict[CampaignDay, DirtyDay] = {}
        self.due_at_by_dirty_day: dict[CampaignDay, datetime] = {}
        self._checkpoints: dict[CampaignDay, Checkpoint | None] = {}

    def mark_dirty(self, campaign_day: CampaignDay, *, occurred_at: datetime) -> None:
        """Mark a day dirty, with a new generation."""
        before = self._dirty_days[campaign_day].generation if campaign_day in self._dirty_days else 0
        self._dirty_days[campaign_day] = DirtyDay(campaign_day, before + 1, occurred_at)
        self.due_at_by_dirty_day.setdefault(campaign_day, occurred_at)

    def iter_dirty_days(self) -> Iterator[DirtyDay]:
        """Yield the dirty days, by day."""
        yield from sorted(
            self._dirty_days.values(),
            key=lambda each: (each.campaign_day.day, each.campaign_day.campaign_id),
        )

    def find_dirty_day(self, campaign_day: CampaignDay) -> DirtyDay | None:
        """Return a day's mark, or None."""
        return self._dirty_days.get(campaign_day)

    def save_checkpoint(self, campaign_day: CampaignDay, checkpoint: Checkpoint | None) -> None:
        """Store the checkpoint of a count, in place of an older one."""
        self._checkpoints[campaign_day] = checkpoint

    def find_checkpoint(self, campaign_day: CampaignDay) -> Checkpoint | None:
        """Return the latest checkpoint of a day, or None."""
        return self._checkpoints.get(campaign_day)

    def clear_dirty(self, dirty_day: DirtyDay) -> None:
        """Clear a dirty day, unless it was marked again after it was read."""
        if (
            dirty_day.campaign_day in self._dirty_days
            and self._dirty_days[dirty_day.campaign_day].generation == dirty_day.generation
        ):
            del self._dirty_days[dirty_day.campaign_day]
            del self.due_at_by_dirty_day[dirty_day.campaign_day]


class InMemoryDueList:
    """Satisfies the `DueList` of rollups and of campaigns, beside the dirty days of `counting_state`."""

    def __init__(self, counting_state: InMemoryCountingState) -> None:
        self._counting_state = counting_state
        self._dirty_days = counting_state.due_at_by_dirty_day
        self._campaigns: dict[str, datetime] = {}
        self._progress: ListProgress | None = None

    def iter_due(self, now: datetime) -> Iterator[DueEntry]:
        """Yield the entries that are due, longest due first."""
        entries = [DueEntry(campaign_id, None, due_at) for campaign_id, due_at in self._campaigns.items()]
        for campaign_day, due_at in self._dirty_days.items():
            entries.append(DueEntry(campaign_day.campaign_id, campaign_day.day, due_at))
        yield from sorted((each for each in entries if each.due_at <= now), key=lambda each: each.due_at)

    def reschedule(self, entry: DueEntry, due_at: datetime | None) -> None:
        """Store when an entry is due next, unless it changed since it was read."""
        if entry.day is not None:
            campaign_day = CampaignDay(entry.campaign_id, entry.day)
            if self._dirty_days.get(campaign_day) == entry.due_at and due_at is not None:
                self._dirty_days[campaign_day] = due_at
        elif self._campaigns.get(entry.campaign_id) == entry.due_at:
            del self._campaigns[entry.campaign_id]
            if due_at is not None:
                self._campaigns[entry.campaign_id] = due_at

    def add_campaign(self, campaign_id: str, due_at: datetime, *, unless_due: bool = False) -> None:
        """Store the entry of a new or changed campaign."""
        current = self._campaigns.get(campaign_id)
        if not unless_due or current is None or current > due_at:
            self._campaigns[campaign_id] = due_at

    def add_missing(self, entry: DueEntry) -> None:
        """Store an entry, unless there is one or the day is not dirty any more."""
        if entry.day is None:
            self._campaigns.setdefault(entry.campaign_id, entry.due_at)
            return
        campaign_day = CampaignDay(entry.campaign_id, entry.day)
        if self._counting_state.find_dirty_day(campaign_day) is not None:
            self._dirty_days.setdefault(campaign_day, entry.due_at)

    def find_progress(self) -> ListProgress | None:
        """Return the progress of completing the list, or None."""
        return self._progress

    def save_progress(self, progress: ListProgress) -> None:
        """Store the progress of completing the list."""
        self._progress = progress


def make_due_list() -> InMemoryDueList:
    """Return an empty due list."""
    return InMemoryDueList(InMemoryCountingState())
