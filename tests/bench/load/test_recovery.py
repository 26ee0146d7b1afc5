"""When latency is normal again after a spike."""

from math import inf

import pytest

from bench.load.recovery import find_recovery_seconds
from bench.load.sender import Timing

_BEGIN, _END = 60.0, 120.0


def make_timings(*phases: tuple[int, int, float]) -> list[Timing]:
    """Return a request a second from one second to another with a latency."""
    return [
        Timing(float(second), float(second), second + latency)
        for begin, end, latency in phases
        for second in range(begin, end)
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


@pytest.mark.parametrize("missing", [0, 2])
def test_without_requests_before_or_after_the_spike_nothing_is_shown(missing: int) -> None:
    phases = [(0, 60, 0.1), (60, 120, 5.0), (120, 240, 0.1)]
    del phases[missing]
    assert find(make_timings(*phases)) == inf
