"""When days are counted, and that in the end each day says what was captured on it."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.campaigns.errors import CampaignUnknown
from chalicelib.campaigns.model import Campaign, CampaignDay
from chalicelib.notifications.counting import SmsTotals
from chalicelib.refusals import TryAgain
from chalicelib.registrations.model import CaptureFacts, Outcome
from chalicelib.rollups.counting import AnomalyThresholds, count_facts
from chalicelib.rollups.errors import DayNotInCampaign, SummaryUnknown
from chalicelib.rollups.model import SmsCounts, Summary, SummaryState
from chalicelib.rollups.service import RollUpService, VersionExists
from tests.support.fakes import (
    FixedClock,
    InMemoryCampaigns,
    InMemoryDayFacts,
    InMemorySmsCounts,
    InMemorySummaries,
)
from tests.support.registration_builders import FIRST_DAY, SECOND_DAY, make_campaign

SUMMARY_HOUR = datetime(2024, 10, 9, 13, tzinfo=UTC)  # 20:00 in Jakarta
FINAL = datetime(2024, 10, 10, 0, tzinfo=UTC)  # 07:00 in Jakarta
AN_HOUR = timedelta(hours=1)
CREATED = CaptureFacts(Outcome.CREATED, "van", "van-1", ("porter",))


class Stage:
    """A roll-up of the campaign at Pasar Tanah Abang, and what it works with."""

    def __init__(self, at: datetime = SUMMARY_HOUR, *campaigns: Campaign) -> None:
        self.clock = FixedClock(at)
        self.facts = InMemoryDayFacts()
        self.summaries = InMemorySummaries()
        self.texts = InMemorySmsCounts()
        self.rollup = RollUpService(
            facts=self.facts,
            campaigns=InMemoryCampaigns(*(campaigns or [make_campaign()])),
            summaries=self.summaries,
            sms_counter=self.texts,
            thresholds=AnomalyThresholds(),
            clock=self.clock,
        )

    def capture(self, of: CampaignDay = FIRST_DAY, facts: CaptureFacts = CREATED) -> None:
        """As the stream has it: the capture is in the table, then its day is marked."""
        self.facts.add(of, facts)
        self.rollup.mark_dirty(of)

    def tick(self) -> list[CampaignDay]:
        """The days counted."""
        counted = []
        for due in self.rollup.iter_due_days():
            self.rollup.count_due_day(due)
            counted.append(due.campaign_day)
        return counted

    def marked(self) -> list[CampaignDay]:
        return [mark.campaign_day for mark in self.summaries.iter_dirty_days()]


def test_a_day_is_counted_once_its_summary_hour_has_come() -> None:
    stage = Stage(SUMMARY_HOUR - timedelta(microseconds=1))
    stage.capture()
    assert stage.tick() == []
    stage.clock.now = SUMMARY_HOUR
    assert stage.tick() == [FIRST_DAY]
    assert stage.rollup.get_summary(FIRST_DAY).counts.created == 1


@pytest.mark.parametrize(
    ("zone", "hours"), [("Asia/Jakarta", 13), ("Asia/Makassar", 12), ("Asia/Jayapura", 11)]
)
def test_the_summary_hour_is_the_campaigns_own(zone: str, hours: int) -> None:
    due_at = datetime(2024, 10, 9, hours, tzinfo=UTC)
    stage = Stage(due_at, make_campaign(zone=zone))
    assert [(due.campaign_day, due.due_since) for due in stage.rollup.iter_due_days()] == [
        (FIRST_DAY, due_at)
    ]


def test_a_day_without_captures_is_summarised_too() -> None:
    stage = Stage()
    assert stage.tick() == [FIRST_DAY]
    assert stage.rollup.get_summary(FIRST_DAY).counts.captures == 0


def test_a_second_tick_in_the_same_hour_counts_nothing_anew() -> None:
    stage = Stage()
    stage.tick()
    assert stage.tick() == []
    assert len(stage.summaries.stored_versions) == 1


def test_a_summary_is_provisional_until_the_next_morning_and_then_final() -> None:
    stage = Stage(FINAL - timedelta(microseconds=1))
    stage.tick()
    assert stage.rollup.get_summary(FIRST_DAY).state is SummaryState.PROVISIONAL
    stage.clock.now = FINAL
    assert stage.tick() == [FIRST_DAY]
    assert (stage.rollup.get_summary(FIRST_DAY).state, stage.rollup.get_summary(FIRST_DAY).version) == (
        SummaryState.FINAL,
        2,
    )
    stage.clock.advance(AN_HOUR)
    assert stage.tick() == []


def test_a_capture_that_arrives_weeks_later_opens_a_new_version() -> None:
    stage = Stage(FINAL + timedelta(days=90))
    stage.rollup.recount(FIRST_DAY)
    stage.capture()
    assert stage.tick() == [FIRST_DAY]
    assert (
        stage.rollup.get_summary(FIRST_DAY).version,
        stage.rollup.get_summary(FIRST_DAY).counts.created,
    ) == (2, 1)


def test_a_day_that_was_never_counted_is_looked_for_a_month_back() -> None:
    last_day_ended = SUMMARY_HOUR + timedelta(days=1)
    assert Stage(last_day_ended + timedelta(days=31)).tick() == [FIRST_DAY, SECOND_DAY]
    assert Stage(last_day_ended + timedelta(days=32)).tick() == []


def test_a_marked_day_is_due_once_even_before_it_was_ever_counted() -> None:
    stage = Stage()
    stage.capture()
    assert [due.campaign_day for due in stage.rollup.iter_due_days()] == [FIRST_DAY]


def test_a_mark_stays_while_the_index_may_still_lag() -> None:
    stage = Stage()
    stage.capture()
    stage.clock.advance(timedelta(minutes=1))
    stage.tick()
    assert stage.marked() == [FIRST_DAY]
    stage.clock.advance(timedelta(microseconds=1))
    stage.tick()
    assert stage.marked() == []


def test_a_day_marked_while_it_was_being_counted_stays_marked() -> None:
    stage = Stage()
    stage.capture()
    stage.clock.advance(AN_HOUR)
    stage.facts.on_read = lambda number: stage.capture() if number == 1 else None
    stage.tick()
    assert stage.rollup.get_summary(FIRST_DAY).counts.created == 1

    stage.facts.on_read = lambda _: None
    stage.clock.advance(AN_HOUR)
    stage.tick()
    assert (stage.rollup.get_summary(FIRST_DAY).counts.created, stage.marked()) == (2, [])


def test_a_recount_on_request_leaves_the_mark_to_the_tick() -> None:
    stage = Stage(SUMMARY_HOUR - AN_HOUR)
    stage.capture()
    assert stage.rollup.recount(FIRST_DAY).is_new
    assert not stage.rollup.recount(FIRST_DAY).is_new
    assert stage.marked() == [FIRST_DAY]


@pytest.mark.parametrize(
    ("of", "refusal"),
    [
        (FIRST_DAY, SummaryUnknown),
        (replace(FIRST_DAY, day=date(2024, 10, 11)), DayNotInCampaign),
        (replace(FIRST_DAY, day=date.min), DayNotInCampaign),
        (replace(FIRST_DAY, campaign_id="senen-2024"), CampaignUnknown),
    ],
)
def test_a_summary_that_cannot_be_read_is_refused_by_name(of: CampaignDay, refusal: type[Exception]) -> None:
    with pytest.raises(refusal):
        Stage().rollup.get_summary(of)


def test_only_days_of_the_campaign_can_be_recounted() -> None:
    with pytest.raises(DayNotInCampaign):
        Stage().rollup.recount(replace(FIRST_DAY, day=date(2024, 10, 8)))


class Overtaken(InMemorySummaries):
    """Another count writes each version first, finding the day empty; so many times."""

    def __init__(self, times: int) -> None:
        super().__init__()
        self._times = times

    def add(self, summary: Summary) -> None:
        if self._times:
            self._times -= 1
            super().add(summary.model_copy(update={"content_hash": f"of another count {self._times}"}))
            raise VersionExists
        super().add(summary)


def overtaken(times: int) -> RollUpService:
    return RollUpService(
        facts=InMemoryDayFacts(),
        campaigns=InMemoryCampaigns(make_campaign()),
        summaries=Overtaken(times),
        sms_counter=InMemorySmsCounts(),
        thresholds=AnomalyThresholds(),
        clock=FixedClock(SUMMARY_HOUR),
    )


def test_a_count_that_was_overtaken_writes_the_next_version() -> None:
    assert overtaken(2).recount(FIRST_DAY).summary.version == 3


def test_counts_that_keep_overtaking_one_another_end() -> None:
    with pytest.raises(TryAgain):
        overtaken(99).recount(FIRST_DAY)


MINUTES = st.integers(1, 180).map(lambda number: timedelta(minutes=number))
CAPTURES = st.tuples(
    st.sampled_from([FIRST_DAY, SECOND_DAY]),
    st.builds(replace, st.just(CREATED), outcome=st.sampled_from(Outcome), client_id=st.sampled_from("ab")),
)


TICKS = st.integers(1, 2)


@given(story=st.lists(st.one_of(MINUTES, CAPTURES, TICKS), max_size=30))
def test_missed_and_doubled_ticks_lead_to_the_same_summaries_in_the_end(
    story: list[timedelta | tuple[CampaignDay, CaptureFacts] | int],
) -> None:
    stage = Stage(SUMMARY_HOUR - 3 * AN_HOUR)
    for step in story:
        if isinstance(step, timedelta):
            stage.clock.advance(step)
        elif isinstance(step, tuple):
            stage.capture(*step)
        else:
            for _ in range(step):
                stage.tick()
    stage.clock.now = max(stage.clock.now, FINAL + timedelta(days=1)) + AN_HOUR
    stage.tick()

    assert stage.tick() == stage.marked() == []
    for of in (FIRST_DAY, SECOND_DAY):
        summary = stage.rollup.get_summary(of)
        counted = count_facts(stage.facts.facts_by_day.get(of, ()), AnomalyThresholds())
        assert summary.counts == counted.counts
        assert summary.by_client == counted.by_client
        assert summary.state is SummaryState.FINAL


def test_a_summary_tells_of_the_days_texts_and_of_those_nobody_knows_about() -> None:
    stage = Stage()
    states = {"delivered": 5, "failed": 1, "unknown": 2}
    stage.texts.counts_by_day[FIRST_DAY] = SmsTotals(states, parts=7, money=2450)

    texts = stage.rollup.recount(FIRST_DAY).summary.texts

    assert texts == SmsCounts(
        total=8,
        by_state=states,
        unknown_share=0.25,
        parts=7,
        rupiah=2450,
    )


def test_a_receipt_alone_has_no_day_counted_again_but_the_next_count_tells_of_it() -> None:
    stage = Stage()
    stage.tick()
    stage.texts.counts_by_day[FIRST_DAY] = SmsTotals({"delivered": 1}, parts=1, money=350)

    assert stage.tick() == []
    again = stage.rollup.recount(FIRST_DAY)

    assert (again.is_new, again.summary.version) == (True, 2)
    assert again.summary.texts is not None
    assert again.summary.texts.by_state == {"delivered": 1}
