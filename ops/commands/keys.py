"""`daftar rotate`: change the key that personal fields are sealed with."""

from datetime import datetime, timedelta

import click

from chalicelib.clock import utc_now
from ops.commands.parameter_types import KEY_ID, WHOLE_NUMBER
from ops.commands.results import Command, Result, progress_console
from ops.commands.stage_option import on_stage
from ops.deploy.stages import Stage
from ops.key_rotation import MIN_KEPT_PERIOD, KeyRotation, RotationResult
from ops.signals import shutdown_on_signal

_DEFAULT_KEPT_DAYS = 60


def _check_kept_days(_context: click.Context, _option: click.Parameter, days: int) -> int:
    if days < MIN_KEPT_PERIOD.days:
        raise click.BadParameter(
            f"a table may be restored to any time of the last 35 days: {MIN_KEPT_PERIOD.days} at least"
        )
    return days


def _check_reinstated(context: click.Context, _option: click.Parameter, key_id: str | None) -> str | None:
    if key_id is not None and context.params["retire"]:
        raise click.UsageError("--retire and --reinstate exclude each other")
    return key_id


@click.command(
    "rotate",
    cls=Command,
    fails_when="functions still seal with the older key, another run changes the keys, a value may need the "
    "key to retire, or no retired key has the id",
    json_fields=(
        *("current_key_id", "older_key_ids", "resealed", "unreadable", "sealing_ends_at", "retirable_at"),
        *("retired_key_ids", "kept_until", "deleted_key_ids", "reinstated_key_id"),
    ),
)
@click.option(
    "--retire",
    is_flag=True,
    is_eager=True,
    help="Take the older keys out of use, and delete those that were kept long enough, if nothing is sealed "
    "with them any more.",
)
@click.option(
    "--keep-days",
    type=WHOLE_NUMBER,
    default=_DEFAULT_KEPT_DAYS,
    show_default=True,
    callback=_check_kept_days,
    help=f"With --retire: keep a retired key wrapped for so long, at least {MIN_KEPT_PERIOD.days} days.",
)
@click.option(
    "--leave-unreadable",
    is_flag=True,
    help="With --retire: give up the items that cannot be opened even with their key.",
)
@click.option(
    "--reinstate",
    "reinstated",
    type=KEY_ID,
    metavar="KEY",
    callback=_check_reinstated,
    help="Take a retired key back into use.",
)
@on_stage
def rotate_keys(
    stage: Stage, retire: bool, keep_days: int, leave_unreadable: bool, reinstated: str | None
) -> Result:
    """Add a key for personal fields and reseal all values with it while the stack runs.

    It can be interrupted at any time; the next run continues with the rest.
    """
    with shutdown_on_signal():
        rotation = KeyRotation(
            outputs=stage.outputs,
            aws_client=stage.aws_client,
            clock=utc_now,
            on_progress=progress_console.print,
        )
        if reinstated is not None:
            rotation.reinstate(reinstated)
            text = f"{reinstated} is in use again: run this without options to reseal what it opens"
            return Result({"reinstated_key_id": reinstated}, [text])
        if retire:
            return _retire(rotation, timedelta(days=keep_days), leaves_unreadable=leave_unreadable)
        rotated = rotation.rotate()
    return Result(
        {
            "current_key_id": rotated.current_key_id,
            "older_key_ids": rotated.older_key_ids,
            "resealed": rotated.resealed_count,
            "unreadable": rotated.unreadable_count,
            "sealing_ends_at": rotated.sealing_ends_at,
            "retirable_at": rotated.retirable_at,
        },
        list(_describe(rotated, utc_now())),
    )


def _retire(rotation: KeyRotation, kept_for: timedelta, *, leaves_unreadable: bool) -> Result:
    result = rotation.retire(kept_for=kept_for, leaves_unreadable=leaves_unreadable)
    text = [f"deleted {key_id}" for key_id in result.deleted_key_ids]
    until = f"{result.kept_until:%Y-%m-%d}"
    text += [
        f"retired {key_id}: until {until} --reinstate takes it back, then --retire deletes it"
        for key_id in result.retired_key_ids
    ]
    return Result(
        {
            "retired_key_ids": result.retired_key_ids,
            "kept_until": result.kept_until,
            "deleted_key_ids": result.deleted_key_ids,
        },
        text,
    )


def _describe(rotated: RotationResult, now: datetime) -> list[str]:
    text = [
        f"{rotated.resealed_count} items were resealed with {rotated.current_key_id}",
        f"nothing is sealed with {', '.join(rotated.older_key_ids)} any more",
    ]
    if rotated.unreadable_count:
        text[1:] = [
            f"{rotated.unreadable_count} items cannot be read and keep their key: "
            "`daftar records unreadable` names them"
        ]
    if now < rotated.sealing_ends_at:
        text.append(
            f"until {rotated.sealing_ends_at:%Y-%m-%d %H:%M} UTC a running function may still seal with the "
            "older key: run this once more after that"
        )
    if now < rotated.retirable_at:
        text.append(f"run this with --retire after {rotated.retirable_at:%Y-%m-%d %H:%M} UTC")
    return text
