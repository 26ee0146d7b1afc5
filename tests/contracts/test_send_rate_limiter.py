"""What any line of senders promises: slots apart, reminders only where there is no line, and one switch."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest

from chalicelib.messaging.rate_limiter import RateLimited, SendingStop, SendingStopped
from chalicelib.messaging.store import DynamoSendRateLimiter
from tests.contracts.conftest import Engine
from tests.support.builders import NOW

SLOT = timedelta(milliseconds=100)
AT_ONCE = timedelta(0)
IN_LINE = timedelta(seconds=4)


@pytest.fixture
def rate_limiter(engine: Engine) -> DynamoSendRateLimiter:
    return DynamoSendRateLimiter(engine.client, engine.create_table("SendingTable"))


def take(
    rate_limiter: DynamoSendRateLimiter, at: datetime = NOW, *, longest: timedelta = IN_LINE
) -> datetime:
    return rate_limiter.reserve(SLOT, now=at, max_wait=longest)


def test_slots_are_given_one_after_the_other(rate_limiter: DynamoSendRateLimiter) -> None:
    assert [take(rate_limiter) for _ in range(4)] == [NOW, NOW + SLOT, NOW + 2 * SLOT, NOW + 3 * SLOT]


def test_a_line_that_nobody_stands_in_gives_the_present_and_saves_nothing_up(
    rate_limiter: DynamoSendRateLimiter,
) -> None:
    take(rate_limiter)
    later = NOW + timedelta(hours=1)

    assert [take(rate_limiter, later) for _ in range(2)] == [later, later + SLOT]


def test_longer_texts_take_longer(rate_limiter: DynamoSendRateLimiter) -> None:
    rate_limiter.reserve(3 * SLOT, now=NOW, max_wait=IN_LINE)

    assert take(rate_limiter) == NOW + 3 * SLOT


def test_a_reminder_gets_a_slot_only_where_there_is_no_line(rate_limiter: DynamoSendRateLimiter) -> None:
    assert take(rate_limiter, longest=AT_ONCE) == NOW
    with pytest.raises(RateLimited):
        take(rate_limiter, longest=AT_ONCE)
    assert take(rate_limiter) == NOW + SLOT, "a confirmation stands in line meanwhile"
    assert take(rate_limiter, NOW + 2 * SLOT, longest=AT_ONCE) == NOW + 2 * SLOT


def test_nobody_stands_in_line_for_too_long(rate_limiter: DynamoSendRateLimiter) -> None:
    rate_limiter.reserve(timedelta(seconds=5), now=NOW, max_wait=IN_LINE)

    with pytest.raises(RateLimited):
        take(rate_limiter)


def test_who_is_stopped_gets_no_slot_until_it_is_over(rate_limiter: DynamoSendRateLimiter) -> None:
    until = NOW + timedelta(minutes=15)
    rate_limiter.stop(SendingStop("spend_limit", until))

    with pytest.raises(SendingStopped) as stopped:
        take(rate_limiter)
    assert (stopped.value.reason, stopped.value.ends_at) == ("spend_limit", until)
    assert rate_limiter.find_stop(NOW) == SendingStop("spend_limit", until)
    assert rate_limiter.find_stop(until) is None
    assert take(rate_limiter, until) == until


@pytest.mark.parametrize("standing", [True, False], ids=["with a line", "without a line"])
def test_a_stop_by_hand_holds_until_somebody_resumes(
    rate_limiter: DynamoSendRateLimiter, standing: bool
) -> None:
    if standing:
        take(rate_limiter)
    rate_limiter.stop(SendingStop("by hand", None))
    rate_limiter.stop(SendingStop("spend_limit", NOW + timedelta(minutes=15)))
    far = NOW + timedelta(days=365)

    with pytest.raises(SendingStopped) as stopped:
        take(rate_limiter, far)
    assert (stopped.value.reason, stopped.value.ends_at) == ("by hand", None)

    rate_limiter.resume(NOW)
    assert rate_limiter.find_stop(NOW) is None
    assert take(rate_limiter, far) == far


def test_a_line_that_was_never_stopped_can_be_resumed(rate_limiter: DynamoSendRateLimiter) -> None:
    rate_limiter.resume(NOW)

    assert take(rate_limiter) == NOW


def test_every_sender_knows_from_its_next_slot_when_somebody_resumed(engine: Engine) -> None:
    table = engine.create_table("SendingTable")
    operator, sender = (DynamoSendRateLimiter(engine.client, table) for _ in range(2))
    take(sender)
    assert sender.resumed_at is None

    operator.resume(NOW)
    take(sender)
    assert sender.resumed_at == NOW

    operator.resume(NOW + timedelta(minutes=1))
    take(sender, NOW + timedelta(minutes=2))
    assert sender.resumed_at == NOW + timedelta(minutes=1)


def test_many_senders_get_a_slot_each(concurrent_engine: Engine) -> None:
    rate_limiter = DynamoSendRateLimiter(
        concurrent_engine.client, concurrent_engine.create_table("SendingTable")
    )

    with ThreadPoolExecutor(12) as threads:
        slots = sorted(threads.map(lambda _: take(rate_limiter, longest=timedelta(hours=1)), range(60)))

    assert slots == [NOW + number * SLOT for number in range(60)]
