"""A campaign with roll-ups and report deliveries over in-memory stores."""

from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta

from chalicelib.campaigns.model import Campaign, CampaignDay, Manager
from chalicelib.crypto.hashing import HashKey, KeyedHash
from chalicelib.deliveries.model import Delivery, Medium
from chalicelib.deliveries.service import (
    DeliveryConfig,
    OutgoingReport,
    ReportDeliveryService,
)
from chalicelib.rollups.counting import AnomalyThresholds
from chalicelib.rollups.due import DueDayFinder
from chalicelib.rollups.model import SummaryState
from chalicelib.rollups.report import Report
from chalicelib.rollups.reporting import ReportService
from chalicelib.rollups.service import RollUpService
from tests.support.fakes.campaigns import InMemoryCampaigns
from tests.support.fakes.clock import FixedClock
from tests.support.fakes.deliveries import InMemoryDeliveries
from tests.support.fakes.registrations import InMemoryDayFacts
from tests.support.fakes.sms import InMemorySmsCounts
from tests.support.fakes.summaries import InMemoryCountingState, InMemoryDueList, InMemorySummaries
from tests.support.registration_builders import FIRST_DAY, make_campaign
from tests.support.report_builders import CREATED, SUMMARY_HOUR

MANAGER_ONE = {"name": "Manajer Satu", "email": "satu@example.com", "phone": "+6282455507801"}
MANAGER_TWO = {"name": "Manajer Dua", "email": "dua@example.org", "phone": "+6282455507802"}
HASHING = KeyedHash(lambda: HashKey(b"k" * 32))


class ScriptedChannel:
    """Satisfies `service.ReportChannel`: `send` raises the next of `answers`, unless that is None."""

    def __init__(self, find_address: Callable[[Manager], str | None]) -> None:
        self.find_address = find_address
        self.answers: list[BaseException | None] = []
        self.sent: list[OutgoingReport] = []
        self.on_send: Callable[[], object] = lambda: None

    def send(self, outgoing: OutgoingReport) -> None:
        """Record `outgoing`. Without an answer left, accept it."""
        self.sent.append(outgoing)
        self.on_send()
        answer = self.answers.pop(0) if self.answers else None
        if answer is not None:
            raise answer

    @property
    def sent_per_manager(self) -> Counter[str]:
        """Return the number of reports sent to each manager."""
        return Counter(each.manager.name for each in self.sent)

    @property
    def sent_reports(self) -> list[Report]:
        """Return the reports in the order in which they were sent."""
        return [each.report for each in self.sent]


class DeliveryHarness:
    """A roll-up service and a delivery service with a common clock."""

    def __init__(self, now: datetime = SUMMARY_HOUR, campaign: Campaign | None = None) -> None:
        self.clock = FixedClock(now)
        self.facts = InMemoryDayFacts()
        self.summaries = InMemorySummaries()
        self.deliveries = InMemoryDeliveries()
        self.mail_channel = ScriptedChannel(lambda manager: manager.email)
        self.sms_channel = ScriptedChannel(lambda manager: manager.phone)
        self.failures: list[Exception] = []
        self.campaigns = InMemoryCampaigns(campaign or make_campaign(managers=[MANAGER_ONE, MANAGER_TWO]))
        counting_state = InMemoryCountingState()
        self.due_days = DueDayFinder(
            due_list=InMemoryDueList(counting_state),
            dirty_days=counting_state,
            headlines=self.summaries,
            campaigns=self.campaigns,
            clock=self.clock,
        )
        self.rollup_service = RollUpService(
            facts=self.facts,
            campaigns=self.campaigns,
            summaries=self.summaries,
            counting_state=counting_state,
            sms_counter=InMemorySmsCounts(),
            thresholds=AnomalyThresholds(),
            clock=self.clock,
        )
        self.report_service = ReportService(
            summaries=self.summaries, campaigns=self.campaigns, previewer=self.rollup_service
        )
        self.delivery_service = self.make_delivery_service()

    def make_delivery_service(
        self, *media: Medium, sms_states: tuple[SummaryState, ...] = (SummaryState.PROVISIONAL,)
    ) -> ReportDeliveryService:
        """Return a service with channels for some media, by default for all."""
        channels = {Medium.MAIL: self.mail_channel, Medium.SMS: self.sms_channel}
        return ReportDeliveryService(
            outbox=self.summaries.outbox,
            reports=self.report_service,
            campaigns=self.campaigns,
            deliveries=self.deliveries,
            channels={medium: channels[medium] for medium in media or channels},
            hashing=HASHING,
            config=DeliveryConfig(sms_states=sms_states, max_age=timedelta(days=31)),
            clock=self.clock,
            on_failure=self.failures.append,
        )

    def add_captures(self, campaign_day: CampaignDay = FIRST_DAY, *, number: int = 1) -> None:
        """Add captures to a day, then mark it dirty, as the stream does."""
        for _ in range(number):
            self.facts.add(campaign_day, CREATED)
        self.rollup_service.mark_dirty(campaign_day)

    def run_rollup(self) -> None:
        """Count the due days, as the hourly schedule does."""
        for due in self.due_days.iter_due_days():
            self.rollup_service.count_due_day(due)

    def run_delivery(self, delivery_service: ReportDeliveryService | None = None) -> list[Delivery]:
        """Deliver the due reports. Return the deliveries that changed."""
        service = delivery_service or self.delivery_service
        return [
            updated
            for campaign_id, entries in service.iter_entries_by_campaign()
            for due_report in service.iter_due_reports(campaign_id, entries)
            for updated in service.deliver(due_report).updated
        ]

    def run_hour(self) -> list[Delivery]:
        """Count the due days, then deliver the due reports."""
        self.run_rollup()
        return self.run_delivery()
