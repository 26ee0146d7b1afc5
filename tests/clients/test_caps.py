"""What a client may have accepted in a day: counted without a request for each, exactly where it matters."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta

import pytest

from chalicelib.callers import Caller, DailyCap, Role
from chalicelib.clients.caps import DailyCapLimiter
from chalicelib.clients.errors import ClientCapReached
from tests.support.builders import NOW, make_allowance, make_caller
from tests.support.fakes import FixedClock, InMemoryDayCounts

TODAY = date(2024, 10, 9)
TOMORROW = TODAY + timedelta(days=1)
VAN, BOT = make_caller(), make_caller(Role.BOT, client_id="whatsapp")

Container = Callable[[], DailyCapLimiter]


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(NOW)


@pytest.fixture
def counts() -> InMemoryDayCounts:
    return InMemoryDayCounts()


@pytest.fixture
def container(counts: InMemoryDayCounts, clock: FixedClock) -> Container:
    """Starts another container: devices have 2 a day without a flag and 3 at all, bots 200 and 400."""
    caps = {"kiosk": DailyCap(flag=2, cap=3), "bot": DailyCap(flag=200, cap=400)}
    return lambda: make_allowance(counts, clock, **caps)


def taken(allowance: DailyCapLimiter, times: int, *, by: Caller = VAN, day: date = TODAY) -> list[bool]:
    return [allowance.reserve(by, day) for _ in range(times)]


def test_a_client_is_flagged_and_then_refused(container: Container) -> None:
    allowance = container()
    assert taken(allowance, 3) == [False, False, True]
    for _ in range(2):
        with pytest.raises(ClientCapReached):
            allowance.reserve(VAN, TODAY)


def test_each_client_and_each_day_is_counted_for_itself(container: Container) -> None:
    allowance = container()
    taken(allowance, 3)
    assert taken(allowance, 1, by=make_caller(client_id="van-2")) == [False]
    assert taken(allowance, 1, day=TOMORROW) == [False]


def test_what_kind_of_client_it_is_decides_its_cap_unless_it_has_its_own(container: Container) -> None:
    allowance = container()
    assert taken(allowance, 400, by=BOT) == [False] * 200 + [True] * 200
    with pytest.raises(ClientCapReached):
        allowance.reserve(BOT, TODAY)
    own = make_caller(Role.BOT, client_id="telegram", daily_cap=DailyCap(flag=0, cap=1))
    assert taken(allowance, 1, by=own) == [True]
    with pytest.raises(ClientCapReached):
        allowance.reserve(own, TODAY)


def test_what_was_given_back_may_be_taken_again(container: Container) -> None:
    allowance = container()
    taken(allowance, 3)
    allowance.release(VAN, TODAY)
    assert taken(allowance, 1) == [True]
    with pytest.raises(ClientCapReached):
        allowance.reserve(VAN, TODAY)


def test_a_container_that_starts_anew_knows_what_others_counted(container: Container) -> None:
    first = container()
    taken(first, 2)
    # The last one is put to the common count with the next question, so two containers differ by one each.
    taken(second := container(), 2)
    with pytest.raises(ClientCapReached):
        second.reserve(VAN, TODAY)
    with pytest.raises(ClientCapReached):
        first.reserve(VAN, TODAY)


def test_containers_that_take_turns_go_over_a_cap_by_less_than_one_each(
    container: Container, counts: InMemoryDayCounts
) -> None:
    containers = [container() for _ in range(4)]
    accepted = 0
    for turn in range(40):
        try:
            containers[turn % 4].reserve(VAN, TODAY)
        except ClientCapReached:
            continue
        accepted += 1
    assert 3 <= accepted < 3 + len(containers)


def test_far_from_a_limit_most_captures_ask_nobody(container: Container, counts: InMemoryDayCounts) -> None:
    taken(container(), 100, by=BOT)
    assert counts.request_count <= 20


def test_a_client_that_is_refused_again_and_again_asks_nobody(
    container: Container, counts: InMemoryDayCounts
) -> None:
    allowance = container()
    taken(allowance, 3)
    for _ in range(2):
        with pytest.raises(ClientCapReached):
            allowance.reserve(VAN, TODAY)
    asked = counts.request_count
    for _ in range(50):
        with pytest.raises(ClientCapReached):
            allowance.reserve(VAN, TODAY)
    assert counts.request_count == asked


def test_after_a_minute_the_others_are_asked_about(
    container: Container, counts: InMemoryDayCounts, clock: FixedClock
) -> None:
    allowance = container()
    taken(allowance, 1, by=BOT)
    counts.add(BOT.client_id, TODAY, 399)
    clock.advance(timedelta(seconds=60))
    with pytest.raises(ClientCapReached):
        allowance.reserve(BOT, TODAY)


def test_days_that_are_over_are_forgotten(container: Container, counts: InMemoryDayCounts) -> None:
    allowance = container()
    for day in range(3):
        taken(allowance, 3, day=TODAY + timedelta(days=day))
    asked = counts.request_count
    with pytest.raises(ClientCapReached):
        allowance.reserve(VAN, TODAY + timedelta(days=1))
    assert counts.request_count <= asked + 1


def test_the_threads_of_a_batch_take_exactly_what_is_left(
    container: Container, counts: InMemoryDayCounts
) -> None:
    allowance = container()

    def take(_: int) -> bool:
        try:
            allowance.reserve(BOT, TODAY)
        except ClientCapReached:
            return False
        return True

    with ThreadPoolExecutor(10) as threads:
        assert sum(threads.map(take, range(600))) == 400
