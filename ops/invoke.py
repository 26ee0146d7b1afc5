"""Invoke functions of a stage now that a schedule invokes otherwise."""

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from typing import Any

from chalicelib.campaigns.model import CampaignDay
from chalicelib.rollups.outbox import Consumer, OutboxEntry
from chalicelib.rollups.store_summaries import DynamoSummaries
from ops.deploy.stages import Stage
from ops.errors import OperationError


def deliver_reports(stage: Stage) -> dict[str, int]:
    """Deliver the reports that are due to managers. Raise OperationError."""
    return _invoke_schedule(stage, "DeliverReports")


def export_days(stage: Stage, campaign_id: str, days: Iterable[date]) -> dict[str, int]:
    """Export final days of a campaign, also if they were exported before, and all days that are due.

    Raise OperationError if a day has no summary.
    """
    summaries = DynamoSummaries(stage.aws_client("dynamodb"), stage.outputs["SummariesTableName"])
    for day in days:
        campaign_day = CampaignDay(campaign_id, day)
        summary = summaries.find_latest(campaign_day)
        if summary is None:
            raise OperationError(f"{campaign_id} has no summary of {day}: daftar roll-up")
        summaries.enqueue(Consumer.ANALYSTS, OutboxEntry(campaign_day, summary.version, datetime.now(UTC)))
    return _invoke_schedule(stage, "ExportDays")


def _invoke_schedule(stage: Stage, function_id: str) -> dict[str, int]:
    event = {"source": "daftar", "detail-type": "By hand", "detail": {}, "resources": [], "time": ""}
    event |= {"version": "0", "id": "by-hand", "account": "", "region": ""}
    counts: dict[str, int] = invoke_function(stage, function_id, event)
    return counts


def invoke_function(stage: Stage, function_id: str, event: Mapping[str, Any], **options: str) -> Any:
    """Invoke a function by its logical id. Return its result, None for an asynchronous invocation.

    Raise OperationError if the function fails.
    """
    response = stage.aws_client("lambda").invoke(
        FunctionName=stage.outputs[f"{function_id}Name"], Payload=json.dumps(event), **options
    )
    result = json.loads(response["Payload"].read() or b"null")
    if "FunctionError" in response:
        raise OperationError(f"{function_id} failed: {(result or {}).get('errorMessage')}; see its log")
    return result
