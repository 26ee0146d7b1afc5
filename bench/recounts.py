"""`python -m bench.recounts 2000 10000 50000`: counts of growing days, and what one of a million would take.

A day must be counted in one run of the hourly function, whatever changes meanwhile. What a count needs of
requests, CPU and memory grows in a straight line, or not at all: so the largest size tells of the million.
"""

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.console import Console
from rich.table import Table

from bench.model.quotas import read_stage_limits
from bench.recount import RecountResult, measure_recounts
from chalicelib.rollups.schedule import SHARE_OF_ONE_DAY, SHUTDOWN_MARGIN

_SIZES = (2_000, 10_000, 50_000)
_MILLION = 1_000_000
# Of the smallest size to the largest.
_MOST_GROWTH_OF_A_REGISTRATION = 1.25
# A request to DynamoDB in the same region (bench/model/scenarios.json).
_SECONDS_A_REQUEST = 0.004


def main() -> int:
    """Print what counts of each size took. Return 0 if a day of a million fits the time of one day."""
    sizes = tuple(int(size) for size in sys.argv[1:]) or _SIZES
    with TemporaryDirectory() as work:
        results = list(measure_recounts(Path(work), sizes))
    console, smallest, largest = Console(), results[0], results[-1]
    console.print(_make_table(results))
    growth = _divide(largest) / _divide(smallest)
    requests = _MILLION * largest.requests / largest.registrations
    needed = _MILLION * _divide(largest) + requests * _SECONDS_A_REQUEST
    run = read_stage_limits().timeouts["RollUpDueDays"] - SHUTDOWN_MARGIN.total_seconds()
    available = run * SHARE_OF_ONE_DAY
    is_good = growth <= _MOST_GROWTH_OF_A_REGISTRATION and needed <= available
    console.print(
        f"CPU of one at {largest.registrations:,} beside {smallest.registrations:,}: {growth:.2f} x. "
        f"A day of {_MILLION:,}: {needed:,.0f} s of {available:,.0f} s, {requests:,.0f} requests. "
        f"{'good' if is_good else 'BAD'}"
    )
    return 0 if is_good else 1


def _divide(result: RecountResult) -> float:
    return result.cpu_seconds / result.registrations


def _make_table(results: list[RecountResult]) -> Table:
    table = Table("Day of", "CPU", "CPU of one", "requests", "peak memory", title="Counts of a day")
    for each in results:
        table.add_row(
            f"{each.registrations:,}",
            f"{each.cpu_seconds:.1f} s",
            f"{_divide(each) * 1e3:.3f} ms",
            f"{each.requests:,}",
            f"{each.peak_megabytes:.0f} MB",
        )
    return table


if __name__ == "__main__":
    sys.exit(main())
