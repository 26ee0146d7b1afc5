"""Invoke functions of a stage now that a schedule invokes otherwise."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any

from chalicelib.campaigns.model import CampaignDay
from chalicelib.rollups.model import Summary, SummaryState
from chalicelib.rollups.outbox import Consumer, OutboxEntry
from chalicelib.rollups.store_outbox import DynamoOutbox
from chalicelib.rollups.store_summaries import DynamoSummaries
from infra.functions import ALIAS
from ops.deploy.stages import Stage
from ops.errors import OperationError


def deliver_reports(stage: Stage) -> dict[str, int]:
    """Deliver the reports that are due to managers. Raise OperationError."""
    return run_schedule(stage, "DeliverReports")


def export_days(stage: Stage, campaign_id: str, days: Sequence[date]) -> list[date]:
    """Export final days of a campaign, also if they were exported before, and all days that are due.

    Return the days of the campaign that still wait, because captures have come since they were counted. Raise
    OperationError, before any is exported, if a day is not final.
    """
    client = stage.aws_client("dynamodb")
    summaries = DynamoSummaries(client, stage.outputs["SummariesTableName"])
    outbox = DynamoOutbox(client, stage.outputs["SummariesTableName"])
    found = {day: summaries.find_latest(CampaignDay(campaign_id, day)) for day in days}
    for day, summary in found.items():
        _require_final(stage, campaign_id, day, summary)
    for summary in filter(None, found.values()):
        entry = OutboxEntry(summary.campaign_day, summary.version, datetime.now(UTC))
        summaries.enqueue(Consumer.ANALYSTS, entry)
    run_schedule(stage, "ExportDays")
    waiting = {entry.campaign_day for entry in outbox.iter_entries(Consumer.ANALYSTS)}
    return [day for day in days if CampaignDay(campaign_id, day) in waiting]


def _require_final(stage: Stage, campaign_id: str, day: date, summary: Summary | None) -> None:
    count_command = (
        f"daftar roll-up {campaign_id} {day}"
        if stage.is_local
        else f"a manager sends POST /v1/campaigns/{campaign_id}/summaries/{day}"
    )
    if summary is None:
        raise OperationError(f"{day} was not counted yet: {count_command}", code="summary_unknown")
    if summary.state is not SummaryState.FINAL:
        raise OperationError(
            f"the count of {day} is not final, and only final days are exported. A day becomes final on the "
            f"morning after it; to count it then at once, {count_command}",
            code="day_not_final",
        )


def run_schedule(stage: Stage, function_id: str) -> dict[str, int]:
    """Invoke a function as its schedule does. Return the numbers of its run. Raise OperationError."""
    event = {"source": "daftar", "detail-type": "By hand", "detail": {}, "resources": [], "time": ""}
    event |= {"version": "0", "id": "by-hand", "account": "", "region": ""}
    counts: dict[str, int] = invoke_function(stage, function_id, event)
    return counts


def invoke_function(stage: Stage, function_id: str, event: Mapping[str, Any], **options: str) -> Any:
    """Invoke a function by its logical id. Return its result, None for an asynchronous invocation.

    Raise OperationError if the function fails.
    """
    response = stage.aws_client("lambda").invoke(
        FunctionName=stage.outputs[f"{function_id}Name"],
        Qualifier=ALIAS,
        Payload=json.dumps(event),
        **options,
    )
    result = json.loads(response["Payload"].read() or b"null")
    if "FunctionError" in response:
        raise OperationError(f"{function_id} failed: {(result or {}).get('errorMessage')}; see its log")
    return result
