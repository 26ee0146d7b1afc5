"""ReportService: the summary of a day, the curve of its campaign, and revisions of earlier days."""

from dataclasses import replace

import pytest

from chalicelib.campaigns.errors import CampaignUnknown
from chalicelib.registrations.captures import Outcome
from chalicelib.rollups.errors import SummaryUnknown
from chalicelib.rollups.model import Note, SummaryState
from chalicelib.rollups.report import CurvePoint
from tests.support.registration_builders import FIRST_DAY, SECOND_DAY, make_campaign
from tests.support.report_builders import A_DAY, AN_HOUR, CREATED, FINAL, SUMMARY_HOUR
from tests.support.rollup_harness import RollUpHarness


def test_a_report_has_the_newest_version_and_the_campaign() -> None:
    harness = RollUpHarness()
    harness.add_capture()
    harness.run_rollup()
    harness.add_capture()
    harness.run_rollup()

    report = harness.report_service.build_report(FIRST_DAY)

    assert report.campaign == make_campaign()
    assert (report.summary.version, report.summary.counts.created) == (2, 2)


def test_an_older_version_can_be_read() -> None:
    harness = RollUpHarness()
    harness.run_rollup()
    first = harness.report_service.get_summary(FIRST_DAY)
    harness.add_capture()
    harness.run_rollup()

    assert harness.report_service.build_report(FIRST_DAY, version=1).summary == first
    with pytest.raises(SummaryUnknown):
        harness.report_service.build_report(FIRST_DAY, version=3)


def test_the_curve_ends_with_the_day_and_is_cumulative() -> None:
    harness = RollUpHarness(FINAL + A_DAY)
    for campaign_day in (FIRST_DAY, FIRST_DAY, SECOND_DAY):
        harness.add_capture(campaign_day)
    harness.run_rollup()

    assert harness.report_service.build_report(SECOND_DAY).curve == (
        CurvePoint(FIRST_DAY.day, 2, registered=2, cumulative=2, version=1, state=SummaryState.FINAL),
        CurvePoint(SECOND_DAY.day, 1, registered=1, cumulative=3, version=1, state=SummaryState.FINAL),
    )
    assert len(harness.report_service.build_report(FIRST_DAY).curve) == 1


def test_the_list_of_days_has_the_newest_version_of_each() -> None:
    harness = RollUpHarness()
    harness.run_rollup()
    harness.add_capture()
    harness.run_rollup()

    assert harness.report_service.list_headlines(FIRST_DAY.campaign_id) == [
        harness.report_service.get_summary(FIRST_DAY).headline
    ]
    with pytest.raises(CampaignUnknown):
        harness.report_service.list_headlines("senen-2024")


def test_the_first_final_version_is_no_revision() -> None:
    harness = RollUpHarness()
    harness.run_rollup()
    harness.clock.now = FINAL
    harness.run_rollup()
    harness.clock.now = SUMMARY_HOUR + A_DAY
    harness.run_rollup()

    assert harness.report_service.get_summary(FIRST_DAY).revision == 0
    assert harness.report_service.build_report(SECOND_DAY).revisions == ()


def test_a_final_day_that_changed_is_a_revision_in_the_next_days_report() -> None:
    harness = RollUpHarness()
    harness.run_rollup()
    harness.clock.now = FINAL
    harness.run_rollup()
    harness.clock.advance(AN_HOUR)
    harness.add_capture(FIRST_DAY, replace(CREATED, client_id="van-2"))
    harness.run_rollup()
    harness.clock.now = SUMMARY_HOUR + A_DAY
    harness.run_rollup()

    (revised,) = harness.report_service.build_report(SECOND_DAY).revisions

    assert (revised.day, revised.version, revised.revision) == (FIRST_DAY.day, 3, 1)
    assert harness.report_service.build_report(FIRST_DAY).revisions == ()


def test_the_changes_of_a_day_revised_in_steps_are_since_the_previous_report() -> None:
    harness = RollUpHarness(FINAL)
    harness.add_capture(FIRST_DAY)
    harness.run_rollup()
    harness.clock.advance(AN_HOUR)
    late = replace(CREATED, client_id="van-2", received_on=SECOND_DAY.day)
    for _ in range(14):
        harness.add_capture(FIRST_DAY, late)
    harness.run_rollup()
    harness.clock.advance(AN_HOUR)
    harness.add_capture(FIRST_DAY, replace(CREATED, outcome=Outcome.REFUSED))
    harness.run_rollup()
    harness.clock.now = SUMMARY_HOUR + A_DAY
    harness.run_rollup()

    (revised,) = harness.report_service.build_report(SECOND_DAY).revisions

    assert revised.version == 3
    assert revised.notes == [Note(difference=14, client_id="van-2", received_on=SECOND_DAY.day)]
    changes = {change.figure: (change.was, change.now) for change in revised.changes}
    assert (changes["counts.created"], changes["counts.refused"]) == ((1, 15), (0, 1))
    assert harness.report_service.get_summary(FIRST_DAY).notes == [], (
        "notes of a version are since the version before it"
    )


def test_a_revision_is_not_repeated_in_later_reports() -> None:
    harness = RollUpHarness(FINAL)
    harness.run_rollup()
    harness.clock.advance(AN_HOUR)
    harness.add_capture(FIRST_DAY, replace(CREATED, outcome=Outcome.REFUSED))
    harness.run_rollup()
    harness.clock.now = SUMMARY_HOUR + A_DAY
    harness.run_rollup()
    assert len(harness.report_service.build_report(SECOND_DAY).revisions) == 1

    harness.clock.now = FINAL + A_DAY
    harness.run_rollup()

    assert harness.report_service.build_report(SECOND_DAY).summary.state is SummaryState.FINAL
    assert harness.report_service.build_report(SECOND_DAY).revisions == ()


def test_a_live_report_counts_the_day_and_stores_nothing() -> None:
    harness = RollUpHarness(SUMMARY_HOUR - 6 * AN_HOUR)
    harness.add_capture()
    harness.add_capture()

    report = harness.report_service.build_live_report(FIRST_DAY)

    assert (report.summary.counts.created, report.summary.state) == (2, SummaryState.PROVISIONAL)
    assert [(day.day, day.created, day.cumulative) for day in report.curve] == [(FIRST_DAY.day, 2, 2)]
    assert harness.summaries.stored_versions == []
    assert harness.list_dirty_days() == [FIRST_DAY]


def test_the_curve_of_a_live_report_adds_the_running_day_to_earlier_days() -> None:
    harness = RollUpHarness(FINAL)
    harness.add_capture(FIRST_DAY)
    harness.run_rollup()
    harness.clock.advance(AN_HOUR)
    harness.add_capture(SECOND_DAY)

    report = harness.report_service.build_live_report(SECOND_DAY)

    assert [day.cumulative for day in report.curve] == [1, 2]


def test_a_live_report_is_as_of_now_even_if_no_figure_changed() -> None:
    harness = RollUpHarness()
    harness.add_capture()
    harness.run_rollup()
    harness.clock.advance(AN_HOUR)

    assert (
        harness.report_service.build_live_report(FIRST_DAY).summary.counted_at == "2024-10-09T14:00:00.000Z"
    )


def test_the_live_report_of_a_final_day_is_its_stored_report() -> None:
    harness = RollUpHarness(FINAL)
    harness.add_capture()
    harness.run_rollup()
    harness.clock.advance(A_DAY)

    assert harness.report_service.build_live_report(FIRST_DAY) == harness.report_service.build_report(
        FIRST_DAY
    )
