"""`daftar up|down|run|messages|mails`: the local stack."""

import time
from datetime import datetime, timedelta
from typing import Any, NoReturn

import click

from ops import invoke
from ops.commands.health import ADDRESS_FIELDS, describe_addresses, list_addresses
from ops.commands.local_stack import describe_local_stack, find_local_stack, make_local_stack
from ops.commands.parameter_types import DayRange
from ops.commands.registrations import read_batches, submit
from ops.commands.results import Command, Result, progress_console, write_early
from ops.commands.summaries import describe_summaries, fetch_summaries
from ops.commands.tables import (
    list_mails,
    make_channels_table,
    make_mails_table,
    make_outcomes_table,
    make_sms_table,
)
from ops.errors import OperationError
from ops.local.chat_registration import register_by_telegram
from ops.local.chats import CHAT_CAMPAIGN, CHAT_ZONE
from ops.local.description import StackDescription
from ops.local.seeding import DEVICE_CHANNELS
from ops.local.stack import LocalStack
from ops.project import EXAMPLE_DIR
from ops.signals import Shutdown, shutdown_on_signal

_MAX_SMS_SHOWN = 6


@click.command(
    cls=Command, fails_when="it is up already, or could not be started", json_fields=ADDRESS_FIELDS
)
@click.option("--fresh", is_flag=True, help="Delete the data of the last run first.")
def up(fresh: bool) -> Result:
    """Start the local stack in the background."""
    with shutdown_on_signal(), progress_console.status("starting") as spinner:
        started_at = time.monotonic()
        description = make_local_stack().up(fresh=fresh, on_progress=spinner.update)
    return _describe_start(description, started_at)


@click.command(cls=Command, fails_when="it could not be stopped", json_fields=("port", "was_up"))
def down() -> Result:
    """Stop the local stack and keep its data. If none is up, nothing is done."""
    stack = find_local_stack()
    was_up = stack.is_up
    stack.down()
    text = "stopped" if was_up else f"nothing was up on port {stack.port}"
    return Result({"port": stack.port, "was_up": was_up}, [text])


@click.command(cls=Command, fails_when="no local stack is up", json_fields=("messages",))
def messages() -> Result:
    """Show the SMS that the fake gateway has received."""
    sms_list = describe_local_stack().fetch_sms()
    return Result({"messages": sms_list}, [make_sms_table(sms_list, total=len(sms_list))])


@click.command(cls=Command, fails_when="no local stack is up", json_fields=("mails",))
def mails() -> Result:
    """List the mails to managers. Each is a file that a mail program can open."""
    listed = list_mails(describe_local_stack().list_mails())
    return Result({"mails": listed}, [make_mails_table(listed)])


@click.command(
    cls=Command,
    fails_when="a stack is up already on this port (it is left alone), or this one ended by itself",
    json_fields=(*ADDRESS_FIELDS, "outcomes", "sms_received", "summaries", "chat_summaries", "mails"),
)
def run() -> None:
    """Start the local stack, register the example market day and a worker by Telegram, show the results, and
    run until Ctrl-C.
    """
    stack = make_local_stack()
    is_shown = False
    with shutdown_on_signal():
        try:
            started_at = time.monotonic()
            with (
                progress_console.status("starting") as spinner,
                stack.run(on_progress=spinner.update) as description,
            ):
                spinner.stop()
                for line in _describe_start(description, started_at).text:
                    progress_console.print(line, soft_wrap=True)
                write_early(_run_market_day(stack, description))
                is_shown = True
                progress_console.print("\nUp until you press Ctrl-C.")
                _wait_while_up(stack)
        except Shutdown:
            progress_console.print("\nstopped")
            if not is_shown:
                raise


def _describe_start(description: StackDescription, started_at: float) -> Result:
    duration = f"up in {time.monotonic() - started_at:.1f} s"
    return Result(list_addresses(description), [duration, *describe_addresses(description)])


def _run_market_day(stack: LocalStack, description: StackDescription) -> Result:
    count_before = len(description.fetch_sms())
    files = [EXAMPLE_DIR / f"{device}.jsonl" for device in DEVICE_CHANNELS]
    outcomes = submit(description, read_batches(description, files))
    with progress_console.status("waiting for the SMS"):
        sms_list = stack.await_sms(count_before + outcomes.total["created"])
    with progress_console.status("a worker registers by Telegram"):
        if register_by_telegram(description):
            sms_list = stack.await_sms(len(sms_list) + 1)
    summaries = fetch_summaries(description, "POST", description.campaign_id, DayRange())
    today = datetime.now(CHAT_ZONE).date()
    days = DayRange(today - timedelta(days=1), today)
    chat_summaries = fetch_summaries(description, "POST", CHAT_CAMPAIGN, days)
    invoke.deliver_reports(stack.as_stage())
    mail_list = list_mails(description.list_mails())
    data: dict[str, Any] = {
        **list_addresses(description),
        "outcomes": {device: dict(counts) for device, counts in outcomes.by_device.items()},
        "sms_received": len(sms_list),
        "summaries": summaries,
        "chat_summaries": chat_summaries,
        "mails": mail_list,
    }
    sms_tables = [make_sms_table(sms_list[-_MAX_SMS_SHOWN:], total=len(sms_list))] if sms_list else []
    return Result(
        data,
        [
            make_outcomes_table(outcomes),
            *sms_tables,
            *describe_summaries(summaries).text,
            make_channels_table({"market day": summaries, "chats": chat_summaries}),
            make_mails_table(mail_list),
        ],
    )


def _wait_while_up(stack: LocalStack) -> NoReturn:
    while stack.is_fully_up:
        time.sleep(1)
    raise OperationError("the stack was stopped, or a program of it has ended: see the logs in .local")


LOCAL_COMMANDS = (up, down, run, messages, mails)
