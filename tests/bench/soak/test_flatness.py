"""Whether a figure stays as it is over a long time."""

from math import isnan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.soak.flatness import divide_by_size, find_oldest_age, measure_growth


def test_a_flat_figure_has_not_grown_and_one_that_leaks_has() -> None:
    assert measure_growth([60.0] * 40, floor=1) == 1
    leaking = [60 + number for number in range(40)]
    assert measure_growth(leaking, floor=1) == pytest.approx(94.5 / 74.5)


def test_caches_that_fill_in_the_first_quarter_are_no_growth() -> None:
    assert measure_growth([10.0 + 5 * number for number in range(10)] + [60.0] * 30, floor=1) == 1


def test_one_look_alone_is_no_growth() -> None:
    values = [60.0] * 40
    values[35] = 900.0
    assert measure_growth(values, floor=1) == 1


def test_what_is_below_the_floor_has_not_grown() -> None:
    assert measure_growth([0.1] * 20 + [5.0] * 20, floor=10) == 1
    assert measure_growth([0.1] * 20 + [20.0] * 20, floor=10) == 2


def test_too_few_looks_show_nothing() -> None:
    assert isnan(measure_growth([1.0, 1.0, 1.0], floor=1))


@given(st.lists(st.floats(1, 1000), min_size=4, max_size=60), st.floats(1, 100))
def test_growth_does_not_depend_on_the_unit(values: list[float], factor: float) -> None:
    scaled = [value * factor for value in values]
    assert measure_growth(scaled, floor=0.5) == pytest.approx(measure_growth(values, floor=0.5))


@pytest.mark.parametrize(("done", "expected"), [(0, 9), (1, 7), (2, 4), (3, 0), (5, 0)])
def test_the_oldest_that_is_not_done_waits_since_it_began(done: int, expected: float) -> None:
    assert find_oldest_age([1.0, 3.0, 6.0], done, now=10.0) == expected


def test_a_count_of_twice_the_day_may_take_twice_as_long() -> None:
    assert divide_by_size(30, 40_000) == divide_by_size(15, 20_000) == 7.5


def test_a_small_day_must_not_take_longer_than_a_usual_one() -> None:
    assert divide_by_size(19, 5_000) == divide_by_size(19, 10_000) == divide_by_size(19, 0) == 19


def test_less_than_ten_seconds_are_noise_at_any_size() -> None:
    assert divide_by_size(1, 40_000) == divide_by_size(9, 40_000) == divide_by_size(10, 40_000) == 2.5
