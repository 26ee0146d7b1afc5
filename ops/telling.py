"""What the rounds over reports and exports do by themselves, done now. The caller says on which stage."""

import json
from collections.abc import Iterable
from datetime import UTC, date, datetime

from chalicelib.campaigns.model import CampaignDay
from chalicelib.rollups.dynamodb import DynamoSummaries
from chalicelib.rollups.outbox import Reader, Waiting
from ops.processes import ProgramError
from ops.stages import Stage


def deliver(stage: Stage) -> dict[str, int]:
    """Tell managers what waits to be told, as the next round would. Raises ProgramError."""
    return _invoked(stage, "DeliverReports")


def export(stage: Stage, campaign_id: str, days: Iterable[date]) -> dict[str, int]:
    """Export days of a campaign, once more if they were before. Raises ProgramError.

    A day that is not final is not exported; what else waits is exported as well.
    """
    summaries = DynamoSummaries(stage.clients("dynamodb"), stage.outputs["SummariesTableName"])
    for day in days:
        of = CampaignDay(campaign_id, day)
        summary = summaries.latest(of)
        if summary is None:
            raise ProgramError(f"{campaign_id} has no summary of {day}: daftar roll-up")
        summaries.ask(Reader.ANALYSTS, Waiting(of, summary.version, datetime.now(UTC)))
    return _invoked(stage, "ExportDays")


def _invoked(stage: Stage, function: str) -> dict[str, int]:
    event = {"source": "daftar", "detail-type": "By hand", "detail": {}, "resources": [], "time": ""}
    event |= {"version": "0", "id": "by-hand", "account": "", "region": ""}
    answer = stage.clients("lambda").invoke(
        FunctionName=stage.outputs[f"{function}Name"], Payload=json.dumps(event)
    )
    payload = json.loads(answer["Payload"].read())
    if "FunctionError" in answer:
        raise ProgramError(f"{function}: {payload.get('errorMessage')}; its log says where")
    counts: dict[str, int] = payload
    return counts
