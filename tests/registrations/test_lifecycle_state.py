"""The state machine of a registration: allowed transitions, their effects, and repeated events."""

from datetime import date, timedelta

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

FAR_FUTURE = date(2099, 1, 1)

# A row per event: the new status for each old status of STATUSES, in their order. A dot means refused.
STATUSES = [
    *("received", "awaiting_payment", "mismatch", "active", "lapsed", "cancelled", "expired", "deceased"),
]
STATUS_TABLE = {
    "payment_code_issued": "awaiting_payment awaiting_payment . active lapsed . . .",
    "paid": "active active . active active . . .",
    "matched": "received awaiting_payment received active . . . .",
    "mismatched": "mismatch mismatch mismatch active . . . .",
    "cancelled": "cancelled cancelled cancelled . . . . .",
    "taken_over": "cancelled cancelled cancelled . . . . .",
    "lapsing_soon": ". . . active . . . .",
    "lapsed": ". . . lapsed . . . .",
    "expired": "expired expired expired . . . . .",
    "sms_requested": "received awaiting_payment mismatch active lapsed . . .",
    "repeat_differs": "received awaiting_payment mismatch active . . . .",
    "identity_deleted": ". . . active . . . .",
    "corrected": "received awaiting_payment mismatch active lapsed . . .",
    "recheck_requested": "received received received active lapsed . . .",
    "correction_requested": ". . . active lapsed . . .",
    "correction_declined": ". . . active lapsed . . .",
    "deceased": "deceased deceased deceased deceased deceased . . .",
}
TRANSITION_CASES = [
    (event_type, status, new_status)
    for event_type, row in STATUS_TABLE.items()
    for status, new_status in zip(STATUSES, row.split(), strict=True)
]
EVENTS = {
    "payment_code_issued": issue_payment_code(make_payment_code()),
    "paid": pay(make_payment()),
    "matched": verify("matched"),
    "mismatched": verify("mismatch"),
    "cancelled": cancel(),
}


def test_the_table_has_every_status_and_every_event_but_the_first() -> None:
    assert set(STATUS_TABLE) == set(EventType) - {EventType.REGISTERED} == set(TRANSITIONS)
    assert set(STATUSES) == set(Status)


@pytest.mark.parametrize(("event_type", "status", "new_status"), TRANSITION_CASES)
def test_each_transition_is_as_in_the_table(event_type: str, status: str, new_status: str) -> None:
    assert TRANSITIONS[EventType(event_type)].get(Status(status), ".") == new_status


@pytest.mark.parametrize(
    ("event_type", "status", "new_status"),
    [case for case in TRANSITION_CASES if case[0] in EVENTS and case[:2] != ("cancelled", "cancelled")],
)
def test_each_event_changes_the_status_as_in_the_table_or_is_refused(
    event_type: str, status: str, new_status: str
) -> None:
    before = make_lifecycle(Status(status))
    if new_status == ".":
        with pytest.raises(TransitionNotAllowed):
            EVENTS[event_type](before)
        return
    after = EVENTS[event_type](before)
    assert after.status == new_status
    assert (after.version, after.history[:-1]) == (before.version + 1, before.history)
    assert (after.history[-1].event_type, after.history[-1].status) == (event_type, new_status)
    assert after.status_since == (before.status_since if new_status == status else OCCURRED_AT)


@pytest.mark.parametrize("event_type", EVENTS)
def test_a_repeated_event_changes_nothing(event_type: str) -> None:
    lifecycle = EVENTS[event_type](make_lifecycle())
    assert EVENTS[event_type](lifecycle) is lifecycle


def test_a_new_registration_is_received_and_not_checked() -> None:
    lifecycle = LifecycleState.begin(occurred_at=RECEIVED_AT, client_id="van-1")
    assert (lifecycle.status, lifecycle.status_since, lifecycle.version) == (Status.RECEIVED, RECEIVED_AT, 1)
    assert lifecycle.history == (LifecycleEvent(EventType.REGISTERED, Status.RECEIVED, RECEIVED_AT, "van-1"),)
    assert (lifecycle.verification, lifecycle.paid_through, lifecycle.active_until) == (
        Verification.NOT_CHECKED,
        None,
        None,
    )


@pytest.mark.parametrize("status", Status)
def test_a_lapsed_cancelled_expired_or_deceased_registration_has_ended(status: Status) -> None:
    assert make_lifecycle(status).has_ended == (status in ENDED_STATUSES)
    assert {Status.LAPSED, Status.CANCELLED, Status.EXPIRED, Status.DECEASED} == ENDED_STATUSES


def test_another_payment_code_replaces_the_first() -> None:
    lifecycle = issue_payment_code(make_payment_code(code="EPS-9999"))(
        issue_payment_code(make_payment_code())(make_lifecycle())
    )
    assert (lifecycle.payment_code, lifecycle.version) == (make_payment_code(code="EPS-9999"), 4)


def test_after_a_cleared_mismatch_the_same_payment_code_can_be_issued_again() -> None:
    lifecycle = make_lifecycle()
    for event in (issue_payment_code(make_payment_code()), verify("mismatch"), verify("matched")):
        lifecycle = event(lifecycle)
    assert lifecycle.status is Status.RECEIVED
    assert issue_payment_code(make_payment_code())(lifecycle).status is Status.AWAITING_PAYMENT


def test_a_mismatch_does_not_end_paid_protection() -> None:
    lifecycle = verify("mismatch")(pay(make_payment())(make_lifecycle()))
    assert (lifecycle.status, lifecycle.verification) == (Status.ACTIVE, Verification.MISMATCH)


def test_the_latest_verification_result_replaces_the_earlier_ones() -> None:
    lifecycle = make_lifecycle()
    for result, status in (("mismatch", "mismatch"), ("matched", "received"), ("mismatch", "mismatch")):
        lifecycle = verify(result)(lifecycle)
        assert (lifecycle.verification, lifecycle.status) == (result, status)


@pytest.mark.parametrize("status", sorted(OPEN_UNPAID_STATUSES))
def test_an_unpaid_registration_expires_on_its_expiry_day(status: Status) -> None:
    lifecycle = make_lifecycle(status)
    assert age(EXPIRES_ON - timedelta(days=1))(lifecycle) is lifecycle
    expired = age(EXPIRES_ON)(lifecycle)
    assert (expired.status, expired.history[-1].client_id) == (Status.EXPIRED, "system")


@pytest.mark.parametrize("status", sorted(ENDED_STATUSES))
def test_an_ended_registration_does_not_change_with_time(status: Status) -> None:
    lifecycle = make_lifecycle(status, paid_through="2020-01")
    assert age(FAR_FUTURE)(lifecycle) is lifecycle


RANDOM_EVENTS = st.one_of(
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


def apply_event(lifecycle: LifecycleState, event: LifecycleChange) -> LifecycleState:
    """Return the state after an event, or the given state if the event is refused."""
    try:
        return event(lifecycle)
    except (TransitionNotAllowed, PaymentReused):
        return lifecycle


@given(events=st.lists(RANDOM_EVENTS, max_size=12))
def test_the_history_is_complete_after_any_events(events: list[LifecycleChange]) -> None:
    lifecycle = LifecycleState.begin(occurred_at=RECEIVED_AT, client_id="van-1")
    for event in events:
        before, lifecycle = lifecycle, apply_event(lifecycle, event)

        assert lifecycle.version == len(lifecycle.history) == before.version + (lifecycle is not before)
        assert lifecycle.history[: before.version] == before.history
        assert lifecycle.status is lifecycle.history[-1].status
        assert (lifecycle.status in {Status.ACTIVE, Status.LAPSED}) == bool(lifecycle.payments)
        assert (lifecycle.paid_through is None) == (not lifecycle.payments)
        assert apply_event(lifecycle, event) is lifecycle


@given(events=st.lists(RANDOM_EVENTS, max_size=12))
def test_every_recorded_payment_is_in_the_history_once(events: list[LifecycleChange]) -> None:
    lifecycle = LifecycleState.begin(occurred_at=RECEIVED_AT, client_id="van-1")
    for event in events:
        lifecycle = apply_event(lifecycle, event)
    payment_ids = [
        each.detail["payment_id"] for each in lifecycle.history if each.event_type is EventType.PAID
    ]
    assert payment_ids == [payment.payment_id for payment in lifecycle.payments]
    assert len(set(payment_ids)) == len(payment_ids)
