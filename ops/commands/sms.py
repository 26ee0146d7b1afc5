"""`daftar sms …`: how texts stand, and the decisions that only people take. The group says which stage."""

from datetime import UTC, datetime, timedelta
from typing import Any

import click

from chalicelib.messaging.rate_limiter import SendingStop
from chalicelib.messaging.store import DynamoSendRateLimiter
from chalicelib.notifications.held_sms import release_held_sms
from chalicelib.notifications.service import ACCOUNT_STOP_DURATION
from chalicelib.notifications.store_ledger import DynamoSmsLedger
from chalicelib.notifications.store_opt_outs import DynamoOptOutStore
from ops.deploy.stages import Stage


@click.command("release")
@click.argument("campaign")
@click.pass_obj
def release_sms(stage: Stage, campaign: str) -> None:
    """Let the held texts of a CAMPAIGN go out, whatever its budget says and however long they were held."""
    released = release_held_sms(make_ledger(stage), campaign, now=datetime.now(UTC))
    click.echo(f"{released} released: they go out within some minutes")


@click.command("stop")
@click.argument("reason")
@click.pass_obj
def stop_sms(stage: Stage, reason: str) -> None:
    """Let no text go out until somebody resumes. REASON is what others will read; no person's name."""
    _make_rate_limiter(stage).stop(SendingStop(reason, None))
    click.echo("stopped: what is in a sender's hands still goes out, nothing is lost")


@click.command("resume")
@click.pass_obj
def resume_sms(stage: Stage) -> None:
    """Let texts go out again, whoever or whatever stopped them."""
    line, now = _make_rate_limiter(stage), datetime.now(UTC)
    was_stopped = line.find_stop(now) is not None
    line.resume(now)
    if was_stopped:
        minutes = ACCOUNT_STOP_DURATION // timedelta(minutes=1)
        click.echo(
            f"resumed: new texts go out now, those that met the stop come due within {minutes} minutes"
        )
    else:
        click.echo("nothing was stopped; gateways that are left alone are tried at once")


@click.command("status")
@click.pass_obj
def show_sms_status(stage: Stage) -> None:
    """Say whether texts go out, and how many are held."""
    stopped = _make_rate_limiter(stage).find_stop(datetime.now(UTC))
    if stopped is None:
        click.echo("texts go out")
    else:
        until = "somebody resumes" if stopped.ends_at is None else f"{stopped.ends_at:%Y-%m-%d %H:%M} UTC"
        click.echo(f"stopped until {until}: {stopped.reason}")
    held = sum(1 for _ in make_ledger(stage).iter_held())
    if held:
        click.echo(f"{held} held, because a campaign's money is spent: daftar sms release CAMPAIGN")


def make_opt_out_store(stage: Stage) -> DynamoOptOutStore:
    """Return the opt-outs of a stage."""
    return DynamoOptOutStore(_make_dynamodb_client(stage), stage.outputs["SendingTableName"])


def make_ledger(stage: Stage) -> DynamoSmsLedger:
    """The ledger of a stage's texts, by whoever's rights."""
    return DynamoSmsLedger(
        _make_dynamodb_client(stage),
        sms_table=stage.outputs["SmsLedgerTableName"],
        sending_table=stage.outputs["SendingTableName"],
        new_write_id=lambda: datetime.now(UTC).isoformat(),
    )


def _make_rate_limiter(stage: Stage) -> DynamoSendRateLimiter:
    return DynamoSendRateLimiter(_make_dynamodb_client(stage), stage.outputs["SendingTableName"])


def _make_dynamodb_client(stage: Stage) -> Any:
    return stage.aws_client("dynamodb")


SMS_COMMANDS = (release_sms, stop_sms, resume_sms, show_sms_status)
