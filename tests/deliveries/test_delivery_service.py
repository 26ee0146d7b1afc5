"""Each manager is told of each report at most once, whatever ticks, repeats, fails or is late."""

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from chalicelib.deliveries.model import CLAIM_TIMEOUT, MAX_ATTEMPTS, DeliveryState, Medium
from chalicelib.messaging.errors import OutcomeUnknown, PermanentFailure, TransientFailure
from chalicelib.registrations.model import CaptureFacts, Outcome
from chalicelib.rollups.model import Change, SummaryState
from tests.rollups.test_service import CREATED, FINAL, SUMMARY_HOUR
from tests.support.delivery_harness import MANAGER_ONE, MANAGER_TWO, DeliveryHarness
from tests.support.registration_builders import FIRST_DAY, SECOND_DAY, make_campaign

A_ROUND, AN_HOUR, A_DAY = timedelta(minutes=5), timedelta(hours=1), timedelta(days=1)
BOTH = {"Manajer Satu": 1, "Manajer Dua": 1}
OVER = FINAL + A_DAY  # The campaign's second day, its last, is final.


def test_at_the_summary_hour_each_manager_gets_one_mail_and_one_text() -> None:
    stage = DeliveryHarness()
    stage.add_captures(number=7)

    stage.run_hour()

    assert stage.mail_channel.sent_per_manager == stage.sms_channel.sent_per_manager == BOTH
    (report, _) = stage.mail_channel.sent_reports
    assert (report.summary.state, report.summary.counts.created) == (SummaryState.PROVISIONAL, 7)


def test_rounds_that_repeat_tell_nothing_more() -> None:
    stage = DeliveryHarness()
    stage.add_captures()
    for _ in range(3):
        stage.run_hour()
        stage.clock.advance(A_ROUND)

    assert stage.mail_channel.sent_per_manager == stage.sms_channel.sent_per_manager == BOTH


def test_the_final_report_of_the_morning_is_mailed_and_not_texted() -> None:
    stage = DeliveryHarness()
    stage.run_hour()
    stage.clock.now = FINAL

    stage.run_hour()

    assert [each.summary.state for each in stage.mail_channel.sent_reports] == [
        SummaryState.PROVISIONAL
    ] * 2 + [SummaryState.FINAL] * 2
    assert stage.sms_channel.sent_per_manager == BOTH


def test_a_stage_may_text_the_final_report_too() -> None:
    stage = DeliveryHarness(FINAL)
    stage.run_rollup()

    stage.run_delivery(stage.make_delivery_service(sms_states=(SummaryState.PROVISIONAL, SummaryState.FINAL)))

    assert stage.sms_channel.sent_per_manager == BOTH


def test_a_day_counted_once_more_in_the_evening_is_told_in_the_morning() -> None:
    stage = DeliveryHarness()
    stage.run_hour()
    stage.clock.advance(AN_HOUR)
    stage.add_captures()
    stage.run_hour()
    assert stage.mail_channel.sent_per_manager == BOTH
    stage.clock.now = FINAL

    stage.run_hour()

    assert stage.mail_channel.sent_reports[-1].summary.counts.created == 1
    assert stage.mail_channel.sent_per_manager == dict.fromkeys(BOTH, 2)


def test_a_recount_at_noon_tells_nobody_and_the_evening_its_own_number() -> None:
    stage = DeliveryHarness(SUMMARY_HOUR - 8 * AN_HOUR)
    stage.add_captures(number=2)
    stage.rollup_service.recount(FIRST_DAY)
    assert stage.run_delivery() == []
    stage.clock.advance(AN_HOUR)
    stage.add_captures(number=5)
    stage.clock.now = SUMMARY_HOUR
    assert stage.run_delivery() == [], "this round came before the evening's count"

    stage.run_hour()

    assert (stage.mail_channel.sent_per_manager, stage.sms_channel.sent_per_manager) == (BOTH, BOTH)
    assert [each.summary.counts.created for each in stage.mail_channel.sent_reports] == [7, 7]


def test_what_a_recount_at_noon_said_is_told_in_the_evening_where_nothing_came_since() -> None:
    stage = DeliveryHarness(SUMMARY_HOUR - 8 * AN_HOUR)
    stage.facts.add(FIRST_DAY, CREATED)
    stage.rollup_service.recount(FIRST_DAY)
    stage.clock.now = SUMMARY_HOUR

    stage.run_hour()
    stage.clock.advance(AN_HOUR)
    stage.run_hour()

    assert stage.mail_channel.sent_per_manager == BOTH
    assert [
        (each.summary.version, each.summary.counts.created) for each in stage.mail_channel.sent_reports
    ] == [(1, 1)] * 2


def test_a_final_day_that_changed_is_told_in_the_next_report() -> None:
    stage = DeliveryHarness(FINAL)
    stage.run_hour()
    stage.clock.advance(AN_HOUR)
    stage.add_captures(number=3)
    stage.run_hour()
    assert stage.mail_channel.sent_per_manager == BOTH
    stage.clock.now = SUMMARY_HOUR + A_DAY

    stage.run_hour()

    told = stage.mail_channel.sent_reports[-1]
    assert (told.summary.day, [each.campaign_day for each in told.revisions]) == (SECOND_DAY.day, [FIRST_DAY])
    assert stage.mail_channel.sent_per_manager == dict.fromkeys(BOTH, 2)


def test_what_the_next_report_told_needs_no_letter() -> None:
    stage = DeliveryHarness(FINAL)
    stage.run_hour()
    stage.clock.advance(AN_HOUR)
    stage.add_captures(number=3)
    stage.run_hour()
    for at in (SUMMARY_HOUR + A_DAY, OVER, OVER + A_DAY, OVER + 2 * A_DAY):
        stage.clock.now = at
        stage.run_hour()

    assert [each.summary.campaign_day for each in stage.mail_channel.sent_reports[::2]] == [
        FIRST_DAY,
        SECOND_DAY,
        SECOND_DAY,
    ]
    assert list(stage.summaries.outbox.iter_entries("managers")) == []


def after_the_campaign(stage: DeliveryHarness) -> None:
    """Both days are final and told, and the morning is over."""
    for at in (FINAL, SUMMARY_HOUR + A_DAY, OVER):
        stage.clock.now = at
        stage.run_hour()
    stage.mail_channel.sent.clear()
    stage.clock.now = OVER + 3 * AN_HOUR


def test_after_the_campaign_what_changed_is_told_in_one_letter_on_the_next_morning() -> None:
    stage = DeliveryHarness()
    after_the_campaign(stage)
    stage.add_captures(FIRST_DAY, number=14)
    stage.add_captures(SECOND_DAY)
    stage.run_hour()
    assert stage.mail_channel.sent_per_manager == {}
    stage.clock.now = OVER + A_DAY

    stage.run_hour()
    stage.clock.advance(A_ROUND)
    stage.run_hour()

    assert stage.mail_channel.sent_per_manager == BOTH
    letter = stage.mail_channel.sent_reports[0]
    assert (letter.summary.campaign_day, letter.summary.counts.created) == (SECOND_DAY, 1)
    assert [(each.campaign_day, each.counts.created) for each in letter.revisions] == [(FIRST_DAY, 14)]
    assert stage.sms_channel.sent_per_manager == dict.fromkeys(BOTH, 1), (
        "of the first day's evening that was not missed"
    )


def test_no_letter_goes_before_the_last_report_that_tells_the_same() -> None:
    stage = DeliveryHarness(FINAL)
    stage.run_hour()
    stage.clock.now = SUMMARY_HOUR + A_DAY
    stage.run_hour()
    stage.clock.advance(AN_HOUR)
    stage.add_captures(FIRST_DAY, number=6)
    stage.run_hour()
    stage.mail_channel.sent.clear()
    stage.clock.now = OVER

    stage.run_delivery()
    stage.run_rollup()
    stage.run_delivery()

    assert stage.mail_channel.sent_per_manager == BOTH
    last = stage.mail_channel.sent_reports[0]
    assert (last.summary.campaign_day, last.summary.state) == (SECOND_DAY, SummaryState.FINAL)
    assert [each.campaign_day for each in last.revisions] == [FIRST_DAY]


def test_one_letter_a_morning_however_often_the_days_change() -> None:
    stage = DeliveryHarness()
    after_the_campaign(stage)
    for hour in range(1, 40):
        stage.add_captures(FIRST_DAY)
        stage.clock.now = OVER + 3 * AN_HOUR + hour * AN_HOUR
        stage.run_hour()

    assert stage.mail_channel.sent_per_manager == BOTH


def test_a_version_in_which_no_capture_came_or_went_is_no_reason_for_a_letter() -> None:
    stage = DeliveryHarness()
    after_the_campaign(stage)
    counted = stage.rollup_service.get_summary(FIRST_DAY)
    at = "2024-10-11T03:00:00.000Z"
    paid = counted.model_copy(
        update={"version": counted.version + 1, "counted_at": at, "content_hash": "paid"}
    )
    stage.summaries.add(paid)
    stage.clock.now = OVER + A_DAY

    stage.run_delivery()

    assert stage.mail_channel.sent_per_manager == {}
    assert list(stage.summaries.outbox.iter_entries("managers")) == []


def late(client_id: str = "van-2") -> CaptureFacts:
    return replace(CREATED, client_id=client_id, received_on=SECOND_DAY.day)


def test_a_day_revised_in_steps_is_told_from_the_version_that_managers_know() -> None:
    stage = DeliveryHarness(FINAL)
    stage.run_hour()
    for facts in ([late()] * 14, [replace(late(), outcome=Outcome.REFUSED)]):
        stage.clock.advance(AN_HOUR)
        for each in facts:
            stage.facts.add(FIRST_DAY, each)
        stage.rollup_service.mark_dirty(FIRST_DAY)
        stage.run_hour()
    stage.clock.now = SUMMARY_HOUR + A_DAY

    stage.run_hour()

    (revised,) = stage.mail_channel.sent_reports[-1].revisions
    assert [(note.difference, note.client_id) for note in revised.notes] == [(14, "van-2")]


def test_the_final_report_says_what_changed_since_the_evenings() -> None:
    stage = DeliveryHarness()
    stage.add_captures(number=2)
    stage.run_hour()
    for _ in range(2):
        stage.clock.advance(AN_HOUR)
        stage.facts.add(FIRST_DAY, late())
        stage.rollup_service.mark_dirty(FIRST_DAY)
        stage.run_hour()
    stage.clock.now = FINAL

    stage.run_hour()

    evening, _, final, _ = stage.mail_channel.sent_reports
    assert (evening.is_first, final.is_first) == (True, False)
    assert [note.difference for note in final.summary.notes] == [2]
    assert Change(figure="counts.created", was=2, now=4) in final.summary.changes
    assert stage.rollup_service.get_summary(FIRST_DAY).changes == [], (
        "the stored version is told against the one before"
    )


def test_a_manager_whom_the_evenings_mail_did_not_reach_gets_a_first_report_in_the_morning() -> None:
    stage = DeliveryHarness()
    stage.mail_channel.answers = [PermanentFailure("address_unusable")]
    stage.add_captures()
    stage.run_hour()
    stage.clock.now = FINAL

    stage.run_hour()

    assert [each.report.is_first for each in stage.mail_channel.sent] == [True, True, True, False]


def test_a_letter_says_what_changed_since_managers_were_told() -> None:
    stage = DeliveryHarness()
    after_the_campaign(stage)
    for day in (FIRST_DAY, SECOND_DAY):
        for _ in range(3):
            stage.clock.advance(AN_HOUR)
            stage.add_captures(day)
            stage.run_hour()
    stage.clock.now = OVER + A_DAY

    stage.run_hour()

    letter = stage.mail_channel.sent_reports[0]
    for told in (letter.summary, *letter.revisions):
        assert Change(figure="counts.created", was=0, now=3) in told.changes


def test_days_of_long_ago_are_no_news() -> None:
    stage = DeliveryHarness(FINAL + timedelta(days=40))
    stage.add_captures()

    stage.run_hour()

    assert stage.mail_channel.sent_per_manager == {}
    assert list(stage.summaries.outbox.iter_entries("managers")) == []


def test_a_manager_whose_mail_is_not_taken_holds_up_no_other_and_is_tried_again() -> None:
    stage = DeliveryHarness()
    stage.mail_channel.answers = [TransientFailure("TooManyRequestsException")]
    stage.run_hour()
    assert stage.mail_channel.sent_per_manager == BOTH
    stage.clock.advance(A_ROUND)

    (tried,) = stage.run_delivery()

    assert (tried.state, tried.attempts) == (DeliveryState.ACCEPTED, 2)
    assert stage.mail_channel.sent_per_manager == {"Manajer Satu": 2, "Manajer Dua": 1}


def test_a_manager_told_before_the_day_changed_hears_of_the_change() -> None:
    stage = DeliveryHarness(FINAL)
    stage.mail_channel.answers = [None, TransientFailure("TooManyRequestsException")]
    stage.run_hour()
    stage.clock.advance(A_ROUND)
    stage.add_captures(number=9)
    stage.run_hour()
    assert [each.summary.counts.created for each in stage.mail_channel.sent_reports] == [0, 0, 9]
    stage.clock.now = SUMMARY_HOUR + A_DAY

    stage.run_hour()

    told = [each.report for each in stage.mail_channel.sent if each.manager.name == "Manajer Satu"]
    assert [each.counts.created for each in told[-1].revisions] == [9]


def test_a_mail_that_is_never_taken_is_given_up() -> None:
    stage = DeliveryHarness(campaign=make_campaign(managers=[{**MANAGER_ONE, "phone": None}]))
    stage.mail_channel.answers = [TransientFailure("SendingPausedException")] * (MAX_ATTEMPTS + 5)
    stage.run_rollup()
    last = []
    for _ in range(MAX_ATTEMPTS + 3):
        last = stage.run_delivery() or last
        stage.clock.advance(A_ROUND)

    assert [(each.state, each.reason) for each in last] == [(DeliveryState.FAILED, "SendingPausedException")]
    assert len(stage.mail_channel.sent) == MAX_ATTEMPTS
    assert list(stage.summaries.outbox.iter_entries("managers")) == []


def test_a_mail_that_was_refused_is_not_tried_again() -> None:
    stage = DeliveryHarness()
    stage.mail_channel.answers = [PermanentFailure("address_unusable")]
    stage.run_hour()
    stage.clock.advance(A_ROUND)

    assert stage.run_delivery() == []
    assert stage.mail_channel.sent_per_manager == BOTH


def test_of_a_lost_answer_a_mail_is_sent_once_more_and_a_text_never() -> None:
    stage = DeliveryHarness(campaign=make_campaign(managers=[MANAGER_ONE]))
    for way in (stage.mail_channel, stage.sms_channel):
        way.answers = [OutcomeUnknown("ReadTimeoutError")] * 5
    for _ in range(4):
        stage.run_hour()
        stage.clock.advance(A_ROUND)

    assert (len(stage.mail_channel.sent), len(stage.sms_channel.sent)) == (2, 1)
    assert {each.state for each in stage.deliveries.by_id.values()} == {DeliveryState.UNKNOWN}


def test_what_nobody_foresaw_about_one_manager_holds_up_no_other() -> None:
    stage = DeliveryHarness()
    broken = RuntimeError("a rendering is broken")
    stage.mail_channel.answers = [broken]

    stage.run_hour()

    assert stage.failures == [broken]
    assert stage.mail_channel.sent_per_manager == BOTH


@pytest.mark.parametrize(("medium", "sent_again"), [(Medium.MAIL, 1), (Medium.SMS, 0)])
def test_a_sender_that_was_stopped_leaves_a_mail_to_the_next_and_no_text(
    medium: Medium, sent_again: int
) -> None:
    stage = DeliveryHarness(campaign=make_campaign(managers=[MANAGER_ONE]))
    stage.run_rollup()
    way = stage.mail_channel if medium is Medium.MAIL else stage.sms_channel
    way.answers = [KeyboardInterrupt()]
    with pytest.raises(KeyboardInterrupt):
        stage.run_delivery(stage.make_delivery_service(medium))
    stage.clock.advance(CLAIM_TIMEOUT - timedelta(seconds=1))
    assert stage.run_delivery(stage.make_delivery_service(medium)) == [], "its sender may still be at work"
    stage.clock.advance(timedelta(seconds=1))

    stage.run_delivery(stage.make_delivery_service(medium))

    assert len(way.sent) == 1 + sent_again


def test_of_two_rounds_at_once_only_one_sends() -> None:
    stage = DeliveryHarness(campaign=make_campaign(managers=[MANAGER_ONE]))
    stage.run_rollup()
    other = stage.make_delivery_service()

    def the_other_is_first() -> None:
        stage.deliveries.before_write = lambda: None
        stage.run_delivery(other)

    stage.deliveries.before_write = the_other_is_first

    stage.run_delivery()

    assert (len(stage.mail_channel.sent), len(stage.sms_channel.sent)) == (1, 1)


def test_a_manager_without_an_address_or_a_number_is_not_told_that_way() -> None:
    stage = DeliveryHarness(
        campaign=make_campaign(managers=[{**MANAGER_ONE, "email": None}, {**MANAGER_TWO, "phone": None}])
    )

    stage.run_hour()

    assert stage.mail_channel.sent_per_manager == {"Manajer Dua": 1}
    assert stage.sms_channel.sent_per_manager == {"Manajer Satu": 1}


def test_without_a_sender_nobody_is_mailed_then_or_later() -> None:
    stage = DeliveryHarness()
    stage.run_rollup()
    without = stage.make_delivery_service(Medium.SMS)

    stage.run_delivery(without)

    assert not without.has_mail_channel
    assert stage.sms_channel.sent_per_manager == BOTH
    assert stage.run_delivery() == [], "what nobody was mailed of then is no news later"


def test_no_address_stands_in_what_is_kept() -> None:
    stage = DeliveryHarness()
    stage.run_hour()

    kept = repr(stage.deliveries.by_id)
    assert not [each for each in ("satu@", "dua@", "8123456", "Manajer") if each in kept]


@given(
    hours=st.lists(st.integers(0, 60), min_size=1, max_size=12),
    late=st.lists(st.integers(0, 60), max_size=5),
)
@settings(max_examples=60, deadline=None)
def test_whenever_it_ticks_each_report_is_told_once_and_the_last_figures_in_the_end(
    hours: Any, late: Any
) -> None:
    stage = DeliveryHarness(SUMMARY_HOUR - AN_HOUR)
    start = stage.clock.now
    for hour in sorted(hours + late):
        stage.clock.now = start + hour * AN_HOUR
        if hour in late:
            stage.add_captures(FIRST_DAY)
        stage.run_hour()
        stage.run_delivery()
    for days in (3, 4, 5):
        stage.clock.now = datetime(2024, 10, 9 + days, 1, tzinfo=UTC)
        stage.run_hour()

    for name in BOTH:
        own = [each.report for each in stage.mail_channel.sent if each.manager.name == name]
        reports = Counter((each.summary.campaign_day, each.summary.version) for each in own)
        assert set(reports.values()) == {1}
        told = {revised.campaign_day: revised for each in own for revised in (*each.revisions, each.summary)}
        for of in (FIRST_DAY, SECOND_DAY):
            assert told[of].counts == stage.rollup_service.get_summary(of).counts
    assert list(stage.summaries.outbox.iter_entries("managers")) == []


@given(
    st.lists(
        st.tuples(
            st.integers(0, 9),
            st.sampled_from([FIRST_DAY, SECOND_DAY]),
            st.sampled_from(["came", "came", "went", "refused", "recounted"]),
            st.booleans(),
        ),
        max_size=25,
    )
)
@example(
    [  # Two versions of the first day in the hour of a report that tells the first of them again.
        *((hours, FIRST_DAY, "came", False) for hours in (4, 4, 7, 8, 9, 0)),
        (0, SECOND_DAY, "came", False),
    ]
)
@settings(max_examples=80, deadline=None)
def test_what_managers_are_told_of_a_day_adds_up_from_the_first_number_to_the_last(happenings: Any) -> None:
    stage = DeliveryHarness(SUMMARY_HOUR - 8 * AN_HOUR)
    for hours, of, happening, delivers_first in happenings:
        stage.clock.advance(hours * AN_HOUR)
        if happening == "went":
            stage.facts.facts_by_day.get(of, [])[:1] = []
        elif happening == "recounted":
            stage.rollup_service.recount(of)
        else:
            stage.facts.add(of, late() if happening == "came" else replace(late(), outcome=Outcome.REFUSED))
        stage.rollup_service.mark_dirty(of)
        if delivers_first:
            stage.run_delivery()
        stage.run_hour()
    for days in range(3, 20):
        stage.clock.now = max(stage.clock.now, FINAL + days * A_DAY)
        stage.run_hour()

    for of in (FIRST_DAY, SECOND_DAY):
        reports = [
            each.report for each in stage.mail_channel.sent if each.manager.name == MANAGER_ONE["name"]
        ]
        told = [
            each
            for report in reports
            for each in (*report.revisions, report.summary)
            if each.campaign_day == of
        ]
        noted = sum(note.difference for each in told for note in each.notes)
        assert noted == told[-1].counts.created - told[0].counts.created
        assert told[-1].counts.created == stage.rollup_service.get_summary(of).counts.created
