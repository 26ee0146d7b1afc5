"""What the rounds over reports and exports do by themselves, done now. The caller says on which stage."""

import json
from collections.abc import Iterable
from datetime import UTC, date, datetime

from chalicelib.campaigns.model import CampaignDay
from chalicelib.rollups.outbox import Consumer, OutboxEntry
from chalicelib.rollups.store_summaries import DynamoSummaries
from ops.deploy.stages import Stage
from ops.local.processes import OperationError


def deliver_reports(stage: Stage) -> dict[str, int]:
    """Tell managers what waits to be told, as the next round would. Raises OperationError."""
    return _invoke_function(stage, "DeliverReports")


def export_days(stage: Stage, campaign_id: str, days: Iterable[date]) -> dict[str, int]:
    """Export days of a campaign, once more if they were before. Raises OperationError.

    A day that is not final is not exported; what else waits is exported as well.
    """
    summaries = DynamoSummaries(stage.aws_client("dynamodb"), stage.outputs["SummariesTableName"])
    for day in days:
        of = CampaignDay(campaign_id, day)
        summary = summaries.find_latest(of)
        if summary is None:
            raise OperationError(f"{campaign_id} has no summary of {day}: daftar roll-up")
        summaries.enqueue(Consumer.ANALYSTS, OutboxEntry(of, summary.version, datetime.now(UTC)))
    return _invoke_function(stage, "ExportDays")


def _invoke_function(stage: Stage, function_id: str) -> dict[str, int]:
    event = {"source": "daftar", "detail-type": "By hand", "detail": {}, "resources": [], "time": ""}
    event |= {"version": "0", "id": "by-hand", "account": "", "region": ""}
    answer = stage.aws_client("lambda").invoke(
        FunctionName=stage.outputs[f"{function_id}Name"], Payload=json.dumps(event)
    )
    payload = json.loads(answer["Payload"].read())
    if "FunctionError" in answer:
        raise OperationError(f"{function_id}: {payload.get('errorMessage')}; its log says where")
    counts: dict[str, int] = payload
    return counts
