"""`daftar register`: send files of captures."""

from collections.abc import Sequence
from pathlib import Path

import click
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from ops.api_client import ApiClient
from ops.commands.local_stack import find_local_stack
from ops.commands.tables import console, make_outcomes_table
from ops.errors import OperationError
from ops.local.description import StackDescription
from ops.signals import shutdown_on_signal
from ops.submission import DeviceBatch, SubmissionOutcomes, submit_batches


@click.command("register")
@click.argument(
    "files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path)
)
@click.option("--as", "client", metavar="CLIENT", help="Send as this client: van-1, kiosk, bot ...")
def register_files(files: tuple[Path, ...], client: str | None) -> None:
    """Send captures to the local stack (one JSON body on each line) and show the outcomes.

    A file named after a device (van-1.jsonl) is sent as that device, any other file as the kiosk. Each device
    sends its lines in order; all devices send at the same time.
    """
    with shutdown_on_signal():
        outcomes = submit_files(find_local_stack().describe(), files, client)
    if not outcomes.is_complete:
        raise click.ClickException("some lines got no answer: send the files again, which repeats nothing")


def submit_files(
    description: StackDescription, files: Sequence[Path], client: str | None = None
) -> SubmissionOutcomes:
    """Send files of captures with a progress bar for each device, and print the outcomes."""
    by_device: dict[str, list[Path]] = {}
    for file in files:
        device = client or (file.stem if file.stem in description.device_tokens else "kiosk")
        by_device.setdefault(device, []).append(file)
    batches = [DeviceBatch.from_files(device, own) for device, own in by_device.items()]
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console) as progress:
        bars = {each.device: progress.add_task(each.device, total=len(each.lines)) for each in batches}
        outcomes = submit_batches(
            batches,
            make_api=lambda device: ApiClient(description.api_url, _require_token(description, device)),
            on_answer=lambda device: progress.advance(bars[device]),
        )
    console.print(make_outcomes_table(outcomes))
    return outcomes


def _require_token(description: StackDescription, client: str) -> str:
    token = description.find_token(client)
    if token is None:
        raise OperationError(f"this stack has no client {client!r}")
    return token
