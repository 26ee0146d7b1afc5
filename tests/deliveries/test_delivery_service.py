"""Each report is sent at most once to each manager, whatever is repeated, late, concurrent or interrupted."""

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from chalicelib.registrations.captures import CaptureFacts, Outcome
from chalicelib.rollups.model import SummaryState
from chalicelib.rollups.outbox import Consumer
from tests.support.delivery_harness import MANAGER_ONE, DeliveryHarness
from tests.support.registration_builders import FIRST_DAY, SECOND_DAY
from tests.support.report_builders import CREATED, FINAL, SUMMARY_HOUR

RUN_INTERVAL, AN_HOUR, A_DAY = timedelta(minutes=5), timedelta(hours=1), timedelta(days=1)
BOTH = {"Manajer Satu": 1, "Manajer Dua": 1}
CAMPAIGN_FINAL = FINAL + A_DAY  # The campaign's second day, its last, is final.


def test_provisional_report_is_sent_once_by_mail_and_sms() -> None:
    harness = DeliveryHarness()
    harness.add_captures(number=7)

    harness.run_hour()

    assert harness.mail_channel.sent_per_manager == harness.sms_channel.sent_per_manager == BOTH
    (report, _) = harness.mail_channel.sent_reports
    assert (report.summary.state, report.summary.counts.created) == (SummaryState.PROVISIONAL, 7)


def test_repeated_runs_send_nothing() -> None:
    harness = DeliveryHarness()
    harness.add_captures()
    for _ in range(3):
        harness.run_hour()
        harness.clock.advance(RUN_INTERVAL)

    assert harness.mail_channel.sent_per_manager == harness.sms_channel.sent_per_manager == BOTH


def test_final_report_is_sent_by_mail_alone() -> None:
    harness = DeliveryHarness()
    harness.run_hour()
    harness.clock.now = FINAL

    harness.run_hour()

    assert [each.summary.state for each in harness.mail_channel.sent_reports] == [
        SummaryState.PROVISIONAL
    ] * 2 + [SummaryState.FINAL] * 2
    assert harness.sms_channel.sent_per_manager == BOTH


def test_final_report_is_sent_by_sms_if_configured() -> None:
    harness = DeliveryHarness(FINAL)
    harness.run_rollup()

    harness.run_delivery(
        harness.make_delivery_service(sms_states=(SummaryState.PROVISIONAL, SummaryState.FINAL))
    )

    assert harness.sms_channel.sent_per_manager == BOTH


def test_recount_in_the_evening_is_sent_with_the_final_report() -> None:
    harness = DeliveryHarness()
    harness.run_hour()
    harness.clock.advance(AN_HOUR)
    harness.add_captures()
    harness.run_hour()
    assert harness.mail_channel.sent_per_manager == BOTH
    harness.clock.now = FINAL

    harness.run_hour()

    assert harness.mail_channel.sent_reports[-1].summary.counts.created == 1
    assert harness.mail_channel.sent_per_manager == dict.fromkeys(BOTH, 2)


def test_recount_before_the_summary_hour_sends_nothing() -> None:
    harness = DeliveryHarness(SUMMARY_HOUR - 8 * AN_HOUR)
    harness.add_captures(number=2)
    harness.rollup_service.recount(FIRST_DAY)
    assert harness.run_delivery() == []
    harness.clock.advance(AN_HOUR)
    harness.add_captures(number=5)
    harness.clock.now = SUMMARY_HOUR
    assert harness.run_delivery() == [], "this run came before the count of the evening"

    harness.run_hour()

    assert (harness.mail_channel.sent_per_manager, harness.sms_channel.sent_per_manager) == (BOTH, BOTH)
    assert [each.summary.counts.created for each in harness.mail_channel.sent_reports] == [7, 7]


def test_early_recount_is_sent_at_the_summary_hour_if_nothing_changed() -> None:
    harness = DeliveryHarness(SUMMARY_HOUR - 8 * AN_HOUR)
    harness.facts.add(FIRST_DAY, CREATED)
    harness.rollup_service.recount(FIRST_DAY)
    harness.clock.now = SUMMARY_HOUR

    harness.run_hour()
    harness.clock.advance(AN_HOUR)
    harness.run_hour()

    assert harness.mail_channel.sent_per_manager == BOTH
    assert [
        (each.summary.version, each.summary.counts.created) for each in harness.mail_channel.sent_reports
    ] == [(1, 1)] * 2


def make_late_capture(client_id: str = "van-2") -> CaptureFacts:
    return replace(CREATED, client_id=client_id, received_on=SECOND_DAY.day)


def test_expired_days_are_removed_without_a_report() -> None:
    harness = DeliveryHarness(FINAL + timedelta(days=40))
    harness.add_captures()

    harness.run_hour()

    assert harness.mail_channel.sent_per_manager == {}
    assert list(harness.summaries.outbox.iter_entries(Consumer.MANAGERS)) == []


@given(
    hours=st.lists(st.integers(0, 60), min_size=1, max_size=12),
    make_late_capture=st.lists(st.integers(0, 60), max_size=5),
)
@settings(max_examples=60, deadline=None)
def test_each_version_is_sent_once_and_the_last_counts_arrive(hours: Any, make_late_capture: Any) -> None:
    harness = DeliveryHarness(SUMMARY_HOUR - AN_HOUR)
    start = harness.clock.now
    for hour in sorted(hours + make_late_capture):
        harness.clock.now = start + hour * AN_HOUR
        if hour in make_late_capture:
            harness.add_captures(FIRST_DAY)
        harness.run_hour()
        harness.run_delivery()
    for days in (3, 4, 5):
        harness.clock.now = datetime(2024, 10, 9 + days, 1, tzinfo=UTC)
        harness.run_hour()

    for name in BOTH:
        own = [each.report for each in harness.mail_channel.sent if each.manager.name == name]
        reports = Counter((each.summary.campaign_day, each.summary.version) for each in own)
        assert set(reports.values()) == {1}
        reported = {
            revised.campaign_day: revised for each in own for revised in (*each.revisions, each.summary)
        }
        for campaign_day in (FIRST_DAY, SECOND_DAY):
            assert reported[campaign_day].counts == harness.report_service.get_summary(campaign_day).counts
    assert list(harness.summaries.outbox.iter_entries(Consumer.MANAGERS)) == []


@given(
    st.lists(
        st.tuples(
            st.integers(0, 9),
            st.sampled_from([FIRST_DAY, SECOND_DAY]),
            st.sampled_from(["added", "added", "removed", "refused", "recounted"]),
            st.booleans(),
        ),
        max_size=25,
    )
)
@example(
    [  # Two versions of the first day in the hour of a report that contains the first of them.
        *((hours, FIRST_DAY, "added", False) for hours in (4, 4, 7, 8, 9, 0)),
        (0, SECOND_DAY, "added", False),
    ]
)
@settings(max_examples=80, deadline=None)
def test_differences_in_reports_add_up_to_the_last_count(events: Any) -> None:
    harness = DeliveryHarness(SUMMARY_HOUR - 8 * AN_HOUR)
    for hours, campaign_day, event, delivers_first in events:
        harness.clock.advance(hours * AN_HOUR)
        if event == "removed":
            harness.facts.facts_by_day.get(campaign_day, [])[:1] = []
        elif event == "recounted":
            harness.rollup_service.recount(campaign_day)
        else:
            harness.facts.add(
                campaign_day,
                make_late_capture()
                if event == "added"
                else replace(make_late_capture(), outcome=Outcome.REFUSED),
            )
        harness.rollup_service.mark_dirty(campaign_day)
        if delivers_first:
            harness.run_delivery()
        harness.run_hour()
    for days in range(3, 20):
        harness.clock.now = max(harness.clock.now, FINAL + days * A_DAY)
        harness.run_hour()

    for campaign_day in (FIRST_DAY, SECOND_DAY):
        reports = [
            each.report for each in harness.mail_channel.sent if each.manager.name == MANAGER_ONE["name"]
        ]
        reported = [
            each
            for report in reports
            for each in (*report.revisions, report.summary)
            if each.campaign_day == campaign_day
        ]
        noted = sum(note.difference for each in reported for note in each.notes)
        assert noted == reported[-1].counts.created - reported[0].counts.created
        assert reported[-1].counts.created == harness.report_service.get_summary(campaign_day).counts.created
