"""DueDayFinder: an hourly run looks at what is due only, is fair between campaigns, and can be cut short."""

from datetime import date, datetime, timedelta
from itertools import chain, zip_longest

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.campaigns.model import Campaign
from chalicelib.rollups.model import SummaryState
from chalicelib.rollups.schedule import RollUpPartialFailure
from chalicelib.shares import WHOLE, Share
from tests.support.logs import collect_logs
from tests.support.registration_builders import FIRST_DAY, make_campaign
from tests.support.report_builders import A_DAY, AN_HOUR, FINAL, SUMMARY_HOUR
from tests.support.rollup_harness import RollUpHarness

LONG_ID = "a-long-campaign"
EIGHT = [Share(number, 8) for number in range(8)]


def make_long_campaign(campaign_id: str = LONG_ID) -> Campaign:
    """Return a campaign that began a hundred days before the first day of the others."""
    first_day = FIRST_DAY.day - timedelta(days=100)
    return make_campaign(
        campaign_id=campaign_id,
        first_day=first_day.isoformat(),
        last_day="2024-12-31",
        accepts_until="2024-12-31",
    )


def make_harness(now: datetime = SUMMARY_HOUR, *others: Campaign) -> RollUpHarness:
    """Return a harness with the campaign at Pasar Tanah Abang and others, each opened as the API does."""
    harness = RollUpHarness(now)
    harness.due_list.add_campaign(FIRST_DAY.campaign_id, now)
    for each in others:
        harness.campaigns.add(each)
        harness.due_list.add_campaign(each.campaign_id, now)
    return harness


def list_final_days(harness: RollUpHarness, campaign_id: str) -> list[date]:
    return [
        each.day for each in harness.summaries.iter_headlines(campaign_id) if each.state is SummaryState.FINAL
    ]


def test_a_run_with_nothing_due_reads_no_campaign() -> None:
    harness = make_harness(SUMMARY_HOUR, *(make_long_campaign(f"long-{number}") for number in range(5)))
    harness.run_rollup()
    harness.clock.advance(AN_HOUR)
    harness.run_rollup()
    harness.campaigns.lookup_count = 0
    harness.clock.advance(AN_HOUR)

    assert harness.run_rollup() == []
    assert harness.campaigns.lookup_count == 0


def test_a_dirty_day_costs_one_look_before_its_summary_hour() -> None:
    harness = make_harness(SUMMARY_HOUR - 9 * AN_HOUR)
    lookup_counts = []
    for _ in range(8):
        harness.add_capture()
        harness.campaigns.lookup_count = 0
        assert harness.run_rollup() == []
        lookup_counts.append(harness.campaigns.lookup_count)
        harness.clock.advance(AN_HOUR)

    assert lookup_counts[2:] == [0] * 6
    harness.clock.now = SUMMARY_HOUR
    assert harness.run_rollup() == [FIRST_DAY]
    assert harness.report_service.get_summary(FIRST_DAY).counts.created == 8


def test_a_campaign_with_many_due_days_lets_the_others_be_counted_first() -> None:
    others = [make_campaign(campaign_id=f"market-{number}") for number in range(3)]
    harness = make_harness(SUMMARY_HOUR, make_long_campaign(), *others)

    counted = harness.run_rollup()

    assert {each.campaign_id for each in counted[:7]} >= {each.campaign_id for each in others}
    assert [each.campaign_id for each in counted].count(LONG_ID) == 101
    assert len(counted) == len(set(counted)) == 105


@pytest.mark.parametrize("days_per_run", [1, 2, 3, 7])
def test_runs_that_end_early_count_every_day_once_and_each_campaign_in_time(days_per_run: int) -> None:
    others = [make_campaign(campaign_id=f"market-{number}") for number in range(3)]
    harness = make_harness(SUMMARY_HOUR, make_long_campaign(), *others)
    counted = []
    runs_until_counted: dict[str, int] = {}
    for run_number in range(200):
        for number, due in enumerate(harness.due_days.iter_due_days(), start=1):
            harness.rollup_service.count_due_day(due)
            counted.append(due.campaign_day)
            runs_until_counted.setdefault(due.campaign_day.campaign_id, run_number)
            if number == days_per_run:
                break
        harness.clock.advance(timedelta(minutes=1))

    assert len(counted) == len(set(counted)) == 105
    # No campaign waits until the hundred days are counted.
    assert max(runs_until_counted.values()) <= 10


def test_a_run_without_time_leaves_the_remaining_days_to_the_next() -> None:
    harness = make_harness(SUMMARY_HOUR, make_long_campaign())
    # Each count takes a minute.
    harness.facts.on_read = lambda number: harness.clock.advance(timedelta(minutes=1)) if not number else None

    with collect_logs() as lines:
        first = harness.run_function(minutes=5)["counted"]

    assert 0 < first < 10
    assert lines.with_message("time limit reached, remaining days wait for the next run")
    counted, runs = first, 1
    while answer := harness.run_function(minutes=5)["counted"]:
        counted, runs = counted + answer, runs + 1
    assert counted == 102
    assert runs < 102


def test_a_run_that_only_looks_ends_in_time_too_and_the_next_ones_go_on() -> None:
    # An earlier release opened these; a look at one takes five seconds, and none has a day to count.
    days = [f"2024-11-{number:02d}" for number in range(1, 13)]
    harness = RollUpHarness(SUMMARY_HOUR - 3 * AN_HOUR)
    for day in days:
        dates = {"first_day": day, "last_day": day, "accepts_until": day}
        harness.campaigns.add(make_campaign(campaign_id=f"on-{day}", **dates))
    looked_at: list[str] = []

    def take_five_seconds(campaign_id: str) -> None:
        looked_at.append(campaign_id)
        harness.clock.advance(timedelta(seconds=5))

    harness.summaries.on_headlines = take_five_seconds
    for _ in range(2):
        begun_at = harness.clock()
        harness.run_function(minutes=1)
        assert harness.clock() - begun_at < timedelta(minutes=1)

    assert len(looked_at) == len(set(looked_at)) == 13


def test_a_campaign_that_cannot_be_read_delays_no_other_and_stays_due() -> None:
    harness = make_harness()
    harness.due_list.add_campaign("unreadable", SUMMARY_HOUR - A_DAY)

    for _ in range(2):
        with collect_logs() as lines, pytest.raises(RollUpPartialFailure):
            harness.run_function()
        (failure,) = lines.with_message("due days not determined")
        assert failure["campaign_id"] == "unreadable"
        harness.clock.advance(AN_HOUR)
    assert harness.report_service.get_summary(FIRST_DAY).version == 1


def bring_summary_hour_forward(harness: RollUpHarness) -> None:
    """Set the campaign's summary hour to three hours earlier, and the clock to it."""
    previous = harness.campaigns.get(FIRST_DAY.campaign_id)
    hour = previous.summary_hour - 3
    harness.campaigns.replace(previous.with_changes({"summary_hour": hour}), previous=previous)
    harness.due_list.add_campaign(FIRST_DAY.campaign_id, harness.clock())
    harness.clock.now = SUMMARY_HOUR - 3 * AN_HOUR


def test_an_earlier_summary_hour_is_heard_after_the_campaign_was_looked_at() -> None:
    harness = make_harness(SUMMARY_HOUR - 5 * AN_HOUR)
    harness.add_capture()
    assert harness.run_rollup() == []
    bring_summary_hour_forward(harness)

    assert harness.run_rollup() == [FIRST_DAY]


def test_a_day_counted_early_is_counted_at_an_earlier_summary_hour_too() -> None:
    harness = make_harness(SUMMARY_HOUR - 5 * AN_HOUR)
    harness.rollup_service.recount(FIRST_DAY)
    harness.clock.advance(timedelta(minutes=2))
    assert harness.run_rollup() == []
    bring_summary_hour_forward(harness)

    assert harness.run_rollup() == [FIRST_DAY]
    assert harness.list_dirty_days() == []


def test_a_longer_campaign_is_counted_until_its_new_last_day() -> None:
    harness = make_harness(FINAL + 30 * A_DAY)
    harness.run_rollup()
    previous = harness.campaigns.get(FIRST_DAY.campaign_id)
    changes = {"last_day": date(2024, 11, 30), "accepts_until": date(2024, 11, 30)}
    harness.campaigns.replace(previous.with_changes(changes), previous=previous)
    harness.due_list.add_campaign(FIRST_DAY.campaign_id, harness.clock())
    for _ in range(46):
        harness.clock.advance(12 * AN_HOUR)
        harness.run_rollup()

    days = list_final_days(harness, FIRST_DAY.campaign_id)
    assert (len(days), days[-1]) == (53, date(2024, 11, 30))


def test_campaigns_and_dirty_days_of_an_earlier_release_are_counted() -> None:
    harness = RollUpHarness(FINAL + 60 * A_DAY)
    harness.campaigns.add(make_long_campaign())
    harness.add_capture()
    harness.counting_state.due_at_by_dirty_day.clear()
    assert harness.list_dirty_days() == [FIRST_DAY]

    counted = harness.run_rollup()

    # The other campaign ended more than a month ago: of it, only the dirty day is counted.
    assert [each for each in counted if each.campaign_id == FIRST_DAY.campaign_id] == [FIRST_DAY]
    assert len(counted) == 162


def test_what_an_earlier_release_stored_while_it_was_replaced_is_counted() -> None:
    harness = RollUpHarness(FINAL + A_DAY)
    harness.run_rollup()
    harness.campaigns.add(make_campaign(campaign_id="late-2024"))
    harness.clock.advance(AN_HOUR)

    assert [each.campaign_id for each in harness.run_rollup()] == ["late-2024"] * 2


def test_runs_side_by_side_count_every_day_once() -> None:
    harness = make_harness(
        SUMMARY_HOUR,
        make_long_campaign(),
        *(make_campaign(campaign_id=f"market-{each}") for each in range(9)),
    )
    counted = []
    runs = [harness.due_days.iter_due_days(share=share) for share in EIGHT]
    # Each run counts one day, then the next run one.
    for due in filter(None, chain.from_iterable(zip_longest(*runs))):
        harness.rollup_service.count_due_day(due)
        counted.append(due.campaign_day)

    assert len(counted) == len(set(counted)) == 111
    harness.clock.advance(AN_HOUR)
    assert harness.run_rollup() == []


def test_a_run_looks_at_the_campaigns_of_its_share_alone() -> None:
    harness = make_harness(SUMMARY_HOUR, *(make_campaign(campaign_id=f"market-{each}") for each in range(9)))

    counted = {share: harness.run_rollup(share) for share in EIGHT}

    assert sum(len(days) for days in counted.values()) == 10
    assert all(share.has(day.campaign_id) for share, days in counted.items() for day in days)
    assert max(len(days) for days in counted.values()) < 5


@pytest.mark.parametrize("first", [*EIGHT, WHOLE])
def test_two_runs_of_the_same_days_at_once_do_no_harm(first: Share) -> None:
    harness = make_harness(SUMMARY_HOUR, *(make_campaign(campaign_id=f"market-{each}") for each in range(3)))
    runs = [harness.due_days.iter_due_days(share=share) for share in (first, WHOLE)]
    for due in filter(None, chain.from_iterable(zip_longest(*runs))):
        harness.rollup_service.count_due_day(due)

    for campaign_id in ("market-0", "market-1", "market-2", FIRST_DAY.campaign_id):
        assert [each.revision for each in harness.summaries.iter_headlines(campaign_id)] == [0]


HOURS = st.lists(st.integers(1, 30), max_size=60)


# The number of shares changes when the stage does, while runs of before are under way.
SHARES = st.sampled_from([WHOLE, *(Share(number, 2) for number in range(2)), *EIGHT])


@given(
    pauses=HOURS,
    counts=st.lists(st.integers(0, 3), min_size=60, max_size=60),
    shares=st.lists(SHARES, min_size=60, max_size=60),
    last=st.sampled_from([[WHOLE], EIGHT]),
)
def test_late_missed_and_cut_runs_make_every_day_final_once(
    pauses: list[int], counts: list[int], shares: list[Share], last: list[Share]
) -> None:
    campaigns = [
        make_campaign(campaign_id=f"market-{zone[-4:].lower()}", zone=zone)
        for zone in ("Asia/Jakarta", "Asia/Makassar", "Asia/Jayapura")
    ]
    harness = make_harness(SUMMARY_HOUR - 20 * AN_HOUR, *campaigns)
    for pause, count, share in zip(pauses, counts, shares, strict=False):
        harness.clock.advance(pause * AN_HOUR)
        for due, _ in zip(harness.due_days.iter_due_days(share=share), range(count), strict=False):
            harness.rollup_service.count_due_day(due)
    harness.clock.now = max(harness.clock.now, FINAL + A_DAY) + 3 * AN_HOUR
    if harness.clock.now > FINAL + 20 * A_DAY:
        return
    for share in last:
        harness.run_rollup(share)
    harness.clock.advance(AN_HOUR)

    assert harness.run_rollup() == []
    for campaign in [*campaigns, make_campaign()]:
        ended = [day for day in campaign.iter_days() if campaign.summary_final_at(day) < harness.clock.now]
        assert list_final_days(harness, campaign.campaign_id) == ended
        assert [
            (each.day, each.revision) for each in harness.summaries.iter_headlines(campaign.campaign_id)
        ] == [(day, 0) for day in ended]
