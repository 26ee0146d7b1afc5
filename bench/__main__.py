"""`python -m bench`: measure, print the figures, and exit with 1 if one exceeds its target."""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.console import Console
from rich.table import Table

from bench import zips
from bench.batch import BATCH_ITEMS, SINGLES, compare_batch_with_singles
from bench.drain import measure_drain
from bench.instructions import InstructionCounter, can_count
from bench.measure import COLD_ROUNDS, WARM_REQUESTS, WARM_ROUNDS, Benchmark, Contender
from bench.neutrality import REQUESTS_PER_GROUP, measure_bot_times
from bench.recount import measure_recounts
from bench.stack import run_stack
from bench.steps import measure_cpu_by_step
from ops.commands.error_messages import INTERRUPTED_EXIT_CODE
from ops.signals import Shutdown, shutdown_on_signal
from tests.support import emulator_harness
from tests.support.fault_injection import FaultInjectionResult, run_fault_injection
from tests.support.lambda_runtime import link_runtime

_COLD_START_TARGET = 1.25
_WARM_CPU_TARGET = 1.8
_ZIP_TARGET_MB = 40.0
_BATCH_TARGET = 3.0

# Counts of instructions, beside boto3 and Chalice alone or the bare handler with bytecode.
_IMPORT_INSTRUCTIONS_TARGET = 1.5
_COLD_INSTRUCTIONS_TARGET = 1.25
_WARM_INSTRUCTIONS_TARGET = 1.8

# For ten times the registrations: CPU may grow linearly, memory not at all.
_LINEAR_TARGET = 1.15
_FLAT_TARGET = 1.15

_FAULT_INJECTION_WORKERS = 1000
_QUEUED_WORKERS = 1000

_METHOD_NOTES = (
    "Each runs alone under AWS's own runtime client, with boto3 beside it as AWS ships it, against the same "
    "emulator, in turns; a ratio is the median of the rounds' ratios.",
    f"Cold start, {COLD_ROUNDS} rounds: from the start of the process to the answer to its first capture, "
    "in which ours fetches its data keys and has them unwrapped.",
    f"Warm CPU, {WARM_ROUNDS} rounds of {WARM_REQUESTS}: of the process, for one new worker.",
    f"Batch and singles: over HTTP on the deployed stack, in turns; bare shows the {SINGLES} singles.",
    f"Known beside new: a bot's {REQUESTS_PER_GROUP} captures of each over HTTP on the deployed stack, "
    "shuffled; bare shows the new ones. If the time reveals nothing, the known one takes longer in "
    "about half of all pairs; p is the p value of the Mann-Whitney test.",
    "Recount: in a process of its own, rows put straight into the table; of ten times the registrations each "
    "may take no more CPU, and all no more memory. Read units are shown if DAFTAR_TEST_DYNAMODB_URL names "
    "DynamoDB Local, which alone reports them.",
    '"bare" is the zip exactly as `chalice package` makes it, without bytecode; "bare, compiled" is the same '
    "with bytecode, which ours has too; the target is for the latter.",
)


def _measure_fault_injection(data_dir: Path) -> FaultInjectionResult:
    """Inject faults on a stack of its own."""
    with run_stack(data_dir) as stack:
        return run_fault_injection(
            stack, "fault-injection", workers=_FAULT_INJECTION_WORKERS, first_worker=50_001
        )


@dataclass(frozen=True)
class ResultRow:
    """A line of the table. `measured` is compared with `target`."""

    name: str
    ours: str
    bare: str
    measured: float | None = None
    target: float | None = None

    @property
    def has_passed(self) -> bool:
        return self.measured is None or self.target is None or self.measured <= self.target


def _iter_results(work: Path) -> Iterator[ResultRow]:
    unpacked = zips.unpack_zips(work)
    ours = Contender("ours", unpacked.ours, success_status=201)
    bare = Contender("bare", unpacked.bare, success_status=200)
    compiled = Contender("bare, compiled", unpacked.bare_compiled, success_status=200)
    with emulator_harness.run_harness(work / "stage") as running:
        measurement = Benchmark(
            runtime=link_runtime(work / "runtime"),
            environment=running.environment,
            log=work / "function.log",
        )
        measurement.create_campaign(ours)
        cold = measurement.measure_cold_start(ours, bare, compiled)
        warm = measurement.measure_warm_cpu(ours, bare)
        steps = measure_cpu_by_step(running)
        yield from _iter_instruction_results(
            InstructionCounter(runtime=work / "runtime", environment=running.environment, directory=work),
            ours,
            compiled,
        )
    batch, singles, batch_ratio = compare_batch_with_singles(work / "batch")
    for other, target in ((bare, None), (compiled, _COLD_START_TARGET)):
        name = f"cold start, {other.name}"
        own_time, other_time = (f"{cold.median(each) * 1e3:.0f} ms" for each in (ours, other))
        yield ResultRow(name, own_time, other_time, cold.ratio(ours, other), target)
    own_cpu, bare_cpu = (f"{warm.median(each) * 1e3:.2f} ms" for each in (ours, bare))
    yield ResultRow("warm CPU of a registration", own_cpu, bare_cpu, warm.ratio(ours, bare), _WARM_CPU_TARGET)
    own_mb, bare_mb = (zips.measure_size(each.task) / 1e6 for each in (ours, bare))
    yield ResultRow(
        f"{BATCH_ITEMS}-item batch beside {SINGLES} singles",
        f"{batch * 1e3:.0f} ms",
        f"{singles * 1e3:.0f} ms",
        batch_ratio,
        _BATCH_TARGET,
    )
    times = measure_bot_times(work / "neutrality")
    for name, known, new in zip(
        ("lower quartile", "median", "upper quartile"), *reversed(times.quartiles), strict=True
    ):
        yield ResultRow(f"known beside new, {name}", f"{known * 1e3:.1f} ms", f"{new * 1e3:.1f} ms")
    share, p_value = times.rank_test
    yield ResultRow("known beside new, pairs longer", f"{share:.1%}", f"p = {p_value:.2f}")
    for step, milliseconds in steps.items():
        yield ResultRow(f"CPU in process: {step}", f"{milliseconds:.2f} ms", "")
    yield from _iter_recount_results(work / "recount")
    yield ResultRow("zip, unpacked", f"{own_mb:.1f} MB", f"{bare_mb:.1f} MB", own_mb, _ZIP_TARGET_MB)


def _iter_instruction_results(
    counter: InstructionCounter, ours: Contender, compiled: Contender
) -> Iterator[ResultRow]:
    """Count instructions, where valgrind is installed."""
    if not can_count():
        return
    app, base = counter.count_imports(ours)
    yield ResultRow(
        "instructions: import app beside boto3 and Chalice",
        f"{app:.0f} M",
        f"{base:.0f} M",
        app / base,
        _IMPORT_INSTRUCTIONS_TARGET,
    )
    own, bare = counter.count_registrations(ours), counter.count_registrations(compiled)
    for name, of_ours, of_bare, target in (
        ("cold start", own.cold_start, bare.cold_start, _COLD_INSTRUCTIONS_TARGET),
        ("warm registration", own.registration, bare.registration, _WARM_INSTRUCTIONS_TARGET),
    ):
        ratio = of_ours / of_bare
        yield ResultRow(f"instructions: {name}", f"{of_ours:.1f} M", f"{of_bare:.1f} M", ratio, target)


def _iter_recount_results(work: Path) -> Iterator[ResultRow]:
    """Compare a day of ten times the registrations with a small one, shown in the column `bare`."""
    small, big = measure_recounts(work)
    times = big.registrations / small.registrations
    yield ResultRow(
        f"recount of {big.registrations:,} beside {small.registrations:,}, CPU each",
        f"{big.cpu_seconds / big.registrations * 1e3:.2f} ms",
        f"{small.cpu_seconds / small.registrations * 1e3:.2f} ms",
        big.cpu_seconds / small.cpu_seconds / times,
        _LINEAR_TARGET,
    )
    yield ResultRow(
        "the same, peak memory",
        f"{big.peak_megabytes:.0f} MB",
        f"{small.peak_megabytes:.0f} MB",
        big.peak_megabytes / small.peak_megabytes,
        _FLAT_TARGET,
    )
    if small.units is not None and big.units is not None:
        yield ResultRow(
            "the same, read units",
            f"{big.units:,.0f}",
            f"{small.units:,.0f}",
            big.units / small.units / times,
        )


def main() -> int:
    """Measure everything. Return 0 if all figures are within their targets."""
    try:
        with shutdown_on_signal(), TemporaryDirectory() as work:
            figures = list(_iter_results(Path(work)))
            faults = _measure_fault_injection(Path(work) / "faults")
            drain = measure_drain(Path(work) / "drain", sms_count=_QUEUED_WORKERS)
    except Shutdown:
        return INTERRUPTED_EXIT_CODE
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
        table.add_row(
            each.name, each.ours, each.bare, measured, target, "good" if each.has_passed else "OVER"
        )
    console = Console()
    console.print(table)
    for paragraph in _METHOD_NOTES:
        console.print(paragraph, highlight=False)
    for name, result in (("Fault injection", faults), ("Queue drain", drain)):
        console.print(f"{name}: {result}. {'good' if result.has_passed else 'BAD'}", highlight=False)
    return 0 if faults.has_passed and drain.has_passed and all(each.has_passed for each in figures) else 1


if __name__ == "__main__":
    sys.exit(main())
