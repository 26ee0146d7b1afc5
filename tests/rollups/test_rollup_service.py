"""RollUpService: which days are due, and that the last summary of each day has its captures."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.campaigns.errors import CampaignUnknown
from chalicelib.campaigns.model import CampaignDay
from chalicelib.notifications.counting import SmsTotals
from chalicelib.refusals import TryAgain
from chalicelib.registrations.captures import CaptureFacts, Outcome
from chalicelib.rollups.counting import AnomalyThresholds
from chalicelib.rollups.errors import DayNotInCampaign, SummaryUnknown
from chalicelib.rollups.model import SmsCounts, Summary, SummaryState
from chalicelib.rollups.service import VersionExists
from tests.support.day_tally import count_facts
from tests.support.fakes.summaries import InMemorySummaries
from tests.support.registration_builders import FIRST_DAY, SECOND_DAY, make_campaign
from tests.support.report_builders import AN_HOUR, CREATED, FINAL, SUMMARY_HOUR
from tests.support.rollup_harness import RollUpHarness


def test_a_day_is_not_counted_before_its_summary_hour() -> None:
    harness = RollUpHarness(SUMMARY_HOUR - timedelta(microseconds=1))
    harness.add_capture()
    assert harness.run_rollup() == []
    harness.clock.now = SUMMARY_HOUR
    assert harness.run_rollup() == [FIRST_DAY]
    assert harness.report_service.get_summary(FIRST_DAY).counts.created == 1


@pytest.mark.parametrize(
    ("zone", "hours"), [("Asia/Jakarta", 13), ("Asia/Makassar", 12), ("Asia/Jayapura", 11)]
)
def test_the_summary_hour_is_the_campaigns_own(zone: str, hours: int) -> None:
    due_at = datetime(2024, 10, 9, hours, tzinfo=UTC)
    harness = RollUpHarness(due_at, make_campaign(zone=zone))
    assert [(due.campaign_day, due.due_since) for due in harness.due_days.iter_due_days()] == [
        (FIRST_DAY, due_at)
    ]


def test_a_day_without_captures_is_summarised_too() -> None:
    harness = RollUpHarness()
    assert harness.run_rollup() == [FIRST_DAY]
    assert harness.report_service.get_summary(FIRST_DAY).counts.captures == 0


def test_a_second_run_in_the_same_hour_counts_nothing() -> None:
    harness = RollUpHarness()
    harness.run_rollup()
    assert harness.run_rollup() == []
    assert len(harness.summaries.stored_versions) == 1


def test_a_summary_is_provisional_until_the_next_morning_and_then_final() -> None:
    harness = RollUpHarness(FINAL - timedelta(microseconds=1))
    harness.run_rollup()
    assert harness.report_service.get_summary(FIRST_DAY).state is SummaryState.PROVISIONAL
    harness.clock.now = FINAL
    assert harness.run_rollup() == [FIRST_DAY]
    assert (
        harness.report_service.get_summary(FIRST_DAY).state,
        harness.report_service.get_summary(FIRST_DAY).version,
    ) == (
        SummaryState.FINAL,
        2,
    )
    harness.clock.advance(AN_HOUR)
    assert harness.run_rollup() == []


def test_a_capture_that_arrives_weeks_later_leads_to_a_new_version() -> None:
    harness = RollUpHarness(FINAL + timedelta(days=90))
    harness.rollup_service.recount(FIRST_DAY)
    harness.add_capture()
    assert harness.run_rollup() == [FIRST_DAY]
    assert (
        harness.report_service.get_summary(FIRST_DAY).version,
        harness.report_service.get_summary(FIRST_DAY).counts.created,
    ) == (2, 1)


def test_days_never_counted_are_due_for_a_month() -> None:
    last_day_ended = SUMMARY_HOUR + timedelta(days=1)
    assert RollUpHarness(last_day_ended + timedelta(days=31)).run_rollup() == [FIRST_DAY, SECOND_DAY]
    assert RollUpHarness(last_day_ended + timedelta(days=32)).run_rollup() == []


def test_a_dirty_day_that_was_never_counted_is_due_once() -> None:
    harness = RollUpHarness()
    harness.add_capture()
    assert [due.campaign_day for due in harness.due_days.iter_due_days()] == [FIRST_DAY]


def test_a_day_stays_dirty_while_the_index_may_lag() -> None:
    harness = RollUpHarness()
    harness.add_capture()
    harness.clock.advance(timedelta(minutes=1))
    harness.run_rollup()
    assert harness.list_dirty_days() == [FIRST_DAY]
    harness.clock.advance(timedelta(microseconds=1))
    harness.run_rollup()
    assert harness.list_dirty_days() == []


def test_a_day_that_changes_while_it_is_counted_stays_dirty() -> None:
    harness = RollUpHarness()
    harness.add_capture()
    harness.clock.advance(AN_HOUR)
    harness.facts.on_read = lambda number: harness.add_capture() if number == 1 else None
    harness.run_rollup()
    assert harness.report_service.get_summary(FIRST_DAY).counts.created == 1

    harness.facts.on_read = lambda _: None
    harness.clock.advance(AN_HOUR)
    harness.run_rollup()
    assert (harness.report_service.get_summary(FIRST_DAY).counts.created, harness.list_dirty_days()) == (
        2,
        [],
    )


def test_a_recount_on_request_leaves_the_day_dirty() -> None:
    harness = RollUpHarness(SUMMARY_HOUR - AN_HOUR)
    harness.add_capture()
    assert harness.rollup_service.recount(FIRST_DAY).is_new
    assert not harness.rollup_service.recount(FIRST_DAY).is_new
    assert harness.list_dirty_days() == [FIRST_DAY]


@pytest.mark.parametrize(
    ("campaign_day", "refusal"),
    [
        (FIRST_DAY, SummaryUnknown),
        (replace(FIRST_DAY, day=date(2024, 10, 11)), DayNotInCampaign),
        (replace(FIRST_DAY, day=date.min), DayNotInCampaign),
        (replace(FIRST_DAY, campaign_id="senen-2024"), CampaignUnknown),
    ],
)
def test_an_unknown_summary_is_refused_with_the_reason(
    campaign_day: CampaignDay, refusal: type[Exception]
) -> None:
    with pytest.raises(refusal):
        RollUpHarness().report_service.get_summary(campaign_day)


def test_only_days_of_the_campaign_can_be_recounted() -> None:
    with pytest.raises(DayNotInCampaign):
        RollUpHarness().rollup_service.recount(replace(FIRST_DAY, day=date(2024, 10, 8)))


class ContestedSummaries(InMemorySummaries):
    """Before each of the next `conflicts` versions, another count of the empty day stores it."""

    def __init__(self, conflicts: int) -> None:
        super().__init__()
        self._conflicts = conflicts

    def add(self, summary: Summary) -> None:
        if self._conflicts:
            self._conflicts -= 1
            super().add(summary.model_copy(update={"content_hash": f"of another count {self._conflicts}"}))
            raise VersionExists
        super().add(summary)


def test_a_count_that_loses_a_race_writes_the_next_version() -> None:
    harness = RollUpHarness(summaries=ContestedSummaries(2))
    assert harness.rollup_service.recount(FIRST_DAY).summary.version == 3


def test_a_count_that_loses_every_race_asks_to_try_again() -> None:
    with pytest.raises(TryAgain):
        RollUpHarness(summaries=ContestedSummaries(99)).rollup_service.recount(FIRST_DAY)


MINUTES = st.integers(1, 180).map(lambda number: timedelta(minutes=number))
CAPTURES = st.tuples(
    st.sampled_from([FIRST_DAY, SECOND_DAY]),
    st.builds(replace, st.just(CREATED), outcome=st.sampled_from(Outcome), client_id=st.sampled_from("ab")),
)


RUNS = st.integers(1, 2)


@given(steps=st.lists(st.one_of(MINUTES, CAPTURES, RUNS), max_size=30))
def test_missed_and_repeated_runs_lead_to_the_same_summaries(
    steps: list[timedelta | tuple[CampaignDay, CaptureFacts] | int],
) -> None:
    harness = RollUpHarness(SUMMARY_HOUR - 3 * AN_HOUR)
    for step in steps:
        if isinstance(step, timedelta):
            harness.clock.advance(step)
        elif isinstance(step, tuple):
            harness.add_capture(*step)
        else:
            for _ in range(step):
                harness.run_rollup()
    harness.clock.now = max(harness.clock.now, FINAL + timedelta(days=1)) + AN_HOUR
    harness.run_rollup()

    assert harness.run_rollup() == harness.list_dirty_days() == []
    for campaign_day in (FIRST_DAY, SECOND_DAY):
        summary = harness.report_service.get_summary(campaign_day)
        tally = count_facts(harness.facts.facts_by_day.get(campaign_day, ()), AnomalyThresholds())
        assert summary.counts == tally.counts
        assert summary.by_client == tally.by_client
        assert summary.state is SummaryState.FINAL


def test_a_summary_counts_the_days_sms_and_the_share_with_unknown_outcome() -> None:
    harness = RollUpHarness()
    states = {"delivered": 5, "failed": 1, "unknown": 2}
    harness.sms_counter.counts_by_day[FIRST_DAY] = SmsTotals(states, parts=7, money=2450)

    summary = harness.rollup_service.recount(FIRST_DAY).summary

    assert summary.texts == SmsCounts(total=8, by_state=states, unknown_share=0.25, parts=7, rupiah=2450)


def test_a_receipt_makes_no_day_due_but_is_in_the_next_count() -> None:
    harness = RollUpHarness()
    harness.run_rollup()
    harness.sms_counter.counts_by_day[FIRST_DAY] = SmsTotals({"delivered": 1}, parts=1, money=350)

    assert harness.run_rollup() == []
    result = harness.rollup_service.recount(FIRST_DAY)

    assert (result.is_new, result.summary.version) == (True, 2)
    assert result.summary.texts is not None
    assert result.summary.texts.by_state == {"delivered": 1}
