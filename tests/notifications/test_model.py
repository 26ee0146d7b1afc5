"""The ledger's states, and the one id that an event leads to."""

from datetime import timedelta
from itertools import permutations, product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.notifications.model import TRANSITIONS, IllegalTransition, Report, Text, TextState, message_id
from chalicelib.notifications.templates import Purpose
from tests.builders import NOW
from tests.contracts.stored import a_text

LATER = NOW + timedelta(minutes=1)

MOVES = {
    "claimed": lambda text: text.claimed(NOW, budget_day=text.day, phone_day=text.day),
    "put off": lambda text: text.put_off(LATER, "quiet_hours"),
    "held": lambda text: text.held("budget_spent"),
    "released": lambda text: text.released(NOW, deadline=LATER),
    "given up": lambda text: text.given_up("expired"),
    "to be resent": lambda text: text.to_be_resent(NOW),
    "attempt started": lambda text: text.attempt_started(NOW),
    "not taken": lambda text: text.not_taken(LATER, "later", None),
    "refused": lambda text: text.refused("never", None),
    "lost sight of": lambda text: text.lost_sight_of("timeout", None, may_resend=True),
    "accepted": lambda text: text.accepted("aws", "g-1"),
    "sent": lambda text: text.noted(Report("aws", "g-1", TextState.SENT)),
    "delivered": lambda text: text.noted(Report("aws", "g-1", TextState.DELIVERED)),
    "failed": lambda text: text.noted(Report("aws", "g-1", TextState.FAILED)),
}


def test_the_table_says_of_every_state_where_it_leads() -> None:
    assert set(TRANSITIONS) == set(TextState)


def test_nothing_is_sent_again_once_it_is_known_to_have_gone() -> None:
    for state in (TextState.ACCEPTED, TextState.SENT, TextState.DELIVERED, TextState.FAILED):
        assert not TRANSITIONS[state] & {
            TextState.PENDING,
            TextState.CLAIMED,
            TextState.ATTEMPT_STARTED,
            TextState.HELD,
        }


def test_an_attempt_begins_only_in_a_claimed_text() -> None:
    assert [state for state in TextState if TextState.ATTEMPT_STARTED in TRANSITIONS[state]] == [
        TextState.CLAIMED
    ]


@pytest.mark.parametrize(("start", "move"), [*product(TextState, MOVES)])
def test_each_move_is_made_by_the_table_or_refused(start: TextState, move: str) -> None:
    text = a_text(state=start, budget_day=a_text().day, attempts=1)
    try:
        moved = MOVES[move](text)
    except IllegalTransition:
        return
    assert moved.state is start or moved.state in TRANSITIONS[start]
    assert moved is text or moved.revision == text.revision + 1


def begun() -> Text:
    return a_text().claimed(NOW, budget_day=a_text().day, phone_day=a_text().day).attempt_started(NOW)


def test_money_is_put_aside_by_the_claim_and_kept_through_the_attempt() -> None:
    claimed = a_text().claimed(NOW, budget_day=a_text().day, phone_day=a_text().day)
    assert (a_text().committed, claimed.committed) == (0, 350)
    assert claimed.attempt_started(NOW).committed == 350
    assert claimed.attempt_started(NOW).not_taken(LATER, "later", None).committed == 350
    assert claimed.attempt_started(NOW).accepted("aws", "g-1").committed == 350
    assert claimed.attempt_started(NOW).refused("never", None).committed == 0
    assert claimed.put_off(LATER, "stopped").given_up("expired").committed == 0


def test_a_text_given_up_after_an_attempt_nobody_saw_the_end_of_stays_unknown() -> None:
    unknown = begun().lost_sight_of("timeout", None, may_resend=True)
    given_up = unknown.to_be_resent(LATER).given_up("expired")
    assert (given_up.state, given_up.due_at, given_up.committed) == (TextState.UNKNOWN, None, 350)


def test_what_is_not_harmless_twice_is_left_for_a_person() -> None:
    assert begun().lost_sight_of("timeout", None, may_resend=False).due_at is None
    assert begun().lost_sight_of("timeout", None, may_resend=True).due_at == NOW + timedelta(minutes=15)


REPORTS = [
    Report("aws", "g-1", TextState.SENT),
    Report("aws", "g-1", TextState.DELIVERED, parts=1, price=331),
    Report("aws", "g-1", TextState.FAILED, reason="TEXT_UNREACHABLE"),
]


@pytest.mark.parametrize(
    "reports", [*permutations(REPORTS, 2)], ids=lambda some: "-".join(r.state for r in some)
)
def test_two_receipts_come_to_the_same_in_either_order(reports: tuple[Report, Report]) -> None:
    first, second = reports
    text = begun().accepted("aws", "g-1")
    assert text.noted(first).noted(second).state is text.noted(second).noted(first).state


@given(reports=st.lists(st.sampled_from(REPORTS), min_size=1, max_size=8))
def test_receipts_only_add(reports: list[Report]) -> None:
    text = begun()
    for report in reports:
        text = text.noted(report)
    known = text
    for report in reports:
        assert known.noted(report) is known, "what is known adds nothing"
    assert (len(known.sends), known.open_attempts) == (1, 0)


def test_a_copy_that_failed_does_not_stop_the_next_one() -> None:
    resent = begun().lost_sight_of("timeout", None, may_resend=True).to_be_resent(LATER)
    failed = resent.noted(Report("aws", "g-1", TextState.FAILED))
    assert (failed.state, failed.open_attempts) == (TextState.PENDING, 0)


def test_what_two_copies_cost_is_added_up() -> None:
    twice = begun().lost_sight_of("timeout", None, may_resend=True).to_be_resent(LATER)
    twice = (
        twice.claimed(LATER, budget_day=twice.day, phone_day=twice.day)
        .attempt_started(LATER)
        .accepted("aws", "g-2")
    )
    assert twice.committed == 700
    both = twice.noted(Report("aws", "g-1", TextState.SENT, parts=1, price=400))
    assert (both.committed, both.parts_sent, both.open_attempts) == (750, 2, 0)


def test_one_event_has_one_message_id_whoever_works_it_out() -> None:
    assert message_id("7K4-M2Q-X9P", Purpose.RECEIVED, 1) == "71402531b18d3473b3c274eee8d46613"


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
    assert message_id(*other) != message_id("7K4-M2Q-X9P", Purpose.RECEIVED, 1)


def test_a_report_on_a_text_that_nobody_was_given_adds_nothing() -> None:
    assert a_text().noted(REPORTS[0]) == a_text()
