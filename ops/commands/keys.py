"""`daftar rotate`: change the key that personal fields are sealed with."""

import click

from chalicelib.clock import utc_now
from ops.commands.results import Command, Result, progress_console
from ops.commands.stage_option import on_stage
from ops.deploy.stages import Stage
from ops.key_rotation import KeyRotation
from ops.signals import shutdown_on_signal


@click.command(
    "rotate",
    cls=Command,
    fails_when="functions still seal with the older key, or with --retire a value may need it",
    json_fields=("current_key_id", "older_key_ids", "resealed", "retirable_at", "retired_key_ids"),
)
@click.option(
    "--retire", is_flag=True, help="Remove the older keys, if nothing is sealed with them any more."
)
@on_stage
def rotate_keys(stage: Stage, retire: bool) -> Result:
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
        if retire:
            retired = rotation.retire()
            return Result({"retired_key_ids": retired}, [f"retired {', '.join(retired)}"])
        rotated = rotation.rotate()
    text = [
        f"{rotated.resealed_count} items were resealed with {rotated.current_key_id}",
        f"nothing is sealed with {', '.join(rotated.older_key_ids)} any more",
    ]
    if utc_now() < rotated.retirable_at:
        text.append(
            f"until {rotated.retirable_at:%H:%M:%S} UTC a running function may still seal with the older "
            "key: run this once more after that, and then with --retire"
        )
    return Result(
        {
            "current_key_id": rotated.current_key_id,
            "older_key_ids": rotated.older_key_ids,
            "resealed": rotated.resealed_count,
            "retirable_at": rotated.retirable_at,
        },
        text,
    )
