"""The hourly tick: every due day, whatever became of the others."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from chalicelib.rollups import schedule
from chalicelib.rollups.counting import AnomalyThresholds
from chalicelib.rollups.schedule import RollUpPartialFailure
from chalicelib.rollups.service import RollUpService
from tests.support.builders import make_nik
from tests.support.fakes import (
    FixedClock,
    InMemoryCampaigns,
    InMemoryDayFacts,
    InMemorySmsCounts,
    InMemorySummaries,
)
from tests.support.logs import collect_logs
from tests.support.registration_builders import FIRST_DAY, SECOND_DAY, make_campaign

AFTER_BOTH_DAYS = datetime(2024, 10, 10, 14, tzinfo=UTC)


class Invocation:
    """One that may take so many minutes more."""

    def __init__(self, minutes: int = 5) -> None:
        self.minutes = minutes

    def get_remaining_time_in_millis(self) -> int:
        return self.minutes * 60_000


class Stage:
    """A tick after both days of the campaign."""

    def __init__(self) -> None:
        self.clock = FixedClock(AFTER_BOTH_DAYS)
        self.facts = InMemoryDayFacts()
        self.rollup = RollUpService(
            facts=self.facts,
            campaigns=InMemoryCampaigns(make_campaign()),
            summaries=InMemorySummaries(),
            sms_counter=InMemorySmsCounts(),
            thresholds=AnomalyThresholds(),
            clock=self.clock,
        )

    def tick(self) -> dict[str, int]:
        return schedule.roll_up(self.rollup, self.clock, Invocation())


def test_a_tick_says_how_many_days_it_counted_and_how_many_were_news() -> None:
    stage = Stage()
    with collect_logs() as lines:
        assert stage.tick() == {"counted": 2, "written": 2, "unfinished": 0}
        stage.rollup.mark_dirty(FIRST_DAY)
        assert stage.tick() == {"counted": 1, "written": 0, "unfinished": 0}
    days = [
        (line["day"], line["version"], line["is_new"]) for line in lines.with_message("campaign day counted")
    ]
    assert days == [("2024-10-09", 1, True), ("2024-10-10", 1, True), ("2024-10-09", 1, False)]


def test_the_lag_is_measured_from_when_a_day_became_due() -> None:
    with collect_logs() as lines:
        Stage().tick()
    assert [metric["RollUpLag"] for metric in lines.metrics()] == [[25 * 3600.0], [3600.0]]


def test_a_day_that_cannot_be_counted_does_not_stop_the_others_but_fails_the_tick() -> None:
    stage = Stage()
    stage.facts.unreadable_days = {FIRST_DAY}
    with collect_logs() as lines, pytest.raises(RollUpPartialFailure, match="1 of 2"):
        stage.tick()

    assert stage.rollup.get_summary(SECOND_DAY).version == 1
    (failure,) = lines.with_message("campaign day not counted")
    assert (failure["day"], failure["error"]) == ("2024-10-09", "ConnectionError")


def test_a_day_that_could_not_be_counted_is_still_due() -> None:
    stage = Stage()
    stage.rollup.mark_dirty(FIRST_DAY)
    stage.facts.unreadable_days = {FIRST_DAY}
    with pytest.raises(RollUpPartialFailure):
        stage.tick()

    stage.facts.unreadable_days = set()
    stage.clock.advance(timedelta(hours=1))
    assert stage.tick() == {"counted": 1, "written": 1, "unfinished": 0}


def test_a_mark_of_a_campaign_that_nobody_knows_holds_up_no_other_day() -> None:
    stage = Stage()
    stage.rollup.mark_dirty(replace(FIRST_DAY, campaign_id="senen-2024"))
    with collect_logs() as lines, pytest.raises(RollUpPartialFailure, match="1 of 3"):
        stage.tick()

    assert [stage.rollup.get_summary(of).version for of in (FIRST_DAY, SECOND_DAY)] == [1, 1]
    (failure,) = lines.with_message("campaign day not counted")
    assert (failure["campaign_id"], failure["error"]) == ("senen-2024", "CampaignUnknown")


def test_what_went_wrong_is_logged_without_its_own_words() -> None:
    stage = Stage()

    def fail(_: int) -> None:
        raise ValueError(make_nik())

    stage.facts.on_read = fail
    with collect_logs() as lines, pytest.raises(RollUpPartialFailure) as failed:
        stage.tick()
    assert len(lines.with_message("campaign day not counted")) == 2
    assert make_nik() not in f"{lines} {failed.value!r}"
