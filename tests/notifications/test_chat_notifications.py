"""Notifications in the chat that a worker came by: told once, there first, and by SMS if the chat fails."""

from datetime import timedelta
from typing import Any

import pytest

from chalicelib.messaging.errors import (
    AccountFailure,
    OutcomeUnknown,
    PermanentFailure,
    Throttled,
    TransientFailure,
)
from chalicelib.messaging.gateways import ChatTarget
from chalicelib.messaging.receipts import Receipt
from chalicelib.notifications.errors import NoPhone
from chalicelib.notifications.model import Sms, SmsState
from chalicelib.registrations.model import Registration
from chalicelib.sms_purposes import Purpose
from tests.support.builders import NOW
from tests.support.lifecycle_builders import add_payment
from tests.support.notification_harness import NotificationHarness
from tests.support.registration_builders import make_registration

_MINUTES = timedelta(minutes=1)


def make_paid_registration(**worker: Any) -> Registration:
    return add_payment(make_registration(**worker), months=3)


def _make_target(channel: str = "telegram", **changes: Any) -> ChatTarget:
    return ChatTarget(
        **{
            "channel": channel,
            "account": "1",
            "recipient": "1001",
            "language": "id",
            "chat_key": "chat-1",
            **changes,
        }
    )


def _make_harness(
    channel: str = "telegram", *answers: Any, registration: Registration | None = None, **changes: Any
) -> NotificationHarness:
    """Return a harness with a paid worker who came by a chat."""
    paid = registration or make_paid_registration()
    harness = NotificationHarness(*answers, registrations=[paid], **changes)
    harness.chats.targets[paid.capture_metadata.capture_id] = _make_target(channel)
    return harness


def _notify(harness: NotificationHarness) -> Sms:
    """Deliver the event of the payment."""
    registration = harness.registrations.get(make_paid_registration().reference)
    version = len(registration.lifecycle.history)
    return harness.consume_event(Purpose.ACTIVE, event_version=version)


def _count_copies(harness: NotificationHarness) -> tuple[int, int]:
    """Return how many messages the chat and the SMS gateway were asked to send."""
    return len(harness.chat_gateway.sent), len(harness.gateway.sent_sms)


def test_a_worker_who_came_by_a_chat_is_told_there() -> None:
    harness = _make_harness()
    assert _notify(harness).state is SmsState.ACCEPTED
    assert _count_copies(harness) == (1, 0)
    [message] = harness.chat_gateway.sent
    assert message.body.startswith("BPJAMSOSTEK: ")


def test_an_event_that_comes_again_is_told_once() -> None:
    harness = _make_harness()
    for _ in range(3):
        _notify(harness)
    assert _count_copies(harness) == (1, 0)


def test_a_worker_without_a_chat_gets_an_sms() -> None:
    harness = _make_harness()
    harness.chats.targets.clear()
    _notify(harness)
    assert _count_copies(harness) == (0, 1)


def test_the_confirmation_goes_by_sms_whatever_the_chat() -> None:
    # A message in the chat for new workers alone would tell its sender that the NIK was not known.
    registration = make_registration()
    harness = _make_harness(registration=registration)
    harness.consume_event(Purpose.RECEIVED)
    assert _count_copies(harness) == (0, 1)


@pytest.mark.parametrize("error", [PermanentFailure("http_403", opted_out=True), AccountFailure("http_401")])
def test_a_chat_that_takes_no_message_leaves_it_to_the_phone_at_once(error: Exception) -> None:
    harness = _make_harness()
    harness.chat_gateway.errors.append(error)
    assert _notify(harness).state is SmsState.ACCEPTED
    assert _count_copies(harness) == (1, 1)
    # Who blocked a bot has not opted out of SMS, and the account for SMS is not stopped.
    assert not harness.opt_outs.has_opted_out(harness.gateway.sent_sms[0].sms_id)
    assert harness.rate_limiter.find_stop(harness.clock()) is None


@pytest.mark.parametrize("error", [TransientFailure("500"), Throttled("429", retry_after_seconds=5)])
def test_a_chat_that_fails_for_the_moment_is_tried_again(error: Exception) -> None:
    harness = _make_harness()
    harness.chat_gateway.errors.append(error)
    assert _notify(harness).state is SmsState.PENDING
    harness.advance(5 * _MINUTES).run_due_sms()
    assert _count_copies(harness) == (2, 0)


def test_a_chat_that_fails_for_half_an_hour_is_given_up_for_the_phone() -> None:
    harness = _make_harness()
    harness.chat_gateway.errors += [TransientFailure("500")] * 20
    _notify(harness)
    for _ in range(8):
        harness.advance(10 * _MINUTES).run_due_sms()
    assert harness.gateway.sent_sms
    assert len(harness.gateway.sent_sms) == 1


def test_a_chat_that_perhaps_told_the_worker_is_not_followed_by_an_sms_at_once() -> None:
    harness = _make_harness()
    harness.chat_gateway.errors.append(OutcomeUnknown("timeout"))
    assert _notify(harness).state is SmsState.UNKNOWN
    assert _count_copies(harness) == (1, 0)


def _report(sms: Sms, state: Any, **changes: Any) -> Receipt:
    return Receipt(
        **{
            "sms_id": sms.sms_id,
            "gateway": "whatsapp",
            "gateway_id": "whatsapp:1",
            "state": state,
            "occurred_at": NOW,
            **changes,
        }
    )


def test_what_whatsapp_does_not_deliver_in_half_an_hour_goes_to_the_phone() -> None:
    harness = _make_harness("whatsapp")
    sms = _notify(harness)
    harness.service.record_receipt(_report(sms, "sent"))
    harness.advance(29 * _MINUTES).run_due_sms()
    assert _count_copies(harness) == (1, 0)
    harness.advance(2 * _MINUTES).run_due_sms()
    assert _count_copies(harness) == (1, 1)


def test_what_whatsapp_delivers_stays_there() -> None:
    harness = _make_harness("whatsapp")
    sms = _notify(harness)
    harness.service.record_receipt(_report(sms, "delivered"))
    harness.advance(timedelta(days=2)).run_due_sms()
    assert _count_copies(harness) == (1, 0)


def test_what_whatsapp_reports_as_failed_goes_to_the_phone() -> None:
    harness = _make_harness("whatsapp")
    sms = _notify(harness)
    harness.service.record_receipt(_report(sms, "failed", reason="131026"))
    harness.advance(_MINUTES).run_due_sms()
    assert _count_copies(harness) == (1, 1)


@pytest.mark.parametrize("late", ["sent", "failed", "delivered"])
def test_a_late_report_of_the_chat_about_what_went_to_the_phone_too_sends_nothing_more(late: str) -> None:
    harness = _make_harness("whatsapp")
    harness.chat_gateway.errors.append(OutcomeUnknown("timeout"))
    sms = _notify(harness)
    harness.advance(20 * _MINUTES)
    harness.service.record_receipt(_report(sms, "sent", sms_id="0" * 32, gateway="aws", gateway_id="aws:9"))
    harness.advance(11 * _MINUTES).run_due_sms()
    harness.advance(61 * _MINUTES).run_due_sms()
    assert _count_copies(harness) == (1, 1)

    harness.service.record_receipt(_report(sms, late))

    for _ in range(3):
        harness.advance(timedelta(hours=1)).run_due_sms()
    assert _count_copies(harness) == (1, 1)


def test_a_late_delivery_in_the_chat_keeps_the_sms_back() -> None:
    harness = _make_harness("whatsapp")
    sms = _notify(harness)
    harness.service.record_receipt(_report(sms, "failed", reason="131026"))
    harness.service.record_receipt(_report(sms, "delivered"))
    harness.advance(_MINUTES).run_due_sms()
    assert _count_copies(harness) == (1, 0)


def test_telegram_reports_nothing_so_that_nothing_is_waited_for() -> None:
    harness = _make_harness("telegram")
    _notify(harness)
    harness.advance(timedelta(days=2)).run_due_sms()
    assert _count_copies(harness) == (1, 0)


def test_who_opted_out_of_sms_is_not_told_in_the_chat_either() -> None:
    harness = _make_harness()
    first = _notify(harness)
    again = _make_harness()
    again.opt_outs.record(first.phone_hash, occurred_at=NOW, source="aws")
    assert _notify(again).reason == "opted_out"
    assert _count_copies(again) == (0, 0)


def test_a_message_in_a_chat_keeps_to_the_budget() -> None:
    harness = _make_harness(sms_budget=0)
    assert _notify(harness).state is SmsState.HELD
    assert _count_copies(harness) == (0, 0)


def test_the_summary_counts_messages_and_money_by_channel() -> None:
    harness = _make_harness("whatsapp")
    harness.chat_gateway.price = 400
    _notify(harness)
    totals = harness.count_sms()
    assert totals.chats == {"whatsapp": (1, 400)}
    assert (totals.parts, totals.money) == (0, 400)


def test_an_sms_that_an_officer_asks_for_goes_to_the_phone() -> None:
    harness = _make_harness()
    harness.service.send_again(
        Purpose.ACTIVE, make_paid_registration().reference, request_version=9, correlation_id="c"
    )
    assert _count_copies(harness) == (0, 1)


def test_a_worker_with_a_chat_alone_is_told_there_and_one_without_either_is_not() -> None:
    registration = make_paid_registration(phone=None)
    harness = _make_harness(registration=registration)
    assert _notify(harness).state is SmsState.ACCEPTED
    assert _count_copies(harness) == (1, 0)
    harness.chats.targets.clear()
    with pytest.raises(NoPhone):
        harness.consume_event(Purpose.LAPSING_SOON, event_version=9)
