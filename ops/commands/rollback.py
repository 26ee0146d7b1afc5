"""`daftar rollback`: back to the release before the present one."""

import click

from ops.aws_errors import AWS_ERRORS, explain_aws_error
from ops.commands.results import Command, Result, progress_console
from ops.commands.stage_option import on_stage
from ops.deploy.cloudformation import read_stack_status
from ops.deploy.stages import Stage
from ops.deploy.versions import StageVersions
from ops.errors import OperationError

_IN_PROGRESS = "UPDATE_IN_PROGRESS"


class RollbackDeclined(OperationError):
    """The operator has looked at the moves and did not want them."""

    default_code = "rollback_declined"


@click.command(
    cls=Command,
    fails_when="there is no older release, or the stage was rolled back already",
    json_fields=("cancelled", "moved"),
)
@click.option("--further", is_flag=True, help="Go back once more, though newer data may be unreadable there.")
@click.option("--yes", "is_confirmed", is_flag=True, help="Do not ask.")
@on_stage
def rollback(stage: Stage, further: bool, is_confirmed: bool) -> Result:
    """Give all calls to the functions of the release before, at once; tables and settings stay.

    While a deployment is under way, cancel it instead: CloudFormation then restores what was before.
    """
    try:
        cloudformation = stage.aws_client("cloudformation")
        if read_stack_status(cloudformation, stage.stack_name) == _IN_PROGRESS:
            cloudformation.cancel_update_stack(StackName=stage.stack_name)
            text = f"the deployment of {stage.stack_name} is being undone"
            return Result({"cancelled": True, "moved": []}, [text])
        versions = StageVersions(stage)
        moves = versions.plan_rollback(further=further)
        for each in moves:
            progress_console.print(f"  {each}", markup=False)
        if not is_confirmed and not click.confirm("Roll back?", err=True):
            raise RollbackDeclined("the stage was not changed")
        versions.move(moves)
    except AWS_ERRORS as error:
        raise explain_aws_error(error) from None
    moved = [str(each) for each in moves]
    text = f"{len(moved)} functions run the release before; the next deployment goes forward again"
    return Result({"cancelled": False, "moved": moved}, [text])
