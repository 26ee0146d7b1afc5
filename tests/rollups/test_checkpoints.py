"""Counts that exceed an invocation and are resumed by the next one."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from functools import cache

import pytest

from chalicelib.registrations.captures import DayFact, Outcome
from chalicelib.rollups.counting import AnomalyThresholds
from chalicelib.rollups.errors import CountUnfinished
from tests.support.day_tally import count_facts
from tests.support.fakes.registrations import InMemoryDayFacts
from tests.support.registration_builders import FIRST_DAY, SECOND_DAY
from tests.support.report_builders import AN_HOUR, CREATED, FINAL
from tests.support.rollup_harness import RollUpHarness

# A bit more than the facts of two checkpoints.
MANY = 45_000


class FunctionKilled(BaseException):
    """Lambda ended the invocation."""


@cache
def make_captures(count: int) -> tuple[DayFact, ...]:
    """Return captures of seven devices."""
    facts = InMemoryDayFacts()
    for number in range(count):
        facts.add(FIRST_DAY, replace(CREATED, client_id=f"van-{number % 7}"))
    return tuple(facts.facts_by_day[FIRST_DAY])


class LargeDayHarness(RollUpHarness):
    """A final day with many captures. Reading a hundred of them takes a second."""

    def __init__(self, capture_count: int = MANY) -> None:
        super().__init__(FINAL + AN_HOUR)
        self.facts.facts_by_day[FIRST_DAY] = list(make_captures(capture_count))
        self.rollup_service.mark_dirty(FIRST_DAY)
        self.clock.advance(AN_HOUR)
        self.read_count = 0
        self.facts.on_read = self.advance_clock

    def advance_clock(self, number: int) -> None:
        self.read_count += number > 0
        if number % 100 == 0:
            self.clock.advance(timedelta(seconds=1))

    def kill_at(self, fact_number: int) -> Callable[[int], None]:
        """Return an `on_read` that ends the invocation at a fact."""

        def advance_clock(number: int) -> None:
            self.advance_clock(number)
            if number == fact_number:
                raise FunctionKilled

        return advance_clock

    def is_summary_right(self) -> bool:
        """Return whether the newest summary has the figures of all captures."""
        tally = count_facts(self.facts.facts_by_day[FIRST_DAY], AnomalyThresholds())
        summary = self.report_service.get_summary(FIRST_DAY)
        return (summary.counts, summary.by_client) == (tally.counts, tally.by_client)


def test_a_count_that_exceeds_an_invocation_is_resumed_by_the_next() -> None:
    harness = LargeDayHarness()
    unfinished_runs = 0
    while (answer := harness.run_function(minutes=5))["unfinished"]:
        unfinished_runs += 1
        assert answer["written"] == 0
        harness.clock.advance(AN_HOUR)

    assert unfinished_runs > 1
    assert harness.is_summary_right()
    assert harness.read_count == MANY
    assert harness.list_dirty_days() == []


def test_a_killed_count_repeats_only_the_facts_after_its_last_checkpoint() -> None:
    harness = LargeDayHarness()
    harness.facts.on_read = harness.kill_at(44_000)
    with pytest.raises(FunctionKilled):
        harness.run_function(minutes=60)

    harness.facts.on_read = harness.advance_clock
    harness.clock.advance(AN_HOUR)
    harness.run_function(minutes=60)

    assert harness.is_summary_right()
    assert harness.read_count == MANY + 4_000


@pytest.mark.parametrize("position", ["000000000a", "000044999a"], ids=["behind", "ahead"])
def test_a_count_of_a_day_that_changed_meanwhile_starts_anew(position: str) -> None:
    harness = LargeDayHarness()
    harness.run_function(minutes=5)
    harness.facts.add(FIRST_DAY, replace(CREATED, client_id="late"), position=position)
    harness.rollup_service.mark_dirty(FIRST_DAY)
    harness.clock.advance(AN_HOUR)

    harness.run_function(minutes=60)

    assert harness.is_summary_right()
    assert harness.report_service.get_summary(FIRST_DAY).by_client["late"] == 1
    assert harness.list_dirty_days() == []


def test_a_checkpoint_older_than_the_newest_version_is_not_resumed() -> None:
    harness = LargeDayHarness()
    harness.run_function(minutes=5)
    harness.rollup_service.recount(FIRST_DAY, deadline=harness.clock() + AN_HOUR)
    harness.facts.add(FIRST_DAY, replace(CREATED, outcome=Outcome.REFUSED), position="0")

    harness.rollup_service.recount(FIRST_DAY, deadline=harness.clock() + AN_HOUR)

    assert harness.is_summary_right()


def test_a_day_that_changes_while_it_is_counted_stays_dirty() -> None:
    harness = LargeDayHarness(2_000)
    harness.facts.on_read = lambda number: (
        harness.rollup_service.mark_dirty(FIRST_DAY) if number == 1_000 else None
    )

    harness.run_function(minutes=5)

    assert harness.list_dirty_days() == [FIRST_DAY]


def test_a_day_that_became_dirty_as_a_long_count_began_stays_dirty() -> None:
    harness = LargeDayHarness(12_000)
    harness.rollup_service.mark_dirty(FIRST_DAY)

    harness.run_function(minutes=60)

    assert harness.list_dirty_days() == [FIRST_DAY]
    assert harness.is_summary_right()


def test_one_large_day_leaves_time_for_the_others() -> None:
    harness = LargeDayHarness()
    harness.add_capture(SECOND_DAY)
    harness.clock.advance(timedelta(days=1))

    answer = harness.run_function(minutes=5)

    assert answer["unfinished"] == 1
    assert harness.report_service.get_summary(SECOND_DAY).counts.created == 1


def test_a_recount_on_request_ends_within_the_time_limit_of_the_api() -> None:
    harness = LargeDayHarness()
    for _ in range(30):
        started_at = harness.clock()
        try:
            harness.rollup_service.recount(FIRST_DAY)
            break
        except CountUnfinished:
            assert harness.clock() - started_at < timedelta(seconds=28)

    assert harness.is_summary_right()
    assert harness.read_count == MANY


def test_a_count_whose_sms_take_too_long_goes_on_after_its_registrations() -> None:
    harness = LargeDayHarness(2_000)
    harness.sms_counter.on_count = lambda: harness.clock.advance(AN_HOUR)
    with pytest.raises(CountUnfinished):
        harness.rollup_service.recount(FIRST_DAY)
    assert harness.read_count == 2_000

    harness.sms_counter.on_count = lambda: None
    harness.rollup_service.recount(FIRST_DAY)

    assert harness.read_count == 2_000
    assert harness.is_summary_right()
    assert harness.counting_state.find_checkpoint(FIRST_DAY) is None


def test_a_live_report_whose_sms_take_too_long_says_so_and_stores_nothing() -> None:
    harness = LargeDayHarness(2_000)
    harness.sms_counter.on_count = lambda: harness.clock.advance(AN_HOUR)

    with pytest.raises(CountUnfinished):
        harness.report_service.build_live_report(FIRST_DAY)

    assert harness.counting_state.find_checkpoint(FIRST_DAY) is None


def test_a_finished_count_leaves_no_checkpoint() -> None:
    harness = LargeDayHarness()
    harness.run_function(minutes=5)
    harness.run_function(minutes=60)

    assert harness.counting_state.find_checkpoint(FIRST_DAY) is None


def test_an_unfinished_live_report_leaves_no_checkpoint() -> None:
    harness = LargeDayHarness()

    with pytest.raises(CountUnfinished):
        harness.report_service.build_live_report(FIRST_DAY)

    assert harness.counting_state.find_checkpoint(FIRST_DAY) is None


@pytest.mark.parametrize("minutes", [4, 11], ids=["hardly begun", "nearly done"])
def test_a_live_report_leaves_the_checkpoint_of_an_unfinished_count(minutes: int) -> None:
    harness = LargeDayHarness()
    harness.run_function(minutes=minutes)
    checkpoint = harness.counting_state.find_checkpoint(FIRST_DAY)

    with suppress(CountUnfinished):
        harness.report_service.build_live_report(FIRST_DAY)

    assert checkpoint is not None
    assert harness.counting_state.find_checkpoint(FIRST_DAY) == checkpoint
