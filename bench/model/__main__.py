"""`python -m bench.model`: what breaks first at national size, and whether the model may be believed.

Whole days of three sizes run on moto, and what they ask of AWS is compared with what the model predicts.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.console import Console
from rich.table import Table

from bench.cost.bill import Prices
from bench.cost.counts import load_counts
from bench.model.limits import Limit, Model, list_limits
from bench.model.profile import load_profiles
from bench.model.quotas import load_quotas, load_scenarios, read_stage_limits
from bench.model.times import list_jobs
from ops.project import ROOT

TOLERANCE = 0.10
_SIZES = (25, 100, 400)
_TEST = "tests/edge/test_model_days.py"


def main() -> int:
    """Print limits, times and the comparison. Return 0 if every prediction is close."""
    console = Console(width=150)
    models = list(_iter_models())
    console.print(
        _make_limits(list_limits(models[0]), [model.load.registrations_a_second for model in models])
    )
    for model in models:
        console.print(_make_times(model))
    sizes = tuple(int(size) for size in sys.argv[1:]) or _SIZES
    comparison, largest_error = _compare(sizes)
    console.print(comparison)
    is_good = largest_error < TOLERANCE
    console.print(
        f"Largest error {largest_error:.1%}, allowed {TOLERANCE:.0%}: {'good' if is_good else 'BAD'}"
    )
    return 0 if is_good else 1


def _iter_models() -> Iterator[Model]:
    for load in load_scenarios():
        yield Model(
            profiles=load_profiles(),
            counts=load_counts(),
            quotas=load_quotas(),
            stage=read_stage_limits(),
            prices=Prices.load(),
            load=load,
        )


def _make_limits(limits: list[Limit], rates: list[float]) -> Table:
    table = Table("Part", "holds", *(f"{rate:,.0f}/s" for rate in rates), "then", title_justify="left")
    table.title = "Registrations a second that each part holds, before anything is raised"
    for limit in limits:
        if limit.registrations_a_second < max(rates):
            verdicts = ["holds" if limit.registrations_a_second >= rate else "breaks" for rate in rates]
            table.add_row(limit.part, f"{limit.registrations_a_second:,.0f}", *verdicts, limit.remedy)
    return table


def _make_times(model: Model) -> Table:
    rate = model.load.registrations_a_second
    table = Table("Job", "needs", "has", "", "then", title_justify="left")
    table.title = f"What has to be done in time, at {rate:,.0f} registrations a second"
    for job in list_jobs(model):
        verdict = "fits" if job.fits else "TOO LONG"
        table.add_row(job.name, _format_time(job.needed), _format_time(job.available), verdict, job.remedy)
    return table


def _format_time(seconds: float) -> str:
    hours = seconds / 3_600
    if hours >= 48:  # noqa: PLR2004 - from two days on, hours say little
        return f"{hours / 24:,.1f} days"
    return f"{hours:,.1f} h" if hours >= 1 else f"{seconds / 60:,.1f} min"


def _compare(sizes: tuple[int, ...]) -> tuple[Table, float]:
    table = Table("Day of", "item", "predicted", "counted", "error", title_justify="left")
    table.title = "Whole days: captures, stream, SMS, receipts, a count, an export"
    largest = 0.0
    for size, predicted, counted in _run_days(sizes):
        for item in sorted({*predicted, *counted}):
            ours, real = predicted.get(item, 0.0), counted.get(item, 0.0)
            error = abs(ours - real) / real if real else 1.0
            largest = max(largest, error)
            table.add_row(f"{size:,}", item, f"{ours:,.1f}", f"{real:,.1f}", f"{error:.1%}")
    return table, largest


def _run_days(sizes: tuple[int, ...]) -> Iterator[tuple[int, dict[str, float], dict[str, float]]]:
    with TemporaryDirectory() as results:
        variables = {
            "DAFTAR_MODEL_SIZES": ",".join(map(str, sizes)),
            "DAFTAR_MODEL_RESULTS": results,
        }
        command = [sys.executable, "-m", "pytest", "-q", "-n", "0", _TEST]
        done = subprocess.run(
            command, check=False, cwd=ROOT, env={**os.environ, **variables}, capture_output=True, text=True
        )
        if done.returncode:
            sys.exit(done.stdout + done.stderr)
        for size in sizes:
            found = json.loads((Path(results) / f"{size:09}.json").read_text(encoding="utf-8"))
            yield size, found["predicted"], found["counted"]


if __name__ == "__main__":
    sys.exit(main())
