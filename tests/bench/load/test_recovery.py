"""When latency is normal again after a spike."""

from math import inf

import pytest

from bench.load.recovery import find_recovery_seconds
from bench.load.sender import Timing

_BEGIN, _END = 60.0, 120.0


def make_timings(*phases: tuple[int, int, float]) -> list[Timing]:
    """Return two requests a second from one second to another with a latency."""
    return [
        Timing(planned_at, planned_at, planned_at + latency)
        for begin, end, latency in phases
        for planned_at in (begin + number / 2 for number in range(2 * (end - begin)))
    ]


def find(timings: list[Timing]) -> float:
    return find_recovery_seconds(timings, spike_begin=_BEGIN, spike_end=_END)


def test_without_slow_requests_after_the_spike_it_is_normal_at_once() -> None:
    assert find(make_timings((0, 60, 0.1), (60, 120, 5.0), (120, 240, 0.15))) == 0


def test_it_is_normal_at_the_end_of_the_last_slow_window() -> None:
    assert find(make_timings((0, 60, 0.1), (60, 120, 5.0), (120, 142, 3.0), (142, 240, 0.1))) == 20
    assert find(make_timings((0, 60, 0.1), (60, 120, 5.0), (120, 143, 3.0), (143, 240, 0.1))) == 25


def test_a_second_slow_time_counts() -> None:
    phases = ((0, 60, 0.1), (60, 120, 5.0), (120, 180, 0.1), (180, 185, 1.0), (185, 240, 0.1))
    assert find(make_timings(*phases)) == 65


def test_it_never_recovers_if_the_last_window_is_slow() -> None:
    assert find(make_timings((0, 60, 0.1), (60, 120, 5.0), (120, 230, 0.1), (230, 240, 3.0))) == inf


def test_a_last_request_alone_is_no_window() -> None:
    timings = make_timings((0, 60, 0.1), (60, 120, 5.0), (120, 240, 0.1))
    assert find([*timings, Timing(240.0, 240.0, 243.0)]) == 0


def test_of_a_thin_flow_a_window_has_ten_requests() -> None:
    """Four slow requests in a row would be the median of five seconds, and are not that of fifty."""
    planned = [*range(0, 60, 5), *range(60, 120), *range(120, 420, 5)]
    slow = {130, 135, 140, 145}
    timings = [Timing(each, each, each + (3.0 if each in slow else 0.1)) for each in planned]
    assert find(timings) == 0


@pytest.mark.parametrize("missing", [0, 2])
def test_with_few_requests_before_or_after_the_spike_nothing_is_shown(missing: int) -> None:
    phases = [(0, 60, 0.1), (60, 120, 5.0), (120, 240, 0.1)]
    begin, _, latency = phases[missing]
    phases[missing] = (begin, begin + 4, latency)
    assert find(make_timings(*phases)) == inf
