"""`daftar up|down|status|run|messages|mails`: the local stack."""

import time
from typing import NoReturn

import click

from ops import invoke
from ops.commands.local_stack import find_local_stack, make_local_stack
from ops.commands.registrations import submit_files
from ops.commands.summaries import show_summaries
from ops.commands.tables import console, make_mails_table, make_sms_table
from ops.errors import OperationError
from ops.local.description import StackDescription
from ops.local.seeding import DEVICE_CHANNELS
from ops.local.stack import LocalStack
from ops.project import EXAMPLE_DIR
from ops.signals import Shutdown, shutdown_on_signal

_MAX_SMS_SHOWN = 6


@click.command()
@click.option("--fresh", is_flag=True, help="Delete the data of the last run first.")
def up(fresh: bool) -> None:
    """Start the local stack in the background."""
    with shutdown_on_signal():
        _start_stack(make_local_stack(), fresh=fresh)


@click.command()
def down() -> None:
    """Stop the local stack and keep its data."""
    stack = find_local_stack()
    was_up = stack.is_up
    stack.down()
    console.print("stopped" if was_up else f"nothing was up on port {stack.port}")


@click.command()
def status() -> None:
    """Show the URLs of the local stack, and how many SMS were received and are queued."""
    stack = find_local_stack()
    description = stack.describe()
    _show_addresses(description)
    console.print(
        f"{len(description.fetch_sms())} SMS received, {stack.count_waiting_sms()} waiting to be sent"
    )


@click.command()
def messages() -> None:
    """Show the SMS that the fake gateway has received."""
    sms_list = find_local_stack().describe().fetch_sms()
    console.print(make_sms_table(sms_list, total=len(sms_list)))


@click.command()
def mails() -> None:
    """List the mails to managers. Each is a file that a mail program can open."""
    console.print(make_mails_table(find_local_stack().describe().list_mails()))


@click.command()
def run() -> None:
    """Start the local stack, register the example market day, show the results, and run until Ctrl-C."""
    stack = make_local_stack()
    is_shown = False
    with shutdown_on_signal():
        try:
            description = _start_stack(stack)
            _run_market_day(stack, description)
            is_shown = True
            console.print("\nUp until you press Ctrl-C.")
            _wait_while_up(stack)
        except Shutdown:
            console.print("\nstopping")
            if not is_shown:
                raise
        finally:
            stack.down()


def _start_stack(stack: LocalStack, *, fresh: bool = False) -> StackDescription:
    started_at = time.monotonic()
    with console.status("starting") as spinner:
        description = stack.up(fresh=fresh, on_progress=spinner.update)
    console.print(f"up in {time.monotonic() - started_at:.1f} s")
    _show_addresses(description)
    return description


def _show_addresses(description: StackDescription) -> None:
    console.print(f"API    {description.api_url}", soft_wrap=True)
    console.print(f"AWS    {description.aws_endpoint_url} ({description.region})", soft_wrap=True)
    console.print(f"SMS    {description.gateway_url}", soft_wrap=True)


def _run_market_day(stack: LocalStack, description: StackDescription) -> None:
    count_before = len(description.fetch_sms())
    outcomes = submit_files(description, [EXAMPLE_DIR / f"{device}.jsonl" for device in DEVICE_CHANNELS])
    with console.status("waiting for the SMS"):
        sms_list = stack.await_sms(count_before + outcomes.total["created"])
    if sms_list:
        console.print(make_sms_table(sms_list[-_MAX_SMS_SHOWN:], total=len(sms_list)))
    show_summaries(description, "POST", description.campaign_id)
    invoke.deliver_reports(stack.as_stage())
    console.print(make_mails_table(description.list_mails()))


def _wait_while_up(stack: LocalStack) -> NoReturn:
    while stack.is_fully_up:
        time.sleep(1)
    raise OperationError("a program of the stack has ended by itself: see the logs in .local")


LOCAL_COMMANDS = (up, down, status, run, messages, mails)
