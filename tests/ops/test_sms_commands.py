"""`daftar sms`: release, stop, resume and status."""

from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from click import Command
from click.testing import CliRunner

from chalicelib.messaging.rate_limiter import SendingStopped
from chalicelib.notifications.store_ledger import DynamoSmsLedger
from chalicelib.randomness import generate_write_id
from ops.commands import sms
from ops.deploy.stages import Stage
from tests.support.app_loader import make_container
from tests.support.registration_builders import make_sms


@pytest.fixture
def deployed_stage(moto_stage: None) -> Stage:
    outputs = {"SmsLedgerTableName": "SmsLedgerTable", "SendingTableName": "SendingTable"}
    session: Any = boto3
    return Stage("daftar-test", outputs, session.client)


def run(command: Command, stage: Stage, *arguments: str) -> str:
    result = CliRunner().invoke(command, arguments, obj=stage, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def test_release_resumes_the_held_sms_of_one_campaign(deployed_stage: Stage) -> None:
    ledger = DynamoSmsLedger(
        boto3.client("dynamodb"),
        sms_table="SmsLedgerTable",
        sending_table="SendingTable",
        new_write_id=generate_write_id,
    )
    for number in (1, 2):
        ledger.get_or_create(make_sms(number).hold("budget_exhausted"))
    ledger.get_or_create(make_sms(3, campaign_id="senen-2024").hold("budget_exhausted"))

    assert "3 held" in run(sms.show_sms_status, deployed_stage)

    assert run(sms.release_sms, deployed_stage, "tanah-abang-2024").startswith("2 released")
    assert run(sms.release_sms, deployed_stage, "tanah-abang-2024").startswith("0 released")

    released = ledger.get(make_sms(1).sms_id)
    assert released is not None
    assert (released.state, released.is_released) == ("pending", True)
    assert list(ledger.iter_held()) == [make_sms(3).sms_id]


def test_sending_can_be_stopped_and_resumed(deployed_stage: Stage) -> None:
    assert run(sms.show_sms_status, deployed_stage) == "SMS are being sent\n"

    run(sms.stop_sms, deployed_stage, "wrong template")
    assert run(sms.show_sms_status, deployed_stage) == "stopped until an operator resumes: wrong template\n"
    with pytest.raises(SendingStopped):
        make_container().send_rate_limiter.reserve(
            timedelta(seconds=1), now=datetime.now(UTC), max_wait=timedelta(seconds=1)
        )

    resumed = run(sms.resume_sms, deployed_stage)
    assert resumed == "resumed: new SMS are sent now, those that were stopped within 15 minutes\n"
    assert run(sms.show_sms_status, deployed_stage) == "SMS are being sent\n"
    assert run(sms.resume_sms, deployed_stage).startswith("nothing was stopped")
