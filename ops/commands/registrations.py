"""`daftar register`: send files of captures."""

from collections.abc import Sequence
from pathlib import Path

import click
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from ops.api_client import ApiClient
from ops.commands.api_access import TOKEN_VARIABLE, ApiAccess, DeployedApi, on_api
from ops.commands.api_calls import LANGUAGE, call_api, connect
from ops.commands.results import Command, Result, progress_console
from ops.commands.tables import make_outcomes_table
from ops.signals import Shutdown, shutdown_on_signal
from ops.submission import DeviceBatch, SubmissionOutcomes, submit_batches

_MAX_LINES_SHOWN = 20


@click.command(
    "register",
    cls=Command,
    fails_when="lines were refused or got no answer, each is named with its fields",
    json_fields=("outcomes", "failed_lines"),
)
@click.argument(
    "files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path)
)
@click.option(
    "--as", "client", metavar="CLIENT", help="Send as this client of the local stack: van-1, kiosk, bot ..."
)
@on_api
def register_files(access: ApiAccess, files: tuple[Path, ...], client: str | None) -> Result:
    """Send captures (one JSON body on each line) and show the outcomes.

    A file named after a device (van-1.jsonl) is sent as that device, any other file as the kiosk. Each device
    sends its lines in order; all devices send at the same time. With --stack all files are sent, in order, as
    the client of DAFTAR_TOKEN.
    """
    if client and isinstance(access, DeployedApi):
        raise click.UsageError(f"--as chooses a client of the local stack: {TOKEN_VARIABLE} is one client's")
    batches = read_batches(access, files, client)
    if not any(batch.lines for batch in batches):
        raise click.UsageError("there is no capture in these files, nothing was sent")
    for batch in batches:
        # Before the first line: each line of a stack that does not answer would be tried for half a minute.
        with connect(access, batch.device) as api:
            call_api(api, "GET", "/healthz")
    try:
        with shutdown_on_signal():
            outcomes = submit(access, batches)
    except Shutdown:
        raise Shutdown("interrupted: send the files again, which repeats nothing") from None
    return _describe_outcomes(outcomes)


def read_batches(access: ApiAccess, files: Sequence[Path], client: str | None = None) -> list[DeviceBatch]:
    """Read files of captures for the device that each is named after, or for one client."""
    if isinstance(access, DeployedApi):
        return [DeviceBatch.from_files(TOKEN_VARIABLE, files)]
    by_device: dict[str, list[Path]] = {}
    for file in files:
        device = client or (file.stem if file.stem in access.device_tokens else "kiosk")
        by_device.setdefault(device, []).append(file)
    return [DeviceBatch.from_files(device, own) for device, own in by_device.items()]


def submit(access: ApiAccess, batches: Sequence[DeviceBatch]) -> SubmissionOutcomes:
    """Send captures with a progress bar for each device."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=progress_console) as progress:
        bars = {each.device: progress.add_task(each.device, total=len(each.lines)) for each in batches}
        return submit_batches(
            batches,
            make_api=lambda device: ApiClient(
                access.api_url, access.find_token(device) or "", language=LANGUAGE
            ),
            on_answer=lambda device: progress.advance(bars[device]),
        )


def _describe_outcomes(outcomes: SubmissionOutcomes) -> Result:
    failed = outcomes.failed_lines
    lines = [str(each) for each in failed[:_MAX_LINES_SHOWN]]
    if len(failed) > _MAX_LINES_SHOWN:
        lines.append(f"... and {len(failed) - _MAX_LINES_SHOWN} more: --json names them all")
    failure = f"{len(failed)} of {outcomes.total.total()} lines were not registered" if failed else None
    if failure and not outcomes.is_complete:
        failure += ", some for want of an answer: send the files again, which repeats nothing"
    return Result(
        data={
            "outcomes": {device: dict(counts) for device, counts in outcomes.by_device.items()},
            "failed_lines": [each.to_json() for each in failed],
        },
        text=[make_outcomes_table(outcomes), *lines],
        failure=failure,
        code="lines_failed",
    )
