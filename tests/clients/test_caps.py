"""The daily caps of clients: counted without a request for each capture, and exactly close to a limit."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta

import pytest

from chalicelib.callers import Caller, DailyCap, Role
from chalicelib.clients.caps import AttemptCounts, DailyCapLimiter, UnusualOutcome
from chalicelib.clients.errors import ClientCapReached
from tests.support.builders import NOW, UNUSUAL_ATTEMPTS, make_allowance, make_caller
from tests.support.fakes.clients import InMemoryDayCounts
from tests.support.fakes.clock import FixedClock

TODAY = date(2024, 10, 9)
TOMORROW = TODAY + timedelta(days=1)
VAN, BOT = make_caller(), make_caller(Role.BOT, client_id="whatsapp")

StartLimiter = Callable[[], DailyCapLimiter]


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(NOW)


@pytest.fixture
def counts() -> InMemoryDayCounts:
    return InMemoryDayCounts()


@pytest.fixture
def start_limiter(counts: InMemoryDayCounts, clock: FixedClock) -> StartLimiter:
    """Starts another process: devices have 2 a day without a flag and 3 at all, bots 200 and 400."""
    caps = {"kiosk": DailyCap(flag=2, cap=3), "bot": DailyCap(flag=200, cap=400)}
    return lambda: make_allowance(counts, clock, **caps)


def reserve_many(
    limiter: DailyCapLimiter, times: int, *, caller: Caller = VAN, day: date = TODAY
) -> list[bool]:
    return [limiter.reserve(caller, day).is_over_flag for _ in range(times)]


def test_a_client_is_flagged_and_then_refused(start_limiter: StartLimiter) -> None:
    limiter = start_limiter()
    assert reserve_many(limiter, 3) == [False, False, True]
    for _ in range(2):
        with pytest.raises(ClientCapReached):
            limiter.reserve(VAN, TODAY)


def test_each_client_and_each_day_has_a_count_of_its_own(start_limiter: StartLimiter) -> None:
    limiter = start_limiter()
    reserve_many(limiter, 3)
    assert reserve_many(limiter, 1, caller=make_caller(client_id="van-2")) == [False]
    assert reserve_many(limiter, 1, day=TOMORROW) == [False]


def test_the_role_decides_the_cap_of_a_client_without_its_own(start_limiter: StartLimiter) -> None:
    limiter = start_limiter()
    assert reserve_many(limiter, 400, caller=BOT) == [False] * 200 + [True] * 200
    with pytest.raises(ClientCapReached):
        limiter.reserve(BOT, TODAY)
    own = make_caller(Role.BOT, client_id="telegram", daily_cap=DailyCap(flag=0, cap=1))
    assert reserve_many(limiter, 1, caller=own) == [True]
    with pytest.raises(ClientCapReached):
        limiter.reserve(own, TODAY)


def test_a_released_capture_may_be_reserved_again(start_limiter: StartLimiter) -> None:
    limiter = start_limiter()
    reserve_many(limiter, 3)
    limiter.release(VAN, TODAY)
    assert reserve_many(limiter, 1) == [True]
    with pytest.raises(ClientCapReached):
        limiter.reserve(VAN, TODAY)


def test_a_new_process_reads_the_shared_count(start_limiter: StartLimiter) -> None:
    first = start_limiter()
    reserve_many(first, 2)
    # A process adds its last capture to the shared count only with its next request.
    reserve_many(second := start_limiter(), 2)
    with pytest.raises(ClientCapReached):
        second.reserve(VAN, TODAY)
    with pytest.raises(ClientCapReached):
        first.reserve(VAN, TODAY)


def test_processes_that_alternate_exceed_a_cap_by_less_than_one_each(
    start_limiter: StartLimiter, counts: InMemoryDayCounts
) -> None:
    processes = [start_limiter() for _ in range(4)]
    accepted = 0
    for turn in range(40):
        try:
            processes[turn % 4].reserve(VAN, TODAY)
        except ClientCapReached:
            continue
        accepted += 1
    assert 3 <= accepted < 3 + len(processes)


def test_far_from_a_limit_most_captures_send_no_request(
    start_limiter: StartLimiter, counts: InMemoryDayCounts
) -> None:
    reserve_many(start_limiter(), 100, caller=BOT)
    assert counts.request_count <= 20


def test_repeated_refusals_send_no_request(start_limiter: StartLimiter, counts: InMemoryDayCounts) -> None:
    limiter = start_limiter()
    reserve_many(limiter, 3)
    for _ in range(2):
        with pytest.raises(ClientCapReached):
            limiter.reserve(VAN, TODAY)
    requests_before = counts.request_count
    for _ in range(50):
        with pytest.raises(ClientCapReached):
            limiter.reserve(VAN, TODAY)
    assert counts.request_count == requests_before


def test_the_shared_count_is_read_again_after_a_minute(
    start_limiter: StartLimiter, counts: InMemoryDayCounts, clock: FixedClock
) -> None:
    limiter = start_limiter()
    reserve_many(limiter, 1, caller=BOT)
    counts.add(BOT.client_id, TODAY, AttemptCounts(399))
    clock.advance(timedelta(seconds=60))
    with pytest.raises(ClientCapReached):
        limiter.reserve(BOT, TODAY)


def test_counts_of_past_days_are_dropped(start_limiter: StartLimiter, counts: InMemoryDayCounts) -> None:
    limiter = start_limiter()
    for day in range(3):
        reserve_many(limiter, 3, day=TODAY + timedelta(days=day))
    requests_before = counts.request_count
    with pytest.raises(ClientCapReached):
        limiter.reserve(VAN, TODAY + timedelta(days=1))
    assert counts.request_count <= requests_before + 1


def test_threads_together_reserve_exactly_what_is_left(
    start_limiter: StartLimiter, counts: InMemoryDayCounts
) -> None:
    limiter = start_limiter()

    def take(_: int) -> bool:
        try:
            limiter.reserve(BOT, TODAY)
        except ClientCapReached:
            return False
        return True

    with ThreadPoolExecutor(10) as threads:
        assert sum(threads.map(take, range(600))) == 400


def record_many(limiter: DailyCapLimiter, times: int, *unusual: UnusualOutcome) -> list[int | None]:
    """Record outcomes of attempts, in turn. Return what was reported."""
    return [limiter.record(BOT, TODAY, unusual[number % len(unusual)]) for number in range(times)]


def test_a_client_is_reported_at_each_multiple_of_the_unusual_number_of_known_refused_and_capped_attempts(
    start_limiter: StartLimiter,
) -> None:
    limiter = start_limiter()
    reserve_many(limiter, 1, caller=BOT)

    reports = record_many(limiter, 2 * UNUSUAL_ATTEMPTS, *UnusualOutcome)

    assert {at: report for at, report in enumerate(reports, start=1) if report is not None} == {
        UNUSUAL_ATTEMPTS: UNUSUAL_ATTEMPTS,
        2 * UNUSUAL_ATTEMPTS: 2 * UNUSUAL_ATTEMPTS,
    }


def test_attempts_of_an_unusual_client_are_flagged_in_every_process(
    start_limiter: StartLimiter, clock: FixedClock
) -> None:
    first = start_limiter()
    assert not first.reserve(BOT, TODAY).is_unusual
    record_many(first, UNUSUAL_ATTEMPTS, UnusualOutcome.KNOWN)
    assert first.reserve(BOT, TODAY).is_unusual

    clock.advance(timedelta(seconds=60))
    first.reserve(BOT, TODAY)
    second = start_limiter()

    assert second.reserve(BOT, TODAY).is_unusual
    assert second.record(BOT, TODAY, UnusualOutcome.CAPPED) == UNUSUAL_ATTEMPTS + 1


def test_no_more_refusals_are_kept_of_a_client_with_an_unusual_number_of_them(
    start_limiter: StartLimiter,
) -> None:
    limiter = start_limiter()
    reserve_many(limiter, 1, caller=BOT)
    record_many(limiter, UNUSUAL_ATTEMPTS, UnusualOutcome.KNOWN)
    record_many(limiter, UNUSUAL_ATTEMPTS - 1, UnusualOutcome.REFUSED)
    assert limiter.reserve(BOT, TODAY).keeps_refusals

    record_many(limiter, 1, UnusualOutcome.REFUSED)

    assert not limiter.reserve(BOT, TODAY).keeps_refusals
