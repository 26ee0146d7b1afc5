"""Each report is sent at most once to each manager, whatever is repeated, late, concurrent or interrupted."""

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from chalicelib.deliveries.model import CLAIM_TIMEOUT, MAX_ATTEMPTS, DeliveryState, Medium
from chalicelib.messaging.errors import OutcomeUnknown, PermanentFailure, TransientFailure
from chalicelib.registrations.captures import CaptureFacts, Outcome
from chalicelib.rollups.model import Change, SummaryState
from chalicelib.rollups.outbox import Consumer
from tests.support.delivery_harness import MANAGER_ONE, MANAGER_TWO, DeliveryHarness
from tests.support.registration_builders import FIRST_DAY, SECOND_DAY, make_campaign
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


def test_revision_of_a_final_day_is_sent_with_the_next_report() -> None:
    harness = DeliveryHarness(FINAL)
    harness.run_hour()
    harness.clock.advance(AN_HOUR)
    harness.add_captures(number=3)
    harness.run_hour()
    assert harness.mail_channel.sent_per_manager == BOTH
    harness.clock.now = SUMMARY_HOUR + A_DAY

    harness.run_hour()

    reported = harness.mail_channel.sent_reports[-1]
    assert (reported.summary.day, [each.campaign_day for each in reported.revisions]) == (
        SECOND_DAY.day,
        [FIRST_DAY],
    )
    assert harness.mail_channel.sent_per_manager == dict.fromkeys(BOTH, 2)


def test_revision_in_a_report_needs_no_correction_mail() -> None:
    harness = DeliveryHarness(FINAL)
    harness.run_hour()
    harness.clock.advance(AN_HOUR)
    harness.add_captures(number=3)
    harness.run_hour()
    for at in (SUMMARY_HOUR + A_DAY, CAMPAIGN_FINAL, CAMPAIGN_FINAL + A_DAY, CAMPAIGN_FINAL + 2 * A_DAY):
        harness.clock.now = at
        harness.run_hour()

    assert [each.summary.campaign_day for each in harness.mail_channel.sent_reports[::2]] == [
        FIRST_DAY,
        SECOND_DAY,
        SECOND_DAY,
    ]
    assert list(harness.summaries.outbox.iter_entries(Consumer.MANAGERS)) == []


def finish_campaign(harness: DeliveryHarness) -> None:
    """Deliver the final reports of both days, and advance the clock to three hours later."""
    for at in (FINAL, SUMMARY_HOUR + A_DAY, CAMPAIGN_FINAL):
        harness.clock.now = at
        harness.run_hour()
    harness.mail_channel.sent.clear()
    harness.clock.now = CAMPAIGN_FINAL + 3 * AN_HOUR


def test_revisions_after_the_campaign_are_sent_in_one_correction_mail_on_the_next_morning() -> None:
    harness = DeliveryHarness()
    finish_campaign(harness)
    harness.add_captures(FIRST_DAY, number=14)
    harness.add_captures(SECOND_DAY)
    harness.run_hour()
    assert harness.mail_channel.sent_per_manager == {}
    harness.clock.now = CAMPAIGN_FINAL + A_DAY

    harness.run_hour()
    harness.clock.advance(RUN_INTERVAL)
    harness.run_hour()

    assert harness.mail_channel.sent_per_manager == BOTH
    correction = harness.mail_channel.sent_reports[0]
    assert (correction.summary.campaign_day, correction.summary.counts.created) == (SECOND_DAY, 1)
    assert [(each.campaign_day, each.counts.created) for each in correction.revisions] == [(FIRST_DAY, 14)]
    assert harness.sms_channel.sent_per_manager == dict.fromkeys(BOTH, 1), "the SMS of the first evening"


def test_no_correction_mail_is_sent_before_the_last_report() -> None:
    harness = DeliveryHarness(FINAL)
    harness.run_hour()
    harness.clock.now = SUMMARY_HOUR + A_DAY
    harness.run_hour()
    harness.clock.advance(AN_HOUR)
    harness.add_captures(FIRST_DAY, number=6)
    harness.run_hour()
    harness.mail_channel.sent.clear()
    harness.clock.now = CAMPAIGN_FINAL

    harness.run_delivery()
    harness.run_rollup()
    harness.run_delivery()

    assert harness.mail_channel.sent_per_manager == BOTH
    last = harness.mail_channel.sent_reports[0]
    assert (last.summary.campaign_day, last.summary.state) == (SECOND_DAY, SummaryState.FINAL)
    assert [each.campaign_day for each in last.revisions] == [FIRST_DAY]


def test_one_correction_mail_is_sent_each_morning() -> None:
    harness = DeliveryHarness()
    finish_campaign(harness)
    for hour in range(1, 40):
        harness.add_captures(FIRST_DAY)
        harness.clock.now = CAMPAIGN_FINAL + 3 * AN_HOUR + hour * AN_HOUR
        harness.run_hour()

    assert harness.mail_channel.sent_per_manager == BOTH


def test_version_with_the_same_counts_needs_no_correction_mail() -> None:
    harness = DeliveryHarness()
    finish_campaign(harness)
    counted = harness.report_service.get_summary(FIRST_DAY)
    at = "2024-10-11T03:00:00.000Z"
    paid = counted.model_copy(
        update={"version": counted.version + 1, "counted_at": at, "content_hash": "paid"}
    )
    harness.summaries.add(paid)
    harness.clock.now = CAMPAIGN_FINAL + A_DAY

    harness.run_delivery()

    assert harness.mail_channel.sent_per_manager == {}
    assert list(harness.summaries.outbox.iter_entries(Consumer.MANAGERS)) == []


def make_late_capture(client_id: str = "van-2") -> CaptureFacts:
    return replace(CREATED, client_id=client_id, received_on=SECOND_DAY.day)


def test_revision_is_relative_to_the_version_that_managers_know() -> None:
    harness = DeliveryHarness(FINAL)
    harness.run_hour()
    for facts in ([make_late_capture()] * 14, [replace(make_late_capture(), outcome=Outcome.REFUSED)]):
        harness.clock.advance(AN_HOUR)
        for each in facts:
            harness.facts.add(FIRST_DAY, each)
        harness.rollup_service.mark_dirty(FIRST_DAY)
        harness.run_hour()
    harness.clock.now = SUMMARY_HOUR + A_DAY

    harness.run_hour()

    (revised,) = harness.mail_channel.sent_reports[-1].revisions
    assert [(note.difference, note.client_id) for note in revised.notes] == [(14, "van-2")]


def test_final_report_has_the_changes_since_the_provisional_one() -> None:
    harness = DeliveryHarness()
    harness.add_captures(number=2)
    harness.run_hour()
    for _ in range(2):
        harness.clock.advance(AN_HOUR)
        harness.facts.add(FIRST_DAY, make_late_capture())
        harness.rollup_service.mark_dirty(FIRST_DAY)
        harness.run_hour()
    harness.clock.now = FINAL

    harness.run_hour()

    evening, _, final, _ = harness.mail_channel.sent_reports
    assert (evening.is_first, final.is_first) == (True, False)
    assert [note.difference for note in final.summary.notes] == [2]
    assert Change(figure="counts.created", was=2, now=4) in final.summary.changes
    assert harness.report_service.get_summary(FIRST_DAY).changes == [], (
        "the stored version has the changes since the one before"
    )


def test_final_report_is_a_first_report_if_the_provisional_mail_failed() -> None:
    harness = DeliveryHarness()
    harness.mail_channel.answers = [PermanentFailure("address_unusable")]
    harness.add_captures()
    harness.run_hour()
    harness.clock.now = FINAL

    harness.run_hour()

    assert [each.report.is_first for each in harness.mail_channel.sent] == [True, True, True, False]


def test_correction_mail_has_the_changes_since_the_last_report() -> None:
    harness = DeliveryHarness()
    finish_campaign(harness)
    for day in (FIRST_DAY, SECOND_DAY):
        for _ in range(3):
            harness.clock.advance(AN_HOUR)
            harness.add_captures(day)
            harness.run_hour()
    harness.clock.now = CAMPAIGN_FINAL + A_DAY

    harness.run_hour()

    correction = harness.mail_channel.sent_reports[0]
    for reported in (correction.summary, *correction.revisions):
        assert Change(figure="counts.created", was=0, now=3) in reported.changes


def test_expired_days_are_removed_without_a_report() -> None:
    harness = DeliveryHarness(FINAL + timedelta(days=40))
    harness.add_captures()

    harness.run_hour()

    assert harness.mail_channel.sent_per_manager == {}
    assert list(harness.summaries.outbox.iter_entries(Consumer.MANAGERS)) == []


def test_rejected_mail_is_retried_and_does_not_delay_other_managers() -> None:
    harness = DeliveryHarness()
    harness.mail_channel.answers = [TransientFailure("TooManyRequestsException")]
    harness.run_hour()
    assert harness.mail_channel.sent_per_manager == BOTH
    harness.clock.advance(RUN_INTERVAL)

    (retried,) = harness.run_delivery()

    assert (retried.state, retried.attempts) == (DeliveryState.ACCEPTED, 2)
    assert harness.mail_channel.sent_per_manager == {"Manajer Satu": 2, "Manajer Dua": 1}


def test_manager_who_got_an_older_version_gets_the_revision() -> None:
    harness = DeliveryHarness(FINAL)
    harness.mail_channel.answers = [None, TransientFailure("TooManyRequestsException")]
    harness.run_hour()
    harness.clock.advance(RUN_INTERVAL)
    harness.add_captures(number=9)
    harness.run_hour()
    assert [each.summary.counts.created for each in harness.mail_channel.sent_reports] == [0, 0, 9]
    harness.clock.now = SUMMARY_HOUR + A_DAY

    harness.run_hour()

    reported = [each.report for each in harness.mail_channel.sent if each.manager.name == "Manajer Satu"]
    assert [each.counts.created for each in reported[-1].revisions] == [9]


def test_mail_fails_after_the_maximum_of_attempts() -> None:
    harness = DeliveryHarness(campaign=make_campaign(managers=[{**MANAGER_ONE, "phone": None}]))
    harness.mail_channel.answers = [TransientFailure("SendingPausedException")] * (MAX_ATTEMPTS + 5)
    harness.run_rollup()
    last = harness.run_delivery()
    for _ in range(MAX_ATTEMPTS + 3):
        last = harness.run_delivery() or last
        harness.clock.advance(RUN_INTERVAL)

    assert [(each.state, each.reason) for each in last] == [(DeliveryState.FAILED, "SendingPausedException")]
    assert len(harness.mail_channel.sent) == MAX_ATTEMPTS
    assert list(harness.summaries.outbox.iter_entries(Consumer.MANAGERS)) == []


def test_permanent_failure_of_a_mail_is_not_retried() -> None:
    harness = DeliveryHarness()
    harness.mail_channel.answers = [PermanentFailure("address_unusable")]
    harness.run_hour()
    harness.clock.advance(RUN_INTERVAL)

    assert harness.run_delivery() == []
    assert harness.mail_channel.sent_per_manager == BOTH


def test_unknown_outcome_repeats_a_mail_once_and_an_sms_never() -> None:
    harness = DeliveryHarness(campaign=make_campaign(managers=[MANAGER_ONE]))
    for channel in (harness.mail_channel, harness.sms_channel):
        channel.answers = [OutcomeUnknown("ReadTimeoutError")] * 5
    for _ in range(4):
        harness.run_hour()
        harness.clock.advance(RUN_INTERVAL)

    assert (len(harness.mail_channel.sent), len(harness.sms_channel.sent)) == (2, 1)
    assert {each.state for each in harness.deliveries.by_id.values()} == {DeliveryState.UNKNOWN}


def test_unexpected_error_does_not_delay_other_managers() -> None:
    harness = DeliveryHarness()
    failure = RuntimeError("rendering failed")
    harness.mail_channel.answers = [failure]

    harness.run_hour()

    assert harness.failures == [failure]
    assert harness.mail_channel.sent_per_manager == BOTH


@pytest.mark.parametrize(("medium", "sent_again"), [(Medium.MAIL, 1), (Medium.SMS, 0)])
def test_claim_whose_process_died_repeats_a_mail_but_no_sms(medium: Medium, sent_again: int) -> None:
    harness = DeliveryHarness(campaign=make_campaign(managers=[MANAGER_ONE]))
    harness.run_rollup()
    channel = harness.mail_channel if medium is Medium.MAIL else harness.sms_channel
    channel.answers = [KeyboardInterrupt()]
    with pytest.raises(KeyboardInterrupt):
        harness.run_delivery(harness.make_delivery_service(medium))
    harness.clock.advance(CLAIM_TIMEOUT - timedelta(seconds=1))
    assert harness.run_delivery(harness.make_delivery_service(medium)) == [], "its process may still be alive"
    harness.clock.advance(timedelta(seconds=1))

    harness.run_delivery(harness.make_delivery_service(medium))

    assert len(channel.sent) == 1 + sent_again


def test_one_of_two_concurrent_runs_sends() -> None:
    harness = DeliveryHarness(campaign=make_campaign(managers=[MANAGER_ONE]))
    harness.run_rollup()
    other = harness.make_delivery_service()

    def run_other_first() -> None:
        harness.deliveries.before_write = lambda: None
        harness.run_delivery(other)

    harness.deliveries.before_write = run_other_first

    harness.run_delivery()

    assert (len(harness.mail_channel.sent), len(harness.sms_channel.sent)) == (1, 1)


def test_manager_without_an_address_gets_nothing_on_that_channel() -> None:
    harness = DeliveryHarness(
        campaign=make_campaign(managers=[{**MANAGER_ONE, "email": None}, {**MANAGER_TWO, "phone": None}])
    )

    harness.run_hour()

    assert harness.mail_channel.sent_per_manager == {"Manajer Dua": 1}
    assert harness.sms_channel.sent_per_manager == {"Manajer Satu": 1}


def test_no_mail_is_sent_without_a_sender_nor_later() -> None:
    harness = DeliveryHarness()
    harness.run_rollup()
    without_mail = harness.make_delivery_service(Medium.SMS)

    harness.run_delivery(without_mail)

    assert not without_mail.has_mail_channel
    assert harness.sms_channel.sent_per_manager == BOTH
    assert harness.run_delivery() == [], "its days were removed"


def test_stored_deliveries_hold_no_address() -> None:
    harness = DeliveryHarness()
    harness.run_hour()

    stored = repr(harness.deliveries.by_id)
    assert not [each for each in ("satu@", "dua@", "8123456", "Manajer") if each in stored]


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
