"""`python -m bench.load`: load a local stack, print the figures, and exit with 1 if a gate fails."""

import os
import sys
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

import click

from bench.gates import print_report
from bench.load.campaign import LoadedCampaign, NotAtRest
from bench.load.judgement import describe_load, judge_load
from bench.load.scenarios import LoadPlan, LoadRun
from bench.stack import CaptureRefused, run_stack
from ops.commands.error_messages import INTERRUPTED_EXIT_CODE
from ops.signals import Shutdown, shutdown_on_signal

_WORKERS = range(100_000)


@click.command(context_settings={"show_default": True})
@click.option("--capacity-seconds", default=20.0, help="Of each search for what is carried.")
@click.option("--market-seconds", default=240.0, help="In which a market day of twelve hours passes.")
@click.option("--vans", default=50, type=click.IntRange(1), help="That send a batch in the evening.")
@click.option("--batch-size", default=200, type=click.IntRange(1, 200))
@click.option("--seconds-before-spike", default=60.0)
@click.option("--spike-seconds", default=60.0)
@click.option("--seconds-after-spike", default=120.0)
@click.option("--status-seconds", default=60.0)
@click.option("--reading-seconds", default=60.0)
@click.option("--connections", default=32, type=click.IntRange(1), help="Requests in work at once.")
@click.option("--settle-seconds", default=1800.0, help="After which waiting for SMS is given up.")
def main(**sizes: float) -> None:
    """Load a local stack of its own."""
    # Other programs take from what is carried, and from one scenario more than from another.
    load = f"{os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"
    try:
        with shutdown_on_signal(), TemporaryDirectory() as work, run_stack(Path(work)) as stack:
            plan = LoadPlan(**sizes)  # type: ignore[arg-type]  # click has converted each
            campaign = LoadedCampaign(
                stack, "load", vans=plan.vans, workers=_WORKERS, connections=plan.connections
            )
            with closing(campaign):
                result = LoadRun(campaign, plan, on_progress=lambda step: click.echo(f"{step} ...")).run()
    except Shutdown:
        sys.exit(INTERRUPTED_EXIT_CODE)
    except (NotAtRest, CaptureRefused) as error:
        click.echo(f"Verdict: BAD ({error})")
        sys.exit(1)
    facts = {"load of the machine before": load, **describe_load(result)}
    sys.exit(print_report("Under load", facts, judge_load(result)))


if __name__ == "__main__":
    main()
