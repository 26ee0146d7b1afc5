"""Requests leave on their schedule, whatever became of earlier ones."""

import time
from collections.abc import Iterator
from threading import Lock

import pytest

from bench.load.percentiles import find_percentile
from bench.load.sender import send_at_full_rate, send_on_schedule

_GAP, _REQUESTS, _STALL = 0.01, 100, 0.6


class StallingServer:
    """Answers one request after the other, at once but for one, at which it stalls."""

    def __init__(self, stalls_at: int) -> None:
        self._stalls_at = stalls_at
        self._lock = Lock()

    def answer(self, number: int) -> str | None:
        with self._lock:
            if number == self._stalls_at:
                time.sleep(_STALL)
        return None


@pytest.mark.parametrize("connections", [1, 32])
def test_all_requests_planned_while_a_server_stalls_count_as_slow(connections: int) -> None:
    planned = [number * _GAP for number in range(_REQUESTS)]
    timings = send_on_schedule(planned, StallingServer(stalls_at=10).answer, connections=connections)

    # Those planned in the first half of the stall wait at least for the other half.
    slow = [number for number, timing in enumerate(timings) if timing.latency >= _STALL / 2]
    assert 10 in slow
    assert len(slow) >= _STALL / 2 / _GAP
    assert find_percentile([each.latency for each in timings], 75) >= _STALL / 2


def test_a_caller_that_waits_for_each_answer_sees_one_slow_request_alone() -> None:
    """What the schedule is for: the same server, with the fault that it keeps out."""
    timings = send_at_full_rate(StallingServer(stalls_at=10).answer, seconds=_STALL * 1.2, callers=1)
    assert timings[10].latency >= _STALL / 2
    # A busy machine may stall another one, but no quarter of all.
    assert find_percentile([each.latency for each in timings], 75) < _STALL / 2


def test_no_request_leaves_before_its_time_and_each_is_sent_once() -> None:
    sent: list[int] = []

    def call(number: int) -> None:
        sent.append(number)

    planned = [0.0, 0.05, 0.05, 0.2]
    timings = send_on_schedule(planned, call, connections=4)
    assert sorted(sent) == [0, 1, 2, 3]
    assert [each.planned_at for each in timings] == planned
    assert all(each.sent_at >= each.planned_at for each in timings)
    assert all(each.latency >= each.answered_at - each.sent_at for each in timings)


def test_a_run_that_is_interrupted_sends_no_request_that_waits_for_a_connection() -> None:
    sent: list[int] = []

    def call(number: int) -> None:
        sent.append(number)
        time.sleep(0.3)

    class Interrupted(Exception):
        pass

    def iter_planned() -> Iterator[float]:
        yield from [0.0] * 20
        raise Interrupted

    class Interrupting(list[float]):
        def __iter__(self) -> Iterator[float]:
            return iter_planned()

    with pytest.raises(Interrupted):
        send_on_schedule(Interrupting([0.0] * 20), call, connections=2)
    assert len(sent) <= 4


def test_what_went_wrong_stands_with_the_request() -> None:
    timings = send_on_schedule([0, 0, 0], lambda number: "503" if number == 1 else None, connections=2)
    assert [each.error for each in timings] == [None, "503", None]


def test_at_full_rate_every_caller_has_numbers_of_its_own() -> None:
    sent: list[int] = []

    def call(number: int) -> None:
        sent.append(number)
        time.sleep(0.005)

    timings = send_at_full_rate(call, seconds=0.1, callers=3)
    assert len(sent) == len(set(sent)) == len(timings)
    assert {number % 3 for number in sent} == {0, 1, 2}
