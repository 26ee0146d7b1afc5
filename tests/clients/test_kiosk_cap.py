"""The cap of an unattended kiosk: exactly so many captures a minute, and none of any other client."""

from collections import defaultdict
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.callers import DeviceMode, Role
from chalicelib.clients.errors import KioskCapReached
from chalicelib.clients.kiosk_cap import KioskCapLimiter
from tests.support.builders import NOW, make_caller
from tests.support.fakes.clock import FixedClock

VAN = make_caller()
KIOSK = replace(make_caller(client_id="kiosk-1"), mode=DeviceMode.KIOSK)
CAP = 5


class InMemoryMinuteCounts:
    """Satisfies `kiosk_cap.MinuteCounts`."""

    def __init__(self) -> None:
        self.counts: defaultdict[tuple[str, datetime], int] = defaultdict(int)

    def add(self, client_id: str, minute: datetime, number: int) -> int:
        """Add a number of captures to those of a minute. Return the sum."""
        self.counts[client_id, minute] += number
        return self.counts[client_id, minute]


def make_limiter(clock: FixedClock, counts: InMemoryMinuteCounts | None = None) -> KioskCapLimiter:
    return KioskCapLimiter(counts=counts or InMemoryMinuteCounts(), cap=CAP, clock=clock)


@given(sizes=st.lists(st.integers(0, 12), max_size=6))
def test_no_batches_of_a_minute_bring_more_than_the_cap_and_none_is_kept_waiting_below_it(
    sizes: list[int],
) -> None:
    limiter = make_limiter(FixedClock(NOW))
    let_in = sum(limiter.reserve(KIOSK, size) for size in sizes)
    assert let_in == min(CAP, sum(sizes))


def test_the_next_minute_and_another_kiosk_have_a_count_of_their_own() -> None:
    clock = FixedClock(NOW)
    limiter = make_limiter(clock)
    assert limiter.reserve(KIOSK, CAP + 1) == CAP
    assert limiter.reserve(replace(KIOSK, client_id="kiosk-2"), 1) == 1
    clock.advance(timedelta(minutes=1))
    assert limiter.reserve(KIOSK, 1) == 1


def test_processes_share_the_count() -> None:
    counts, clock = InMemoryMinuteCounts(), FixedClock(NOW)
    assert [make_limiter(clock, counts).reserve(KIOSK, 3) for _ in range(2)] == [3, 2]


def test_whoever_is_no_kiosk_is_not_counted() -> None:
    counts = InMemoryMinuteCounts()
    limiter = make_limiter(FixedClock(NOW), counts)
    for caller in (VAN, make_caller(Role.BOT)):
        assert limiter.reserve(caller, 200) == 200
    assert not counts.counts


@pytest.mark.parametrize(("second", "wait"), [(0, 60), (20, 40), (59, 1)])
def test_a_refusal_says_when_the_next_minute_begins(second: int, wait: int) -> None:
    limiter = make_limiter(FixedClock(NOW.replace(second=second, microsecond=0)))
    limiter.reserve(KIOSK, CAP)
    with pytest.raises(KioskCapReached) as reached:
        limiter.require(KIOSK)
    assert reached.value.retry_after_seconds == wait
