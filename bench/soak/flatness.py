"""Measure whether a figure grows over hours."""

from bisect import bisect_right
from collections.abc import Sequence
from math import nan
from statistics import median

_QUARTERS = 4
_USUAL_DAY = 10_000
_NOTICED_SECONDS = 10.0


def measure_growth(values: Sequence[float], *, floor: float) -> float:
    """Return the median of the last quarter over the median of the second one.

    The first quarter is left out, because caches fill and connections open in it. What is below `floor`
    counts as `floor`: a wait of a tenth of a second has not grown by becoming two. Return NaN for fewer
    values than quarters, which passes no gate.
    """
    if len(values) < _QUARTERS:
        return nan
    bounds = [len(values) * quarter // _QUARTERS for quarter in range(_QUARTERS + 1)]
    second, last = (values[bounds[quarter] : bounds[quarter + 1]] for quarter in (1, 3))
    return max(median(last), floor) / max(median(second), floor)


def find_oldest_age(times: Sequence[float], done: int, now: float) -> float:
    """Return how long the oldest of the things that began at `times` (ascending) waits when `done` are done.

    They are done about in order. Return 0 if nothing waits.
    """
    return max(0.0, now - times[done]) if done < bisect_right(times, now) else 0.0


def divide_by_size(seconds: float, registrations: int) -> float:
    """Return the seconds for each 10,000 registrations of a larger day, else the seconds.

    Less than ten seconds count as ten before they are divided: noise does not grow with the day.
    """
    noticed = max(seconds, _NOTICED_SECONDS)
    return noticed * min(1.0, _USUAL_DAY / registrations) if registrations else noticed
