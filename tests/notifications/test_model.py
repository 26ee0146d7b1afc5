"""The ledger's states, and the one id that an event leads to."""

from datetime import timedelta
from itertools import product

import pytest

from chalicelib.notifications.model import TRANSITIONS, IllegalTransition, TextState, message_id
from tests.builders import NOW
from tests.contracts.stored import a_text

ALLOWED = {
    (TextState.ATTEMPTING, TextState.PENDING),
    (TextState.ATTEMPTING, TextState.ACCEPTED),
    (TextState.ATTEMPTING, TextState.FAILED),
    (TextState.ATTEMPTING, TextState.UNKNOWN),
    (TextState.PENDING, TextState.ATTEMPTING),
}


def test_the_table_says_of_every_state_where_it_leads() -> None:
    assert set(TRANSITIONS) == set(TextState)


@pytest.mark.parametrize(("start", "end"), [*product(TextState, TextState)])
def test_each_move_is_made_or_refused_by_the_table(start: TextState, end: TextState) -> None:
    text = a_text(state=start)
    if (start, end) in ALLOWED:
        assert text.moved(end).state is end
    else:
        with pytest.raises(IllegalTransition):
            text.moved(end)


def test_only_a_text_that_surely_was_not_sent_is_attempted_again() -> None:
    again = a_text(state=TextState.PENDING, reason="ThrottlingException").attempted_again(
        NOW + timedelta(minutes=3)
    )
    assert (again.state, again.attempts, again.attempted_at) == (
        TextState.ATTEMPTING,
        2,
        NOW + timedelta(minutes=3),
    )
    assert again.reason is None
    for state in set(TextState) - {TextState.PENDING}:
        with pytest.raises(IllegalTransition):
            a_text(state=state).attempted_again(NOW)


def test_a_move_keeps_what_the_text_is_about() -> None:
    before = a_text()
    after = before.moved(TextState.ACCEPTED, gateway_id="g-1")
    assert (after.message_id, after.registration, after.attempts) == (
        before.message_id,
        before.registration,
        before.attempts,
    )
    assert after.gateway_id == "g-1"


def test_one_event_has_one_message_id_whoever_works_it_out() -> None:
    assert message_id("7K4-M2Q-X9P", "received", 1) == message_id("7K4-M2Q-X9P", "received", 1)
    assert message_id("7K4-M2Q-X9P", "received", 1) == "71402531b18d3473b3c274eee8d46613"


@pytest.mark.parametrize(
    "other", [("7K4-M2Q-X9R", "received", 1), ("7K4-M2Q-X9P", "paid", 1), ("7K4-M2Q-X9P", "received", 2)]
)
def test_another_event_has_another_message_id(other: tuple[str, str, int]) -> None:
    assert message_id(*other) != message_id("7K4-M2Q-X9P", "received", 1)
