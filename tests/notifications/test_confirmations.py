"""Who has not been told: the state of confirmations, of one registration and counted for a day."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from chalicelib.callers import Role
from chalicelib.messaging.errors import OutcomeUnknown, PermanentFailure
from chalicelib.notifications.confirmations import ConfirmationService, judge_confirmation
from chalicelib.notifications.model import Sms, SmsState
from chalicelib.sms_purposes import Purpose
from tests.support.builders import NOW, make_caller
from tests.support.notification_harness import NotificationHarness
from tests.support.registration_builders import make_reference, make_registration, make_sms

DAY = timedelta(days=1)


class StoredSms:
    """Satisfies `confirmations.SmsHistory`."""

    def __init__(self, *sms_list: Sms) -> None:
        self._sms_list = sms_list

    def iter_by_reference(self, reference: str) -> Iterator[Sms]:
        """Yield the SMS of a registration."""
        return (each for each in self._sms_list if each.reference == reference)


def find(*sms_list: Sms, role: Role = Role.KIOSK, phone_corrected_at: int = 0) -> str | None:
    service = ConfirmationService(sms_history=StoredSms(*sms_list))
    reference = make_sms().reference
    return service.find_for(make_caller(role), reference, phone_corrected_at=phone_corrected_at)


def test_a_copy_to_the_wrong_phone_is_no_confirmation_of_the_right_one() -> None:
    wrong = make_sms(state=SmsState.DELIVERED)
    right = make_sms(2, request_version=3, state=SmsState.PENDING, reference=wrong.reference)

    assert find(wrong) == "sent"
    assert find(wrong, phone_corrected_at=3) == "none"
    assert find(wrong, right, phone_corrected_at=3) == "waiting"


@pytest.mark.parametrize(
    ("role", "told"), [("kiosk", True), ("manager", True), ("core", False), ("admin", False)]
)
def test_officers_and_managers_are_told_and_nobody_else(role: str, told: bool) -> None:
    assert (find(role=Role(role)) is not None) is told


@pytest.mark.parametrize(
    ("state", "reason", "expected"),
    [
        ("pending", "daily_limit_reached", "waiting"),
        ("claimed", None, "waiting"),
        ("attempt_started", None, "waiting"),
        ("accepted", None, "sent"),
        ("sent", None, "sent"),
        ("delivered", None, "sent"),
        ("unknown", "timeout", "unknown"),
        ("held", "budget_exhausted", "held"),
        ("failed", "expired", "expired"),
        ("failed", "expired:throttled", "expired"),
        ("failed", "overtaken", "replaced"),
        ("failed", "opted_out", "not_sent"),
        ("failed", None, "not_sent"),
    ],
)
def test_each_state_of_an_sms_is_one_of_its_confirmation(
    state: str, reason: str | None, expected: str
) -> None:
    assert judge_confirmation(SmsState(state), reason) == expected
    assert find(make_sms(state=SmsState(state), reason=reason)) == expected


def test_every_state_of_an_sms_has_one() -> None:
    assert {judge_confirmation(state, None) for state in SmsState} <= {
        *("sent", "waiting", "held", "unknown", "not_sent")
    }


def test_a_registration_without_such_an_sms_has_none() -> None:
    assert find() == find(make_sms(purpose=Purpose.ACTIVE, state=SmsState.DELIVERED)) == "none"


def test_one_copy_that_was_sent_is_enough_else_the_newest_counts() -> None:
    held = make_sms(1, state=SmsState.HELD)
    later = NOW + DAY
    assert find(held, make_sms(2, state=SmsState.PENDING, begun_at=later)) == "waiting"
    assert find(make_sms(2, state=SmsState.PENDING, begun_at=later), held) == "waiting"
    assert (
        find(make_sms(2, state=SmsState.PENDING, begun_at=later), make_sms(1, state=SmsState.SENT)) == "sent"
    )


def test_of_a_family_with_one_phone_those_who_wait_are_counted_until_they_are_told() -> None:
    family = [make_registration(make_reference(number)) for number in range(8)]
    harness = NotificationHarness(*["sent"] * 8, registrations=family)
    for each in family:
        harness.consume_event(reference=each.reference)

    untold = [harness.count_sms().untold]
    for _ in range(3):
        harness.clock.advance(DAY)
        harness.run_due_sms()
        untold.append(harness.count_sms().untold)

    assert untold == [{"waiting": 5}, {"waiting": 2}, {}, {}]


def test_held_unknown_expired_and_refused_confirmations_are_counted_apart() -> None:
    registrations = [make_registration(make_reference(n), phone=f"+62824555070{n:02d}") for n in range(3)]
    harness = NotificationHarness(
        PermanentFailure("blocked"), OutcomeUnknown("timeout"), registrations=registrations, sms_budget=350
    )
    for each in registrations:
        harness.consume_event(reference=each.reference)

    assert harness.count_sms().untold == {"held": 1, "not_sent": 1, "unknown": 1}


def test_only_confirmations_count() -> None:
    harness = NotificationHarness()
    harness.ledger.get_or_create(make_sms(purpose=Purpose.ACTIVE, state=SmsState.FAILED, reason="expired"))
    assert harness.count_sms().untold == {}
