"""What any line of senders promises: slots apart, reminders only where there is no line, and one switch."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest

from chalicelib.notifications.dynamodb import DynamoLine
from chalicelib.notifications.pace import LineBusy, Stop, Stopped
from tests.builders import NOW
from tests.contracts.conftest import Engine

SLOT = timedelta(milliseconds=100)
AT_ONCE = timedelta(0)
IN_LINE = timedelta(seconds=4)


@pytest.fixture
def line(engine: Engine) -> DynamoLine:
    return DynamoLine(engine.client, engine.table("SendingTable"))


def take(line: DynamoLine, at: datetime = NOW, *, longest: timedelta = IN_LINE) -> datetime:
    return line.take(SLOT, now=at, longest=longest)


def test_slots_are_given_one_after_the_other(line: DynamoLine) -> None:
    assert [take(line) for _ in range(4)] == [NOW, NOW + SLOT, NOW + 2 * SLOT, NOW + 3 * SLOT]


def test_a_line_that_nobody_stands_in_gives_the_present_and_saves_nothing_up(line: DynamoLine) -> None:
    take(line)
    later = NOW + timedelta(hours=1)

    assert [take(line, later) for _ in range(2)] == [later, later + SLOT]


def test_longer_texts_take_longer(line: DynamoLine) -> None:
    line.take(3 * SLOT, now=NOW, longest=IN_LINE)

    assert take(line) == NOW + 3 * SLOT


def test_a_reminder_gets_a_slot_only_where_there_is_no_line(line: DynamoLine) -> None:
    assert take(line, longest=AT_ONCE) == NOW
    with pytest.raises(LineBusy):
        take(line, longest=AT_ONCE)
    assert take(line) == NOW + SLOT, "a confirmation stands in line meanwhile"
    assert take(line, NOW + 2 * SLOT, longest=AT_ONCE) == NOW + 2 * SLOT


def test_nobody_stands_in_line_for_too_long(line: DynamoLine) -> None:
    line.take(timedelta(seconds=5), now=NOW, longest=IN_LINE)

    with pytest.raises(LineBusy):
        take(line)


def test_who_is_stopped_gets_no_slot_until_it_is_over(line: DynamoLine) -> None:
    until = NOW + timedelta(minutes=15)
    line.stop(Stop("spend_limit", until))

    with pytest.raises(Stopped) as stopped:
        take(line)
    assert (stopped.value.reason, stopped.value.until) == ("spend_limit", until)
    assert line.stopped(NOW) == Stop("spend_limit", until)
    assert line.stopped(until) is None
    assert take(line, until) == until


@pytest.mark.parametrize("standing", [True, False], ids=["with a line", "without a line"])
def test_a_stop_by_hand_holds_until_somebody_resumes(line: DynamoLine, standing: bool) -> None:
    if standing:
        take(line)
    line.stop(Stop("by hand", None))
    line.stop(Stop("spend_limit", NOW + timedelta(minutes=15)))
    far = NOW + timedelta(days=365)

    with pytest.raises(Stopped) as stopped:
        take(line, far)
    assert (stopped.value.reason, stopped.value.until) == ("by hand", None)

    line.resume(NOW)
    assert line.stopped(NOW) is None
    assert take(line, far) == far


def test_a_line_that_was_never_stopped_can_be_resumed(line: DynamoLine) -> None:
    line.resume(NOW)

    assert take(line) == NOW


def test_every_sender_knows_from_its_next_slot_when_somebody_resumed(engine: Engine) -> None:
    table = engine.table("SendingTable")
    operator, sender = (DynamoLine(engine.client, table) for _ in range(2))
    take(sender)
    assert sender.resumed_at is None

    operator.resume(NOW)
    take(sender)
    assert sender.resumed_at == NOW

    operator.resume(NOW + timedelta(minutes=1))
    take(sender, NOW + timedelta(minutes=2))
    assert sender.resumed_at == NOW + timedelta(minutes=1)


def test_many_senders_get_a_slot_each(real_engine: Engine) -> None:
    line = DynamoLine(real_engine.client, real_engine.table("SendingTable"))

    with ThreadPoolExecutor(12) as threads:
        slots = sorted(threads.map(lambda _: take(line, longest=timedelta(hours=1)), range(60)))

    assert slots == [NOW + number * SLOT for number in range(60)]
