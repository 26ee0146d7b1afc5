"""`daftar roll-up|summary|export`: count campaign days, show summaries, export final days."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

import click

from ops import invoke
from ops.campaign_days import find_campaign_days
from ops.commands.api_access import ApiAccess, on_api
from ops.commands.api_calls import call_api, connect
from ops.commands.parameter_types import CAMPAIGN, DAY, DayRange, day_range
from ops.commands.results import Command, Result
from ops.commands.stage_option import on_stage
from ops.commands.tables import make_summaries_table
from ops.deploy.stages import Stage
from ops.errors import OperationError


@click.command("roll-up", cls=Command, fails_when="the campaign has no such days", json_fields=("summaries",))
@click.argument("campaign", type=CAMPAIGN)
@day_range()
@on_api
def roll_up(access: ApiAccess, campaign: str, days: DayRange) -> Result:
    """Count days of a CAMPAIGN now: one DAY, --from a day --to another, or all."""
    return describe_summaries(fetch_summaries(access, "POST", campaign, days))


@click.command(
    cls=Command, fails_when="the campaign has no such day, or it was not counted", json_fields=("summaries",)
)
@click.argument("campaign", type=CAMPAIGN)
@click.argument("day", type=DAY)
@on_api
def summary(access: ApiAccess, campaign: str, day: date) -> Result:
    """Show the newest summary of a DAY of a CAMPAIGN."""
    return describe_summaries(fetch_summaries(access, "GET", campaign, DayRange(day, day)))


@click.command(
    "export",
    cls=Command,
    fails_when="a day is not final, or still waits for its count",
    json_fields=("campaign_id", "exported", "waiting", "bucket"),
)
@click.argument("campaign", type=CAMPAIGN)
@day_range(is_required=True)
@on_stage
def export_days(stage: Stage, campaign: str, days: DayRange) -> Result:
    """Export final days of a CAMPAIGN for analysts now: one DAY, or --from a day --to another."""
    wanted = _list_days(campaign, days, *find_campaign_days(stage, campaign))
    waiting = invoke.export_days(stage, campaign, wanted)
    exported = [day for day in wanted if day not in waiting]
    bucket = stage.outputs["ExportsBucketName"]
    return Result(
        {"campaign_id": campaign, "exported": exported, "waiting": waiting, "bucket": bucket},
        [f"{len(exported)} exported, {len(waiting)} waiting; bucket {bucket}"],
        failure=f"not exported, as captures came after the count: {', '.join(map(str, waiting))}. The hourly "
        "run exports them after their next count"
        if waiting
        else None,
        code="days_waiting",
    )


def fetch_summaries(access: ApiAccess, method: str, campaign_id: str, days: DayRange) -> list[dict[str, Any]]:
    """Request the summary of each day by `method`: GET for the newest, POST to count now.

    An open end of `days` is that of the campaign. Raise OperationError, before any is requested, if a day is
    not one of the campaign.
    """
    with connect(access, "manager") as api:
        path = f"/v1/campaigns/{campaign_id}"
        campaign = call_api(api, "GET", path)
        first_day, last_day = (date.fromisoformat(campaign[name]) for name in ("first_day", "last_day"))
        wanted = _list_days(campaign_id, days, first_day, last_day)
        return [call_api(api, method, f"{path}/summaries/{day}") for day in wanted]


def describe_summaries(summaries: Sequence[dict[str, Any]]) -> Result:
    return Result({"summaries": summaries}, [make_summaries_table(summaries)])


def _list_days(campaign_id: str, days: DayRange, first_day: date, last_day: date) -> list[date]:
    first, last = days.first or first_day, days.last or last_day
    if not first_day <= first <= last <= last_day:
        raise OperationError(
            f"{campaign_id} has the days {first_day} to {last_day}, not {first} to {last}",
            code="day_not_in_campaign",
        )
    return [first + timedelta(days=offset) for offset in range((last - first).days + 1)]


SUMMARY_COMMANDS = (roll_up, summary, export_days)
