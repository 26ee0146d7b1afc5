"""The minute's round: confirmations first, nothing while sending is stopped, nothing lost."""

from datetime import timedelta

import pytest

from chalicelib.messaging.errors import TransientFailure
from chalicelib.messaging.rate_limiter import SendingStop
from chalicelib.notifications import schedule
from chalicelib.notifications.due_sms import DueSmsQueuer
from chalicelib.notifications.templates import Purpose, SmsKind
from chalicelib.refusals import TryAgain
from tests.support.builders import NOW
from tests.support.logs import collect_logs
from tests.support.notification_harness import NotificationHarness
from tests.support.registration_builders import make_reference, make_registration, make_sms


def requeue(stage: NotificationHarness) -> DueSmsQueuer:
    return DueSmsQueuer(ledger=stage.ledger, rate_limiter=stage.rate_limiter, queues=stage, clock=stage.clock)


def test_confirmations_are_queued_before_reminders_each_to_its_own_queue() -> None:
    stage = NotificationHarness()
    for number, kind in enumerate(
        [SmsKind.REMINDER, SmsKind.CONFIRMATION, SmsKind.REMINDER, SmsKind.CONFIRMATION]
    ):
        stage.ledger.get_or_create(make_sms(number, kind=kind, due_at=NOW))

    assert requeue(stage).queue_due() == {SmsKind.CONFIRMATION: 2, SmsKind.REMINDER: 2}
    assert [kind for kind, _ in stage.queued_sms] == [SmsKind.CONFIRMATION] * 2 + [SmsKind.REMINDER] * 2
    assert requeue(stage).queue_due() == {SmsKind.CONFIRMATION: 0, SmsKind.REMINDER: 0}, "each is queued once"


def test_a_round_ends_in_time_and_the_next_one_goes_on() -> None:
    stage = NotificationHarness()
    for number in range(25):
        stage.ledger.get_or_create(make_sms(number, due_at=NOW))
    stage.ledger.before_write = lambda: stage.clock.advance(timedelta(seconds=1))

    assert requeue(stage).queue_due()[SmsKind.CONFIRMATION] == 20
    assert requeue(stage).queue_due()[SmsKind.CONFIRMATION] == 5


def test_a_text_that_moved_since_the_index_saw_it_is_left_alone() -> None:
    stage = NotificationHarness()
    begun = stage.ledger.get_or_create(make_sms(due_at=NOW))
    due = list(stage.ledger.iter_due(SmsKind.CONFIRMATION, NOW))
    stage.ledger.update(begun.abandon("expired"), previous=begun)
    stage.ledger.iter_due = lambda kind, now: iter(due if kind is SmsKind.CONFIRMATION else [])  # type: ignore[method-assign]

    assert requeue(stage).queue_due()[SmsKind.CONFIRMATION] == 0


def test_a_queue_that_refuses_fails_the_round_and_loses_nothing() -> None:
    stage = NotificationHarness()
    stage.ledger.get_or_create(make_sms(due_at=NOW))

    class Refusing(NotificationHarness):
        def send(self, kind: SmsKind, due: object) -> None:
            raise TryAgain("the queue refused 1")

    with pytest.raises(TryAgain):
        DueSmsQueuer(
            ledger=stage.ledger, rate_limiter=stage.rate_limiter, queues=Refusing(), clock=stage.clock
        ).queue_due()
    stage.advance(timedelta(hours=1))
    assert requeue(stage).queue_due()[SmsKind.CONFIRMATION] == 1


def test_while_sending_is_stopped_nothing_is_queued_and_the_metric_says_so() -> None:
    stage = NotificationHarness(TransientFailure("later"))
    stage.consume_event()
    stage.rate_limiter.stop(SendingStop("by hand", None))
    stage.advance(timedelta(hours=2))
    with collect_logs() as lines:
        assert schedule.queue_due_sms(requeue(stage)) == {}
    assert [each["SendingStopped"] for each in lines.metrics()] == [[1.0]]

    stage.rate_limiter.resume(stage.clock())
    with collect_logs() as lines:
        assert schedule.queue_due_sms(requeue(stage)) == {"confirmation": 1, "reminder": 0}
    assert lines.metrics() == []


def test_confirmations_overtake_reminders_however_many_of_these_are_due() -> None:
    """A reminder gets a slot only when no confirmation wants it."""
    family = [
        make_registration(make_reference(number), worker_key=str(number), phone=f"+62824555070{number:02d}")
        for number in range(1, 4)
    ]
    stage = NotificationHarness(registrations=family)
    stage.rate_limiter.reserve(timedelta(seconds=3), now=NOW, max_wait=timedelta(0))
    text = make_sms(
        9,
        purpose=Purpose.ALREADY_REGISTERED,
        kind=SmsKind.REMINDER,
        reference=make_reference(1),
        due_at=NOW,
    )
    stage.ledger.get_or_create(text)

    (reminder,) = stage.run_due_sms()
    assert (reminder.state, reminder.reason) == ("pending", "rate_limited")
    assert stage.consume_event(reference=make_reference(2)).state == "accepted", (
        "a confirmation waits for its turn instead"
    )

    (reminder,) = stage.advance(timedelta(minutes=1)).run_due_sms()
    assert reminder.state == "accepted"


def test_a_reminder_waits_for_the_morning_of_its_worker() -> None:
    papua = make_registration(postal_code="99351")
    stage = NotificationHarness(registrations=[papua])
    stage.advance(timedelta(hours=6, minutes=30))  # 18:30 in Jakarta, 20:30 in Jayapura
    text = make_sms(purpose=Purpose.ALREADY_REGISTERED, kind=SmsKind.REMINDER, due_at=NOW)
    stage.ledger.get_or_create(text)

    (reminder,) = stage.run_due_sms()

    assert (reminder.state, reminder.reason) == ("pending", "quiet_hours")
    assert reminder.due_at is not None
    # 08:15 in Jayapura, where it is nine hours later than in Greenwich.
    assert (reminder.due_at.hour, reminder.due_at.minute) == (23, 15)
    assert stage.consume_event().state == "accepted", "a confirmation goes at any hour"


def test_a_text_that_is_erased_as_it_is_queued_is_queued_for_nobody() -> None:
    stage = NotificationHarness(TransientFailure("ThrottlingException"))
    stage.consume_event()
    stage.advance(timedelta(minutes=1))
    stage.ledger.before_write = stage.ledger.sms_by_id.clear

    assert stage.run_due_sms() == []
    assert stage.queued_sms == []
