"""Each manager is told of each report at most once, whatever ticks, repeats, fails or is late."""

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.deliveries.model import ABANDONED_AFTER, MOST_ATTEMPTS, DeliveryState, Medium
from chalicelib.notifications.errors import Never, OutcomeUnknown, TryLater
from chalicelib.registrations.model import CaptureFacts, Outcome
from chalicelib.rollups.model import Change, State
from tests.contracts.stored import FIRST_DAY, SECOND_DAY, the_campaign
from tests.deliveries.stage import ONE, TWO, Stage
from tests.rollups.test_service import CREATED, FINAL, SUMMARY_HOUR

A_ROUND, AN_HOUR, A_DAY = timedelta(minutes=5), timedelta(hours=1), timedelta(days=1)
BOTH = {"Manajer Satu": 1, "Manajer Dua": 1}
OVER = FINAL + A_DAY  # The campaign's second day, its last, is final.


def test_at_the_summary_hour_each_manager_gets_one_mail_and_one_text() -> None:
    stage = Stage()
    stage.capture(times=7)

    stage.tick()

    assert stage.mail.told == stage.text.told == BOTH
    (report, _) = stage.mail.reports
    assert (report.summary.state, report.summary.counts.created) == (State.PROVISIONAL, 7)


def test_rounds_that_repeat_tell_nothing_more() -> None:
    stage = Stage()
    stage.capture()
    for _ in range(3):
        stage.tick()
        stage.clock.forward(A_ROUND)

    assert stage.mail.told == stage.text.told == BOTH


def test_the_final_report_of_the_morning_is_mailed_and_not_texted() -> None:
    stage = Stage()
    stage.tick()
    stage.clock.at = FINAL

    stage.tick()

    assert [each.summary.state for each in stage.mail.reports] == [State.PROVISIONAL] * 2 + [State.FINAL] * 2
    assert stage.text.told == BOTH


def test_a_stage_may_text_the_final_report_too() -> None:
    stage = Stage(FINAL)
    stage.count()

    stage.deliver(stage.a_deliverer(texted=(State.PROVISIONAL, State.FINAL)))

    assert stage.text.told == BOTH


def test_a_day_counted_once_more_in_the_evening_is_told_in_the_morning() -> None:
    stage = Stage()
    stage.tick()
    stage.clock.forward(AN_HOUR)
    stage.capture()
    stage.tick()
    assert stage.mail.told == BOTH
    stage.clock.at = FINAL

    stage.tick()

    assert stage.mail.reports[-1].summary.counts.created == 1
    assert stage.mail.told == dict.fromkeys(BOTH, 2)


def test_a_recount_at_noon_tells_nobody_and_the_evening_its_own_number() -> None:
    stage = Stage(SUMMARY_HOUR - 8 * AN_HOUR)
    stage.capture(times=2)
    stage.rollup.recount(FIRST_DAY)
    assert stage.deliver() == []
    stage.clock.forward(AN_HOUR)
    stage.capture(times=5)
    stage.clock.at = SUMMARY_HOUR
    assert stage.deliver() == [], "this round came before the evening's count"

    stage.tick()

    assert (stage.mail.told, stage.text.told) == (BOTH, BOTH)
    assert [each.summary.counts.created for each in stage.mail.reports] == [7, 7]


def test_what_a_recount_at_noon_said_is_told_in_the_evening_where_nothing_came_since() -> None:
    stage = Stage(SUMMARY_HOUR - 8 * AN_HOUR)
    stage.facts.add(FIRST_DAY, CREATED)
    stage.rollup.recount(FIRST_DAY)
    stage.clock.at = SUMMARY_HOUR

    stage.tick()
    stage.clock.forward(AN_HOUR)
    stage.tick()

    assert stage.mail.told == BOTH
    assert [(each.summary.version, each.summary.counts.created) for each in stage.mail.reports] == [
        (1, 1)
    ] * 2


def test_a_final_day_that_changed_is_told_in_the_next_report() -> None:
    stage = Stage(FINAL)
    stage.tick()
    stage.clock.forward(AN_HOUR)
    stage.capture(times=3)
    stage.tick()
    assert stage.mail.told == BOTH
    stage.clock.at = SUMMARY_HOUR + A_DAY

    stage.tick()

    told = stage.mail.reports[-1]
    assert (told.summary.day, [each.of for each in told.revisions]) == (SECOND_DAY.day, [FIRST_DAY])
    assert stage.mail.told == dict.fromkeys(BOTH, 2)


def test_what_the_next_report_told_needs_no_letter() -> None:
    stage = Stage(FINAL)
    stage.tick()
    stage.clock.forward(AN_HOUR)
    stage.capture(times=3)
    stage.tick()
    for at in (SUMMARY_HOUR + A_DAY, OVER, OVER + A_DAY, OVER + 2 * A_DAY):
        stage.clock.at = at
        stage.tick()

    assert [each.summary.of for each in stage.mail.reports[::2]] == [FIRST_DAY, SECOND_DAY, SECOND_DAY]
    assert list(stage.summaries.outbox.waiting("managers")) == []


def after_the_campaign(stage: Stage) -> None:
    """Both days are final and told, and the morning is over."""
    for at in (FINAL, SUMMARY_HOUR + A_DAY, OVER):
        stage.clock.at = at
        stage.tick()
    stage.mail.sent.clear()
    stage.clock.at = OVER + 3 * AN_HOUR


def test_after_the_campaign_what_changed_is_told_in_one_letter_on_the_next_morning() -> None:
    stage = Stage()
    after_the_campaign(stage)
    stage.capture(FIRST_DAY, times=14)
    stage.capture(SECOND_DAY)
    stage.tick()
    assert stage.mail.told == {}
    stage.clock.at = OVER + A_DAY

    stage.tick()
    stage.clock.forward(A_ROUND)
    stage.tick()

    assert stage.mail.told == BOTH
    letter = stage.mail.reports[0]
    assert (letter.summary.of, letter.summary.counts.created) == (SECOND_DAY, 1)
    assert [(each.of, each.counts.created) for each in letter.revisions] == [(FIRST_DAY, 14)]
    assert stage.text.told == dict.fromkeys(BOTH, 1), "of the first day's evening that was not missed"


def test_no_letter_goes_before_the_last_report_that_tells_the_same() -> None:
    stage = Stage(FINAL)
    stage.tick()
    stage.clock.at = SUMMARY_HOUR + A_DAY
    stage.tick()
    stage.clock.forward(AN_HOUR)
    stage.capture(FIRST_DAY, times=6)
    stage.tick()
    stage.mail.sent.clear()
    stage.clock.at = OVER

    stage.deliver()
    stage.count()
    stage.deliver()

    assert stage.mail.told == BOTH
    last = stage.mail.reports[0]
    assert (last.summary.of, last.summary.state) == (SECOND_DAY, State.FINAL)
    assert [each.of for each in last.revisions] == [FIRST_DAY]


def test_one_letter_a_morning_however_often_the_days_change() -> None:
    stage = Stage()
    after_the_campaign(stage)
    for hour in range(1, 40):
        stage.capture(FIRST_DAY)
        stage.clock.at = OVER + 3 * AN_HOUR + hour * AN_HOUR
        stage.tick()

    assert stage.mail.told == BOTH


def test_a_version_in_which_no_capture_came_or_went_is_no_reason_for_a_letter() -> None:
    stage = Stage()
    after_the_campaign(stage)
    counted = stage.rollup.read(FIRST_DAY)
    at = "2024-10-11T03:00:00.000Z"
    paid = counted.model_copy(
        update={"version": counted.version + 1, "counted_at": at, "content_hash": "paid"}
    )
    stage.summaries.add(paid)
    stage.clock.at = OVER + A_DAY

    stage.deliver()

    assert stage.mail.told == {}
    assert list(stage.summaries.outbox.waiting("managers")) == []


def late(client_id: str = "van-2") -> CaptureFacts:
    return replace(CREATED, client_id=client_id, received_on=SECOND_DAY.day)


def test_a_day_revised_in_steps_is_told_from_the_version_that_managers_know() -> None:
    stage = Stage(FINAL)
    stage.tick()
    for facts in ([late()] * 14, [replace(late(), outcome=Outcome.REFUSED)]):
        stage.clock.forward(AN_HOUR)
        for each in facts:
            stage.facts.add(FIRST_DAY, each)
        stage.rollup.mark(FIRST_DAY)
        stage.tick()
    stage.clock.at = SUMMARY_HOUR + A_DAY

    stage.tick()

    (revised,) = stage.mail.reports[-1].revisions
    assert [(note.difference, note.client_id) for note in revised.notes] == [(14, "van-2")]


def test_the_final_report_says_what_changed_since_the_evenings() -> None:
    stage = Stage()
    stage.capture(times=2)
    stage.tick()
    for _ in range(2):
        stage.clock.forward(AN_HOUR)
        stage.facts.add(FIRST_DAY, late())
        stage.rollup.mark(FIRST_DAY)
        stage.tick()
    stage.clock.at = FINAL

    stage.tick()

    evening, _, final, _ = stage.mail.reports
    assert (evening.is_first, final.is_first) == (True, False)
    assert [note.difference for note in final.summary.notes] == [2]
    assert Change(figure="counts.created", was=2, now=4) in final.summary.changes
    assert stage.rollup.read(FIRST_DAY).changes == [], "the stored version is told against the one before"


def test_a_manager_whom_the_evenings_mail_did_not_reach_gets_a_first_report_in_the_morning() -> None:
    stage = Stage()
    stage.mail.answers = [Never("address_unusable")]
    stage.capture()
    stage.tick()
    stage.clock.at = FINAL

    stage.tick()

    assert [each.report.is_first for each in stage.mail.sent] == [True, True, True, False]


def test_a_letter_says_what_changed_since_managers_were_told() -> None:
    stage = Stage()
    after_the_campaign(stage)
    for day in (FIRST_DAY, SECOND_DAY):
        for _ in range(3):
            stage.clock.forward(AN_HOUR)
            stage.capture(day)
            stage.tick()
    stage.clock.at = OVER + A_DAY

    stage.tick()

    letter = stage.mail.reports[0]
    for told in (letter.summary, *letter.revisions):
        assert Change(figure="counts.created", was=0, now=3) in told.changes


def test_days_of_long_ago_are_no_news() -> None:
    stage = Stage(FINAL + timedelta(days=40))
    stage.capture()

    stage.tick()

    assert stage.mail.told == {}
    assert list(stage.summaries.outbox.waiting("managers")) == []


def test_a_manager_whose_mail_is_not_taken_holds_up_no_other_and_is_tried_again() -> None:
    stage = Stage()
    stage.mail.answers = [TryLater("TooManyRequestsException")]
    stage.tick()
    assert stage.mail.told == BOTH
    stage.clock.forward(A_ROUND)

    (tried,) = stage.deliver()

    assert (tried.state, tried.attempts) == (DeliveryState.ACCEPTED, 2)
    assert stage.mail.told == {"Manajer Satu": 2, "Manajer Dua": 1}


def test_a_manager_told_before_the_day_changed_hears_of_the_change() -> None:
    stage = Stage(FINAL)
    stage.mail.answers = [None, TryLater("TooManyRequestsException")]
    stage.tick()
    stage.clock.forward(A_ROUND)
    stage.capture(times=9)
    stage.tick()
    assert [each.summary.counts.created for each in stage.mail.reports] == [0, 0, 9]
    stage.clock.at = SUMMARY_HOUR + A_DAY

    stage.tick()

    told = [each.report for each in stage.mail.sent if each.manager.name == "Manajer Satu"]
    assert [each.counts.created for each in told[-1].revisions] == [9]


def test_a_mail_that_is_never_taken_is_given_up() -> None:
    stage = Stage(campaign=the_campaign(managers=[{**ONE, "phone": None}]))
    stage.mail.answers = [TryLater("SendingPausedException")] * (MOST_ATTEMPTS + 5)
    stage.count()
    last = []
    for _ in range(MOST_ATTEMPTS + 3):
        last = stage.deliver() or last
        stage.clock.forward(A_ROUND)

    assert [(each.state, each.reason) for each in last] == [(DeliveryState.FAILED, "SendingPausedException")]
    assert len(stage.mail.sent) == MOST_ATTEMPTS
    assert list(stage.summaries.outbox.waiting("managers")) == []


def test_a_mail_that_was_refused_is_not_tried_again() -> None:
    stage = Stage()
    stage.mail.answers = [Never("address_unusable")]
    stage.tick()
    stage.clock.forward(A_ROUND)

    assert stage.deliver() == []
    assert stage.mail.told == BOTH


def test_of_a_lost_answer_a_mail_is_sent_once_more_and_a_text_never() -> None:
    stage = Stage(campaign=the_campaign(managers=[ONE]))
    for way in (stage.mail, stage.text):
        way.answers = [OutcomeUnknown("ReadTimeoutError")] * 5
    for _ in range(4):
        stage.tick()
        stage.clock.forward(A_ROUND)

    assert (len(stage.mail.sent), len(stage.text.sent)) == (2, 1)
    assert {each.state for each in stage.deliveries.known.values()} == {DeliveryState.UNKNOWN}


def test_what_nobody_foresaw_about_one_manager_holds_up_no_other() -> None:
    stage = Stage()
    broken = RuntimeError("a rendering is broken")
    stage.mail.answers = [broken]

    stage.tick()

    assert stage.failures == [broken]
    assert stage.mail.told == BOTH


@pytest.mark.parametrize(("medium", "sent_again"), [(Medium.MAIL, 1), (Medium.TEXT, 0)])
def test_a_sender_that_was_stopped_leaves_a_mail_to_the_next_and_no_text(
    medium: Medium, sent_again: int
) -> None:
    stage = Stage(campaign=the_campaign(managers=[ONE]))
    stage.count()
    way = stage.mail if medium is Medium.MAIL else stage.text
    way.answers = [KeyboardInterrupt()]
    with pytest.raises(KeyboardInterrupt):
        stage.deliver(stage.a_deliverer(medium))
    stage.clock.forward(ABANDONED_AFTER - timedelta(seconds=1))
    assert stage.deliver(stage.a_deliverer(medium)) == [], "its sender may still be at work"
    stage.clock.forward(timedelta(seconds=1))

    stage.deliver(stage.a_deliverer(medium))

    assert len(way.sent) == 1 + sent_again


def test_of_two_rounds_at_once_only_one_sends() -> None:
    stage = Stage(campaign=the_campaign(managers=[ONE]))
    stage.count()
    other = stage.a_deliverer()

    def the_other_is_first() -> None:
        stage.deliveries.on_write = lambda: None
        stage.deliver(other)

    stage.deliveries.on_write = the_other_is_first

    stage.deliver()

    assert (len(stage.mail.sent), len(stage.text.sent)) == (1, 1)


def test_a_manager_without_an_address_or_a_number_is_not_told_that_way() -> None:
    stage = Stage(campaign=the_campaign(managers=[{**ONE, "email": None}, {**TWO, "phone": None}]))

    stage.tick()

    assert stage.mail.told == {"Manajer Dua": 1}
    assert stage.text.told == {"Manajer Satu": 1}


def test_without_a_sender_nobody_is_mailed_then_or_later() -> None:
    stage = Stage()
    stage.count()
    without = stage.a_deliverer(Medium.TEXT)

    stage.deliver(without)

    assert not without.can_mail
    assert stage.text.told == BOTH
    assert stage.deliver() == [], "what nobody was mailed of then is no news later"


def test_no_address_stands_in_what_is_kept() -> None:
    stage = Stage()
    stage.tick()

    kept = repr(stage.deliveries.known)
    assert not [each for each in ("satu@", "dua@", "8123456", "Manajer") if each in kept]


@given(
    hours=st.lists(st.integers(0, 60), min_size=1, max_size=12),
    late=st.lists(st.integers(0, 60), max_size=5),
)
@settings(max_examples=60, deadline=None)
def test_whenever_it_ticks_each_report_is_told_once_and_the_last_figures_in_the_end(
    hours: Any, late: Any
) -> None:
    stage = Stage(SUMMARY_HOUR - AN_HOUR)
    start = stage.clock.at
    for hour in sorted(hours + late):
        stage.clock.at = start + hour * AN_HOUR
        if hour in late:
            stage.capture(FIRST_DAY)
        stage.tick()
        stage.deliver()
    for days in (3, 4, 5):
        stage.clock.at = datetime(2024, 10, 9 + days, 1, tzinfo=UTC)
        stage.tick()

    for name in BOTH:
        own = [each.report for each in stage.mail.sent if each.manager.name == name]
        reports = Counter((each.summary.of, each.summary.version) for each in own)
        assert set(reports.values()) == {1}
        told = {revised.of: revised for each in own for revised in (*each.revisions, each.summary)}
        for of in (FIRST_DAY, SECOND_DAY):
            assert told[of].counts == stage.rollup.read(of).counts
    assert list(stage.summaries.outbox.waiting("managers")) == []


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
@settings(max_examples=80, deadline=None)
def test_what_managers_are_told_of_a_day_adds_up_from_the_first_number_to_the_last(happenings: Any) -> None:
    stage = Stage(SUMMARY_HOUR - 8 * AN_HOUR)
    for hours, of, happening, delivers_first in happenings:
        stage.clock.forward(hours * AN_HOUR)
        if happening == "went":
            stage.facts.by_day.get(of, [])[:1] = []
        elif happening == "recounted":
            stage.rollup.recount(of)
        else:
            stage.facts.add(of, late() if happening == "came" else replace(late(), outcome=Outcome.REFUSED))
        stage.rollup.mark(of)
        if delivers_first:
            stage.deliver()
        stage.tick()
    for days in range(3, 20):
        stage.clock.at = max(stage.clock.at, FINAL + days * A_DAY)
        stage.tick()

    for of in (FIRST_DAY, SECOND_DAY):
        reports = [each.report for each in stage.mail.sent if each.manager.name == ONE["name"]]
        told = [each for report in reports for each in (*report.revisions, report.summary) if each.of == of]
        noted = sum(note.difference for each in told for note in each.notes)
        assert noted == told[-1].counts.created - told[0].counts.created
        assert told[-1].counts.created == stage.rollup.read(of).counts.created
