"""BoardService: the campaign day nearest to today, counted on request and cached."""

from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

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
class FakeReportSource:
    """Satisfies `board.ReportSource`: counting takes `count_time`, and fails if days are `too_large`."""

    clock: FixedClock
    count_time: timedelta = timedelta(0)
    too_large: bool = False
    stored_report: Report | None = None
    counted_days: list[date] = field(default_factory=list)

    def build_live_report(self, campaign_day: CampaignDay) -> Report:
        self.counted_days.append(campaign_day.day)
        self.clock.now += self.count_time
        if self.too_large:
            raise CountUnfinished("too large")
        return make_report_counted_at(self.clock.now, campaign_day.day)

    def build_report(self, campaign_day: CampaignDay) -> Report:
        if self.stored_report is None:
            raise SummaryUnknown
        return self.stored_report


def make_report_counted_at(counted_at: datetime, day: date = FIRST_DAY) -> Report:
    return make_report(summary={"day": day, "counted_at": to_timestamp(counted_at)})


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(NOON)


@pytest.fixture
def reports(clock: FixedClock) -> FakeReportSource:
    return FakeReportSource(clock)


@pytest.fixture
def board(reports: FakeReportSource, clock: FixedClock) -> BoardService:
    return BoardService(reports=reports, campaigns=InMemoryCampaigns(CAMPAIGN), clock=clock)


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
def test_the_board_is_of_the_campaign_day_nearest_to_today_in_its_zone(
    board: BoardService, clock: FixedClock, now: datetime, day: date
) -> None:
    clock.now = now

    assert board.get_report(CAMPAIGN.campaign_id).summary.day == day


def test_requests_within_twenty_seconds_share_one_count(
    board: BoardService, reports: FakeReportSource, clock: FixedClock
) -> None:
    board.get_report(CAMPAIGN.campaign_id)
    clock.now += timedelta(seconds=19)
    board.get_report(CAMPAIGN.campaign_id)
    clock.now += timedelta(seconds=1)
    board.get_report(CAMPAIGN.campaign_id)

    assert reports.counted_days == [FIRST_DAY, FIRST_DAY]


def test_a_day_that_takes_long_to_count_is_counted_less_often(
    board: BoardService, reports: FakeReportSource, clock: FixedClock
) -> None:
    reports.count_time = timedelta(seconds=6)

    board.get_report(CAMPAIGN.campaign_id)
    clock.now = NOON + timedelta(seconds=59)
    board.get_report(CAMPAIGN.campaign_id)
    clock.now = NOON + timedelta(seconds=60)
    board.get_report(CAMPAIGN.campaign_id)

    assert reports.counted_days == [FIRST_DAY, FIRST_DAY]


def test_the_cached_report_is_kept_if_the_day_is_too_large_to_count(
    board: BoardService, reports: FakeReportSource, clock: FixedClock
) -> None:
    cached = board.get_report(CAMPAIGN.campaign_id)
    reports.too_large = True
    clock.now += timedelta(minutes=1)

    assert board.get_report(CAMPAIGN.campaign_id) == cached


@pytest.mark.parametrize(
    ("stored_at", "is_shown"), [(NOON - timedelta(hours=1), False), (NOON + timedelta(hours=1), True)]
)
def test_a_stored_summary_replaces_an_older_cached_report(
    board: BoardService, reports: FakeReportSource, clock: FixedClock, stored_at: datetime, is_shown: bool
) -> None:
    board.get_report(CAMPAIGN.campaign_id)
    reports.too_large, reports.stored_report = True, make_report_counted_at(stored_at)
    clock.now += timedelta(hours=2)

    assert (board.get_report(CAMPAIGN.campaign_id) == reports.stored_report) is is_shown


def test_a_new_container_shows_the_stored_summary_of_a_day_too_large_to_count(
    board: BoardService, reports: FakeReportSource
) -> None:
    reports.too_large, reports.stored_report = True, make_report_counted_at(NOON - timedelta(hours=1))

    assert board.get_report(CAMPAIGN.campaign_id) == reports.stored_report


def test_a_day_too_large_to_count_and_never_summarised_is_refused_until_it_is_tried_again(
    board: BoardService, reports: FakeReportSource
) -> None:
    reports.too_large, reports.count_time = True, timedelta(seconds=18)

    for _ in range(2):
        with pytest.raises(CountUnfinished) as refused:
            board.get_report(CAMPAIGN.campaign_id)
        assert refused.value.retry_after_seconds == 162


@pytest.mark.parametrize(
    "stored_report", [None, make_report_counted_at(NOON)], ids=["never summarised", "summarised"]
)
def test_a_day_too_large_to_count_is_tried_again_after_ten_times_the_count_time(
    board: BoardService, reports: FakeReportSource, clock: FixedClock, stored_report: Report | None
) -> None:
    def request_board() -> None:
        with suppress(CountUnfinished):
            board.get_report(CAMPAIGN.campaign_id)

    reports.too_large, reports.count_time = True, timedelta(seconds=18)
    reports.stored_report = stored_report
    request_board()
    clock.now = NOON + timedelta(seconds=179)
    request_board()
    assert reports.counted_days == [FIRST_DAY]

    clock.now += timedelta(seconds=1)
    request_board()
    assert reports.counted_days == [FIRST_DAY, FIRST_DAY]


def test_a_new_day_is_counted_at_once(
    board: BoardService, reports: FakeReportSource, clock: FixedClock
) -> None:
    clock.now = datetime(2024, 10, 9, 16, 59, 55, tzinfo=UTC)
    board.get_report(CAMPAIGN.campaign_id)
    clock.now += timedelta(seconds=5)
    board.get_report(CAMPAIGN.campaign_id)

    assert reports.counted_days == [FIRST_DAY, SECOND_DAY]


def test_an_unknown_campaign_has_no_board(board: BoardService) -> None:
    with pytest.raises(CampaignUnknown):
        board.get_report("never-opened")
