"""`daftar texts`: what only people decide, on a stage with tables of its own."""

from datetime import UTC, datetime, timedelta

import boto3
import pytest
from click import Command
from click.testing import CliRunner

from chalicelib import wiring
from chalicelib.notifications.dynamodb import DynamoLedger
from chalicelib.notifications.pace import Stopped
from ops import sending
from ops.stages import Stage
from tests.contracts.stored import a_text


@pytest.fixture
def a_stage(stage: None) -> Stage:
    outputs = {"TextsTableName": "TextsTable", "SendingTableName": "SendingTable"}
    return Stage("daftar-test", outputs, boto3.client)


def run(command: Command, on: Stage, *arguments: str) -> str:
    ran = CliRunner().invoke(command, arguments, obj=on, catch_exceptions=False)
    assert ran.exit_code == 0, ran.output
    return ran.output


def test_held_texts_of_a_campaign_are_released(a_stage: Stage) -> None:
    ledger = DynamoLedger(
        boto3.client("dynamodb"),
        texts="TextsTable",
        sending="SendingTable",
        new_write_id=wiring.new_write_id,
    )
    for number in (1, 2):
        ledger.begin(a_text(number).held("budget_spent"))
    ledger.begin(a_text(3, campaign_id="senen-2024").held("budget_spent"))

    assert "3 held" in run(sending.status, a_stage)

    assert run(sending.release, a_stage, "tanah-abang-2024").startswith("2 released")
    assert run(sending.release, a_stage, "tanah-abang-2024").startswith("0 released")

    released = ledger.get(a_text(1).message_id)
    assert released is not None
    assert (released.state, released.is_released) == ("pending", True)
    assert list(ledger.held()) == [a_text(3).message_id]


def test_sending_is_stopped_shown_and_resumed(a_stage: Stage) -> None:
    assert run(sending.status, a_stage) == "texts go out\n"

    run(sending.stop, a_stage, "wrong wording")
    assert run(sending.status, a_stage) == "stopped until somebody resumes: wrong wording\n"
    with pytest.raises(Stopped):
        wiring.line().take(timedelta(seconds=1), now=datetime.now(UTC), longest=timedelta(seconds=1))

    resumed = run(sending.resume, a_stage)
    assert resumed == "resumed: new texts go out now, those that met the stop come due within 15 minutes\n"
    assert run(sending.status, a_stage) == "texts go out\n"
    assert run(sending.resume, a_stage).startswith("nothing was stopped")
