"""Counting and reporting in memory, for the campaign at Pasar Tanah Abang."""

from datetime import datetime, timedelta

from chalicelib.campaigns.model import Campaign, CampaignDay
from chalicelib.clock import Clock
from chalicelib.registrations.captures import CaptureFacts
from chalicelib.rollups import schedule
from chalicelib.rollups.counting import AnomalyThresholds
from chalicelib.rollups.due import DueDayFinder
from chalicelib.rollups.reporting import ReportService
from chalicelib.rollups.service import RollUpService
from chalicelib.shares import WHOLE, Share
from tests.support.fakes.campaigns import InMemoryCampaigns
from tests.support.fakes.clock import FixedClock
from tests.support.fakes.registrations import InMemoryDayFacts
from tests.support.fakes.sms import InMemorySmsCounts
from tests.support.fakes.summaries import InMemoryCountingState, InMemoryDueList, InMemorySummaries
from tests.support.registration_builders import FIRST_DAY, make_campaign
from tests.support.report_builders import CREATED, SUMMARY_HOUR


class FakeLambdaContext:
    """The context of an invocation that begins now and may run for `duration`."""

    def __init__(self, clock: Clock, duration: timedelta) -> None:
        self._clock = clock
        self._ends_at = clock() + duration

    def get_remaining_time_in_millis(self) -> int:
        """Return the time until Lambda ends the invocation."""
        return int((self._ends_at - self._clock()).total_seconds() * 1000)


class RollUpHarness:
    """The services that count and report, with their stores and clock."""

    def __init__(
        self,
        now: datetime = SUMMARY_HOUR,
        campaign: Campaign | None = None,
        summaries: InMemorySummaries | None = None,
    ) -> None:
        self.clock = FixedClock(now)
        self.facts = InMemoryDayFacts()
        self.summaries = summaries or InMemorySummaries()
        self.outbox = self.summaries.outbox
        self.counting_state = InMemoryCountingState()
        self.sms_counter = InMemorySmsCounts()
        self.campaigns = campaigns = InMemoryCampaigns(campaign or make_campaign())
        self.rollup_service = RollUpService(
            facts=self.facts,
            campaigns=campaigns,
            summaries=self.summaries,
            counting_state=self.counting_state,
            sms_counter=self.sms_counter,
            thresholds=AnomalyThresholds(),
            clock=self.clock,
        )
        self.due_list = InMemoryDueList(self.counting_state)
        self.due_days = DueDayFinder(
            due_list=self.due_list,
            dirty_days=self.counting_state,
            headlines=self.summaries,
            campaigns=campaigns,
            clock=self.clock,
        )
        self.report_service = ReportService(
            summaries=self.summaries, campaigns=campaigns, previewer=self.rollup_service
        )

    def add_capture(self, campaign_day: CampaignDay = FIRST_DAY, facts: CaptureFacts = CREATED) -> None:
        """Store a capture, then mark its day dirty, in the order of the stream publisher."""
        self.facts.add(campaign_day, facts)
        self.rollup_service.mark_dirty(campaign_day)

    def run_rollup(self, share: Share = WHOLE) -> list[CampaignDay]:
        """Count every due day of a share. Return the days counted."""
        counted = []
        for due in self.due_days.iter_due_days(share=share):
            self.rollup_service.count_due_day(due)
            counted.append(due.campaign_day)
        return counted

    def run_function(self, share: Share = WHOLE, *, minutes: int = 5) -> dict[str, int]:
        """Run the hourly function with a time limit. Return its answer."""
        context = FakeLambdaContext(self.clock, timedelta(minutes=minutes))
        return schedule.roll_up(self.due_days, self.rollup_service, self.clock, context, share)

    def list_dirty_days(self) -> list[CampaignDay]:
        """Return the dirty days, by day."""
        return [each.campaign_day for each in self.counting_state.iter_dirty_days()]
