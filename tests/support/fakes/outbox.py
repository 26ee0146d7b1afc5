"""A fake of the summaries' outbox."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

from chalicelib.campaigns.model import CampaignDay
from chalicelib.rollups.outbox import Consumer, OutboxEntry


class InMemoryOutbox:
    """Satisfies `deliveries.service.Outbox` and `exports.service.Outbox`."""

    def __init__(self) -> None:
        self._entries: dict[tuple[Consumer, CampaignDay], OutboxEntry] = {}
        self._delivered_versions: dict[CampaignDay, int] = {}
        self._leases: dict[Consumer, datetime] = {}

    def iter_entries(self, consumer: Consumer) -> Iterator[OutboxEntry]:
        """Yield the entries of a consumer, by day."""
        found = [each for (its, _), each in self._entries.items() if its is consumer]
        yield from sorted(found, key=lambda each: (each.campaign_day.day, each.campaign_day.campaign_id))

    def enqueue(self, consumer: Consumer, entry: OutboxEntry) -> None:
        """Store an entry, in place of an older one for the same day."""
        self._entries[consumer, entry.campaign_day] = entry

    def remove(self, consumer: Consumer, entry: OutboxEntry) -> None:
        """Remove an entry, unless its day was enqueued again after it was read."""
        stored = self._entries.get((consumer, entry.campaign_day))
        if stored is not None and stored.enqueued_at == entry.enqueued_at:
            del self._entries[consumer, entry.campaign_day]

    def record_attempt(self, consumer: Consumer, entry: OutboxEntry, attempted_at: datetime) -> None:
        """Store the time of an attempt, unless the day was enqueued again after it was read."""
        stored = self._entries.get((consumer, entry.campaign_day))
        if stored is not None and stored.enqueued_at == entry.enqueued_at:
            self._entries[consumer, entry.campaign_day] = replace(stored, attempted_at=attempted_at)

    def acquire_lease(self, consumer: Consumer, now: datetime, expires_at: datetime) -> bool:
        """Return True if the lease of a consumer was free; it is held until `expires_at` then."""
        if consumer in self._leases and self._leases[consumer] > now:
            return False
        self._leases[consumer] = expires_at
        return True

    def release_lease(self, consumer: Consumer, expires_at: datetime) -> None:
        """Release a lease, unless another holder has it."""
        if self._leases.get(consumer) == expires_at:
            del self._leases[consumer]

    def find_notified_version(self, campaign_day: CampaignDay) -> int | None:
        """Return the version of a final day that was last sent to managers."""
        return self._delivered_versions.get(campaign_day)

    def record_notified_version(self, campaign_day: CampaignDay, version: int) -> None:
        """Store the version that was sent to managers."""
        self._delivered_versions[campaign_day] = version
