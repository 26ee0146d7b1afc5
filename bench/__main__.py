"""`python -m bench`: measure, print the figures, and exit with 1 if one is over its target."""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.console import Console
from rich.table import Table

from bench import stage, zips
from bench.alone import ship_runtime
from bench.measure import COLD_ROUNDS, WARM_REQUESTS, WARM_ROUNDS, Contender, Measurement
from ops.interrupts import Stopped, stoppable

_COLD_START_TARGET = 1.5
_WARM_CPU_TARGET = 2.5
_ZIP_TARGET_MB = 15.0

# What shells answer for a program that was stopped by Ctrl-C.
_STOPPED = 130

_HOW = (
    "Each runs alone under AWS's own runtime client, with boto3 beside it as AWS ships it, against the same "
    "embedded DynamoDB, in turns; a ratio is the median of the rounds' ratios.",
    f"Cold start, {COLD_ROUNDS} rounds: from the start of the process to the answer to its first capture, "
    "in which ours fetches its data keys and has them unwrapped.",
    f"Warm CPU, {WARM_ROUNDS} rounds of {WARM_REQUESTS}: of the process, for one new worker.",
    '"bare" is the zip exactly as `chalice package` makes it, without bytecode; "bare, compiled" is the same '
    "with bytecode, which ours has too.",
)


@dataclass(frozen=True)
class Figure:
    """One line of the table. Without a bare counterpart the figure itself is held to the target."""

    name: str
    ours: str
    bare: str
    measured: float
    target: float

    @property
    def is_good(self) -> bool:
        """Whether it is within its target."""
        return self.measured <= self.target


def _figures(work: Path) -> Iterator[Figure]:
    unpacked = zips.unpacked(work)
    ours = Contender("ours", unpacked.ours, answers_with=201)
    bare = Contender("bare", unpacked.bare, answers_with=200)
    compiled = Contender("bare, compiled", unpacked.bare_compiled, answers_with=200)
    with stage.standing(work / "stage") as standing:
        measurement = Measurement(
            runtime=ship_runtime(work / "runtime"),
            environment=standing.environment,
            log=work / "function.log",
        )
        measurement.open_campaign(ours)
        cold = measurement.cold_start(ours, bare, compiled)
        warm = measurement.warm_cpu(ours, bare)
    for other in (bare, compiled):
        name = f"cold start, {other.name}"
        mine, theirs = (
            f"{rounds.median(each) * 1e3:.0f} ms" for rounds, each in ((cold, ours), (cold, other))
        )
        yield Figure(name, mine, theirs, cold.ratio(ours, other), _COLD_START_TARGET)
    mine, theirs = (f"{warm.median(each) * 1e3:.2f} ms" for each in (ours, bare))
    yield Figure("warm CPU of a registration", mine, theirs, warm.ratio(ours, bare), _WARM_CPU_TARGET)
    megabytes, theirs_too = (zips.size(each.task) / 1e6 for each in (ours, bare))
    yield Figure("zip, unpacked", f"{megabytes:.1f} MB", f"{theirs_too:.1f} MB", megabytes, _ZIP_TARGET_MB)


def main() -> int:
    """Measure everything; 0 when all figures are within their targets."""
    try:
        with stoppable(), TemporaryDirectory() as work:
            figures = list(_figures(Path(work)))
    except Stopped:
        return _STOPPED
    table = Table("figure", "ours", "bare", "measured", "target", "", title="Daftar beside a bare handler")
    for column in table.columns[1:5]:
        column.justify = "right"
    for each in figures:
        unit = " MB" if each.target == _ZIP_TARGET_MB else " x"
        measured, target = f"{each.measured:.2f}{unit}", f"<= {each.target:g}{unit}"
        table.add_row(each.name, each.ours, each.bare, measured, target, "good" if each.is_good else "OVER")
    console = Console()
    console.print(table)
    for paragraph in _HOW:
        console.print(paragraph, highlight=False)
    return 0 if all(each.is_good for each in figures) else 1


if __name__ == "__main__":
    sys.exit(main())
