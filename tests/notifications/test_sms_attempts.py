"""Attempts to send an SMS: failures, unknown outcomes, receipts and worker processes that died."""

from datetime import datetime, timedelta

import pytest

from chalicelib.messaging.errors import (
    OutcomeUnknown,
    PermanentFailure,
    TransientFailure,
)
from chalicelib.notifications.model import SmsState
from tests.support.builders import NOW
from tests.support.notification_harness import NotificationHarness, WorkerKilled
from tests.support.registration_builders import FIRST_DAY

AGAIN = timedelta(minutes=3)
MINUTE = timedelta(minutes=1)


def test_transient_failure_is_retried_by_a_later_run() -> None:
    harness = NotificationHarness(TransientFailure("ThrottlingException"), "gateway-1")
    waiting = harness.consume_event()
    assert (waiting.state, waiting.reason) == (SmsState.PENDING, "ThrottlingException")
    assert waiting.due_at == NOW + timedelta(seconds=30)
    assert harness.advance(timedelta(seconds=29)).run_due_sms() == []

    (sms,) = harness.advance(timedelta(seconds=1)).run_due_sms()

    assert (sms.state, sms.attempts, sms.reason) == (SmsState.ACCEPTED, 2, None)
    assert len(harness.gateway.sent_sms) == 2


def test_retry_delays_grow_until_the_deadline() -> None:
    harness = NotificationHarness(*[TransientFailure("ThrottlingException")] * 100)
    harness.consume_event()
    waits = []
    while harness.get_only_sms().state is SmsState.PENDING:
        due_at = harness.get_only_sms().due_at
        assert due_at is not None
        waits.append(due_at - harness.clock.now)
        harness.clock.now = due_at
        harness.run_due_sms()

    minutes = [wait / MINUTE for wait in waits]
    assert minutes[:5] == [0.5, 2, 10, 30, 120]
    assert set(minutes[5:]) == {120}
    assert harness.clock.now <= NOW + timedelta(hours=36)
    assert (harness.get_only_sms().state, harness.get_only_sms().reason) == (
        SmsState.FAILED,
        "expired:ThrottlingException",
    )
    assert harness.get_committed_budget() == 0


def test_permanent_failure_is_never_retried() -> None:
    harness = NotificationHarness(
        PermanentFailure("ValidationException:DESTINATION_COUNTRY_BLOCKED", gateway="scripted")
    )
    failed = harness.consume_event()
    assert (failed.state, failed.reason, failed.gateway) == (
        SmsState.FAILED,
        "ValidationException:DESTINATION_COUNTRY_BLOCKED",
        "scripted",
    )
    assert harness.advance(AGAIN).consume_event() == failed
    assert len(harness.gateway.sent_sms) == 1
    assert harness.get_committed_budget() == 0


def test_unknown_outcome_is_not_resent_for_15_minutes() -> None:
    harness = NotificationHarness(OutcomeUnknown("ReadTimeoutError"))
    unknown = harness.consume_event()
    assert (unknown.state, unknown.reason) == (SmsState.UNKNOWN, "ReadTimeoutError")
    assert harness.advance(timedelta(minutes=14, seconds=59)).run_due_sms() == []
    assert harness.consume_event() == unknown
    assert len(harness.gateway.sent_sms) == 1


def test_harmless_duplicate_is_sent_once_without_a_receipt() -> None:
    harness = NotificationHarness(OutcomeUnknown("ReadTimeoutError"), OutcomeUnknown("ReadTimeoutError"))
    harness.consume_event()
    harness.advance(timedelta(minutes=15)).receive_receipt_of_another_sms()

    (again,) = harness.run_due_sms()

    assert (again.state, again.is_resent, again.attempts) == (SmsState.UNKNOWN, True, 2)
    assert harness.get_committed_budget() == 2 * 350
    assert harness.advance(timedelta(hours=5)).run_due_sms() == []
    assert len(harness.gateway.sent_sms) == 2


def test_unknown_sms_is_held_while_no_receipts_come_in() -> None:
    harness = NotificationHarness(OutcomeUnknown("ReadTimeoutError"))
    harness.receive_receipt_of_another_sms()
    harness.consume_event()

    (held,) = harness.advance(timedelta(minutes=15)).run_due_sms()

    assert (held.state, held.reason, held.due_at) == (SmsState.HELD, "receipts_silent", None)
    assert harness.advance(timedelta(days=1)).run_due_sms() == []
    assert len(harness.gateway.sent_sms) == 1


def test_receipt_that_comes_late_settles_an_sms_held_without_receipts() -> None:
    harness = NotificationHarness(OutcomeUnknown("ReadTimeoutError"))
    harness.consume_event()
    harness.advance(timedelta(minutes=15)).run_due_sms()

    harness.advance(timedelta(hours=9)).receive_receipt("gateway-9")

    assert harness.get_only_sms().state is SmsState.DELIVERED
    assert harness.release(FIRST_DAY.campaign_id) == 0
    assert (len(harness.gateway.sent_sms), harness.get_committed_budget()) == (1, 350)


def test_sms_held_without_receipts_is_sent_once_more_when_a_person_releases_it() -> None:
    harness = NotificationHarness(OutcomeUnknown("ReadTimeoutError"), OutcomeUnknown("ReadTimeoutError"))
    harness.consume_event()
    harness.advance(timedelta(minutes=15)).run_due_sms()

    assert harness.release(FIRST_DAY.campaign_id) == 1
    harness.run_due_sms()

    assert (len(harness.gateway.sent_sms), harness.get_committed_budget()) == (2, 700)
    harness.advance(timedelta(minutes=15)).receive_receipt_of_another_sms()
    assert harness.advance(timedelta(hours=5)).run_due_sms() == []


def test_receipt_settles_an_unknown_sms() -> None:
    harness = NotificationHarness(OutcomeUnknown("ReadTimeoutError"))
    harness.consume_event()

    harness.advance(MINUTE).receive_receipt("gateway-9", "sent")

    assert harness.get_only_sms().state is SmsState.SENT
    assert harness.advance(timedelta(hours=2)).run_due_sms() == []
    assert len(harness.gateway.sent_sms) == 1


def test_receipt_prevents_a_queued_second_copy() -> None:
    harness = NotificationHarness(OutcomeUnknown("ReadTimeoutError"))
    harness.consume_event()
    harness.advance(timedelta(minutes=15))
    due = harness.get_only_sms().sms_id
    harness.receive_receipt("gateway-9")

    assert harness.service.resume(due).state is SmsState.DELIVERED
    assert len(harness.gateway.sent_sms) == 1


def test_repeated_event_during_the_attempt_sends_nothing() -> None:
    harness = NotificationHarness("gateway-1")
    seen = []
    harness.gateway.on_send = lambda: seen.append(harness.consume_event().state)

    assert harness.consume_event().state is SmsState.ACCEPTED
    assert seen == [SmsState.ATTEMPT_STARTED]
    assert len(harness.gateway.sent_sms) == 1


def test_receipt_before_the_gateways_answer_is_kept() -> None:
    harness = NotificationHarness("gateway-1")
    harness.gateway.on_send = lambda: harness.receive_receipt("gateway-1", "delivered")

    assert harness.consume_event().state is SmsState.DELIVERED
    assert set(harness.get_only_sms().sends) == {"gateway-1"}
    assert (harness.get_only_sms().open_attempts, harness.get_committed_budget()) == (0, 350)


def test_attempt_whose_process_died_is_unknown_after_one_minute_and_resent_after_15() -> None:
    harness = NotificationHarness(WorkerKilled())
    with pytest.raises(WorkerKilled):
        harness.consume_event()
    assert harness.get_only_sms().state is SmsState.ATTEMPT_STARTED
    assert harness.advance(timedelta(seconds=59)).consume_event().state is SmsState.ATTEMPT_STARTED

    sms = harness.advance(timedelta(seconds=1)).consume_event()
    assert (sms.state, sms.reason) == (SmsState.UNKNOWN, "attempt_timed_out")
    assert len(harness.gateway.sent_sms) == 1

    harness.advance(timedelta(minutes=14)).receive_receipt_of_another_sms()
    (sms,) = harness.run_due_sms()
    assert sms.state is SmsState.ACCEPTED
    assert len(harness.gateway.sent_sms) == 2


def test_claim_whose_process_died_is_taken_over_after_a_minute() -> None:
    harness = NotificationHarness()

    def die(duration: timedelta, *, now: datetime, max_wait: timedelta) -> datetime:
        raise WorkerKilled

    harness.rate_limiter.reserve = die  # type: ignore[method-assign]
    with pytest.raises(WorkerKilled):
        harness.consume_event()
    assert harness.get_only_sms().state is SmsState.CLAIMED
    del harness.rate_limiter.reserve
    assert harness.advance(timedelta(seconds=59)).consume_event().state is SmsState.CLAIMED

    assert harness.advance(timedelta(seconds=1)).consume_event().state is SmsState.ACCEPTED
    assert (len(harness.gateway.sent_sms), harness.get_committed_budget()) == (1, 350)


@pytest.mark.parametrize("state", [SmsState.PENDING, SmsState.CLAIMED])
def test_sms_whose_process_died_is_due_after_an_hour(state: SmsState) -> None:
    harness = NotificationHarness()
    writes = {SmsState.PENDING: 2, SmsState.CLAIMED: 3}[state]
    left = iter(range(writes))

    def stop_at_last() -> None:
        if next(left) == writes - 1:
            raise WorkerKilled

    harness.ledger.before_write = stop_at_last
    with pytest.raises(WorkerKilled):
        harness.consume_event()
    harness.ledger.before_write = lambda: None
    assert harness.get_only_sms().state is state
    assert harness.advance(timedelta(minutes=59)).run_due_sms() == []

    (sms,) = harness.advance(MINUTE).run_due_sms()

    assert sms.state is SmsState.ACCEPTED
    assert len(harness.gateway.sent_sms) == 1


def test_lost_message_is_queued_again_after_an_hour() -> None:
    harness = NotificationHarness(TransientFailure("ThrottlingException"))
    harness.consume_event()
    harness.service.resume = lambda sms_id: harness.get_only_sms()  # type: ignore[method-assign]
    harness.advance(MINUTE).run_due_sms()
    harness.service = harness.make_service()
    assert harness.advance(timedelta(minutes=59)).run_due_sms() == []

    (sms,) = harness.advance(MINUTE).run_due_sms()

    assert sms.state is SmsState.ACCEPTED


def test_one_of_two_concurrent_processes_sends_the_sms() -> None:
    harness = NotificationHarness(TransientFailure("ThrottlingException"))
    waiting = harness.consume_event()
    harness.advance(MINUTE)
    harness.ledger.before_write = lambda: None
    won = []

    def the_other_is_faster() -> None:
        harness.ledger.before_write = lambda: None
        won.append(harness.make_service().resume(waiting.sms_id).state)

    harness.ledger.before_write = the_other_is_faster
    assert harness.service.resume(waiting.sms_id).state is SmsState.ACCEPTED
    assert won == [SmsState.ACCEPTED]
    assert len(harness.gateway.sent_sms) == 2
