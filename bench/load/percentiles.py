"""Percentiles by sorting every value."""

from collections.abc import Collection
from math import ceil


def find_percentile(values: Collection[float], percent: float) -> float:
    """Return the smallest value that at least `percent` of 100 values do not exceed (nearest rank).

    Raise ValueError if there are no values.
    """
    if not values:
        raise ValueError("there is no percentile of nothing")
    rank = max(1, ceil(len(values) * percent / 100))
    return sorted(values)[rank - 1]
