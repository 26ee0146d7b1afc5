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
from bench.bad_day import BadDay, bad_day
from bench.batch import BATCH_ITEMS, SINGLES, batch_beside_singles
from bench.draining import drain
from bench.measure import COLD_ROUNDS, WARM_REQUESTS, WARM_ROUNDS, Contender, Measurement
from bench.neutrality import TRIES, times_of_a_bot
from bench.recount import recounts
from bench.stage import free_pair
from bench.steps import cpu_by_step
from ops.interrupts import Stopped, stoppable
from ops.stack import LocalStack

_COLD_START_TARGET = 1.5
_WARM_CPU_TARGET = 2.5
_ZIP_TARGET_MB = 15.0
_BATCH_TARGET = 3.0

# Of a day with ten times the registrations: what is more than linear, or more than flat, is over.
_LINEAR_TARGET = 1.15
_FLAT_TARGET = 1.15

_WORKERS_ON_A_BAD_DAY = 1000
_WORKERS_IN_LINE = 1000

# What shells answer for a program that was stopped by Ctrl-C.
_STOPPED = 130

_HOW = (
    "Each runs alone under AWS's own runtime client, with boto3 beside it as AWS ships it, against the same "
    "embedded DynamoDB, in turns; a ratio is the median of the rounds' ratios.",
    f"Cold start, {COLD_ROUNDS} rounds: from the start of the process to the answer to its first capture, "
    "in which ours fetches its data keys and has them unwrapped.",
    f"Warm CPU, {WARM_ROUNDS} rounds of {WARM_REQUESTS}: of the process, for one new worker.",
    f"Batch and singles: over HTTP on the deployed stack, in turns; the {SINGLES} singles stand under bare.",
    f"Known beside new: a bot's {TRIES} captures of each over HTTP on the deployed stack, shuffled; new ones "
    "stand under bare. Of all pairs, the known one took longer in about half if time tells nothing; p is how "
    "often chance alone is as far from that (Mann and Whitney).",
    "Recount: in a process of its own, rows put straight into the table; of ten times the registrations each "
    "may take no more CPU, and all no more memory. Read units are told where DAFTAR_TEST_DYNAMODB_URL names "
    "DynamoDB Local, which alone reckons them.",
    '"bare" is the zip exactly as `chalice package` makes it, without bytecode; "bare, compiled" is the same '
    "with bytecode, which ours has too; the target is for the former.",
)


def _bad_day(home: Path) -> BadDay:
    """A thousand workers on a stack of their own."""
    stack = LocalStack(port=free_pair(), local=home)
    stack.up()
    try:
        return bad_day(stack, "bad-day", workers=_WORKERS_ON_A_BAD_DAY, first=50_001)
    finally:
        stack.down()


@dataclass(frozen=True)
class Figure:
    """One line of the table. Without a bare counterpart the figure itself is held to the target."""

    name: str
    ours: str
    bare: str
    measured: float | None = None
    target: float | None = None

    @property
    def is_good(self) -> bool:
        """Whether it is within its target, if it has one."""
        return self.measured is None or self.target is None or self.measured <= self.target


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
        steps = cpu_by_step(standing)
    batch, singles, batch_ratio = batch_beside_singles(work / "batch")
    for other, target in ((bare, _COLD_START_TARGET), (compiled, None)):
        name = f"cold start, {other.name}"
        mine, theirs = (
            f"{rounds.median(each) * 1e3:.0f} ms" for rounds, each in ((cold, ours), (cold, other))
        )
        yield Figure(name, mine, theirs, cold.ratio(ours, other), target)
    mine, theirs = (f"{warm.median(each) * 1e3:.2f} ms" for each in (ours, bare))
    yield Figure("warm CPU of a registration", mine, theirs, warm.ratio(ours, bare), _WARM_CPU_TARGET)
    megabytes, theirs_too = (zips.size(each.task) / 1e6 for each in (ours, bare))
    yield Figure(
        f"{BATCH_ITEMS}-item batch beside {SINGLES} singles",
        f"{batch * 1e3:.0f} ms",
        f"{singles * 1e3:.0f} ms",
        batch_ratio,
        _BATCH_TARGET,
    )
    times = times_of_a_bot(work / "neutrality")
    for name, known, new in zip(
        ("lower quartile", "median", "upper quartile"), *reversed(times.quartiles), strict=True
    ):
        yield Figure(f"known beside new, {name}", f"{known * 1e3:.1f} ms", f"{new * 1e3:.1f} ms")
    longer, by_chance = times.rank_test
    yield Figure("known beside new, pairs longer", f"{longer:.1%}", f"p = {by_chance:.2f}")
    for step, milliseconds in steps.items():
        yield Figure(f"CPU in process: {step}", f"{milliseconds:.2f} ms", "")
    yield from _recount_figures(work / "recount")
    yield Figure("zip, unpacked", f"{megabytes:.1f} MB", f"{theirs_too:.1f} MB", megabytes, _ZIP_TARGET_MB)


def _recount_figures(work: Path) -> Iterator[Figure]:
    """A day of ten times the registrations beside a small one, which stands under bare."""
    small, big = recounts(work)
    times = big.registrations / small.registrations
    yield Figure(
        f"recount of {big.registrations:,} beside {small.registrations:,}, CPU each",
        f"{big.cpu_seconds / big.registrations * 1e3:.2f} ms",
        f"{small.cpu_seconds / small.registrations * 1e3:.2f} ms",
        big.cpu_seconds / small.cpu_seconds / times,
        _LINEAR_TARGET,
    )
    yield Figure(
        "the same, peak memory",
        f"{big.peak_megabytes:.0f} MB",
        f"{small.peak_megabytes:.0f} MB",
        big.peak_megabytes / small.peak_megabytes,
        _FLAT_TARGET,
    )
    if small.units is not None and big.units is not None:
        yield Figure(
            "the same, read units",
            f"{big.units:,.0f}",
            f"{small.units:,.0f}",
            big.units / small.units / times,
        )


def main() -> int:
    """Measure everything; 0 when all figures are within their targets."""
    try:
        with stoppable(), TemporaryDirectory() as work:
            figures = list(_figures(Path(work)))
            day = _bad_day(Path(work) / "bad-day")
            line = drain(Path(work) / "draining", texts=_WORKERS_IN_LINE)
    except Stopped:
        return _STOPPED
    table = Table("figure", "ours", "bare", "measured", "target", "", title="Daftar beside a bare handler")
    for column in table.columns[1:5]:
        column.justify = "right"
    for each in figures:
        if each.measured is None or each.target is None:
            table.add_row(
                each.name, each.ours, each.bare, "" if each.measured is None else f"{each.measured:.2f} x"
            )
            continue
        unit = " MB" if each.target == _ZIP_TARGET_MB else " x"
        measured, target = f"{each.measured:.2f}{unit}", f"<= {each.target:g}{unit}"
        table.add_row(each.name, each.ours, each.bare, measured, target, "good" if each.is_good else "OVER")
    console = Console()
    console.print(table)
    for paragraph in _HOW:
        console.print(paragraph, highlight=False)
    for name, shown in (("A bad day", day), ("A line", line)):
        console.print(f"{name}: {shown}. {'good' if shown.is_good else 'BAD'}", highlight=False)
    return 0 if day.is_good and line.is_good and all(each.is_good for each in figures) else 1


if __name__ == "__main__":
    sys.exit(main())
