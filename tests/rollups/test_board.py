"""The board: the day that is nearest to today, counted no oftener than a screen has to know."""

from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from chalicelib.campaigns.errors import CampaignUnknown
from chalicelib.campaigns.model import CampaignDay
from chalicelib.clock import to_timestamp
from chalicelib.rollups.board import BoardService
from chalicelib.rollups.errors import CountUnfinished, SummaryUnknown
from chalicelib.rollups.report import Report
from tests.support.fakes import FixedClock, InMemoryCampaigns
from tests.support.report_builders import FIRST_DAY, SECOND_DAY, make_report

CAMPAIGN = make_report().campaign
NOON = datetime(2024, 10, 9, 5, tzinfo=UTC)


@dataclass
class Days:
    """Counts every day in some time, unless they are too big; `stored` was counted before."""

    clock: FixedClock
    takes: timedelta = timedelta(0)
    too_big: bool = False
    stored: Report | None = None
    counted: list[date] = field(default_factory=list)

    def build_live_report(self, campaign_day: CampaignDay) -> Report:
        self.counted.append(campaign_day.day)
        self.clock.now += self.takes
        if self.too_big:
            raise CountUnfinished("too big")
        return counted_at(self.clock.now, day=campaign_day.day)

    def build_report(self, campaign_day: CampaignDay) -> Report:
        if self.stored is None:
            raise SummaryUnknown
        return self.stored


def counted_at(at: datetime, *, day: date = FIRST_DAY) -> Report:
    return make_report(summary={"day": day, "counted_at": to_timestamp(at)})


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(NOON)


@pytest.fixture
def day_source(clock: FixedClock) -> Days:
    return Days(clock)


@pytest.fixture
def board(day_source: Days, clock: FixedClock) -> BoardService:
    return BoardService(reports=day_source, campaigns=InMemoryCampaigns(CAMPAIGN), clock=clock)


@pytest.mark.parametrize(
    ("now", "day"),
    [
        (datetime(2024, 10, 8, 16, 59, tzinfo=UTC), FIRST_DAY),
        (NOON, FIRST_DAY),
        (datetime(2024, 10, 9, 16, 59, tzinfo=UTC), FIRST_DAY),
        (datetime(2024, 10, 9, 17, 0, tzinfo=UTC), SECOND_DAY),
        (datetime(2026, 1, 1, tzinfo=UTC), SECOND_DAY),
    ],
)
def test_it_shows_today_in_the_campaigns_zone_or_the_day_nearest_to_it(
    board: BoardService, clock: FixedClock, now: Any, day: Any
) -> None:
    clock.now = now

    assert board.get_report(CAMPAIGN.campaign_id).summary.day == day


def test_screens_that_look_within_seconds_are_told_the_same_count(
    board: BoardService, day_source: Days, clock: FixedClock
) -> None:
    board.get_report(CAMPAIGN.campaign_id)
    clock.now += timedelta(seconds=19)
    board.get_report(CAMPAIGN.campaign_id)
    clock.now += timedelta(seconds=1)
    board.get_report(CAMPAIGN.campaign_id)

    assert day_source.counted == [FIRST_DAY, FIRST_DAY]


def test_a_day_that_takes_long_to_count_is_counted_less_often(
    board: BoardService, day_source: Days, clock: FixedClock
) -> None:
    day_source.takes = timedelta(seconds=6)

    board.get_report(CAMPAIGN.campaign_id)
    clock.now = NOON + timedelta(seconds=59)
    board.get_report(CAMPAIGN.campaign_id)
    clock.now = NOON + timedelta(seconds=60)
    board.get_report(CAMPAIGN.campaign_id)

    assert day_source.counted == [FIRST_DAY, FIRST_DAY]


def test_of_a_day_too_big_to_count_the_last_board_stays(
    board: BoardService, day_source: Days, clock: FixedClock
) -> None:
    last = board.get_report(CAMPAIGN.campaign_id)
    day_source.too_big = True
    clock.now += timedelta(minutes=1)

    assert board.get_report(CAMPAIGN.campaign_id) == last


@pytest.mark.parametrize(
    ("stored_at", "is_shown"), [(NOON - timedelta(hours=1), False), (NOON + timedelta(hours=1), True)]
)
def test_a_summary_that_is_newer_than_the_last_board_takes_its_place(
    board: BoardService, day_source: Days, clock: FixedClock, stored_at: Any, is_shown: bool
) -> None:
    board.get_report(CAMPAIGN.campaign_id)
    day_source.too_big, day_source.stored = True, counted_at(stored_at)
    clock.now += timedelta(hours=2)

    assert (board.get_report(CAMPAIGN.campaign_id) == day_source.stored) is is_shown


def test_of_a_day_too_big_to_count_a_new_container_shows_the_newest_summary(
    board: BoardService, day_source: Days
) -> None:
    day_source.too_big, day_source.stored = True, counted_at(NOON - timedelta(hours=1))

    assert board.get_report(CAMPAIGN.campaign_id) == day_source.stored


def test_of_a_day_too_big_to_count_that_was_never_summarised_a_screen_hears_so(
    board: BoardService, day_source: Days
) -> None:
    day_source.too_big, day_source.takes = True, timedelta(seconds=18)

    for _ in range(2):
        with pytest.raises(CountUnfinished) as heard:
            board.get_report(CAMPAIGN.campaign_id)
        assert heard.value.retry_after_seconds == 162


@pytest.mark.parametrize("stored", [None, counted_at(NOON)], ids=["never summarised", "summarised"])
def test_a_day_too_big_to_count_is_tried_again_after_ten_times_as_long(
    board: BoardService, day_source: Days, clock: FixedClock, stored: Any
) -> None:
    def look() -> None:
        with suppress(CountUnfinished):
            board.get_report(CAMPAIGN.campaign_id)

    day_source.too_big, day_source.takes, day_source.stored = True, timedelta(seconds=18), stored
    look()
    clock.now = NOON + timedelta(seconds=179)
    look()
    assert day_source.counted == [FIRST_DAY]

    clock.now += timedelta(seconds=1)
    look()
    assert day_source.counted == [FIRST_DAY, FIRST_DAY]


def test_a_new_day_is_counted_at_once(board: BoardService, day_source: Days, clock: FixedClock) -> None:
    clock.now = datetime(2024, 10, 9, 16, 59, 55, tzinfo=UTC)
    board.get_report(CAMPAIGN.campaign_id)
    clock.now += timedelta(seconds=5)
    board.get_report(CAMPAIGN.campaign_id)

    assert day_source.counted == [FIRST_DAY, SECOND_DAY]


def test_a_campaign_nobody_opened_has_no_board(board: BoardService) -> None:
    with pytest.raises(CampaignUnknown):
        board.get_report("never-opened")
