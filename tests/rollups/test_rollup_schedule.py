"""The hourly roll-up function: it counts every due day, even if others fail."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from chalicelib.rollups.schedule import RollUpPartialFailure
from tests.support.builders import make_nik
from tests.support.logs import collect_logs
from tests.support.registration_builders import FIRST_DAY, SECOND_DAY
from tests.support.rollup_harness import RollUpHarness

AFTER_BOTH_DAYS = datetime(2024, 10, 10, 14, tzinfo=UTC)


@pytest.fixture
def harness() -> RollUpHarness:
    """A run after both days of the campaign."""
    return RollUpHarness(AFTER_BOTH_DAYS)


def test_a_run_returns_how_many_days_it_counted_and_how_many_versions_it_wrote(
    harness: RollUpHarness,
) -> None:
    with collect_logs() as lines:
        assert harness.run_function() == {"counted": 2, "written": 2, "unfinished": 0}
        harness.rollup_service.mark_dirty(FIRST_DAY)
        assert harness.run_function() == {"counted": 1, "written": 0, "unfinished": 0}
    days = [
        (line["day"], line["version"], line["is_new"]) for line in lines.with_message("campaign day counted")
    ]
    assert days == [("2024-10-09", 1, True), ("2024-10-10", 1, True), ("2024-10-09", 1, False)]


def test_the_lag_is_measured_from_when_a_day_became_due(harness: RollUpHarness) -> None:
    with collect_logs() as lines:
        harness.run_function()
    assert [metric["RollUpLag"] for metric in lines.metrics()] == [[25 * 3600.0], [3600.0]]


def test_a_day_that_cannot_be_counted_fails_the_run_after_the_other_days(harness: RollUpHarness) -> None:
    harness.facts.unreadable_days = {FIRST_DAY}
    with collect_logs() as lines, pytest.raises(RollUpPartialFailure, match="1 of 2"):
        harness.run_function()

    assert harness.report_service.get_summary(SECOND_DAY).version == 1
    (failure,) = lines.with_message("campaign day not counted")
    assert (failure["day"], failure["error"]) == ("2024-10-09", "ConnectionError")


def test_a_day_that_could_not_be_counted_is_still_due(harness: RollUpHarness) -> None:
    harness.rollup_service.mark_dirty(FIRST_DAY)
    harness.facts.unreadable_days = {FIRST_DAY}
    with pytest.raises(RollUpPartialFailure):
        harness.run_function()

    harness.facts.unreadable_days = set()
    harness.clock.advance(timedelta(hours=1))
    assert harness.run_function() == {"counted": 1, "written": 1, "unfinished": 0}


def test_a_dirty_day_of_an_unknown_campaign_delays_no_other_day(harness: RollUpHarness) -> None:
    harness.rollup_service.mark_dirty(replace(FIRST_DAY, campaign_id="senen-2024"))
    with collect_logs() as lines, pytest.raises(RollUpPartialFailure, match="1 of 3"):
        harness.run_function()

    assert [harness.report_service.get_summary(each).version for each in (FIRST_DAY, SECOND_DAY)] == [1, 1]
    (failure,) = lines.with_message("campaign day not counted")
    assert (failure["campaign_id"], failure["error"]) == ("senen-2024", "CampaignUnknown")


def test_an_error_is_logged_without_its_message(harness: RollUpHarness) -> None:
    def fail(_: int) -> None:
        raise ValueError(make_nik())

    harness.facts.on_read = fail
    with collect_logs() as lines, pytest.raises(RollUpPartialFailure) as failed:
        harness.run_function()
    assert len(lines.with_message("campaign day not counted")) == 2
    assert make_nik() not in f"{lines} {failed.value!r}"
