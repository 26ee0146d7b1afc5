"""Backlogs during and after a day of registrations, minute by minute. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bench.model.quotas import Assumptions

# Sums of floats are not exact.
_LITTLE = 1e-6


@dataclass(frozen=True)
class Drain:
    """The largest backlog, the longest wait of one in it, and when all was done; minutes from the first."""

    largest_backlog: float
    longest_wait: float
    done_after: float


def make_day(load: Assumptions) -> list[float]:
    """Return the registrations of each minute of a day: its peak first, then a share of that."""
    peak_minutes, minutes = int(load["peak_hours"] * 60), int(load["day_hours"] * 60)
    at_peak = load.registrations_a_second * 60
    return [at_peak] * peak_minutes + [at_peak * load["share_of_peak_in_the_other_hours"]] * (
        minutes - peak_minutes
    )


def drain(arrivals: Sequence[float], rate_a_minute: float) -> Drain:
    """Return what becomes of the arrivals of each minute, served in their order at a fixed rate."""
    backlog = largest = longest = served = 0.0
    arrived = list(_accumulate(arrivals))
    first_open = 0
    minute = 0
    while minute < len(arrivals) or backlog > _LITTLE:
        backlog += arrivals[minute] if minute < len(arrivals) else 0.0
        done = min(backlog, rate_a_minute)
        served, backlog = served + done, backlog - done
        largest = max(largest, backlog)
        # The one that is served now came in the first minute by which more had arrived than was served.
        while first_open < len(arrived) - 1 and arrived[first_open] < served - _LITTLE:
            first_open += 1
        longest = max(longest, minute - first_open) if done else longest
        minute += 1
    return Drain(largest, longest, minute)


def _accumulate(arrivals: Sequence[float]) -> Iterator[float]:
    total = 0.0
    for each in arrivals:
        total += each
        yield total
