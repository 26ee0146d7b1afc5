"""The minute's round: confirmations first, nothing while sending is stopped, nothing lost."""

from datetime import timedelta

import pytest

from chalicelib.notifications import schedule
from chalicelib.notifications.errors import TryLater
from chalicelib.notifications.pace import Stop
from chalicelib.notifications.requeue import Requeue
from chalicelib.notifications.templates import Kind, Purpose
from chalicelib.refusals import TryAgain
from tests.builders import NOW
from tests.contracts.stored import a_reference, a_registration, a_text
from tests.logs import logged
from tests.notifications.stage import Stage


def requeue(stage: Stage) -> Requeue:
    return Requeue(ledger=stage.ledger, line=stage.line, queues=stage, clock=stage.clock)


def test_confirmations_are_queued_before_reminders_each_to_its_own_queue() -> None:
    stage = Stage()
    for number, kind in enumerate([Kind.REMINDER, Kind.CONFIRMATION, Kind.REMINDER, Kind.CONFIRMATION]):
        stage.ledger.begin(a_text(number, kind=kind, due_at=NOW))

    assert requeue(stage).queue_due() == {Kind.CONFIRMATION: 2, Kind.REMINDER: 2}
    assert [kind for kind, _ in stage.queued] == [Kind.CONFIRMATION] * 2 + [Kind.REMINDER] * 2
    assert requeue(stage).queue_due() == {Kind.CONFIRMATION: 0, Kind.REMINDER: 0}, "each is queued once"


def test_a_round_ends_in_time_and_the_next_one_goes_on() -> None:
    stage = Stage()
    for number in range(25):
        stage.ledger.begin(a_text(number, due_at=NOW))
    stage.ledger.on_write = lambda: stage.clock.forward(timedelta(seconds=1))

    assert requeue(stage).queue_due()[Kind.CONFIRMATION] == 20
    assert requeue(stage).queue_due()[Kind.CONFIRMATION] == 5


def test_a_text_that_moved_since_the_index_saw_it_is_left_alone() -> None:
    stage = Stage()
    begun = stage.ledger.begin(a_text(due_at=NOW))
    due = list(stage.ledger.due(Kind.CONFIRMATION, NOW))
    stage.ledger.move(begun.given_up("expired"), was=begun)
    stage.ledger.due = lambda kind, now: iter(due if kind is Kind.CONFIRMATION else [])  # type: ignore[method-assign]

    assert requeue(stage).queue_due()[Kind.CONFIRMATION] == 0


def test_a_queue_that_refuses_fails_the_round_and_loses_nothing() -> None:
    stage = Stage()
    stage.ledger.begin(a_text(due_at=NOW))

    class Refusing(Stage):
        def send(self, kind: Kind, due: object) -> None:
            raise TryAgain("the queue refused 1")

    with pytest.raises(TryAgain):
        Requeue(ledger=stage.ledger, line=stage.line, queues=Refusing(), clock=stage.clock).queue_due()
    stage.after(timedelta(hours=1))
    assert requeue(stage).queue_due()[Kind.CONFIRMATION] == 1


def test_while_sending_is_stopped_nothing_is_queued_and_the_metric_says_so() -> None:
    stage = Stage(TryLater("later"))
    stage.deliver()
    stage.line.stop(Stop("by hand", None))
    stage.after(timedelta(hours=2))
    with logged() as lines:
        assert schedule.queue_due(requeue(stage)) == {}
    assert [each["SendingStopped"] for each in lines.metrics()] == [[1.0]]

    stage.line.resume(stage.clock())
    with logged() as lines:
        assert schedule.queue_due(requeue(stage)) == {"confirmation": 1, "reminder": 0}
    assert lines.metrics() == []


def test_confirmations_overtake_reminders_however_many_of_these_are_due() -> None:
    """A reminder gets a slot only when no confirmation wants it."""
    family = [
        a_registration(a_reference(number), worker_key=str(number), phone=f"+62824555070{number:02d}")
        for number in range(1, 4)
    ]
    stage = Stage(registrations=family)
    stage.line.take(timedelta(seconds=3), now=NOW, longest=timedelta(0))
    text = a_text(
        9, purpose=Purpose.ALREADY_REGISTERED, kind=Kind.REMINDER, registration=a_reference(1), due_at=NOW
    )
    stage.ledger.begin(text)

    (reminder,) = stage.round()
    assert (reminder.state, reminder.reason) == ("pending", "line_busy")
    assert stage.deliver(of=a_reference(2)).state == "accepted", "a confirmation waits for its turn instead"

    (reminder,) = stage.after(timedelta(minutes=1)).round()
    assert reminder.state == "accepted"


def test_a_reminder_waits_for_the_morning_of_its_worker() -> None:
    papua = a_registration(postal_code="99351")
    stage = Stage(registrations=[papua])
    stage.after(timedelta(hours=6, minutes=30))  # 18:30 in Jakarta, 20:30 in Jayapura
    text = a_text(purpose=Purpose.ALREADY_REGISTERED, kind=Kind.REMINDER, due_at=NOW)
    stage.ledger.begin(text)

    (reminder,) = stage.round()

    assert (reminder.state, reminder.reason) == ("pending", "quiet_hours")
    assert reminder.due_at is not None
    # 08:15 in Jayapura, where it is nine hours later than in Greenwich.
    assert (reminder.due_at.hour, reminder.due_at.minute) == (23, 15)
    assert stage.deliver().state == "accepted", "a confirmation goes at any hour"


def test_a_text_that_is_erased_as_it_is_queued_is_queued_for_nobody() -> None:
    stage = Stage(TryLater("ThrottlingException"))
    stage.deliver()
    stage.after(timedelta(minutes=1))
    stage.ledger.on_write = stage.ledger.texts.clear

    assert stage.round() == []
    assert stage.queued == []
