"""Revisions of days and correction mails: each change is reported once, relative to what managers know."""

from dataclasses import replace
from datetime import timedelta

from chalicelib.messaging.errors import PermanentFailure
from chalicelib.registrations.captures import CaptureFacts, Outcome
from chalicelib.rollups.model import Change, SummaryState
from chalicelib.rollups.outbox import Consumer
from tests.support.delivery_harness import DeliveryHarness
from tests.support.registration_builders import FIRST_DAY, SECOND_DAY
from tests.support.report_builders import CREATED, FINAL, SUMMARY_HOUR

RUN_INTERVAL, AN_HOUR, A_DAY = timedelta(minutes=5), timedelta(hours=1), timedelta(days=1)
BOTH = {"Manajer Satu": 1, "Manajer Dua": 1}
CAMPAIGN_FINAL = FINAL + A_DAY  # The campaign's second day, its last, is final.


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
