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

from chalicelib import wiring
from ops import telling
from ops.api import API, NoAnswer
from ops.dead_letters.commands import COMMANDS as DEAD_LETTER_COMMANDS
from ops.deployment import Clients, DeploymentFailed, outputs_of
from ops.emulator import ROOT
from ops.interrupts import Stopped, stoppable
from ops.opt_outs import COMMANDS as OPT_OUT_COMMANDS
from ops.processes import ProgramError
from ops.registering import Outcomes, Sending, register
from ops.rotation import Rotation
from ops.seeding import DEVICES
from ops.sending import COMMANDS as SENDING_COMMANDS
from ops.stack import EXAMPLE, Description, LocalStack
from ops.stages import deployed
from ops.tables import clients_table, mails_table, outcomes_table, summaries_table, texts_table

_PORT = 8320
_TEXTS_SHOWN = 6
_INTERRUPTED = 130
_DAY = click.DateTime(["%Y-%m-%d"])

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
    stack = _new_stack()
    with _explained(), stoppable():
        _start(stack, fresh=fresh)


@main.command()
def down() -> None:
    """Stop the local stack; its data stays."""
    stack = _last_stack()
    was_up = stack.is_up
    stack.down()
    console.print("stopped" if was_up else f"nothing was up on port {stack.port}")


@main.command()
def status() -> None:
    """Say whether the stack is up, and what it holds."""
    stack = _last_stack()
    with _explained():
        description = stack.describe()
        _show_addresses(description)
        console.print(
            f"{len(description.messages())} texts received, {stack.texts_waiting()} waiting to be sent"
        )


@main.command()
def messages() -> None:
    """Show the texts that workers would have got."""
    with _explained():
        texts = _last_stack().describe().messages()
        console.print(texts_table(texts, of=len(texts)))


@main.command()
def mails() -> None:
    """Show the mails that managers would have got, each as a file that any mail program opens."""
    with _explained():
        console.print(mails_table(_last_stack().describe().mails_sent()))


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
    with _explained(), stoppable():
        outcomes = _register(_last_stack().describe(), files, client)
    if not outcomes.are_definite:
        raise click.ClickException("some lines got no answer: send the files again, which repeats nothing")


@main.command("roll-up")
@click.argument("campaign")
@click.argument("day", required=False, type=_DAY)
@click.option("--from", "first", type=_DAY, help="The first day to count, if not the campaign's first.")
@click.option("--to", "last", type=_DAY, help="The last day to count, if not the campaign's last.")
def roll_up(campaign: str, day: datetime | None, first: datetime | None, last: datetime | None) -> None:
    """Count a DAY of a CAMPAIGN now, or each of its days, or those between two."""
    if day and (first or last):
        raise click.UsageError("name a DAY, or --from and --to, not both")
    with _explained():
        _show_summaries(_last_stack().describe(), "POST", campaign, first=day or first, last=day or last)


@main.command()
@click.argument("campaign")
@click.argument("day", type=_DAY)
def summary(campaign: str, day: datetime) -> None:
    """Show the newest summary of a DAY of a CAMPAIGN."""
    with _explained():
        _show_summaries(_last_stack().describe(), "GET", campaign, first=day, last=day)


@main.command("export")
@click.argument("campaign")
@click.argument("day", required=False, type=_DAY)
@click.option("--from", "first", type=_DAY, help="The first of several days.")
@click.option("--to", "last", type=_DAY, help="The last of them.")
@click.option("--stack", metavar="NAME", help="A deployed stack, with your own AWS credentials.")
def export_days(
    campaign: str, day: datetime | None, first: datetime | None, last: datetime | None, stack: str | None
) -> None:
    """Export a final DAY of a CAMPAIGN for analysts now, or the days --from one --to another."""
    begin, end = first or day, last or day
    if begin is None or end is None:
        raise click.UsageError("say which DAY, or --from which --to which")
    with _explained():
        stage = deployed(stack) if stack else _last_stack().stage()
        done = telling.export(stage, campaign, map(date.fromisoformat, _days(begin.date(), end.date())))
        bucket = stage.outputs["ExportsBucketName"]
        console.print(f"{done['exported']} exported, {done['open']} waiting; bucket {bucket}", soft_wrap=True)


@main.group()
def clients() -> None:
    """Say who may call: list clients, enrol one, replace its token, revoke it."""


@clients.command("list")
def list_clients() -> None:
    """Show every client, when its token ends and when it was last seen."""
    with _explained():
        console.print(clients_table(_as_admin("GET", "/v1/clients")["clients"]))


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
    with _explained():
        enrolled = _as_admin(
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
    with _explained():
        rotated = _as_admin("POST", f"/v1/clients/{client}/token", body)
        console.print(f"older tokens end at {rotated['older_tokens_end_at']}")
        console.print(f"good until {rotated['expires_at']}; the token is shown this once:")
        console.print(rotated["token"], soft_wrap=True, highlight=False)


@clients.command()
@click.argument("client")
def revoke(client: str) -> None:
    """Revoke a CLIENT: its tokens are refused within a minute."""
    with _explained():
        _as_admin("DELETE", f"/v1/clients/{client}")
        console.print(f"{client} is revoked")


@main.command("rotate")
@click.option("--retire", is_flag=True, help="Take the older keys away, once nothing is sealed under them.")
@click.option("--stack", metavar="NAME", help="A deployed stack, with your own AWS credentials.")
def rotate_key(retire: bool, stack: str | None) -> None:
    """Change the key that personal fields are sealed under.

    Adds a key and seals everything anew under it while the stack runs. Stop it at any time; the next run goes
    on with what is left.
    """
    with _explained(), stoppable():
        rotation = _rotation(stack)
        if retire:
            console.print(f"retired {', '.join(rotation.retire())}")
            return
        rotated = rotation.rotate()
        console.print(f"{rotated.items} items were sealed anew under {rotated.current}")
        console.print(f"nothing is sealed under {', '.join(rotated.older)} any more")
        if wiring.now() < rotated.settled_at:
            console.print(
                f"until {rotated.settled_at:%H:%M:%S} UTC functions may still seal under it, not having "
                "looked at the keys yet: run this once more after that, and then with --retire",
                soft_wrap=True,
            )


@main.command()
def run() -> None:
    """Start the stack, send it the example market day, show what came of it, and stay up until Ctrl-C."""
    stack = _new_stack()
    is_shown = False
    with _explained(), stoppable():
        try:
            description = _start(stack)
            _show_market_day(stack, description)
            is_shown = True
            console.print("\nUp until you press Ctrl-C.")
            _stay_up(stack)
        except Stopped:
            console.print("\nstopping")
            if not is_shown:
                raise
        finally:
            stack.down()


class _Explained(click.Group):
    """A group whose commands tell failures of what we operate in a sentence."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        with _explained():
            return super().invoke(ctx)


_which_stack = click.option(
    "--stack",
    "stack",
    metavar="NAME",
    help="A stack on AWS, by your credentials and region; else the local one.",
)


@main.group(cls=_Explained)
@_which_stack
@click.pass_context
def texts(context: click.Context, stack: str | None) -> None:
    """Stop and resume all texts, or release those of a campaign that are held."""
    context.obj = deployed(stack) if stack else _last_stack().stage()


@main.group("opt-outs", cls=_Explained)
@_which_stack
@click.pass_context
def opt_outs(context: click.Context, stack: str | None) -> None:
    """Say whether a phone wants no texts, note that, or take it back when its owner asks."""
    context.obj = deployed(stack) if stack else _last_stack().stage()


@main.group("dead-letters", cls=_Explained)
@_which_stack
@click.pass_context
def dead_letters(context: click.Context, stack: str | None) -> None:
    """See what nobody could handle, and have it handled again or drop it."""
    context.obj = deployed(stack) if stack else _last_stack().stage()


for command in SENDING_COMMANDS:
    texts.add_command(command)
for command in OPT_OUT_COMMANDS:
    opt_outs.add_command(command)
for command in DEAD_LETTER_COMMANDS:
    dead_letters.add_command(command)


def _rotation(stack: str | None) -> Rotation:
    if stack is None:
        local = _last_stack()
        return _rotation_of(local.describe().outputs, local.emulator.client)
    session: Any = boto3.Session()
    return _rotation_of(outputs_of(session.client("cloudformation"), stack), session.client)


def _rotation_of(outputs: dict[str, str], clients: Clients) -> Rotation:
    return Rotation(outputs=outputs, clients=clients, clock=wiring.now, tell=console.print)


def _new_stack() -> LocalStack:
    port = os.environ.get("DAFTAR_PORT", str(_PORT))
    if not port.isdecimal():
        raise click.UsageError(f"DAFTAR_PORT is a number, not {port!r}")
    return LocalStack(port=int(port), local=_local())


def _last_stack() -> LocalStack:
    """The stack on DAFTAR_PORT if that is set, else the one that was started last."""
    described = _local() / "stack.json"
    if "DAFTAR_PORT" in os.environ or not described.exists():
        return _new_stack()
    url = httpx.URL(json.loads(described.read_text())["aws_endpoint_url"])
    return LocalStack(port=url.port or _PORT, local=_local())


def _local() -> Path:
    return Path(os.environ.get("DAFTAR_LOCAL_DIR", ROOT / ".local")).resolve()


@contextmanager
def _explained() -> Iterator[None]:
    """Failures of what we operate are told in a sentence, without a traceback."""
    try:
        yield
    except (ProgramError, DeploymentFailed, NoAnswer) as error:
        raise click.ClickException(str(error)) from None
    except Stopped:
        raise click.exceptions.Exit(_INTERRUPTED) from None


def _start(stack: LocalStack, *, fresh: bool = False) -> Description:
    begun = time.monotonic()
    with console.status("starting") as shown:
        description = stack.up(fresh=fresh, tell=shown.update)
    console.print(f"up in {time.monotonic() - begun:.1f} s")
    _show_addresses(description)
    return description


def _show_addresses(description: Description) -> None:
    console.print(f"API    {description.api_url}", soft_wrap=True)
    console.print(f"AWS    {description.aws_endpoint_url} ({description.region})", soft_wrap=True)
    console.print(f"texts  {description.gateway_url}", soft_wrap=True)


def _register(description: Description, files: Sequence[Path], client: str | None = None) -> Outcomes:
    by_device: dict[str, list[Path]] = {}
    for file in files:
        device = client or (file.stem if file.stem in description.device_tokens else "kiosk")
        by_device.setdefault(device, []).append(file)
    sendings = [Sending.of(device, own) for device, own in by_device.items()]
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console) as progress:
        bars = {each.device: progress.add_task(each.device, total=len(each.lines)) for each in sendings}
        outcomes = register(
            sendings,
            api_for=lambda device: API(description.api_url, _token(description, device)),
            on_answer=lambda device: progress.advance(bars[device]),
        )
    console.print(outcomes_table(outcomes))
    return outcomes


def _token(description: Description, client: str) -> str:
    token = description.token_of(client)
    if token is None:
        raise ProgramError(f"this stack has no client {client!r}")
    return token


def _show_market_day(stack: LocalStack, description: Description) -> None:
    before = len(description.messages())
    outcomes = _register(description, [EXAMPLE / f"{device}.jsonl" for device in DEVICES])
    with console.status("waiting for the texts"):
        texts = stack.await_texts(before + outcomes.total["created"])
    if texts:
        console.print(texts_table(texts[-_TEXTS_SHOWN:], of=len(texts)))
    _show_summaries(description, "POST", description.campaign_id)
    telling.deliver(stack.stage())
    console.print(mails_table(description.mails_sent()))


def _show_summaries(
    description: Description,
    method: str,
    campaign: str,
    *,
    first: datetime | None = None,
    last: datetime | None = None,
) -> None:
    """Ask for the summary of each day from the first to the last, if not of all the campaign's days."""
    with closing(API(description.api_url, description.tokens["manager"])) as api:
        path = f"/v1/campaigns/{campaign}"
        own = _answer(api, "GET", path)
        days = _days(
            first.date() if first else date.fromisoformat(own["first_day"]),
            last.date() if last else date.fromisoformat(own["last_day"]),
        )
        if not days:
            raise click.UsageError("the days are not in order")
        console.print(summaries_table([_answer(api, method, f"{path}/summaries/{each}") for each in days]))


def _as_admin(method: str, path: str, body: dict[str, Any] | None = None) -> Any:
    description = _last_stack().describe()
    with closing(API(description.api_url, description.tokens["admin"])) as api:
        return _answer(api, method, path, None if body is None else json.dumps(body))


def _answer(api: API, method: str, path: str, body: str | None = None) -> Any:
    response = api.send(method, path, body)
    if not response.is_success:
        raise ProgramError(f"{method} {path}: {response.status_code} {response.text}")
    return response.json() if response.content else None


def _days(first: date, last: date) -> list[str]:
    return [(first + timedelta(days=day)).isoformat() for day in range((last - first).days + 1)]


def _stay_up(stack: LocalStack) -> NoReturn:
    while stack.is_whole:
        time.sleep(1)
    raise ProgramError("a part of the stack has ended by itself: see the logs in .local")


if __name__ == "__main__":
    main()
