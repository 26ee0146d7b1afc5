"""A campaign whose days are counted, and whose managers are told of them."""

from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta

from chalicelib.campaigns.model import Campaign, CampaignDay, Manager
from chalicelib.crypto.hashing import HashKey, KeyedHash
from chalicelib.deliveries.model import Delivery, Medium
from chalicelib.deliveries.service import (
    DeliveryConfig,
    DeliveryDependencies,
    OutgoingReport,
    ReportDeliveryService,
)
from chalicelib.rollups.counting import AnomalyThresholds
from chalicelib.rollups.model import SummaryState
from chalicelib.rollups.report import Report
from chalicelib.rollups.reporting import ReportService
from chalicelib.rollups.service import RollUpService
from tests.support.fakes.campaigns import InMemoryCampaigns
from tests.support.fakes.clock import FixedClock
from tests.support.fakes.deliveries import InMemoryDeliveries
from tests.support.fakes.registrations import InMemoryDayFacts
from tests.support.fakes.sms import InMemorySmsCounts
from tests.support.fakes.summaries import InMemoryCountingState, InMemorySummaries
from tests.support.registration_builders import FIRST_DAY, make_campaign
from tests.support.report_builders import CREATED, SUMMARY_HOUR

MANAGER_ONE = {"name": "Manajer Satu", "email": "satu@example.com", "phone": "+6282455507801"}
MANAGER_TWO = {"name": "Manajer Dua", "email": "dua@example.org", "phone": "+6282455507802"}
HASHING = KeyedHash(lambda: HashKey(b"k" * 32))


class ScriptedChannel:
    """Satisfies `service.ReportChannel`: answers each sending with the next of its answers, raising exceptions."""

    def __init__(self, address: Callable[[Manager], str | None]) -> None:
        self.find_address = address
        self.answers: list[Exception | None] = []
        self.sent: list[OutgoingReport] = []

    def send(self, outgoing: OutgoingReport) -> None:
        """The next answer; without one it is taken."""
        self.sent.append(outgoing)
        answer = self.answers.pop(0) if self.answers else None
        if answer is not None:
            raise answer

    @property
    def sent_per_manager(self) -> Counter[str]:
        """How often each manager was told."""
        return Counter(each.manager.name for each in self.sent)

    @property
    def sent_reports(self) -> list[Report]:
        """What they were told, in order."""
        return [each.report for each in self.sent]


class DeliveryHarness:
    """What counts and tells, with the clock between them."""

    def __init__(self, now: datetime = SUMMARY_HOUR, campaign: Campaign | None = None) -> None:
        self.clock = FixedClock(now)
        self.facts = InMemoryDayFacts()
        self.summaries = InMemorySummaries()
        self.deliveries = InMemoryDeliveries()
        self.mail_channel = ScriptedChannel(lambda manager: manager.email)
        self.sms_channel = ScriptedChannel(lambda manager: manager.phone)
        self.failures: list[Exception] = []
        self.campaigns = InMemoryCampaigns(campaign or make_campaign(managers=[MANAGER_ONE, MANAGER_TWO]))
        self.rollup_service = RollUpService(
            facts=self.facts,
            campaigns=self.campaigns,
            summaries=self.summaries,
            counting_state=InMemoryCountingState(),
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
        """One that reaches managers by some media only."""
        ways = {Medium.MAIL: self.mail_channel, Medium.SMS: self.sms_channel}
        return ReportDeliveryService(
            outbox=self.summaries.outbox,
            reports=self.report_service,
            campaigns=self.campaigns,
            deliveries=self.deliveries,
            channels={medium: ways[medium] for medium in media or ways},
            config=DeliveryConfig(sms_states=sms_states, max_age=timedelta(days=31)),
            dependencies=DeliveryDependencies(self.clock, HASHING, self.failures.append),
        )

    def add_captures(self, campaign_day: CampaignDay = FIRST_DAY, *, number: int = 1) -> None:
        """As the stream has it: captures are in the table, then their day is marked."""
        for _ in range(number):
            self.facts.add(campaign_day, CREATED)
        self.rollup_service.mark_dirty(campaign_day)

    def run_rollup(self) -> None:
        """The hourly tick."""
        for due in self.rollup_service.iter_due_days():
            self.rollup_service.count_due_day(due)

    def run_delivery(self, delivery_service: ReportDeliveryService | None = None) -> list[Delivery]:
        """One round; the deliveries that moved in it."""
        round_ = delivery_service or self.delivery_service
        return [
            moved
            for campaign_id, waiting in round_.iter_entries_by_campaign()
            for due in round_.iter_due_reports(campaign_id, waiting)
            for moved in round_.deliver(due).updated
        ]

    def run_hour(self) -> list[Delivery]:
        """An hour as it should be: counted, then told."""
        self.run_rollup()
        return self.run_delivery()
