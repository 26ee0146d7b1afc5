"""`python -m bench.soak`: register workers for an hour or more. Exit with 1 if anything grows or is left."""

import sys
from contextlib import ExitStack, closing
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import click

from bench.gates import print_report
from bench.load.campaign import LoadedCampaign, NotAtRest
from bench.soak.judgement import describe_soak, judge_soak
from bench.soak.processes import EMULATOR
from bench.soak.run import CONNECTIONS, Soak, SoakPlan, begin_campaigns, find_carried_rate
from bench.soak.samples import SoakSample
from bench.stack import CaptureRefused, run_stack
from infra.shares import SCHEDULES
from ops.commands.error_messages import INTERRUPTED_EXIT_CODE
from ops.local.stack import LocalStack
from ops.signals import Shutdown, shutdown_on_signal

# What the invented phone numbers of `make_capture` suffice for.
_MOST_WORKERS = 100_000
# The first batch is sent before the soak, to find what is carried.
_FEWEST_WORKERS = 500
_HALF, _HOUR_SECONDS = 0.5, 3600.0


@click.command(context_settings={"show_default": True})
@click.option("--registrations", default=_MOST_WORKERS, type=click.IntRange(_FEWEST_WORKERS, _MOST_WORKERS))
@click.option(
    "--seconds",
    type=float,
    default=None,
    help="In which they arrive. Left out: at half of what the machine carries, and for an hour at least.",
)
@click.option(
    "--batch-size", default=200, type=click.IntRange(1, 200), help="Captures that a van sends at once."
)
@click.option(
    "--campaigns", "markets", default=25, type=click.IntRange(1, 100), help="That run side by side."
)
@click.option("--vans", default=5, type=click.IntRange(1), help="Of each campaign.")
@click.option("--sample-seconds", default=15.0, help="Between two looks at processes and queues.")
@click.option("--hour-seconds", default=600.0, help="In which an hour of the hourly count passes.")
def main(
    *,
    registrations: int,
    seconds: float | None,
    batch_size: int,
    markets: int,
    vans: int,
    sample_seconds: float,
    hour_seconds: float,
) -> None:
    """Soak a local stack of its own, with some campaigns that share the registrations."""
    if registrations < markets * (batch_size + 1):
        raise click.UsageError("each campaign needs a batch and one more registration")
    try:
        with (
            shutdown_on_signal(),
            TemporaryDirectory() as work,
            run_stack(Path(work)) as stack,
            ExitStack() as opened,
        ):
            _stop_hourly_count(stack)
            campaigns = [
                opened.enter_context(
                    closing(_open_campaign(stack, number, vans, -(-registrations // markets)))
                )
                for number in range(markets)
            ]
            soaked = begin_campaigns(campaigns)
            carried = find_carried_rate(campaigns[0], batch_size)
            click.echo(f"{carried:.1f} registrations a second are carried, with their SMS")
            plan = SoakPlan(
                registrations=registrations,
                seconds=seconds or max(_HOUR_SECONDS, registrations / (carried * _HALF)),
                batch_size=batch_size,
                sample_seconds=sample_seconds,
                hour_seconds=hour_seconds,
            )
            result = Soak(soaked, plan).run(on_sample=_print_sample)
    except Shutdown:
        sys.exit(INTERRUPTED_EXIT_CODE)
    except (NotAtRest, CaptureRefused) as error:
        click.echo(f"Verdict: BAD ({error})")
        sys.exit(1)
    title = f"Soak of {registrations:,} registrations, {plan.rate:.1f} a second"
    sys.exit(print_report(title, describe_soak(result), judge_soak(result)))


def _stop_hourly_count(stack: LocalStack) -> None:
    """Disable the schedule of the count: the soak runs it, and two at once would wait for each other."""
    events = stack.emulator.make_client("events")
    for rule in events.list_rules()["Rules"]:
        if rule.get("ScheduleExpression") == SCHEDULES["RollUpDueDays"]:
            events.disable_rule(Name=rule["Name"])


def _open_campaign(stack: LocalStack, number: int, vans: int, size: int) -> LoadedCampaign:
    workers = range(number * size, (number + 1) * size)
    return LoadedCampaign(stack, f"soak-{number + 1}", vans=vans, workers=workers, connections=CONNECTIONS)


def _print_sample(sample: SoakSample) -> None:
    """Print one line about each look, so that a soak that was interrupted has shown something."""
    memory = ", ".join(
        f"{name} {max(each.megabytes for each in processes):.0f}"
        for name, processes in sorted(sample.processes.items())
        if name != EMULATOR
    )
    ages = ", ".join(f"{name} {age:.0f} s" for name, age in sample.ages.items())
    click.echo(
        f"{datetime.now(UTC):%H:%M:%S} {sample.second:.0f} s, {sample.registrations:,} registrations;"
        f" {ages}; MB: {memory}"
    )


if __name__ == "__main__":
    main()
