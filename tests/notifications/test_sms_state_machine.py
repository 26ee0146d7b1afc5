"""The states of an SMS, and its id."""

from dataclasses import replace
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
)
from chalicelib.notifications.templates import SmsKind
from tests.support.builders import NOW
from tests.support.registration_builders import make_sms

LATER = NOW + timedelta(minutes=1)

CHANGES = {
    "claimed": lambda sms: sms.claim(NOW, budget_day=sms.day, phone_day=sms.day),
    "deferred": lambda sms: sms.defer(LATER, "quiet_hours"),
    "held": lambda sms: sms.hold("budget_exhausted"),
    "released": lambda sms: sms.release(NOW, deadline=LATER),
    "abandoned": lambda sms: sms.abandon("expired"),
    "scheduled to resend": lambda sms: sms.schedule_resend(NOW),
    "attempt started": lambda sms: sms.start_attempt(NOW),
    "rejected": lambda sms: sms.record_rejection(LATER, "later", None),
    "failed for good": lambda sms: sms.record_failure("never", None),
    "unknown": lambda sms: sms.record_unknown_outcome("timeout", None, may_resend=True),
    "accepted": lambda sms: sms.record_acceptance("aws", "g-1"),
    "sent": lambda sms: sms.apply_update(SendUpdate("aws", "g-1", SmsState.SENT)),
    "delivered": lambda sms: sms.apply_update(SendUpdate("aws", "g-1", SmsState.DELIVERED)),
    "failed": lambda sms: sms.apply_update(SendUpdate("aws", "g-1", SmsState.FAILED)),
}


def test_every_state_has_transitions() -> None:
    assert set(TRANSITIONS) == set(SmsState)


def test_settled_states_lead_to_no_attempt() -> None:
    for state in (SmsState.ACCEPTED, SmsState.SENT, SmsState.DELIVERED, SmsState.FAILED):
        assert not TRANSITIONS[state] & {
            SmsState.PENDING,
            SmsState.CLAIMED,
            SmsState.ATTEMPT_STARTED,
            SmsState.HELD,
        }


def test_attempt_starts_only_from_a_claim() -> None:
    assert [state for state in SmsState if SmsState.ATTEMPT_STARTED in TRANSITIONS[state]] == [
        SmsState.CLAIMED
    ]


@pytest.mark.parametrize(("state", "change"), [*product(SmsState, CHANGES)])
def test_each_change_follows_the_transitions_or_raises(state: SmsState, change: str) -> None:
    sms = make_sms(state=state, budget_day=make_sms().day, attempts=1)
    try:
        changed = CHANGES[change](sms)
    except IllegalTransition:
        return
    assert changed.state is state or changed.state in TRANSITIONS[state]
    assert changed is sms or changed.revision == sms.revision + 1


def make_started() -> Sms:
    return make_sms().claim(NOW, budget_day=make_sms().day, phone_day=make_sms().day).start_attempt(NOW)


def test_claim_reserves_the_price_until_the_outcome() -> None:
    claimed = make_sms().claim(NOW, budget_day=make_sms().day, phone_day=make_sms().day)
    assert (make_sms().committed, claimed.committed) == (0, 350)
    assert claimed.start_attempt(NOW).committed == 350
    assert claimed.start_attempt(NOW).record_rejection(LATER, "later", None).committed == 350
    assert claimed.start_attempt(NOW).record_acceptance("aws", "g-1").committed == 350
    assert claimed.start_attempt(NOW).record_failure("never", None).committed == 0
    assert claimed.defer(LATER, "stopped").abandon("expired").committed == 0


def test_sms_abandoned_after_an_unknown_outcome_stays_unknown() -> None:
    unknown = make_started().record_unknown_outcome("timeout", None, may_resend=True)
    abandoned = unknown.schedule_resend(LATER).abandon("expired")
    assert (abandoned.state, abandoned.due_at, abandoned.committed) == (SmsState.UNKNOWN, None, 350)


def test_unknown_sms_is_due_only_if_it_may_be_resent() -> None:
    assert make_started().record_unknown_outcome("timeout", None, may_resend=False).due_at is None
    assert make_started().record_unknown_outcome("timeout", None, may_resend=True).due_at == NOW + timedelta(
        minutes=15
    )


UPDATES = [
    SendUpdate("aws", "g-1", SmsState.SENT),
    SendUpdate("aws", "g-1", SmsState.DELIVERED, parts=1, price=331),
    SendUpdate("aws", "g-1", SmsState.FAILED, reason="TEXT_UNREACHABLE"),
]


@pytest.mark.parametrize(
    "updates", [*permutations(UPDATES, 2)], ids=lambda some: "-".join(r.state for r in some)
)
def test_two_receipts_give_the_same_state_in_either_order(updates: tuple[SendUpdate, SendUpdate]) -> None:
    first, second = updates
    sms = make_started().record_acceptance("aws", "g-1")
    assert (
        sms.apply_update(first).apply_update(second).state
        is sms.apply_update(second).apply_update(first).state
    )


@given(updates=st.lists(st.sampled_from(UPDATES), min_size=1, max_size=8))
def test_repeated_receipts_change_nothing(updates: list[SendUpdate]) -> None:
    sms = make_started()
    for update in updates:
        sms = sms.apply_update(update)
    settled = sms
    for update in updates:
        assert settled.apply_update(update) is settled, "repeated updates add nothing"
    assert (len(settled.sends), settled.open_attempts) == (1, 0)


def test_failed_copy_does_not_prevent_the_second_copy() -> None:
    resent = make_started().record_unknown_outcome("timeout", None, may_resend=True).schedule_resend(LATER)
    failed = resent.apply_update(SendUpdate("aws", "g-1", SmsState.FAILED))
    assert (failed.state, failed.open_attempts) == (SmsState.PENDING, 0)


def test_cost_of_two_copies_is_added() -> None:
    twice = make_started().record_unknown_outcome("timeout", None, may_resend=True).schedule_resend(LATER)
    twice = (
        twice.claim(LATER, budget_day=twice.day, phone_day=twice.day)
        .start_attempt(LATER)
        .record_acceptance("aws", "g-2")
    )
    assert twice.committed == 700
    both = twice.apply_update(SendUpdate("aws", "g-1", SmsState.SENT, parts=1, price=400))
    assert (both.committed, both.parts_sent, both.open_attempts) == (750, 2, 0)


def test_receipt_without_an_attempt_changes_nothing() -> None:
    assert make_sms().apply_update(UPDATES[0]) == make_sms()


def test_only_a_confirmation_gets_more_time_when_its_phone_got_enough_sms_today() -> None:
    later = make_sms().deadline + timedelta(days=1)
    for kind, deadline in ((SmsKind.REMINDER, make_sms().deadline), (SmsKind.CONFIRMATION, later)):
        deferred = replace(make_sms(), kind=kind).defer_for_phone_limit(LATER, deadline=later)
        assert (deferred.state, deferred.due_at, deferred.deadline) == (SmsState.PENDING, LATER, deadline)
