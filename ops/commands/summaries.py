"""`daftar roll-up|summary|export`: count campaign days, show summaries, export final days."""

from contextlib import closing
from datetime import date, timedelta

import click

from ops import invoke
from ops.api_client import ApiClient
from ops.commands.api_calls import call_api
from ops.commands.local_stack import find_local_stack
from ops.commands.parameter_types import DAY
from ops.commands.stage_option import on_stage
from ops.commands.tables import console, make_summaries_table
from ops.deploy.stages import Stage
from ops.local.description import StackDescription


@click.command("roll-up")
@click.argument("campaign")
@click.argument("day", required=False, type=DAY)
@click.option("--from", "first", type=DAY, help="The first day to count. Default: the campaign's first.")
@click.option("--to", "last", type=DAY, help="The last day to count. Default: the campaign's last.")
def roll_up(campaign: str, day: date | None, first: date | None, last: date | None) -> None:
    """Count days of a CAMPAIGN now: one DAY, --from a day --to another, or all."""
    if day and (first or last):
        raise click.UsageError("name a DAY, or --from and --to, not both")
    show_summaries(find_local_stack().describe(), "POST", campaign, first=day or first, last=day or last)


@click.command()
@click.argument("campaign")
@click.argument("day", type=DAY)
def summary(campaign: str, day: date) -> None:
    """Show the newest summary of a DAY of a CAMPAIGN."""
    show_summaries(find_local_stack().describe(), "GET", campaign, first=day, last=day)


@click.command("export")
@click.argument("campaign")
@click.argument("day", required=False, type=DAY)
@click.option("--from", "first", type=DAY, help="The first of several days.")
@click.option("--to", "last", type=DAY, help="The last of several days.")
@on_stage
def export_days(stage: Stage, campaign: str, day: date | None, first: date | None, last: date | None) -> None:
    """Export final days of a CAMPAIGN for analysts now: one DAY, or --from a day --to another."""
    begin, end = first or day, last or day
    if begin is None or end is None:
        raise click.UsageError("name a DAY, or --from and --to")
    counts = invoke.export_days(stage, campaign, _list_days(begin, end))
    bucket = stage.outputs["ExportsBucketName"]
    console.print(f"{counts['exported']} exported, {counts['open']} waiting; bucket {bucket}", soft_wrap=True)


def show_summaries(
    description: StackDescription,
    method: str,
    campaign_id: str,
    *,
    first: date | None = None,
    last: date | None = None,
) -> None:
    """Request the summary of each day by `method` (GET: the newest, POST: count now) and print them.

    Without `first` and `last`: from the campaign's first day to its last.
    """
    with closing(ApiClient(description.api_url, description.tokens["manager"])) as api:
        path = f"/v1/campaigns/{campaign_id}"
        campaign = call_api(api, "GET", path)
        days = _list_days(
            first or date.fromisoformat(campaign["first_day"]),
            last or date.fromisoformat(campaign["last_day"]),
        )
        if not days:
            raise click.UsageError("the days are not in order")
        console.print(
            make_summaries_table([call_api(api, method, f"{path}/summaries/{day}") for day in days])
        )


def _list_days(first: date, last: date) -> list[date]:
    return [first + timedelta(days=offset) for offset in range((last - first).days + 1)]


SUMMARY_COMMANDS = (roll_up, summary, export_days)
