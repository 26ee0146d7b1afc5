"""Limits of sending: the rate, stops, the daily limit of a phone number and the budget."""

from datetime import timedelta
from itertools import pairwise

from chalicelib.messaging.errors import (
    AccountFailure,
    CircuitOpen,
)
from chalicelib.messaging.rate_limiter import SendingStop
from chalicelib.notifications.model import SmsState
from tests.support.builders import NOW
from tests.support.notification_harness import NotificationHarness
from tests.support.registration_builders import make_reference, make_registration

# Rate and stop


def test_sms_are_sent_no_faster_than_the_rate() -> None:
    family = [
        make_registration(make_reference(number), worker_key=str(number), phone=f"+62824555070{number:02d}")
        for number in range(1, 31)
    ]
    harness = NotificationHarness(registrations=family)
    at = []
    harness.gateway.on_send = lambda: at.append(harness.clock.now)
    for registration in family:
        harness.consume_event(reference=registration.reference)

    gaps = {later - earlier for earlier, later in pairwise(at)}
    assert gaps == {timedelta(milliseconds=100)}


def test_nothing_is_sent_or_lost_while_sending_is_stopped() -> None:
    harness = NotificationHarness()
    harness.rate_limiter.stop(SendingStop("by hand", None))
    sms = harness.consume_event()
    assert (sms.state, sms.reason, sms.attempts) == (SmsState.PENDING, "stopped", 0)
    assert harness.gateway.sent_sms == []

    harness.rate_limiter.resume(harness.clock())
    (sms,) = harness.advance(timedelta(minutes=5)).run_due_sms()

    assert sms.state is SmsState.ACCEPTED


def test_account_failure_stops_sending_for_15_minutes() -> None:
    family = [make_registration(), make_registration(make_reference(2), worker_key="another")]
    harness = NotificationHarness(AccountFailure("ServiceQuotaExceededException"), registrations=family)
    assert harness.consume_event().state is SmsState.PENDING
    assert harness.consume_event(reference=make_reference(2)).reason == "stopped"
    assert len(harness.gateway.sent_sms) == 1

    sms_list = harness.advance(timedelta(minutes=16)).run_due_sms()

    assert [sms.state for sms in sms_list] == [SmsState.ACCEPTED] * 2


# Limits


def test_retry_delay_does_not_grow_while_the_circuit_is_open() -> None:
    harness = NotificationHarness(*[CircuitOpen("circuit_open")] * 6, "gateway-1")
    harness.consume_event()
    for _ in range(6):
        waiting = harness.get_only_sms()
        assert (waiting.state, waiting.attempts) == (SmsState.PENDING, 0)
        assert waiting.due_at == harness.clock() + timedelta(minutes=7, seconds=30)
        (sms,) = harness.advance(timedelta(minutes=7, seconds=30)).run_due_sms()
    assert (sms.state, sms.attempts) == (SmsState.ACCEPTED, 1)


def test_sms_over_the_daily_limit_waits_for_the_next_morning() -> None:
    family = [make_registration(make_reference(number), worker_key=str(number)) for number in range(1, 5)]
    harness = NotificationHarness(registrations=family)
    sms_list = [harness.consume_event(reference=each.reference) for each in family]

    assert [sms.state for sms in sms_list] == [SmsState.ACCEPTED] * 3 + [SmsState.PENDING]
    # Noon in Jakarta; quiet hours end at eight, and the random fraction adds 15 minutes.
    assert sms_list[3].due_at == NOW + timedelta(hours=20, minutes=15)
    assert sms_list[3].reason == "daily_limit_reached"
    (sms,) = harness.advance(timedelta(hours=20, minutes=15)).run_due_sms()
    assert sms.state is SmsState.ACCEPTED


def test_each_of_many_workers_with_one_phone_is_told_once_in_the_end() -> None:
    cooperative = [
        make_registration(make_reference(number), worker_key=str(number)) for number in range(1, 21)
    ]
    harness = NotificationHarness(registrations=cooperative)
    for each in cooperative:
        harness.consume_event(reference=each.reference)

    for _ in range(7):
        harness.advance(timedelta(days=1)).run_due_sms()

    assert {sms.state for sms in harness.ledger.sms_by_id.values()} == {SmsState.ACCEPTED}
    assert len(harness.gateway.sent_sms) == len(cooperative)


def test_sms_over_the_budget_are_held_until_released() -> None:
    family = [
        make_registration(make_reference(number), worker_key=str(number), phone=f"+628245550700{number}")
        for number in range(1, 4)
    ]
    harness = NotificationHarness(registrations=family, sms_budget=2 * 350 + 349)
    sms_list = [harness.consume_event(reference=each.reference) for each in family]
    assert [sms.state for sms in sms_list] == [SmsState.ACCEPTED] * 2 + [SmsState.HELD]
    assert harness.advance(timedelta(days=1)).run_due_sms() == []
    assert harness.get_committed_budget() == 2 * 350

    assert harness.release("senen-2024") == 0
    assert harness.release("tanah-abang-2024") == 1
    (sms,) = harness.run_due_sms()

    assert (sms.state, sms.is_released) == (SmsState.ACCEPTED, True)
    assert harness.release("tanah-abang-2024") == 0


def test_sms_held_beyond_its_deadline_is_sent_after_its_release() -> None:
    harness = NotificationHarness(sms_budget=0)
    harness.consume_event()
    harness.advance(timedelta(days=30))

    assert harness.release("tanah-abang-2024") == 1
    (sms,) = harness.run_due_sms()

    assert sms.state is SmsState.ACCEPTED


def test_price_of_a_receipt_replaces_the_reserved_price() -> None:
    harness = NotificationHarness("gateway-1")
    harness.consume_event()
    assert harness.get_committed_budget() == 350

    for _ in range(2):
        harness.receive_receipt("gateway-1", "sent", parts=1, price_microusd=20_001)
        harness.receive_receipt("gateway-1", "delivered", parts=1, price_microusd=20_001)

    assert harness.get_committed_budget() == 331, "rounded up"
    assert harness.count_sms().money == 331


def test_campaign_without_budget_holds_every_sms() -> None:
    harness = NotificationHarness(sms_budget=0)
    assert harness.consume_event().state is SmsState.HELD
    assert harness.gateway.sent_sms == []
