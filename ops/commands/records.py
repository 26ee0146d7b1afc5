"""`daftar records unreadable`: list the stored records that cannot be read."""

from ops.commands.results import Result, progress_console
from ops.commands.stage_option import on_stage, stage_group
from ops.deploy.stages import Stage
from ops.signals import shutdown_on_signal
from ops.unreadable_records import iter_unreadable


@stage_group("records")
def records() -> None:
    """Look at stored records as a whole."""


@records.command(
    "unreadable", fails_when="a record cannot be read, each is listed", json_fields=("unreadable",)
)
@on_stage
def list_unreadable(stage: Stage) -> Result:
    """List the registrations, captures, campaigns and SMS that cannot be read, by their keys.

    It reads every item of three tables, and changes nothing.
    """
    with shutdown_on_signal():
        found = [
            {"record": error.record, "reason": error.reason}
            for error in iter_unreadable(stage, progress_console.print)
        ]
    if not found:
        return Result({"unreadable": []}, ["every record can be read"])
    return Result(
        {"unreadable": found},
        [f"{each['record']}: {each['reason']}" for each in found],
        f"{len(found)} records cannot be read",
        code="records_unreadable",
    )
