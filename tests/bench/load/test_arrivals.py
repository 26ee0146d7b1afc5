"""When requests are sent: drawn first, as a Poisson process whose rate changes by steps."""

from itertools import pairwise
from random import Random
from statistics import mean, pstdev

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.load.arrivals import SPIKE_FACTOR, Step, draw_arrivals, make_broadcast, make_market_day


def make_chance(seed: int) -> Random:
    return Random(seed)  # noqa: S311 - arrivals, no secret


def count_between(arrivals: list[float], begin: float, end: float) -> int:
    return sum(begin <= second < end for second in arrivals)


@given(
    st.lists(st.builds(Step, st.floats(0, 5), st.floats(0, 20)), max_size=5),
    st.integers(min_value=0),
)
def test_arrivals_are_in_order_within_their_steps_and_none_is_in_a_step_without_a_rate(
    steps: list[Step], seed: int
) -> None:
    arrivals = draw_arrivals(steps, make_chance(seed))
    assert all(one <= other for one, other in pairwise(arrivals))
    begin = 0.0
    for step in steps:
        if step.rate == 0:
            assert count_between(arrivals, begin, begin + step.seconds) == 0
        begin += step.seconds
    assert all(0 <= second < begin for second in arrivals)


def test_the_same_seed_draws_the_same_arrivals() -> None:
    steps = make_market_day(peak_rate=5, seconds=60)
    assert draw_arrivals(steps, make_chance(1)) == draw_arrivals(steps, make_chance(1))
    assert draw_arrivals(steps, make_chance(1)) != draw_arrivals(steps, make_chance(2))


def test_gaps_are_those_of_a_poisson_process() -> None:
    arrivals = draw_arrivals([Step(1000, 20)], make_chance(7))
    gaps = [other - one for one, other in pairwise(arrivals)]
    assert mean(gaps) == pytest.approx(1 / 20, rel=0.05)
    # An even flow would have no deviation at all.
    assert pstdev(gaps) == pytest.approx(1 / 20, rel=0.1)


def test_a_market_day_is_busiest_in_the_morning_and_never_above_its_peak() -> None:
    steps = make_market_day(peak_rate=10, seconds=120)
    rates = [step.rate for step in steps]
    assert sum(step.seconds for step in steps) == pytest.approx(120)
    assert max(rates) == 10
    assert rates.index(max(rates)) < len(rates) / 3
    arrivals = draw_arrivals(steps, make_chance(3))
    assert count_between(arrivals, 20, 40) > 1.5 * count_between(arrivals, 80, 100)


def test_a_broadcast_is_five_times_the_flow_before_it_and_the_flow_after_it_is_that_before() -> None:
    steps = make_broadcast(rate=10, seconds_before=60, spike_seconds=60, seconds_after=120)
    arrivals = draw_arrivals(steps, make_chance(5))
    before, spike, after = (count_between(arrivals, *each) for each in ((0, 60), (60, 120), (120, 240)))
    assert spike / before == pytest.approx(SPIKE_FACTOR, rel=0.15)
    assert after / before == pytest.approx(2, rel=0.15)
