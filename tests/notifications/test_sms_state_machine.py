"""The ledger's states, and the one id that an event leads to."""

from datetime import timedelta
from itertools import permutations, product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.messaging.attempts import IllegalTransition
from chalicelib.notifications.model import (
    TRANSITIONS,
    SendUpdate,
    Sms,
    SmsState,
    derive_sms_id,
)
from chalicelib.notifications.templates import Purpose
from tests.support.builders import NOW
from tests.support.registration_builders import make_sms

LATER = NOW + timedelta(minutes=1)

MOVES = {
    "claimed": lambda text: text.claim(NOW, budget_day=text.day, phone_day=text.day),
    "put off": lambda text: text.defer(LATER, "quiet_hours"),
    "held": lambda text: text.hold("budget_exhausted"),
    "released": lambda text: text.release(NOW, deadline=LATER),
    "given up": lambda text: text.abandon("expired"),
    "to be resent": lambda text: text.schedule_resend(NOW),
    "attempt started": lambda text: text.start_attempt(NOW),
    "not taken": lambda text: text.record_rejection(LATER, "later", None),
    "refused": lambda text: text.record_failure("never", None),
    "lost sight of": lambda text: text.record_unknown_outcome("timeout", None, may_resend=True),
    "accepted": lambda text: text.record_acceptance("aws", "g-1"),
    "sent": lambda text: text.apply_update(SendUpdate("aws", "g-1", SmsState.SENT)),
    "delivered": lambda text: text.apply_update(SendUpdate("aws", "g-1", SmsState.DELIVERED)),
    "failed": lambda text: text.apply_update(SendUpdate("aws", "g-1", SmsState.FAILED)),
}


def test_the_table_says_of_every_state_where_it_leads() -> None:
    assert set(TRANSITIONS) == set(SmsState)


def test_nothing_is_sent_again_once_it_is_known_to_have_gone() -> None:
    for state in (SmsState.ACCEPTED, SmsState.SENT, SmsState.DELIVERED, SmsState.FAILED):
        assert not TRANSITIONS[state] & {
            SmsState.PENDING,
            SmsState.CLAIMED,
            SmsState.ATTEMPT_STARTED,
            SmsState.HELD,
        }


def test_an_attempt_begins_only_in_a_claimed_text() -> None:
    assert [state for state in SmsState if SmsState.ATTEMPT_STARTED in TRANSITIONS[state]] == [
        SmsState.CLAIMED
    ]


@pytest.mark.parametrize(("start", "move"), [*product(SmsState, MOVES)])
def test_each_move_is_made_by_the_table_or_refused(start: SmsState, move: str) -> None:
    text = make_sms(state=start, budget_day=make_sms().day, attempts=1)
    try:
        moved = MOVES[move](text)
    except IllegalTransition:
        return
    assert moved.state is start or moved.state in TRANSITIONS[start]
    assert moved is text or moved.revision == text.revision + 1


def begun() -> Sms:
    return make_sms().claim(NOW, budget_day=make_sms().day, phone_day=make_sms().day).start_attempt(NOW)


def test_money_is_put_aside_by_the_claim_and_kept_through_the_attempt() -> None:
    claimed = make_sms().claim(NOW, budget_day=make_sms().day, phone_day=make_sms().day)
    assert (make_sms().committed, claimed.committed) == (0, 350)
    assert claimed.start_attempt(NOW).committed == 350
    assert claimed.start_attempt(NOW).record_rejection(LATER, "later", None).committed == 350
    assert claimed.start_attempt(NOW).record_acceptance("aws", "g-1").committed == 350
    assert claimed.start_attempt(NOW).record_failure("never", None).committed == 0
    assert claimed.defer(LATER, "stopped").abandon("expired").committed == 0


def test_a_text_given_up_after_an_attempt_nobody_saw_the_end_of_stays_unknown() -> None:
    unknown = begun().record_unknown_outcome("timeout", None, may_resend=True)
    given_up = unknown.schedule_resend(LATER).abandon("expired")
    assert (given_up.state, given_up.due_at, given_up.committed) == (SmsState.UNKNOWN, None, 350)


def test_what_is_not_harmless_twice_is_left_for_a_person() -> None:
    assert begun().record_unknown_outcome("timeout", None, may_resend=False).due_at is None
    assert begun().record_unknown_outcome("timeout", None, may_resend=True).due_at == NOW + timedelta(
        minutes=15
    )


REPORTS = [
    SendUpdate("aws", "g-1", SmsState.SENT),
    SendUpdate("aws", "g-1", SmsState.DELIVERED, parts=1, price=331),
    SendUpdate("aws", "g-1", SmsState.FAILED, reason="TEXT_UNREACHABLE"),
]


@pytest.mark.parametrize(
    "reports", [*permutations(REPORTS, 2)], ids=lambda some: "-".join(r.state for r in some)
)
def test_two_receipts_come_to_the_same_in_either_order(reports: tuple[SendUpdate, SendUpdate]) -> None:
    first, second = reports
    text = begun().record_acceptance("aws", "g-1")
    assert (
        text.apply_update(first).apply_update(second).state
        is text.apply_update(second).apply_update(first).state
    )


@given(reports=st.lists(st.sampled_from(REPORTS), min_size=1, max_size=8))
def test_receipts_only_add(reports: list[SendUpdate]) -> None:
    text = begun()
    for report in reports:
        text = text.apply_update(report)
    known = text
    for report in reports:
        assert known.apply_update(report) is known, "what is known adds nothing"
    assert (len(known.sends), known.open_attempts) == (1, 0)


def test_a_copy_that_failed_does_not_stop_the_next_one() -> None:
    resent = begun().record_unknown_outcome("timeout", None, may_resend=True).schedule_resend(LATER)
    failed = resent.apply_update(SendUpdate("aws", "g-1", SmsState.FAILED))
    assert (failed.state, failed.open_attempts) == (SmsState.PENDING, 0)


def test_what_two_copies_cost_is_added_up() -> None:
    twice = begun().record_unknown_outcome("timeout", None, may_resend=True).schedule_resend(LATER)
    twice = (
        twice.claim(LATER, budget_day=twice.day, phone_day=twice.day)
        .start_attempt(LATER)
        .record_acceptance("aws", "g-2")
    )
    assert twice.committed == 700
    both = twice.apply_update(SendUpdate("aws", "g-1", SmsState.SENT, parts=1, price=400))
    assert (both.committed, both.parts_sent, both.open_attempts) == (750, 2, 0)


def test_one_event_has_one_message_id_whoever_works_it_out() -> None:
    assert derive_sms_id("7K4-M2Q-X9P", Purpose.RECEIVED, 1) == "71402531b18d3473b3c274eee8d46613"


@pytest.mark.parametrize(
    "other",
    [
        ("7K4-M2Q-X9R", Purpose.RECEIVED, 1, 1),
        ("7K4-M2Q-X9P", Purpose.ACTIVE, 1, 1),
        ("7K4-M2Q-X9P", Purpose.RECEIVED, 2, 1),
        ("7K4-M2Q-X9P", Purpose.RECEIVED, 1, 2),
    ],
)
def test_another_event_has_another_message_id(other: tuple[str, Purpose, int, int]) -> None:
    assert derive_sms_id(*other) != derive_sms_id("7K4-M2Q-X9P", Purpose.RECEIVED, 1)


def test_a_report_on_a_text_that_nobody_was_given_adds_nothing() -> None:
    assert make_sms().apply_update(REPORTS[0]) == make_sms()
