"""Fakes of the stores of summaries and of the state of counting."""

from collections.abc import Iterator
from datetime import date, datetime

from chalicelib.campaigns.model import CampaignDay
from chalicelib.rollups.model import Headline, Summary, SummaryState
from chalicelib.rollups.outbox import Consumer, OutboxEntry
from chalicelib.rollups.service import Checkpoint, DirtyDay, VersionExists
from tests.support.fakes.outbox import InMemoryOutbox


class InMemorySummaries:
    """Satisfies `rollups.service.SummaryWriter` and `rollups.reporting.SummaryReader`."""

    def __init__(self) -> None:
        self.stored_versions: list[Summary] = []
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
        self._checkpoints: dict[CampaignDay, Checkpoint | None] = {}

    def mark_dirty(self, campaign_day: CampaignDay, *, occurred_at: datetime) -> None:
        """Mark a day dirty, with a new generation."""
        before = self._dirty_days[campaign_day].generation if campaign_day in self._dirty_days else 0
        self._dirty_days[campaign_day] = DirtyDay(campaign_day, before + 1, occurred_at)

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
