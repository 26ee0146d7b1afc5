"""Draw the times of requests before the first one is sent."""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

# Registrations of a market day from 06:00 to 18:00 by hour, as shares of its busiest hour: before the stalls
# are busy, and again when they close. Our own figures, confidence low.
_MARKET_HOURS = (0.4, 0.8, 1.0, 1.0, 0.8, 0.6, 0.5, 0.4, 0.5, 0.6, 0.4, 0.2)
SPIKE_FACTOR = 5


@dataclass(frozen=True)
class Step:
    """Some seconds with a constant mean number of arrivals a second."""

    seconds: float
    rate: float


def make_market_day(*, peak_rate: float, seconds: float) -> list[Step]:
    """Return a market day in so many seconds, with its morning peak."""
    return [Step(seconds / len(_MARKET_HOURS), peak_rate * share) for share in _MARKET_HOURS]


def make_broadcast(
    *, rate: float, seconds_before: float, spike_seconds: float, seconds_after: float
) -> list[Step]:
    """Return a steady flow that is five times as much for a while, then as before."""
    spike = Step(spike_seconds, rate * SPIKE_FACTOR)
    return [Step(seconds_before, rate), spike, Step(seconds_after, rate)]


def draw_arrivals(steps: Sequence[Step], chance: Random) -> list[float]:
    """Return the seconds of a Poisson process with the rates of the steps, in order.

    Each arrival is independent of the others, as people are; none waits for an answer to another.
    """
    arrivals, begin = [], 0.0
    for step in steps:
        second = begin
        while step.rate > 0 and (second := second + chance.expovariate(step.rate)) < begin + step.seconds:
            arrivals.append(second)
        begin += step.seconds
    return arrivals
