"""The scheduled functions when nothing is due: their cost does not depend on campaigns and past days."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import pytest

from chalicelib.campaigns.model import CampaignDay
from chalicelib.container import Container
from chalicelib.rollups.model import SummaryState
from chalicelib.rollups.outbox import Consumer
from tests.edge.conftest import Edge
from tests.support.aws_events import make_schedule_event
from tests.support.fakes.clock import FixedClock
from tests.support.registration_builders import make_campaign, make_summary

SCHEDULES = ["roll_up_due_days", "deliver_reports", "export_days", "age_registrations", "queue_due_sms"]

# Nine in the morning in Jakarta: yesterday is final, and the summary hour of today has not come.
MORNING = datetime(2025, 3, 1, 2, tzinfo=UTC)
PAST_DAYS = 20
AN_HOUR = timedelta(hours=1)

_NUMBERS = count()


class Stage:
    """The app with a clock and a count of its requests."""

    def __init__(self, edge: Edge) -> None:
        self._edge, self.container = edge, edge.container
        self.clock = self.container.clock = FixedClock(MORNING)
        self.requests: Counter[str] = Counter()
        self.container.aws.dynamodb.meta.events.register("before-call.dynamodb", self._count)

    def _count(self, model: Any, **_: Any) -> None:
        self.requests[model.name] += 1

    def tick(self, function: str) -> Counter[str]:
        """Invoke a scheduled function. Return its requests to DynamoDB by operation."""
        self.requests.clear()
        self._edge.invoke(function, make_schedule_event())
        return self.requests.copy()

    def tick_until_idle(self) -> None:
        """Run two hours of schedules."""
        for _ in range(2):
            for function in SCHEDULES:
                self.tick(function)
            self.clock.advance(AN_HOUR)


def add_long_campaign(container: Container, *, is_dirty_today: bool) -> None:
    """Open a campaign in its first month, with the final summary of each past day."""
    first_day = MORNING.date() - timedelta(days=PAST_DAYS)
    campaign = make_campaign(
        campaign_id=f"long-{next(_NUMBERS)}",
        first_day=first_day.isoformat(),
        last_day="2025-12-31",
        accepts_until="2025-12-31",
    )
    container.campaigns.open(campaign)
    for number in range(PAST_DAYS):
        campaign_day = CampaignDay(campaign.campaign_id, first_day + timedelta(days=number))
        summary = make_summary(campaign_day, counted_at=campaign.summary_final_at(campaign_day.day))
        container.summary_store.add(summary.model_copy(update={"state": SummaryState.FINAL}))
    if is_dirty_today:
        container.rollups.mark_dirty(CampaignDay(campaign.campaign_id, MORNING.date()))
    for consumer in Consumer:
        for entry in list(container.outbox.iter_entries(consumer)):
            container.outbox.remove(consumer, entry)


@pytest.fixture
def stage(edge: Edge) -> Stage:
    return Stage(edge)


@pytest.mark.parametrize("function", SCHEDULES)
def test_an_idle_tick_costs_the_same_with_many_campaigns_and_past_days(stage: Stage, function: str) -> None:
    add_long_campaign(stage.container, is_dirty_today=False)
    stage.tick_until_idle()
    with_one = stage.tick(function)
    for _ in range(5):
        add_long_campaign(stage.container, is_dirty_today=True)
    stage.tick_until_idle()

    assert stage.tick(function) == with_one
    assert sum(with_one.values()) > 0


def test_an_idle_roll_up_asks_once_what_is_due_and_once_for_silent_devices(stage: Stage) -> None:
    add_long_campaign(stage.container, is_dirty_today=True)
    stage.tick_until_idle()

    assert stage.tick("roll_up_due_days") == {"GetItem": 1, "Query": 2}


def test_the_tick_of_the_summary_hour_counts_the_day_of_each_campaign(stage: Stage) -> None:
    for number in range(3):
        add_long_campaign(stage.container, is_dirty_today=number == 1)
    stage.tick_until_idle()
    stage.clock.now = MORNING + 11 * AN_HOUR  # 20:00 in Jakarta

    stage.tick("roll_up_due_days")

    latest = [
        list(stage.container.reports.list_headlines(each.campaign_id))[-1]
        for each in stage.container.campaigns._campaigns.iter_ending_since(MORNING.date())
    ]
    assert [(each.day, each.state) for each in latest] == [(MORNING.date(), SummaryState.PROVISIONAL)] * 3
