"""Queuing of due SMS: confirmations first, nothing while sending is stopped, nothing lost."""

from datetime import timedelta

import pytest

from chalicelib.messaging.errors import TransientFailure
from chalicelib.messaging.rate_limiter import SendingStop
from chalicelib.notifications import schedule
from chalicelib.notifications.due_sms import DueSmsQueuer
from chalicelib.notifications.templates import SmsKind
from chalicelib.refusals import TryAgain
from chalicelib.sms_purposes import Purpose
from tests.support.builders import NOW
from tests.support.logs import collect_logs
from tests.support.notification_harness import NotificationHarness
from tests.support.registration_builders import make_reference, make_registration, make_sms


def make_queuer(harness: NotificationHarness) -> DueSmsQueuer:
    return DueSmsQueuer(
        ledger=harness.ledger, rate_limiter=harness.rate_limiter, queues=harness, clock=harness.clock
    )


def test_confirmations_are_queued_before_reminders_on_separate_queues() -> None:
    harness = NotificationHarness()
    for number, kind in enumerate(
        [SmsKind.REMINDER, SmsKind.CONFIRMATION, SmsKind.REMINDER, SmsKind.CONFIRMATION]
    ):
        harness.ledger.get_or_create(make_sms(number, kind=kind, due_at=NOW))

    assert make_queuer(harness).queue_due() == {SmsKind.CONFIRMATION: 2, SmsKind.REMINDER: 2}
    assert [kind for kind, _ in harness.queued_sms] == [SmsKind.CONFIRMATION] * 2 + [SmsKind.REMINDER] * 2
    assert make_queuer(harness).queue_due() == {SmsKind.CONFIRMATION: 0, SmsKind.REMINDER: 0}, (
        "each is queued once"
    )


def test_run_ends_in_time_and_the_next_one_continues() -> None:
    harness = NotificationHarness()
    for number in range(25):
        harness.ledger.get_or_create(make_sms(number, due_at=NOW))
    harness.ledger.before_write = lambda: harness.clock.advance(timedelta(seconds=1))

    assert make_queuer(harness).queue_due()[SmsKind.CONFIRMATION] == 20
    assert make_queuer(harness).queue_due()[SmsKind.CONFIRMATION] == 5


def test_sms_that_changed_since_the_index_is_not_queued() -> None:
    harness = NotificationHarness()
    created = harness.ledger.get_or_create(make_sms(due_at=NOW))
    due = list(harness.ledger.iter_due(SmsKind.CONFIRMATION, NOW))
    harness.ledger.update(created.abandon("expired"), previous=created)
    harness.ledger.iter_due = lambda kind, now: iter(due if kind is SmsKind.CONFIRMATION else [])  # type: ignore[method-assign]

    assert make_queuer(harness).queue_due()[SmsKind.CONFIRMATION] == 0


def test_failing_queue_fails_the_run_and_loses_no_sms() -> None:
    harness = NotificationHarness()
    harness.ledger.get_or_create(make_sms(due_at=NOW))

    class Refusing(NotificationHarness):
        def send(self, kind: SmsKind, due: object) -> None:
            raise TryAgain("the queue refused 1")

    with pytest.raises(TryAgain):
        DueSmsQueuer(
            ledger=harness.ledger, rate_limiter=harness.rate_limiter, queues=Refusing(), clock=harness.clock
        ).queue_due()
    harness.advance(timedelta(hours=1))
    assert make_queuer(harness).queue_due()[SmsKind.CONFIRMATION] == 1


def test_nothing_is_queued_while_sending_is_stopped_and_the_run_is_counted() -> None:
    harness = NotificationHarness(TransientFailure("later"))
    harness.consume_event()
    harness.rate_limiter.stop(SendingStop("by hand", None))
    harness.advance(timedelta(hours=2))
    with collect_logs() as lines:
        assert schedule.queue_due_sms(make_queuer(harness)) == {}
    assert [each["SendingStopped"] for each in lines.metrics()] == [[1.0]]

    harness.rate_limiter.resume(harness.clock())
    with collect_logs() as lines:
        assert schedule.queue_due_sms(make_queuer(harness)) == {"confirmation": 1, "reminder": 0}
    assert lines.metrics() == []


def test_reminder_gets_a_slot_only_if_no_confirmation_waits() -> None:
    family = [
        make_registration(make_reference(number), worker_key=str(number), phone=f"+62824555070{number:02d}")
        for number in range(1, 4)
    ]
    harness = NotificationHarness(registrations=family)
    harness.rate_limiter.reserve(timedelta(seconds=3), now=NOW, max_wait=timedelta(0))
    sms = make_sms(
        9,
        purpose=Purpose.ALREADY_REGISTERED,
        kind=SmsKind.REMINDER,
        reference=make_reference(1),
        due_at=NOW,
    )
    harness.ledger.get_or_create(sms)

    (reminder,) = harness.run_due_sms()
    assert (reminder.state, reminder.reason) == ("pending", "rate_limited")
    assert harness.consume_event(reference=make_reference(2)).state == "accepted", (
        "a confirmation waits for its slot"
    )

    (reminder,) = harness.advance(timedelta(minutes=1)).run_due_sms()
    assert reminder.state == "accepted"


def test_reminder_waits_for_the_end_of_quiet_hours_in_the_workers_zone() -> None:
    papua = make_registration(postal_code="99351")
    harness = NotificationHarness(registrations=[papua])
    harness.advance(timedelta(hours=6, minutes=30))  # 18:30 in Jakarta, 20:30 in Jayapura
    sms = make_sms(purpose=Purpose.ALREADY_REGISTERED, kind=SmsKind.REMINDER, due_at=NOW)
    harness.ledger.get_or_create(sms)

    (reminder,) = harness.run_due_sms()

    assert (reminder.state, reminder.reason) == ("pending", "quiet_hours")
    assert reminder.due_at is not None
    # 08:15 in Jayapura, UTC+9.
    assert (reminder.due_at.hour, reminder.due_at.minute) == (23, 15)
    assert harness.consume_event().state == "accepted", "confirmations are sent at any hour"


def test_sms_that_is_erased_during_the_run_is_not_queued() -> None:
    harness = NotificationHarness(TransientFailure("ThrottlingException"))
    harness.consume_event()
    harness.advance(timedelta(minutes=1))
    harness.ledger.before_write = harness.ledger.sms_by_id.clear

    assert harness.run_due_sms() == []
    assert harness.queued_sms == []
