"""`daftar sms release|stop|resume|status`: control the sending of SMS to workers."""

from collections import Counter
from datetime import UTC, datetime, timedelta

import click

from chalicelib.messaging.rate_limiter import SendingStop
from chalicelib.messaging.store import DynamoSendRateLimiter
from chalicelib.notifications.held_sms import release_held_sms
from chalicelib.notifications.service import ACCOUNT_STOP_DURATION
from chalicelib.notifications.store_ledger import DynamoSmsLedger
from chalicelib.notifications.store_opt_outs import DynamoOptOutStore
from ops.commands.stage_option import on_stage, stage_group
from ops.deploy.stages import Stage

_WHY_HELD = {
    "budget_exhausted": "a campaign has spent its budget",
    "receipts_silent": "it is unknown if they were sent, and no receipts came in since",
}


@stage_group("sms")
def sms() -> None:
    """Stop and resume the sending of SMS, or release the held SMS of a campaign."""


@sms.command("release")
@click.argument("campaign")
@on_stage
def release_sms(stage: Stage, campaign: str) -> None:
    """Send the held SMS of a CAMPAIGN, regardless of its budget and of how long they were held.

    SMS that are held because no receipts came in may have been sent already: workers may get them twice.
    """
    released = release_held_sms(make_ledger(stage), campaign, now=datetime.now(UTC))
    click.echo(f"{released} released: they are sent within some minutes")


@sms.command("stop")
@click.argument("reason")
@on_stage
def stop_sms(stage: Stage, reason: str) -> None:
    """Stop the sending of all SMS until `resume`. REASON is shown to others: name no person."""
    _make_rate_limiter(stage).stop(SendingStop(reason, None))
    click.echo("stopped: SMS that are being sent now still go out, the others wait")


@sms.command("resume")
@on_stage
def resume_sms(stage: Stage) -> None:
    """Resume the sending of SMS, also after an automatic stop."""
    rate_limiter, now = _make_rate_limiter(stage), datetime.now(UTC)
    was_stopped = rate_limiter.find_stop(now) is not None
    rate_limiter.resume(now)
    if was_stopped:
        minutes = ACCOUNT_STOP_DURATION // timedelta(minutes=1)
        click.echo(f"resumed: new SMS are sent now, those that were stopped within {minutes} minutes")
    else:
        click.echo("nothing was stopped; gateways with an open circuit are tried at once")


@sms.command("status")
@on_stage
def show_sms_status(stage: Stage) -> None:
    """Show whether SMS are being sent, and how many are held."""
    stopped = _make_rate_limiter(stage).find_stop(datetime.now(UTC))
    if stopped is None:
        click.echo("SMS are being sent")
    else:
        until = "an operator resumes" if stopped.ends_at is None else f"{stopped.ends_at:%Y-%m-%d %H:%M} UTC"
        click.echo(f"stopped until {until}: {stopped.reason}")
    ledger = make_ledger(stage)
    held = Counter(sms.reason for each in ledger.iter_held() if (sms := ledger.get(each)) is not None)
    for reason, number in sorted(held.items(), key=str):
        click.echo(
            f"{number} held: {_WHY_HELD.get(str(reason), reason)}; daftar sms release CAMPAIGN sends them"
        )


def make_opt_out_store(stage: Stage) -> DynamoOptOutStore:
    return DynamoOptOutStore(stage.aws_client("dynamodb"), stage.outputs["SendingTableName"])


def make_ledger(stage: Stage) -> DynamoSmsLedger:
    return DynamoSmsLedger(
        stage.aws_client("dynamodb"),
        sms_table=stage.outputs["SmsLedgerTableName"],
        sending_table=stage.outputs["SendingTableName"],
        new_write_id=lambda: datetime.now(UTC).isoformat(),
    )


def _make_rate_limiter(stage: Stage) -> DynamoSendRateLimiter:
    return DynamoSendRateLimiter(stage.aws_client("dynamodb"), stage.outputs["SendingTableName"])
