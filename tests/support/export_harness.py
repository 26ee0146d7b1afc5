"""Exporting final days of a campaign that is counted in memory."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from chalicelib.campaigns.model import CampaignDay
from chalicelib.crypto.hashing import HashKey, KeyedHash
from chalicelib.exports import schedule
from chalicelib.exports.service import ExportResult, ExportService, ExportStore
from chalicelib.registrations.model import DayFact
from chalicelib.rollups.outbox import Consumer, OutboxEntry
from tests.support.registration_builders import FIRST_DAY
from tests.support.report_builders import AN_HOUR, FINAL
from tests.support.rollup_harness import FakeLambdaContext, RollUpHarness

TIME_LIMIT = timedelta(minutes=15)


class FunctionKilled(BaseException):
    """Lambda ended the invocation."""


class ExportHarness(RollUpHarness):
    """An export service that stores to `store`.

    `read_times` is how long reading one capture of a day takes. Reading the day `killed_on` raises
    FunctionKilled.
    """

    def __init__(self, store: ExportStore) -> None:
        super().__init__(FINAL)
        self.hashing = KeyedHash(lambda: HashKey(b"k" * 32))
        self.read_times: dict[CampaignDay, timedelta] = {}
        self.killed_on: CampaignDay | None = None
        self.export_service = self.make_export_service(store)

    def make_export_service(self, store: ExportStore) -> ExportService:
        """Return a service that stores to another store."""
        return ExportService(
            outbox=self.outbox,
            summaries=self.summaries,
            captures=self,
            store=store,
            hashing=self.hashing,
            clock=self.clock,
        )

    def iter_capture_facts(self, campaign_day: CampaignDay) -> Iterator[DayFact]:
        """Yield the day's captures; satisfies `exports.service.Captures`."""
        for fact in self.facts.iter_capture_facts(campaign_day):
            self.clock.advance(self.read_times.get(campaign_day, timedelta()))
            if campaign_day == self.killed_on:
                raise FunctionKilled
            yield fact

    def enqueue(self, campaign_day: CampaignDay = FIRST_DAY, *, enqueued_at: datetime | None = None) -> None:
        """Enqueue a day for export once more."""
        self.outbox.enqueue(Consumer.ANALYSTS, OutboxEntry(campaign_day, 1, enqueued_at or self.clock()))

    def list_enqueued_days(self) -> list[CampaignDay]:
        """Return the days in the outbox, in the order of their export."""
        return [entry.campaign_day for entry in self.export_service.list_entries()]

    def export(self, export_service: ExportService | None = None) -> list[ExportResult]:
        """Export every day in the outbox."""
        service, deadline = export_service or self.export_service, self.clock() + AN_HOUR
        return [service.export(entry, deadline=deadline) for entry in service.list_entries()]

    def count_and_export(self) -> None:
        """Count every due day, then export."""
        self.run_rollup()
        self.export()

    def run_export_function(self) -> dict[str, int]:
        """Run the hourly function. Return its answer."""
        context = FakeLambdaContext(self.clock, TIME_LIMIT)
        return schedule.export_days(self.export_service, self.clock, context)
