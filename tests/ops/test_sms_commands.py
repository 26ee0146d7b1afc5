"""`daftar sms`: release, stop, resume and status."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from click import Command
from click.testing import CliRunner

from chalicelib.campaigns.model import Campaign
from chalicelib.messaging.rate_limiter import SendingStopped
from chalicelib.notifications.store_ledger import DynamoSmsLedger
from chalicelib.randomness import generate_write_id
from ops.commands import sms
from ops.commands.sms import make_ledger
from ops.deploy.stages import Stage
from ops.errors import OperationError
from tests.ops.command_lines import COMMANDS, run_daftar
from tests.support.app_loader import make_container
from tests.support.payloads import make_campaign_payload
from tests.support.registration_builders import make_sms


@pytest.fixture
def deployed_stage(moto_stage: None) -> Stage:
    names = ("SmsLedgerTable", "SendingTable", "CampaignsTable")
    outputs = {f"{name}Name": name for name in names}
    for campaign_id in ("tanah-abang-2024", "senen-2024"):
        campaign = make_campaign_payload(campaign_id=campaign_id)
        make_container().campaigns.open(Campaign.model_validate(campaign))
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


def test_release_for_an_unknown_campaign_is_an_error_and_releases_nothing(deployed_stage: Stage) -> None:
    with pytest.raises(OperationError, match="no campaign has the id tanah-abang-2042") as error_info:
        run(sms.release_sms, deployed_stage, "tanah-abang-2042")
    assert error_info.value.code == "campaign_unknown"


@pytest.mark.parametrize(
    "campaign", ["", "Tanah Abang", "tanah-abang-2024\n", "../clients", "x" * 65, "\udcff"]
)
def test_what_is_no_id_of_a_campaign_is_a_usage_error(deployed_stage: Stage, campaign: str) -> None:
    assert CliRunner().invoke(sms.release_sms, [campaign], obj=deployed_stage).exit_code == 2


@pytest.mark.parametrize(
    "reason", ["", " ", "a\x1b[2J", "call 0824-5550-7001", "x" * 201, "\udcff"], ids=ascii
)
def test_a_reason_that_is_blank_personal_or_not_one_line_stops_nothing(
    deployed_stage: Stage, reason: str
) -> None:
    assert CliRunner().invoke(sms.stop_sms, [reason], obj=deployed_stage).exit_code == 2
    assert run(sms.show_sms_status, deployed_stage) == "SMS are being sent\n"


def test_the_status_names_a_command_for_the_stage_that_the_operator_is_on(deployed_stage: Stage) -> None:
    make_ledger(deployed_stage).get_or_create(make_sms(1).hold("budget_exhausted"))

    assert "daftar sms release CAMPAIGN --stack daftar-test sends them\n" in run(
        sms.show_sms_status, deployed_stage
    )
    local = replace(deployed_stage, is_local=True)
    assert "daftar sms release CAMPAIGN sends them\n" in run(sms.show_sms_status, local)


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


@pytest.mark.parametrize("name", ["sms release", "sms stop", "sms status", "sms resume"])
def test_the_json_object_has_the_documented_fields(name: str, deployed_stage: Stage) -> None:
    result = run_daftar(name, "--json", obj=deployed_stage)

    assert result.exit_code == 0, result.output
    assert tuple(json.loads(result.stdout)["result"]) == COMMANDS[name].json_fields
