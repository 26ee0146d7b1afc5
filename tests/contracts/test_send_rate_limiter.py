"""The rate limiter: slots, maximum waits, stops and resumptions."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest

from chalicelib.messaging.rate_limiter import RateLimited, SendingStop, SendingStopped
from chalicelib.messaging.store import DynamoSendRateLimiter
from tests.contracts.conftest import Engine
from tests.support.builders import NOW

SLOT = timedelta(milliseconds=100)
NO_WAIT = timedelta(0)
MAX_WAIT = timedelta(seconds=4)


@pytest.fixture
def rate_limiter(engine: Engine) -> DynamoSendRateLimiter:
    return DynamoSendRateLimiter(engine.client, engine.create_table("SendingTable"))


def reserve(
    rate_limiter: DynamoSendRateLimiter, now: datetime = NOW, *, max_wait: timedelta = MAX_WAIT
) -> datetime:
    return rate_limiter.reserve(SLOT, now=now, max_wait=max_wait)


def test_slots_follow_each_other(rate_limiter: DynamoSendRateLimiter) -> None:
    assert [reserve(rate_limiter) for _ in range(4)] == [NOW, NOW + SLOT, NOW + 2 * SLOT, NOW + 3 * SLOT]


def test_idle_rate_limiter_gives_the_present_and_saves_no_slots(
    rate_limiter: DynamoSendRateLimiter,
) -> None:
    reserve(rate_limiter)
    later = NOW + timedelta(hours=1)

    assert [reserve(rate_limiter, later) for _ in range(2)] == [later, later + SLOT]


def test_more_parts_take_a_longer_slot(rate_limiter: DynamoSendRateLimiter) -> None:
    rate_limiter.reserve(3 * SLOT, now=NOW, max_wait=MAX_WAIT)

    assert reserve(rate_limiter) == NOW + 3 * SLOT


def test_reservation_without_a_wait_needs_a_free_slot(rate_limiter: DynamoSendRateLimiter) -> None:
    assert reserve(rate_limiter, max_wait=NO_WAIT) == NOW
    with pytest.raises(RateLimited):
        reserve(rate_limiter, max_wait=NO_WAIT)
    assert reserve(rate_limiter) == NOW + SLOT, "a longer wait is allowed"
    assert reserve(rate_limiter, NOW + 2 * SLOT, max_wait=NO_WAIT) == NOW + 2 * SLOT


def test_reservation_beyond_the_maximum_wait_is_refused(rate_limiter: DynamoSendRateLimiter) -> None:
    rate_limiter.reserve(timedelta(seconds=5), now=NOW, max_wait=MAX_WAIT)

    with pytest.raises(RateLimited):
        reserve(rate_limiter)


def test_no_slot_is_reserved_until_a_stop_ends(rate_limiter: DynamoSendRateLimiter) -> None:
    until = NOW + timedelta(minutes=15)
    rate_limiter.stop(SendingStop("spend_limit", until))

    with pytest.raises(SendingStopped) as raised:
        reserve(rate_limiter)
    assert (raised.value.reason, raised.value.ends_at) == ("spend_limit", until)
    assert rate_limiter.find_stop(NOW) == SendingStop("spend_limit", until)
    assert rate_limiter.find_stop(until) is None
    assert reserve(rate_limiter, until) == until


@pytest.mark.parametrize("has_reservations", [True, False], ids=["with reservations", "without reservations"])
def test_stop_without_an_end_holds_until_sending_is_resumed(
    rate_limiter: DynamoSendRateLimiter, has_reservations: bool
) -> None:
    if has_reservations:
        reserve(rate_limiter)
    rate_limiter.stop(SendingStop("by hand", None))
    rate_limiter.stop(SendingStop("spend_limit", NOW + timedelta(minutes=15)))
    later = NOW + timedelta(days=365)

    with pytest.raises(SendingStopped) as raised:
        reserve(rate_limiter, later)
    assert (raised.value.reason, raised.value.ends_at) == ("by hand", None)

    rate_limiter.resume(NOW)
    assert rate_limiter.find_stop(NOW) is None
    assert reserve(rate_limiter, later) == later


def test_resuming_without_a_stop_changes_nothing(rate_limiter: DynamoSendRateLimiter) -> None:
    rate_limiter.resume(NOW)

    assert reserve(rate_limiter) == NOW


def test_each_instance_learns_of_a_resumption_with_its_next_slot(engine: Engine) -> None:
    table = engine.create_table("SendingTable")
    operator, sender = (DynamoSendRateLimiter(engine.client, table) for _ in range(2))
    reserve(sender)
    assert sender.resumed_at is None

    operator.resume(NOW)
    reserve(sender)
    assert sender.resumed_at == NOW

    operator.resume(NOW + timedelta(minutes=1))
    reserve(sender, NOW + timedelta(minutes=2))
    assert sender.resumed_at == NOW + timedelta(minutes=1)


def test_concurrent_reservations_get_one_slot_each(concurrent_engine: Engine) -> None:
    rate_limiter = DynamoSendRateLimiter(
        concurrent_engine.client, concurrent_engine.create_table("SendingTable")
    )

    with ThreadPoolExecutor(12) as threads:
        slots = sorted(threads.map(lambda _: reserve(rate_limiter, max_wait=timedelta(hours=1)), range(60)))

    assert slots == [NOW + number * SLOT for number in range(60)]
