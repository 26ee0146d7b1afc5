"""`daftar export`: only final days of a known campaign, all or none, and days that still wait are named."""

import io
import json
from datetime import date
from typing import Any

import boto3
import pytest
from click.testing import CliRunner, Result

from chalicelib.campaigns.model import Campaign
from chalicelib.rollups.model import SummaryState
from chalicelib.rollups.outbox import Consumer
from chalicelib.rollups.store_outbox import DynamoOutbox
from chalicelib.rollups.store_summaries import DynamoSummaries
from ops.cli import main
from ops.deploy.stages import Stage
from tests.support.app_loader import make_container
from tests.support.operator_rights import act_as_function
from tests.support.payloads import make_campaign_payload
from tests.support.report_builders import FIRST_DAY, SECOND_DAY, make_report

CAMPAIGN = "tanah-abang-2024"


class ExportFunction:
    """A Lambda client whose function exports the days in the outbox, except those that must wait."""

    def __init__(self) -> None:
        self.waiting: set[date] = set()
        self.exported: list[date] = []

    def invoke(self, **request: Any) -> dict[str, Any]:
        """Take the days out of the outbox."""
        outbox = DynamoOutbox(boto3.client("dynamodb"), "SummariesTable")
        with act_as_function():
            for entry in list(outbox.iter_entries(Consumer.ANALYSTS)):
                if entry.campaign_day.day not in self.waiting:
                    self.exported.append(entry.campaign_day.day)
                    outbox.remove(Consumer.ANALYSTS, entry)
        return {"Payload": io.BytesIO(b'{"exported": 0, "open": 0}')}


@pytest.fixture
def function() -> ExportFunction:
    return ExportFunction()


@pytest.fixture
def stage(moto_stage: None, function: ExportFunction) -> Stage:
    make_container().campaigns.open(Campaign.model_validate(make_campaign_payload()))
    names = ("SummariesTable", "CampaignsTable", "ExportsBucket", "ExportDays")
    session: Any = boto3
    return Stage(
        "daftar-test",
        {f"{name}Name": name for name in names},
        lambda service: function if service == "lambda" else session.client(service),
    )


def count_day(day: date, state: SummaryState = SummaryState.FINAL) -> None:
    """Store the first summary of a day, and take it out of the outbox."""
    summary = make_report(summary={"day": day, "version": 1, "state": state}).summary
    DynamoSummaries(boto3.client("dynamodb"), "SummariesTable").add(summary)
    outbox = DynamoOutbox(boto3.client("dynamodb"), "SummariesTable")
    for entry in list(outbox.iter_entries(Consumer.ANALYSTS)):
        outbox.remove(Consumer.ANALYSTS, entry)


def export(stage: Stage, *arguments: str) -> Result:
    return CliRunner().invoke(main, ["export", *arguments, "--json"], obj=stage)


def read_error(result: Result) -> tuple[int, str]:
    return result.exit_code, json.loads(result.stdout)["error"]["code"]


BOTH_DAYS = (CAMPAIGN, "--from", str(FIRST_DAY), "--to", str(SECOND_DAY))


def test_final_days_are_exported(stage: Stage, function: ExportFunction) -> None:
    for day in (FIRST_DAY, SECOND_DAY):
        count_day(day)

    result = export(stage, *BOTH_DAYS)

    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["result"] == {
        "campaign_id": CAMPAIGN,
        "exported": [str(FIRST_DAY), str(SECOND_DAY)],
        "waiting": [],
        "bucket": "ExportsBucket",
    }
    assert function.exported == [FIRST_DAY, SECOND_DAY]


def test_a_day_that_still_waits_is_named_and_is_a_failure(stage: Stage, function: ExportFunction) -> None:
    for day in (FIRST_DAY, SECOND_DAY):
        count_day(day)
    function.waiting = {SECOND_DAY}

    result = export(stage, *BOTH_DAYS)

    assert read_error(result) == (1, "days_waiting")
    assert json.loads(result.stdout)["result"]["exported"] == [str(FIRST_DAY)]
    assert f"after the count: {SECOND_DAY}. The hourly run" in result.stderr


def test_no_day_is_exported_if_one_was_not_counted(stage: Stage, function: ExportFunction) -> None:
    count_day(FIRST_DAY)

    result = export(stage, *BOTH_DAYS)

    assert read_error(result) == (1, "summary_unknown")
    assert function.exported == []
    assert f"a manager sends POST /v1/campaigns/{CAMPAIGN}/summaries/{SECOND_DAY}" in result.stderr
    assert "daftar roll-up" not in result.stderr, "it works on the local stack only"


def test_a_day_that_is_not_final_is_refused(stage: Stage, function: ExportFunction) -> None:
    count_day(FIRST_DAY, SummaryState.PROVISIONAL)

    assert read_error(export(stage, CAMPAIGN, str(FIRST_DAY))) == (1, "day_not_final")
    assert function.exported == []


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("gone-2024", "2024-10-09"), "campaign_unknown"),
        ((CAMPAIGN, "2024-10-11"), "day_not_in_campaign"),
        ((CAMPAIGN, "--from", "0001-01-01", "--to", "9999-12-31"), "day_not_in_campaign"),
    ],
)
def test_only_days_of_a_known_campaign_are_exported(
    arguments: tuple[str, ...], code: str, stage: Stage
) -> None:
    assert read_error(export(stage, *arguments)) == (1, code)
