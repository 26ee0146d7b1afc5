"""`daftar`: what people run by hand, here and at the example market."""

import json
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, NoReturn

import boto3
import click
import httpx
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from chalicelib.clock import utc_now
from ops import invoke
from ops.api_client import ApiClient, ApiUnavailable
from ops.commands.dead_letters import DEAD_LETTER_COMMANDS
from ops.commands.opt_outs import OPT_OUT_COMMANDS
from ops.commands.sms import SMS_COMMANDS
from ops.commands.tables import (
    make_clients_table,
    make_mails_table,
    make_outcomes_table,
    make_sms_table,
    make_summaries_table,
)
from ops.deploy.cloudformation import AwsClientFactory, DeploymentFailed, read_stack_outputs
from ops.deploy.stages import find_stage
from ops.key_rotation import KeyRotation
from ops.local.emulator import ROOT
from ops.local.processes import OperationError
from ops.local.seeding import DEVICE_CHANNELS
from ops.local.stack import EXAMPLE_DIR, LocalStack, StackDescription
from ops.signals import Shutdown, shutdown_on_signal
from ops.submission import DeviceBatch, SubmissionOutcomes, submit_batches

_DEFAULT_PORT = 8320
_SMS_SHOWN = 6
_INTERRUPTED_EXIT_CODE = 130
_DAY_TYPE = click.DateTime(["%Y-%m-%d"])

console = Console()


@click.group()
def main() -> None:
    """Run Daftar here and work with it.

    The local stack listens on DAFTAR_PORT (8320) and the port above it; its data is in DAFTAR_LOCAL_DIR
    (.local).
    """


@main.command()
@click.option("--fresh", is_flag=True, help="Forget the data of the last run.")
def up(fresh: bool) -> None:
    """Start the local stack and leave it running."""
    stack = _make_local_stack()
    with _explain_errors(), shutdown_on_signal():
        _start_stack(stack, fresh=fresh)


@main.command()
def down() -> None:
    """Stop the local stack; its data stays."""
    stack = _find_local_stack()
    was_up = stack.is_up
    stack.down()
    console.print("stopped" if was_up else f"nothing was up on port {stack.port}")


@main.command()
def status() -> None:
    """Say whether the stack is up, and what it holds."""
    stack = _find_local_stack()
    with _explain_errors():
        description = stack.describe()
        _show_addresses(description)
        console.print(
            f"{len(description.fetch_sms())} texts received, {stack.count_waiting_sms()} waiting to be sent"
        )


@main.command()
def messages() -> None:
    """Show the texts that workers would have got."""
    with _explain_errors():
        texts = _find_local_stack().describe().fetch_sms()
        console.print(make_sms_table(texts, total=len(texts)))


@main.command()
def mails() -> None:
    """Show the mails that managers would have got, each as a file that any mail program opens."""
    with _explain_errors():
        console.print(make_mails_table(_find_local_stack().describe().list_mails()))


@main.command("register")
@click.argument(
    "files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path)
)
@click.option("--as", "client", metavar="CLIENT", help="Send as this client: van-1, kiosk, bot ...")
def register_files(files: tuple[Path, ...], client: str | None) -> None:
    """Send captures, one JSON body a line, and show what came of them.

    A file named after a device (van-1.jsonl) is sent as that device, any other as the kiosk. Each device
    sends its lines in order; devices send at the same time.
    """
    with _explain_errors(), shutdown_on_signal():
        outcomes = _submit_files(_find_local_stack().describe(), files, client)
    if not outcomes.is_complete:
        raise click.ClickException("some lines got no answer: send the files again, which repeats nothing")


@main.command("roll-up")
@click.argument("campaign")
@click.argument("day", required=False, type=_DAY_TYPE)
@click.option("--from", "first", type=_DAY_TYPE, help="The first day to count, if not the campaign's first.")
@click.option("--to", "last", type=_DAY_TYPE, help="The last day to count, if not the campaign's last.")
def roll_up(campaign: str, day: datetime | None, first: datetime | None, last: datetime | None) -> None:
    """Count a DAY of a CAMPAIGN now, or each of its days, or those between two."""
    if day and (first or last):
        raise click.UsageError("name a DAY, or --from and --to, not both")
    with _explain_errors():
        _show_summaries(
            _find_local_stack().describe(), "POST", campaign, first=day or first, last=day or last
        )


@main.command()
@click.argument("campaign")
@click.argument("day", type=_DAY_TYPE)
def summary(campaign: str, day: datetime) -> None:
    """Show the newest summary of a DAY of a CAMPAIGN."""
    with _explain_errors():
        _show_summaries(_find_local_stack().describe(), "GET", campaign, first=day, last=day)


@main.command("export")
@click.argument("campaign")
@click.argument("day", required=False, type=_DAY_TYPE)
@click.option("--from", "first", type=_DAY_TYPE, help="The first of several days.")
@click.option("--to", "last", type=_DAY_TYPE, help="The last of them.")
@click.option("--stack", metavar="NAME", help="A deployed stack, with your own AWS credentials.")
def export_days(
    campaign: str, day: datetime | None, first: datetime | None, last: datetime | None, stack: str | None
) -> None:
    """Export a final DAY of a CAMPAIGN for analysts now, or the days --from one --to another."""
    begin, end = first or day, last or day
    if begin is None or end is None:
        raise click.UsageError("say which DAY, or --from which --to which")
    with _explain_errors():
        stage = find_stage(stack) if stack else _find_local_stack().as_stage()
        done = invoke.export_days(
            stage, campaign, map(date.fromisoformat, _list_days(begin.date(), end.date()))
        )
        bucket = stage.outputs["ExportsBucketName"]
        console.print(f"{done['exported']} exported, {done['open']} waiting; bucket {bucket}", soft_wrap=True)


@main.group()
def clients() -> None:
    """Say who may call: list clients, enrol one, replace its token, revoke it."""


@clients.command("list")
def list_clients() -> None:
    """Show every client, when its token ends and when it was last seen."""
    with _explain_errors():
        console.print(make_clients_table(_call_as_admin("GET", "/v1/clients")["clients"]))


@clients.command()
@click.argument("client")
@click.option("--role", "roles", multiple=True, required=True, help="kiosk, bot, manager, core or admin.")
@click.option("--campaign", "campaigns", multiple=True, help="A campaign it works for; * for every one.")
@click.option("--channel", help="Where it meets workers, if not what goes with its role: van, agent ...")
@click.option("--expires-at", help="When its token ends, with a zone.")
def enrol(
    client: str,
    roles: tuple[str, ...],
    campaigns: tuple[str, ...],
    channel: str | None,
    expires_at: str | None,
) -> None:
    """Enrol a CLIENT and show its token, this once."""
    body = {"client_id": client, "roles": roles, "campaigns": campaigns}
    given = {"channel": channel, "expires_at": expires_at}
    with _explain_errors():
        enrolled = _call_as_admin(
            "POST", "/v1/clients", body | {name: each for name, each in given.items() if each}
        )
        console.print(f"good until {enrolled['expires_at']}; the token is shown this once:")
        console.print(enrolled["token"], soft_wrap=True, highlight=False)


@clients.command()
@click.argument("client")
@click.option("--overlap-hours", type=int, help="How long older tokens stay good; 0 ends them now.")
@click.option("--expires-at", help="When the new token ends, with a zone.")
def rotate(client: str, overlap_hours: int | None, expires_at: str | None) -> None:
    """Give a CLIENT a new token and show it, this once."""
    given = {"overlap_hours": overlap_hours, "expires_at": expires_at}
    body = {name: each for name, each in given.items() if each is not None}
    with _explain_errors():
        rotated = _call_as_admin("POST", f"/v1/clients/{client}/token", body)
        console.print(f"older tokens end at {rotated['older_tokens_end_at']}")
        console.print(f"good until {rotated['expires_at']}; the token is shown this once:")
        console.print(rotated["token"], soft_wrap=True, highlight=False)


@clients.command()
@click.argument("client")
def revoke(client: str) -> None:
    """Revoke a CLIENT: its tokens are refused within a minute."""
    with _explain_errors():
        _call_as_admin("DELETE", f"/v1/clients/{client}")
        console.print(f"{client} is revoked")


@main.command("rotate")
@click.option("--retire", is_flag=True, help="Take the older keys away, once nothing is sealed under them.")
@click.option("--stack", metavar="NAME", help="A deployed stack, with your own AWS credentials.")
def rotate_key(retire: bool, stack: str | None) -> None:
    """Change the key that personal fields are sealed under.

    Adds a key and seals everything anew under it while the stack runs. Stop it at any time; the next run goes
    on with what is left.
    """
    with _explain_errors(), shutdown_on_signal():
        rotation = _make_rotation(stack)
        if retire:
            console.print(f"retired {', '.join(rotation.retire())}")
            return
        rotated = rotation.rotate()
        console.print(f"{rotated.resealed_count} items were sealed anew under {rotated.current_key_id}")
        console.print(f"nothing is sealed under {', '.join(rotated.older_key_ids)} any more")
        if utc_now() < rotated.retirable_at:
            console.print(
                f"until {rotated.retirable_at:%H:%M:%S} UTC functions may still seal under it, not having "
                "looked at the keys yet: run this once more after that, and then with --retire",
                soft_wrap=True,
            )


@main.command()
def run() -> None:
    """Start the stack, send it the example market day, show what came of it, and stay up until Ctrl-C."""
    stack = _make_local_stack()
    is_shown = False
    with _explain_errors(), shutdown_on_signal():
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


class _ErrorExplainingGroup(click.Group):
    """A group whose commands tell failures of what we operate in a sentence."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        with _explain_errors():
            return super().invoke(ctx)


_stack_option = click.option(
    "--stack",
    "stack",
    metavar="NAME",
    help="A stack on AWS, by your credentials and region; else the local one.",
)


@main.group(cls=_ErrorExplainingGroup)
@_stack_option
@click.pass_context
def sms(context: click.Context, stack: str | None) -> None:
    """Stop and resume all texts, or release those of a campaign that are held."""
    context.obj = find_stage(stack) if stack else _find_local_stack().as_stage()


@main.group("opt-outs", cls=_ErrorExplainingGroup)
@_stack_option
@click.pass_context
def opt_outs(context: click.Context, stack: str | None) -> None:
    """Say whether a phone wants no texts, note that, or take it back when its owner asks."""
    context.obj = find_stage(stack) if stack else _find_local_stack().as_stage()


@main.group("dead-letters", cls=_ErrorExplainingGroup)
@_stack_option
@click.pass_context
def dead_letters(context: click.Context, stack: str | None) -> None:
    """See what nobody could handle, and have it handled again or drop it."""
    context.obj = find_stage(stack) if stack else _find_local_stack().as_stage()


for command in SMS_COMMANDS:
    sms.add_command(command)
for command in OPT_OUT_COMMANDS:
    opt_outs.add_command(command)
for command in DEAD_LETTER_COMMANDS:
    dead_letters.add_command(command)


def _make_rotation(stack_name: str | None) -> KeyRotation:
    if stack_name is None:
        local = _find_local_stack()
        return _build_rotation(local.describe().outputs, local.emulator.make_client)
    session: Any = boto3.Session()
    return _build_rotation(read_stack_outputs(session.client("cloudformation"), stack_name), session.client)


def _build_rotation(outputs: dict[str, str], aws_client: AwsClientFactory) -> KeyRotation:
    return KeyRotation(outputs=outputs, aws_client=aws_client, clock=utc_now, on_progress=console.print)


def _make_local_stack() -> LocalStack:
    port = os.environ.get("DAFTAR_PORT", str(_DEFAULT_PORT))
    if not port.isdecimal():
        raise click.UsageError(f"DAFTAR_PORT is a number, not {port!r}")
    return LocalStack(port=int(port), directory=_find_local_dir())


def _find_local_stack() -> LocalStack:
    """The stack on DAFTAR_PORT if that is set, else the one that was started last."""
    described = _find_local_dir() / "stack.json"
    if "DAFTAR_PORT" in os.environ or not described.exists():
        return _make_local_stack()
    url = httpx.URL(json.loads(described.read_text())["aws_endpoint_url"])
    return LocalStack(port=url.port or _DEFAULT_PORT, directory=_find_local_dir())


def _find_local_dir() -> Path:
    return Path(os.environ.get("DAFTAR_LOCAL_DIR", ROOT / ".local")).resolve()


@contextmanager
def _explain_errors() -> Iterator[None]:
    """Failures of what we operate are told in a sentence, without a traceback."""
    try:
        yield
    except (OperationError, DeploymentFailed, ApiUnavailable) as error:
        raise click.ClickException(str(error)) from None
    except Shutdown:
        raise click.exceptions.Exit(_INTERRUPTED_EXIT_CODE) from None


def _start_stack(stack: LocalStack, *, fresh: bool = False) -> StackDescription:
    begun = time.monotonic()
    with console.status("starting") as shown:
        description = stack.up(fresh=fresh, on_progress=shown.update)
    console.print(f"up in {time.monotonic() - begun:.1f} s")
    _show_addresses(description)
    return description


def _show_addresses(description: StackDescription) -> None:
    console.print(f"API    {description.api_url}", soft_wrap=True)
    console.print(f"AWS    {description.aws_endpoint_url} ({description.region})", soft_wrap=True)
    console.print(f"texts  {description.gateway_url}", soft_wrap=True)


def _submit_files(
    description: StackDescription, files: Sequence[Path], client: str | None = None
) -> SubmissionOutcomes:
    by_device: dict[str, list[Path]] = {}
    for file in files:
        device = client or (file.stem if file.stem in description.device_tokens else "kiosk")
        by_device.setdefault(device, []).append(file)
    sendings = [DeviceBatch.from_files(device, own) for device, own in by_device.items()]
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console) as progress:
        bars = {each.device: progress.add_task(each.device, total=len(each.lines)) for each in sendings}
        outcomes = submit_batches(
            sendings,
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


def _run_market_day(stack: LocalStack, description: StackDescription) -> None:
    before = len(description.fetch_sms())
    outcomes = _submit_files(description, [EXAMPLE_DIR / f"{device}.jsonl" for device in DEVICE_CHANNELS])
    with console.status("waiting for the texts"):
        texts = stack.await_sms(before + outcomes.total["created"])
    if texts:
        console.print(make_sms_table(texts[-_SMS_SHOWN:], total=len(texts)))
    _show_summaries(description, "POST", description.campaign_id)
    invoke.deliver_reports(stack.as_stage())
    console.print(make_mails_table(description.list_mails()))


def _show_summaries(
    description: StackDescription,
    method: str,
    campaign: str,
    *,
    first: datetime | None = None,
    last: datetime | None = None,
) -> None:
    """Ask for the summary of each day from the first to the last, if not of all the campaign's days."""
    with closing(ApiClient(description.api_url, description.tokens["manager"])) as api:
        path = f"/v1/campaigns/{campaign}"
        own = _call_api(api, "GET", path)
        days = _list_days(
            first.date() if first else date.fromisoformat(own["first_day"]),
            last.date() if last else date.fromisoformat(own["last_day"]),
        )
        if not days:
            raise click.UsageError("the days are not in order")
        console.print(
            make_summaries_table([_call_api(api, method, f"{path}/summaries/{each}") for each in days])
        )


def _call_as_admin(method: str, path: str, body: dict[str, Any] | None = None) -> Any:
    description = _find_local_stack().describe()
    with closing(ApiClient(description.api_url, description.tokens["admin"])) as api:
        return _call_api(api, method, path, None if body is None else json.dumps(body))


def _call_api(api: ApiClient, method: str, path: str, body: str | None = None) -> Any:
    response = api.send(method, path, body)
    if not response.is_success:
        raise OperationError(f"{method} {path}: {response.status_code} {response.text}")
    return response.json() if response.content else None


def _list_days(first: date, last: date) -> list[str]:
    return [(first + timedelta(days=day)).isoformat() for day in range((last - first).days + 1)]


def _wait_while_up(stack: LocalStack) -> NoReturn:
    while stack.is_fully_up:
        time.sleep(1)
    raise OperationError("a part of the stack has ended by itself: see the logs in .local")


if __name__ == "__main__":
    main()
