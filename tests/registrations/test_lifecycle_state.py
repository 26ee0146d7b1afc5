"""The life of a registration: what may happen where, what it does, and that saying it again does nothing."""

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.registrations.errors import PaymentReused, TransitionNotAllowed
from chalicelib.registrations.model import (
    ENDED_STATUSES,
    OPEN_UNPAID_STATUSES,
    TRANSITIONS,
    EventType,
    LifecycleEvent,
    LifecycleState,
    Status,
    Verification,
)
from tests.support.lifecycle_events import (
    EXPIRES_ON,
    OCCURRED_AT,
    RECEIVED_AT,
    LifecycleChange,
    age,
    cancel,
    issue_payment_code,
    make_lifecycle,
    make_payment,
    make_payment_code,
    pay,
    verify,
)

FAR_AHEAD = date(2099, 1, 1)

# What each status becomes, in the order of COLUMNS; a dot is a refusal.
COLUMNS = ["received", "awaiting_payment", "mismatch", "active", "lapsed", "cancelled", "expired"]
TABLE = {
    "payment_code_issued": "awaiting_payment awaiting_payment . active lapsed . .",
    "paid": "active active . active active . .",
    "matched": "received awaiting_payment received active . . .",
    "mismatched": "mismatch mismatch mismatch active . . .",
    "cancelled": "cancelled cancelled cancelled . . . .",
    "lapsing_soon": ". . . active . . .",
    "lapsed": ". . . lapsed . . .",
    "expired": "expired expired expired . . . .",
}
CELLS = [
    (happening, status, leads_to)
    for happening, row in TABLE.items()
    for status, leads_to in zip(COLUMNS, row.split(), strict=True)
]
EVENTS = {
    "payment_code_issued": issue_payment_code(make_payment_code()),
    "paid": pay(make_payment()),
    "matched": verify("matched"),
    "mismatched": verify("mismatch"),
    "cancelled": cancel(),
}


def test_every_happening_but_the_first_and_every_status_has_its_place_in_the_table() -> None:
    assert set(TABLE) == set(EventType) - {EventType.REGISTERED} == set(TRANSITIONS)
    assert set(COLUMNS) == set(Status)


@pytest.mark.parametrize(("happening", "status", "leads_to"), CELLS)
def test_the_table_says_where_each_happening_leads(happening: Any, status: Any, leads_to: Any) -> None:
    found = TRANSITIONS[EventType(happening)].get(Status(status), ".")
    assert found == leads_to


@pytest.mark.parametrize(
    ("happening", "status", "leads_to"),
    [cell for cell in CELLS if cell[0] in EVENTS and cell[:2] != ("cancelled", "cancelled")],
)
def test_each_event_leads_where_the_table_says_or_is_refused(
    happening: Any, status: Any, leads_to: Any
) -> None:
    before = make_lifecycle(Status(status))
    if leads_to == ".":
        with pytest.raises(TransitionNotAllowed):
            EVENTS[happening](before)
        return
    after = EVENTS[happening](before)
    assert after.status == leads_to
    assert (after.version, after.history[:-1]) == (before.version + 1, before.history)
    assert (after.history[-1].event_type, after.history[-1].status) == (happening, leads_to)
    assert after.status_since == (before.status_since if leads_to == status else OCCURRED_AT)


@pytest.mark.parametrize("happening", EVENTS)
def test_the_same_event_once_more_changes_nothing(happening: Any) -> None:
    once = EVENTS[happening](make_lifecycle())
    assert EVENTS[happening](once) is once


def test_a_registration_begins_received_and_unchecked() -> None:
    life = LifecycleState.begin(occurred_at=RECEIVED_AT, client_id="van-1")
    assert (life.status, life.status_since, life.version) == (Status.RECEIVED, RECEIVED_AT, 1)
    assert life.history == (LifecycleEvent(EventType.REGISTERED, Status.RECEIVED, RECEIVED_AT, "van-1"),)
    assert (life.verification, life.paid_through, life.active_until) == (Verification.NOT_CHECKED, None, None)


@pytest.mark.parametrize("status", Status)
def test_only_what_has_ended_makes_room_for_a_new_registration(status: Status) -> None:
    assert make_lifecycle(status).has_ended == (status in ENDED_STATUSES)
    assert {Status.LAPSED, Status.CANCELLED, Status.EXPIRED} == ENDED_STATUSES


def test_another_payment_code_takes_the_place_of_the_first() -> None:
    life = issue_payment_code(make_payment_code(code="EPS-9999"))(
        issue_payment_code(make_payment_code())(make_lifecycle())
    )
    assert (life.payment_code, life.version) == (make_payment_code(code="EPS-9999"), 4)


def test_a_registration_whose_mismatch_was_cleared_up_can_be_asked_to_pay_by_the_same_code() -> None:
    life = make_lifecycle()
    for event in (issue_payment_code(make_payment_code()), verify("mismatch"), verify("matched")):
        life = event(life)
    assert life.status is Status.RECEIVED
    assert issue_payment_code(make_payment_code())(life).status is Status.AWAITING_PAYMENT


def test_protection_that_was_paid_for_does_not_end_by_a_mismatch() -> None:
    life = verify("mismatch")(pay(make_payment())(make_lifecycle()))
    assert (life.status, life.verification) == (Status.ACTIVE, Verification.MISMATCH)


def test_what_the_civil_registry_says_last_counts() -> None:
    life = make_lifecycle()
    for said, status in (("mismatch", "mismatch"), ("matched", "received"), ("mismatch", "mismatch")):
        life = verify(said)(life)
        assert (life.verification, life.status) == (said, status)


@pytest.mark.parametrize("status", sorted(OPEN_UNPAID_STATUSES))
def test_an_application_that_nobody_paid_for_expires_on_its_day(status: Any) -> None:
    life = make_lifecycle(status)
    assert age(EXPIRES_ON - timedelta(days=1))(life) is life
    expired = age(EXPIRES_ON)(life)
    assert (expired.status, expired.history[-1].client_id) == (Status.EXPIRED, "system")


@pytest.mark.parametrize("status", sorted(ENDED_STATUSES))
def test_what_has_ended_does_not_age(status: Any) -> None:
    life = make_lifecycle(status, paid_through="2020-01")
    assert age(FAR_AHEAD)(life) is life


HAPPENINGS = st.one_of(
    st.builds(issue_payment_code, st.builds(make_payment_code, code=st.sampled_from(["EPS-1", "EPS-2"]))),
    st.builds(
        pay,
        st.builds(
            make_payment,
            st.sampled_from(["p-1", "p-2", "p-3"]),
            months=st.sampled_from([1, 3, 12]),
            paid_at=st.integers(-300, 1200).map(lambda days: OCCURRED_AT + timedelta(days=days)),
        ),
    ),
    st.builds(verify, st.sampled_from(["matched", "mismatch"])),
    st.builds(cancel, st.sampled_from(["duplicate", "other"])),
    st.builds(age, st.dates(date(2026, 1, 1), date(2032, 1, 1))),
)


def lived(life: LifecycleState, event: LifecycleChange) -> LifecycleState:
    """What an event does, be it nothing because it is refused."""
    try:
        return event(life)
    except (TransitionNotAllowed, PaymentReused):
        return life


@given(events=st.lists(HAPPENINGS, max_size=12))
def test_whatever_happens_the_record_of_it_is_whole(events: Any) -> None:
    life = LifecycleState.begin(occurred_at=RECEIVED_AT, client_id="van-1")
    for event in events:
        before, life = life, lived(life, event)

        assert life.version == len(life.history) == before.version + (life is not before)
        assert life.history[: before.version] == before.history
        assert life.status is life.history[-1].status
        assert (life.status in {Status.ACTIVE, Status.LAPSED}) == bool(life.payments)
        assert (life.paid_through is None) == (not life.payments)
        assert lived(life, event) is life


@given(events=st.lists(HAPPENINGS, max_size=12))
def test_every_payment_that_was_taken_is_in_the_history_once(events: Any) -> None:
    life = LifecycleState.begin(occurred_at=RECEIVED_AT, client_id="van-1")
    for event in events:
        life = lived(life, event)
    told = [each.detail["payment_id"] for each in life.history if each.event_type is EventType.PAID]
    assert told == [payment.payment_id for payment in life.payments]
    assert len(set(told)) == len(told)
