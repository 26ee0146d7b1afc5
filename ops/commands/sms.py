"""`daftar sms release|stop|resume|status`: control the sending of SMS to workers."""

from collections import Counter
from datetime import UTC, datetime, timedelta

import click

from chalicelib.clock import utc_now
from chalicelib.messaging.model import SmsId
from chalicelib.messaging.rate_limiter import SendingStop
from chalicelib.messaging.store import DynamoSendRateLimiter
from chalicelib.notifications.held_sms import release_held_sms
from chalicelib.notifications.service import ACCOUNT_STOP_DURATION
from chalicelib.notifications.store_ledger import DynamoSmsLedger
from chalicelib.notifications.store_opt_outs import DynamoOptOutStore
from chalicelib.refusals import RecordUnreadable
from ops.campaign_days import find_campaign_days
from ops.commands.parameter_types import CAMPAIGN, PLAIN_TEXT
from ops.commands.results import Result
from ops.commands.stage_option import on_stage, stage_group
from ops.deploy.stages import Stage

_WHY_HELD = {
    "budget_exhausted": "a campaign has spent its budget",
    "receipts_silent": "it is unknown if they were sent, and no receipts came in since",
    RecordUnreadable.code: "they cannot be read",
}


@stage_group("sms")
def sms() -> None:
    """Stop and resume the sending of SMS, or release the held SMS of a campaign."""


@sms.command("release", fails_when="no campaign has this id", json_fields=("campaign_id", "released"))
@click.argument("campaign", type=CAMPAIGN)
@on_stage
def release_sms(stage: Stage, campaign: str) -> Result:
    """Send the held SMS of a CAMPAIGN, regardless of its budget and of how long they were held.

    SMS that are held because no receipts came in may have been sent already: workers may get them twice.
    """
    find_campaign_days(stage, campaign)
    released = release_held_sms(make_ledger(stage), campaign, clock=utc_now).released
    return Result(
        {"campaign_id": campaign, "released": released},
        [f"{released} released: " + ("they are sent within some minutes" if released else "none was held")],
    )


@sms.command("stop", fails_when="it could not be stored", json_fields=("reason",))
@click.argument("reason", type=PLAIN_TEXT)
@on_stage
def stop_sms(stage: Stage, reason: str) -> Result:
    """Stop the sending of all SMS until `resume`. REASON is shown to others: name no person."""
    _make_rate_limiter(stage).stop(SendingStop(reason, None))
    return Result({"reason": reason}, ["stopped: SMS that are being sent now still go out, the others wait"])


@sms.command("resume", fails_when="it could not be stored", json_fields=("was_stopped",))
@on_stage
def resume_sms(stage: Stage) -> Result:
    """Resume the sending of SMS, also after an automatic stop."""
    rate_limiter, now = _make_rate_limiter(stage), datetime.now(UTC)
    was_stopped = rate_limiter.find_stop(now) is not None
    rate_limiter.resume(now)
    minutes = ACCOUNT_STOP_DURATION // timedelta(minutes=1)
    text = (
        f"resumed: new SMS are sent now, those that were stopped within {minutes} minutes"
        if was_stopped
        else "nothing was stopped; gateways with an open circuit are tried at once"
    )
    return Result({"was_stopped": was_stopped}, [text])


@sms.command(
    "status", fails_when="it could not be read", json_fields=("is_stopped", "reason", "until", "held")
)
@on_stage
def show_sms_status(stage: Stage) -> Result:
    """Show whether SMS are being sent, and how many are held."""
    stopped = _make_rate_limiter(stage).find_stop(datetime.now(UTC))
    if stopped is None:
        text = ["SMS are being sent"]
    else:
        until = "an operator resumes" if stopped.ends_at is None else f"{stopped.ends_at:%Y-%m-%d %H:%M} UTC"
        text = [f"stopped until {until}: {stopped.reason}"]
    ledger, command = make_ledger(stage), stage.format_command("sms release CAMPAIGN")
    held = Counter(filter(None, (_find_reason(ledger, each) for each in ledger.iter_held())))
    for reason, number in sorted(held.items()):
        text.append(f"{number} held: {_WHY_HELD.get(reason, reason)}; {command} sends them")
    return Result(
        {
            "is_stopped": stopped is not None,
            "reason": stopped and stopped.reason,
            "until": stopped and stopped.ends_at,
            "held": dict(held),
        },
        text,
    )


def _find_reason(ledger: DynamoSmsLedger, sms_id: SmsId) -> str | None:
    """Return why an SMS is held; None if it is gone."""
    try:
        held = ledger.get(sms_id)
    except RecordUnreadable as error:
        return error.code
    return None if held is None else str(held.reason)


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
