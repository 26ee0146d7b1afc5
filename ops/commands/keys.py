"""`daftar rotate`: change the key that personal fields are sealed with."""

import click

from chalicelib.clock import utc_now
from ops.commands.stage_option import on_stage
from ops.commands.tables import console
from ops.deploy.stages import Stage
from ops.key_rotation import KeyRotation
from ops.signals import shutdown_on_signal


@click.command("rotate")
@click.option(
    "--retire", is_flag=True, help="Remove the older keys, if nothing is sealed with them any more."
)
@on_stage
def rotate_keys(stage: Stage, retire: bool) -> None:
    """Add a key for personal fields and reseal all values with it while the stack runs.

    It can be interrupted at any time; the next run continues with the rest.
    """
    with shutdown_on_signal():
        rotation = KeyRotation(
            outputs=stage.outputs,
            aws_client=stage.aws_client,
            clock=utc_now,
            on_progress=console.print,
        )
        if retire:
            console.print(f"retired {', '.join(rotation.retire())}")
            return
        rotated = rotation.rotate()
        console.print(f"{rotated.resealed_count} items were resealed with {rotated.current_key_id}")
        console.print(f"nothing is sealed with {', '.join(rotated.older_key_ids)} any more")
        if utc_now() < rotated.retirable_at:
            console.print(
                f"until {rotated.retirable_at:%H:%M:%S} UTC a running function may still seal with the older "
                "key: run this once more after that, and then with --retire",
                soft_wrap=True,
            )
