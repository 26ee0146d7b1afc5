"""Counts that outlive an invocation: the next one goes on, and comes to what one that never stopped finds."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from functools import cache

import pytest

from chalicelib.registrations.captures import DayFact, Outcome
from chalicelib.rollups import schedule
from chalicelib.rollups.counting import AnomalyThresholds, count_facts
from chalicelib.rollups.errors import CountUnfinished
from tests.rollups.test_schedule import Invocation
from tests.rollups.test_service import AN_HOUR, CREATED, FINAL, Stage
from tests.support.fakes import InMemoryDayFacts
from tests.support.registration_builders import FIRST_DAY, SECOND_DAY

# A bit more than two times between which a count is laid aside.
MANY = 45_000


class Killed(BaseException):
    """The process has ended without a word."""


@cache
def captured(captures: int) -> tuple[DayFact, ...]:
    """So many captures of seven devices."""
    facts = InMemoryDayFacts()
    for number in range(captures):
        facts.add(FIRST_DAY, replace(CREATED, client_id=f"van-{number % 7}"))
    return tuple(facts.facts_by_day[FIRST_DAY])


class BigStage(Stage):
    """A final day with many captures. It takes a second to read a hundred of them."""

    def __init__(self, captures: int = MANY) -> None:
        super().__init__(FINAL + AN_HOUR)
        self.facts.facts_by_day[FIRST_DAY] = list(captured(captures))
        self.rollup.mark_dirty(FIRST_DAY)
        self.clock.advance(AN_HOUR)
        self.read = 0
        self.facts.on_read = self.take_time

    def take_time(self, number: int) -> None:
        self.read += number > 0
        if number % 100 == 0:
            self.clock.advance(timedelta(seconds=1))

    def tick_of(self, minutes: int) -> dict[str, int]:
        return schedule.roll_up(self.rollup, self.clock, Invocation(minutes))

    def killed_at(self, fact: int) -> Callable[[int], None]:
        def take_time(number: int) -> None:
            self.take_time(number)
            if number == fact:
                raise Killed

        return take_time


def is_right(stage: Stage) -> bool:
    """Whether the summary says what was captured."""
    counted = count_facts(stage.facts.facts_by_day[FIRST_DAY], AnomalyThresholds())
    summary = stage.rollup.get_summary(FIRST_DAY)
    return (summary.counts, summary.by_client) == (counted.counts, counted.by_client)


def test_a_day_that_takes_longer_than_an_invocation_is_gone_on_with_by_the_next() -> None:
    stage = BigStage()
    ticks = 0
    while (told := stage.tick_of(minutes=5))["unfinished"]:
        ticks += 1
        assert told["written"] == 0
        stage.clock.advance(AN_HOUR)

    assert ticks > 1
    assert is_right(stage)
    assert stage.read == MANY
    assert stage.marked() == []


def test_a_count_that_is_killed_in_the_middle_loses_only_what_came_after_it_was_laid_aside() -> None:
    stage = BigStage()
    stage.facts.on_read = stage.killed_at(44_000)
    with pytest.raises(Killed):
        stage.tick_of(minutes=60)

    stage.facts.on_read = stage.take_time
    stage.clock.advance(AN_HOUR)
    stage.tick_of(minutes=60)

    assert is_right(stage)
    assert stage.read == MANY + 4_000


@pytest.mark.parametrize("position", ["000000000a", "000044999a"], ids=["behind", "ahead"])
def test_a_count_of_a_day_that_was_marked_meanwhile_is_begun_anew(position: str) -> None:
    stage = BigStage()
    stage.tick_of(minutes=5)
    stage.facts.add(FIRST_DAY, replace(CREATED, client_id="late"), position=position)
    stage.rollup.mark_dirty(FIRST_DAY)
    stage.clock.advance(AN_HOUR)

    stage.tick_of(minutes=60)

    assert is_right(stage)
    assert stage.rollup.get_summary(FIRST_DAY).by_client["late"] == 1
    assert stage.marked() == []


def test_a_count_that_another_has_overtaken_is_not_gone_on_with() -> None:
    stage = BigStage()
    stage.tick_of(minutes=5)
    stage.rollup.recount(FIRST_DAY, deadline=stage.clock() + AN_HOUR)
    stage.facts.add(FIRST_DAY, replace(CREATED, outcome=Outcome.REFUSED), position="0")

    stage.rollup.recount(FIRST_DAY, deadline=stage.clock() + AN_HOUR)

    assert is_right(stage)


def test_a_day_that_changed_while_it_was_counted_stays_marked() -> None:
    stage = BigStage(2_000)
    stage.facts.on_read = lambda number: stage.rollup.mark_dirty(FIRST_DAY) if number == 1_000 else None

    stage.tick_of(minutes=5)

    assert stage.marked() == [FIRST_DAY]


def test_a_mark_made_as_the_count_began_stays_however_long_the_count_took() -> None:
    stage = BigStage(12_000)
    stage.rollup.mark_dirty(FIRST_DAY)

    stage.tick_of(minutes=60)

    assert stage.marked() == [FIRST_DAY]
    assert is_right(stage)


def test_one_big_day_leaves_time_for_the_others() -> None:
    stage = BigStage()
    stage.capture(SECOND_DAY)
    stage.clock.advance(timedelta(days=1))

    told = stage.tick_of(minutes=5)

    assert told["unfinished"] == 1
    assert stage.rollup.get_summary(SECOND_DAY).counts.created == 1


def test_a_caller_hears_in_time_that_there_is_more_to_count() -> None:
    stage = BigStage()
    for _ in range(30):
        asked_at = stage.clock()
        try:
            stage.rollup.recount(FIRST_DAY)
            break
        except CountUnfinished:
            assert stage.clock() - asked_at < timedelta(seconds=28)

    assert is_right(stage)
    assert stage.read == MANY


def test_a_count_that_is_done_is_kept_no_longer() -> None:
    stage = BigStage()
    stage.tick_of(minutes=5)
    stage.tick_of(minutes=60)

    assert stage.summaries.find_checkpoint(FIRST_DAY) is None


def test_a_look_at_a_day_too_big_to_count_keeps_nothing() -> None:
    stage = BigStage()

    with pytest.raises(CountUnfinished):
        stage.rollup.build_live_report(FIRST_DAY)

    assert stage.summaries.find_checkpoint(FIRST_DAY) is None


@pytest.mark.parametrize("minutes", [4, 15], ids=["hardly begun", "nearly done"])
def test_a_look_leaves_a_count_that_a_tick_laid_aside(minutes: int) -> None:
    stage = BigStage()
    stage.tick_of(minutes)
    laid_aside = stage.summaries.find_checkpoint(FIRST_DAY)

    with suppress(CountUnfinished):
        stage.rollup.build_live_report(FIRST_DAY)

    assert laid_aside is not None
    assert stage.summaries.find_checkpoint(FIRST_DAY) == laid_aside
