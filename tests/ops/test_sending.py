"""`daftar sms`: what only people decide, on a stage with tables of its own."""

from datetime import UTC, datetime, timedelta

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
    return Stage("daftar-test", outputs, boto3.client)


def run(command: Command, on: Stage, *arguments: str) -> str:
    ran = CliRunner().invoke(command, arguments, obj=on, catch_exceptions=False)
    assert ran.exit_code == 0, ran.output
    return ran.output


def test_held_texts_of_a_campaign_are_released(deployed_stage: Stage) -> None:
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


def test_sending_is_stopped_shown_and_resumed(deployed_stage: Stage) -> None:
    assert run(sms.show_sms_status, deployed_stage) == "texts go out\n"

    run(sms.stop_sms, deployed_stage, "wrong wording")
    assert run(sms.show_sms_status, deployed_stage) == "stopped until somebody resumes: wrong wording\n"
    with pytest.raises(SendingStopped):
        make_container().send_rate_limiter.reserve(
            timedelta(seconds=1), now=datetime.now(UTC), max_wait=timedelta(seconds=1)
        )

    resumed = run(sms.resume_sms, deployed_stage)
    assert resumed == "resumed: new texts go out now, those that met the stop come due within 15 minutes\n"
    assert run(sms.show_sms_status, deployed_stage) == "texts go out\n"
    assert run(sms.resume_sms, deployed_stage).startswith("nothing was stopped")
