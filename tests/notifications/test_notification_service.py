"""One SMS per event, whatever is repeated, late, concurrent or interrupted."""

from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import Literal, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.messaging.errors import (
    AccountFailure,
    OutcomeUnknown,
    PermanentFailure,
    TransientFailure,
)
from chalicelib.messaging.model import SmsId
from chalicelib.notifications.errors import SmsUnknown
from chalicelib.notifications.model import Sms, SmsState
from chalicelib.registrations.errors import RegistrationUnknown
from chalicelib.sms_purposes import Purpose
from tests.support.builders import NOW
from tests.support.notification_harness import NotificationHarness, WorkerKilled
from tests.support.registration_builders import FIRST_DAY, make_reference, make_registration, make_sms

AGAIN = timedelta(minutes=3)
MINUTE = timedelta(minutes=1)


def test_event_sends_one_sms_to_the_worker() -> None:
    harness = NotificationHarness("gateway-1")
    sms = harness.consume_event()

    (sent,) = harness.gateway.sent_sms
    assert sent.phone == "+6282455507001"
    assert sent.body.startswith(
        "BPJAMSOSTEK: Data Melati Kusumawati sudah kami terima. No. daftar 7K4-M2Q-X9P."
    )
    assert (sent.parts, sent.campaign_id, sent.purpose) == (1, "tanah-abang-2024", "received")
    assert sent.deadline == NOW + timedelta(hours=36)
    assert (sms.state, set(sms.sends), sms.attempts) == (SmsState.ACCEPTED, {"gateway-1"}, 1)
    assert sms.due_at is None
    assert harness.get_only_sms() == sms


def test_row_holds_no_body_number_or_name() -> None:
    harness = NotificationHarness()
    harness.consume_event()
    for personal in ("Melati", "82455507001", "BPJAMSOSTEK"):
        assert personal not in repr(harness.get_only_sms())


def test_repeated_event_sends_nothing() -> None:
    harness = NotificationHarness()
    first = harness.consume_event()
    for _ in range(5):
        assert harness.advance(AGAIN).consume_event() == first
    assert len(harness.gateway.sent_sms) == 1


def test_unknown_registration_or_sms_raises() -> None:
    harness = NotificationHarness()
    with pytest.raises(RegistrationUnknown):
        harness.consume_event(reference="B3D-F5H-J7M")
    with pytest.raises(SmsUnknown):
        harness.service.resume(SmsId("unknown"))
    assert harness.ledger.sms_by_id == {}


@pytest.mark.parametrize(
    "change",
    [
        lambda sms: sms,
        lambda sms: sms.claim(NOW, budget_day=FIRST_DAY.day, phone_day=FIRST_DAY.day),
        lambda sms: sms.claim(NOW, budget_day=FIRST_DAY.day, phone_day=FIRST_DAY.day).defer(NOW, "stopped"),
        lambda sms: _unknown(sms, may_resend=True),
    ],
    ids=["pending", "claimed", "deferred", "unknown, to be resent"],
)
def test_sms_of_an_erased_registration_is_abandoned(
    change: Callable[[Sms], Sms],
) -> None:
    harness = NotificationHarness()
    harness.ledger.sms_by_id[make_sms().sms_id] = change(make_sms())
    harness.registrations.remove(make_sms().reference)

    (sms,) = harness.advance(timedelta(hours=2)).run_due_sms()

    assert sms.state is (SmsState.UNKNOWN if sms.open_attempts else SmsState.FAILED)
    assert (sms.reason, sms.due_at) == ("no_recipient", None)
    assert harness.advance(timedelta(days=1)).run_due_sms() == []
    assert harness.gateway.sent_sms == []


def _unknown(sms: Sms, *, may_resend: bool) -> Sms:
    started = sms.claim(NOW, budget_day=FIRST_DAY.day, phone_day=FIRST_DAY.day).start_attempt(NOW)
    return started.record_unknown_outcome("read_timeout", "aws", may_resend=may_resend)


def test_sms_that_is_erased_during_a_send_or_receipt_is_not_stored_again() -> None:
    harness = NotificationHarness()
    sms = harness.consume_event()

    def erase() -> None:
        harness.ledger.sms_by_id.clear()

    harness.ledger.before_write = erase
    harness.receive_receipt("gateway-1", opted_out=True)

    assert harness.ledger.sms_by_id == {}
    assert set(harness.opt_outs.by_phone_hash) == {sms.phone_hash}
    with pytest.raises(SmsUnknown):
        harness.consume_event()


def test_body_is_in_the_language_of_the_registration() -> None:
    harness = NotificationHarness(registrations=[make_registration(language="en")])
    harness.consume_event()
    assert "not protected before you have paid" in harness.gateway.sent_sms[0].body


@pytest.mark.parametrize("number", ["+6221555070", "+60123456789", "+6280455507001", "+628245550700123"])
def test_only_indonesian_mobile_numbers_are_sent_to(number: str) -> None:
    harness = NotificationHarness(registrations=[make_registration(phone=number)])
    sms = harness.consume_event()
    assert (sms.state, sms.reason) == (SmsState.FAILED, "not_an_indonesian_mobile")
    assert harness.gateway.sent_sms == []


def test_sms_of_a_day_are_counted_by_state_with_parts_and_cost() -> None:
    family = [
        make_registration(make_reference(number), worker_key=str(number), phone=f"+628245550700{number}")
        for number in range(1, 4)
    ]
    harness = NotificationHarness(
        "gateway-1", PermanentFailure("no"), OutcomeUnknown("ReadTimeoutError"), registrations=family
    )
    for each in family:
        harness.consume_event(reference=each.reference)

    sms_list = harness.count_sms()

    assert sms_list.by_state == {"accepted": 1, "failed": 1, "unknown": 1}
    assert (sms_list.parts, sms_list.money) == (1, 2 * 350)


# Reminders


def test_reminder_is_stored_and_waits_for_the_schedule() -> None:
    harness = NotificationHarness()
    sms = harness.consume_event(Purpose.LAPSING_SOON, event_version=2)
    assert (sms.state, sms.due_at, harness.gateway.sent_sms) == (SmsState.PENDING, NOW, [])


Step = Literal["event", "due run", "sent", "delivered", "failed", "receipt of another", "wait"]


def take_step(harness: NotificationHarness, step: Step) -> None:
    match step:
        case "event":
            harness.consume_event()
        case "due run":
            harness.run_due_sms()
        case "wait":
            harness.advance(timedelta(minutes=20))
        case "receipt of another":
            harness.receive_receipt_of_another_sms()
        case "sent" | "delivered" | "failed":
            harness.receive_receipt("accepted", step)


@given(
    answers=st.lists(
        st.sampled_from(
            [
                "accepted",
                TransientFailure("later"),
                PermanentFailure("never"),
                OutcomeUnknown("unknown"),
                AccountFailure("stop"),
                WorkerKilled(),
            ]
        ),
        max_size=6,
    ),
    steps=st.lists(st.sampled_from(get_args(Step)), max_size=14),
)
def test_at_most_one_duplicate_is_sent_in_any_order_of_events(
    answers: list[str | Exception],
    steps: list[Step],
) -> None:
    harness = NotificationHarness(*answers)
    for step in ("event", *steps):
        with suppress(WorkerKilled):
            take_step(harness, step)
    used = answers[: len(harness.gateway.sent_sms)] + ["accepted"] * len(
        harness.gateway.sent_sms[len(answers) :]
    )
    surely_not = (TransientFailure, PermanentFailure, AccountFailure)
    perhaps_sent = [each for each in used if not isinstance(each, surely_not)]
    unsure = [each for each in perhaps_sent if isinstance(each, OutcomeUnknown | WorkerKilled)]
    assert len(perhaps_sent) <= 1 + (len(unsure) > 0)
    sms = harness.get_only_sms()
    assert sms.attempts == len(harness.gateway.sent_sms)
    assert sms.open_attempts >= 0
    assert harness.get_committed_budget() == sms.committed
    if sms.state is SmsState.HELD:
        assert sms.reason == "receipts_silent"
    elif sms.state not in {SmsState.ACCEPTED, SmsState.SENT, SmsState.DELIVERED, SmsState.FAILED}:
        waits_for_a_person = sms.state is SmsState.UNKNOWN and sms.is_resent
        assert sms.due_at is not None or waits_for_a_person, "it will be due again"


def test_an_sms_of_a_worker_who_has_no_phone_any_more_is_abandoned() -> None:
    harness = NotificationHarness(TransientFailure("ThrottlingException"))
    harness.consume_event()
    harness.registrations.put(make_registration(phone=None))

    (row,) = harness.advance(timedelta(minutes=1)).run_due_sms()

    assert (row.state, row.reason, len(harness.gateway.sent_sms)) == ("failed", "no_phone", 1)
