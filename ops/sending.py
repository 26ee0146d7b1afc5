"""`daftar texts …`: how texts stand, and the decisions that only people take. The group says which stage."""

from datetime import UTC, datetime, timedelta
from typing import Any

import click

from chalicelib.notifications.dynamodb import DynamoLedger, DynamoLine
from chalicelib.notifications.pace import Stop
from chalicelib.notifications.service import STOP_FOR, release_held
from ops.stages import Stage


@click.command()
@click.argument("campaign")
@click.pass_obj
def release(stage: Stage, campaign: str) -> None:
    """Let the held texts of a CAMPAIGN go out, whatever its budget says and however long they were held."""
    released = release_held(ledger_of(stage), campaign, now=datetime.now(UTC))
    click.echo(f"{released} released: they go out within some minutes")


@click.command()
@click.argument("reason")
@click.pass_obj
def stop(stage: Stage, reason: str) -> None:
    """Let no text go out until somebody resumes. REASON is what others will read; no person's name."""
    _line(stage).stop(Stop(reason, None))
    click.echo("stopped: what is in a sender's hands still goes out, nothing is lost")


@click.command()
@click.pass_obj
def resume(stage: Stage) -> None:
    """Let texts go out again, whoever or whatever stopped them."""
    line, now = _line(stage), datetime.now(UTC)
    was_stopped = line.stopped(now) is not None
    line.resume(now)
    if was_stopped:
        minutes = STOP_FOR // timedelta(minutes=1)
        click.echo(
            f"resumed: new texts go out now, those that met the stop come due within {minutes} minutes"
        )
    else:
        click.echo("nothing was stopped; gateways that are left alone are tried at once")


@click.command()
@click.pass_obj
def status(stage: Stage) -> None:
    """Say whether texts go out, and how many are held."""
    stopped = _line(stage).stopped(datetime.now(UTC))
    if stopped is None:
        click.echo("texts go out")
    else:
        until = "somebody resumes" if stopped.until is None else f"{stopped.until:%Y-%m-%d %H:%M} UTC"
        click.echo(f"stopped until {until}: {stopped.reason}")
    held = sum(1 for _ in ledger_of(stage).held())
    if held:
        click.echo(f"{held} held, because a campaign's money is spent: daftar texts release CAMPAIGN")


def ledger_of(stage: Stage) -> DynamoLedger:
    """The ledger of a stage's texts, by whoever's rights."""
    return DynamoLedger(
        _dynamodb(stage),
        texts=stage.outputs["TextsTableName"],
        sending=stage.outputs["SendingTableName"],
        new_write_id=lambda: datetime.now(UTC).isoformat(),
    )


def _line(stage: Stage) -> DynamoLine:
    return DynamoLine(_dynamodb(stage), stage.outputs["SendingTableName"])


def _dynamodb(stage: Stage) -> Any:
    return stage.clients("dynamodb")


COMMANDS = (release, stop, resume, status)
