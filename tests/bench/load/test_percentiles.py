"""Percentiles by nearest rank."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.load.percentiles import find_percentile


@pytest.mark.parametrize(
    ("percent", "expected"), [(0, 1), (1, 1), (50, 50), (50.5, 51), (99, 99), (99.1, 100), (100, 100)]
)
def test_of_a_hundred_values_a_percentile_is_the_one_with_its_rank(percent: float, expected: int) -> None:
    assert find_percentile(range(100, 0, -1), percent) == expected


def test_of_one_value_every_percentile_is_that_value() -> None:
    assert {find_percentile([7.0], percent) for percent in (0, 50, 99, 100)} == {7.0}


def test_of_nothing_there_is_no_percentile() -> None:
    with pytest.raises(ValueError, match="nothing"):
        find_percentile([], 50)


@given(st.lists(st.floats(0, 100), min_size=1), st.floats(0, 100))
def test_at_least_so_many_values_are_not_above_a_percentile_and_one_below_it_has_fewer(
    values: list[float], percent: float
) -> None:
    found = find_percentile(values, percent)
    assert found in values
    assert sum(each <= found for each in values) >= len(values) * percent / 100
    below = sum(each < found for each in values)
    assert below == 0 or below < len(values) * percent / 100
