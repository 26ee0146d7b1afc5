"""What a manager reads of a day: the summary, the campaign's curve, and what was revised since."""

from dataclasses import replace
from datetime import timedelta

import pytest

from chalicelib.campaigns.errors import CampaignUnknown
from chalicelib.registrations.captures import Outcome
from chalicelib.rollups.errors import SummaryUnknown
from chalicelib.rollups.model import Note, SummaryState
from chalicelib.rollups.report import CurvePoint
from tests.rollups.test_service import AN_HOUR, CREATED, FINAL, SUMMARY_HOUR, Stage
from tests.support.registration_builders import FIRST_DAY, SECOND_DAY, make_campaign

A_DAY = timedelta(days=1)


def test_a_report_is_of_the_newest_version_beside_its_campaign() -> None:
    stage = Stage()
    stage.capture()
    stage.tick()
    stage.capture()
    stage.tick()

    report = stage.rollup.build_report(FIRST_DAY)

    assert report.campaign == make_campaign()
    assert (report.summary.version, report.summary.counts.created) == (2, 2)


def test_an_older_version_stays_readable() -> None:
    stage = Stage()
    stage.tick()
    first = stage.rollup.get_summary(FIRST_DAY)
    stage.capture()
    stage.tick()

    assert stage.rollup.build_report(FIRST_DAY, version=1).summary == first
    with pytest.raises(SummaryUnknown):
        stage.rollup.build_report(FIRST_DAY, version=3)


def test_the_curve_leads_up_to_the_day_and_adds_up() -> None:
    stage = Stage(FINAL + A_DAY)
    for of in (FIRST_DAY, FIRST_DAY, SECOND_DAY):
        stage.capture(of)
    stage.tick()

    assert stage.rollup.build_report(SECOND_DAY).curve == (
        CurvePoint(FIRST_DAY.day, created=2, cumulative=2, version=1, state=SummaryState.FINAL),
        CurvePoint(SECOND_DAY.day, created=1, cumulative=3, version=1, state=SummaryState.FINAL),
    )
    assert len(stage.rollup.build_report(FIRST_DAY).curve) == 1


def test_a_day_is_listed_by_its_newest_version() -> None:
    stage = Stage()
    stage.tick()
    stage.capture()
    stage.tick()

    assert stage.rollup.list_headlines(FIRST_DAY.campaign_id) == [
        stage.rollup.get_summary(FIRST_DAY).headline
    ]
    with pytest.raises(CampaignUnknown):
        stage.rollup.list_headlines("senen-2024")


def test_a_day_that_became_final_in_the_ordinary_course_is_no_revision() -> None:
    stage = Stage()
    stage.tick()
    stage.clock.now = FINAL
    stage.tick()
    stage.clock.now = SUMMARY_HOUR + A_DAY
    stage.tick()

    assert stage.rollup.get_summary(FIRST_DAY).revision == 0
    assert stage.rollup.build_report(SECOND_DAY).revisions == ()


def test_a_final_day_that_changed_is_told_once_more_in_the_next_report() -> None:
    stage = Stage()
    stage.tick()
    stage.clock.now = FINAL
    stage.tick()
    stage.clock.advance(AN_HOUR)
    stage.capture(FIRST_DAY, replace(CREATED, client_id="van-2"))
    stage.tick()
    stage.clock.now = SUMMARY_HOUR + A_DAY
    stage.tick()

    (revised,) = stage.rollup.build_report(SECOND_DAY).revisions

    assert (revised.day, revised.version, revised.revision) == (FIRST_DAY.day, 3, 1)
    assert stage.rollup.build_report(FIRST_DAY).revisions == ()


def test_a_day_revised_in_steps_is_told_from_the_version_that_stood_before() -> None:
    stage = Stage(FINAL)
    stage.capture(FIRST_DAY)
    stage.tick()
    stage.clock.advance(AN_HOUR)
    late = replace(CREATED, client_id="van-2", received_on=SECOND_DAY.day)
    for _ in range(14):
        stage.capture(FIRST_DAY, late)
    stage.tick()
    stage.clock.advance(AN_HOUR)
    stage.capture(FIRST_DAY, replace(CREATED, outcome=Outcome.REFUSED))
    stage.tick()
    stage.clock.now = SUMMARY_HOUR + A_DAY
    stage.tick()

    (revised,) = stage.rollup.build_report(SECOND_DAY).revisions

    assert revised.version == 3
    assert revised.notes == [Note(difference=14, client_id="van-2", received_on=SECOND_DAY.day)]
    told = {change.figure: (change.was, change.now) for change in revised.changes}
    assert (told["counts.created"], told["counts.refused"]) == ((1, 15), (0, 1))
    assert stage.rollup.get_summary(FIRST_DAY).notes == [], "a version itself is told against the one before"


def test_what_one_report_has_told_the_next_does_not_tell_again() -> None:
    stage = Stage(FINAL)
    stage.tick()
    stage.clock.advance(AN_HOUR)
    stage.capture(FIRST_DAY, replace(CREATED, outcome=Outcome.REFUSED))
    stage.tick()
    stage.clock.now = SUMMARY_HOUR + A_DAY
    stage.tick()
    assert len(stage.rollup.build_report(SECOND_DAY).revisions) == 1

    stage.clock.now = FINAL + A_DAY
    stage.tick()

    assert stage.rollup.build_report(SECOND_DAY).summary.state is SummaryState.FINAL
    assert stage.rollup.build_report(SECOND_DAY).revisions == ()


def test_a_running_day_is_told_as_it_stands_and_nothing_is_written() -> None:
    stage = Stage(SUMMARY_HOUR - 6 * AN_HOUR)
    stage.capture()
    stage.capture()

    report = stage.rollup.build_live_report(FIRST_DAY)

    assert (report.summary.counts.created, report.summary.state) == (2, SummaryState.PROVISIONAL)
    assert [(day.day, day.created, day.cumulative) for day in report.curve] == [(FIRST_DAY.day, 2, 2)]
    assert stage.summaries.stored_versions == []
    assert stage.marked() == [FIRST_DAY]


def test_a_running_day_comes_on_top_of_the_days_before_it() -> None:
    stage = Stage(FINAL)
    stage.capture(FIRST_DAY)
    stage.tick()
    stage.clock.advance(AN_HOUR)
    stage.capture(SECOND_DAY)

    report = stage.rollup.build_live_report(SECOND_DAY)

    assert [day.cumulative for day in report.curve] == [1, 2]


def test_a_running_day_is_of_the_moment_even_where_nothing_is_new() -> None:
    stage = Stage()
    stage.capture()
    stage.tick()
    stage.clock.advance(AN_HOUR)

    assert stage.rollup.build_live_report(FIRST_DAY).summary.counted_at == "2024-10-09T14:00:00.000Z"


def test_a_final_day_is_not_counted_again_to_be_looked_at() -> None:
    stage = Stage(FINAL)
    stage.capture()
    stage.tick()
    stage.clock.advance(A_DAY)

    assert stage.rollup.build_live_report(FIRST_DAY) == stage.rollup.build_report(FIRST_DAY)
