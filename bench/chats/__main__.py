"""`python -m bench.chats`: let workers chat at once, print the figures, and exit with 1 if a gate fails."""

import os
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import click

from bench.chats.run import ChatBench, describe_run, judge_run
from bench.gates import print_report
from bench.stack import run_stack
from ops.commands.error_messages import INTERRUPTED_EXIT_CODE
from ops.signals import Shutdown, shutdown_on_signal


@click.command(context_settings={"show_default": True})
@click.option("--workers", default=200, type=click.IntRange(1))
@click.option("--think-seconds", default=10.0, help="Of a worker before each answer, on average.")
def main(workers: int, think_seconds: float) -> None:
    """Let workers register by Telegram at once on a local stack of its own."""
    load = f"{os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"
    try:
        with shutdown_on_signal(), TemporaryDirectory() as work, run_stack(Path(work)) as stack:
            bench = ChatBench(stack, workers=workers, think_seconds=think_seconds)
            result = bench.run(lambda step: click.echo(f"{step} ..."))
    except Shutdown:
        sys.exit(INTERRUPTED_EXIT_CODE)
    facts = {"load of the machine before": load, **describe_run(result)}
    sys.exit(print_report("Chats at once", facts, judge_run(result)))


if __name__ == "__main__":
    main()
