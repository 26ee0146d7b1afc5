"""`daftar restore`: take a stage's tables back to one moment, or put them into another stage."""

from datetime import UTC, datetime
from typing import Any

import boto3
import click

from chalicelib.clock import to_timestamp, utc_now
from ops.commands.parameter_types import MOMENT, WHOLE_NUMBER
from ops.commands.restore_results import FIELDS, describe
from ops.commands.results import Command, Result, progress_console
from ops.commands.stage_option import find_chosen_stage, stack_option
from ops.deploy.deployment import STAGES_DIR
from ops.deploy.stage_record import find_recorded_stage, is_emulated
from ops.deploy.stages import Stage, find_stage, make_client_factory
from ops.errors import OperationError, StackUnavailable
from ops.key_lock import hold_lock, make_key_changes
from ops.restore.bringing_back import Progress
from ops.restore.copies import Copies, PointInTimeCopies, ScannedCopies
from ops.restore.drill import run_drill
from ops.restore.gate import StageGate
from ops.restore.merging import POLICIES_IF_DAMAGED, TAKEN_BACK, choose_policies
from ops.restore.new_stage import require_filled, restore_into
from ops.restore.restoration import restore, run_schedules

_DRILL_WORKERS = 1000


class RestoreDeclined(OperationError):
    """The operator did not want the restore; nothing was changed."""

    default_code = "restore_declined"


@click.command(
    "restore",
    cls=Command,
    fails_when="the moment is out of reach or was restored before, the new stage is not empty or not "
    "filled yet, it was declined, or it failed; the restored stage then stays closed",
    json_fields=FIELDS,
)
@click.option("--at", "moment", metavar="TIME", type=MOMENT, help="The moment, with a UTC offset.")
@click.option(
    "--into",
    "new_name",
    metavar="NAME",
    help="Fill this stack, which `daftar deploy --empty` has made, and leave the old one as it is.",
)
@click.option(
    "--also",
    "damaged",
    metavar="TABLE",
    type=click.Choice(sorted(POLICIES_IF_DAMAGED)),
    multiple=True,
    help=f"Take this table back as well: {', '.join(sorted(POLICIES_IF_DAMAGED))}.",
)
@click.option(
    "--drill", "is_drill", is_flag=True, help="Register synthetic workers, lose some, restore; emulator only."
)
@click.option("--workers", type=WHOLE_NUMBER, default=_DRILL_WORKERS, help="How many, for the drill.")
@click.option("--open", "is_opening", is_flag=True, help="Open a stage that a restore left closed.")
@click.option(
    "--close", "is_closing", is_flag=True, help="Close a stage: it takes nothing and sends nothing."
)
@click.option(
    "--again", "is_again", is_flag=True, help="Restore in place to a moment to which it was restored before."
)
@click.option("--yes", "is_confirmed", is_flag=True, help="Restore or close without asking first.")
@stack_option
@click.pass_context
def restore_tables(  # noqa: PLR0913 - keyword-only, one for each option
    context: click.Context,
    /,
    *,
    stack_name: str | None,
    moment: datetime | None,
    new_name: str | None,
    damaged: tuple[str, ...],
    is_drill: bool,
    workers: int,
    is_opening: bool,
    is_closing: bool,
    is_again: bool,
    is_confirmed: bool,
) -> Result:
    """Take the tables of a stage back to a moment, together, and make the stage consistent again.

    What has left the house stays: SMS that were sent, opt-outs, tokens, requests and the audit trail. The
    stage is closed meanwhile. To repeat it after a failure goes on. With --into another stage gets all that,
    and stays closed; the old one may be gone.
    """
    if (moment is not None) + is_drill + is_opening + is_closing != 1:
        raise click.UsageError("name one of --at, --drill, --open and --close")
    if new_name is not None and (moment is None or stack_name is None or not new_name.strip()):
        raise click.UsageError("--into names a stack, and goes with --at and --stack")
    if moment is not None and new_name is not None:
        old = _find_old_stage(context, stack_name)
        return _fill(old, find_stage(new_name), moment, damaged, is_confirmed=is_confirmed)
    stage = find_chosen_stage(context, stack_name)
    if is_opening:
        return _open(stage)
    if is_closing:
        _require_consent(f"Close {stage.stack_name} to everybody?", is_confirmed=is_confirmed)
        _close(stage)
        return Result({}, [f"the stage is closed: {stage.format_command('restore --open')} opens it"])
    if moment is None:
        return _run_drill(stage, workers)
    copies = _choose_copies(stage)
    copies.check_moment(stage, moment)
    _confirm(stage, moment, damaged, is_confirmed=is_confirmed)
    done = restore(
        *(stage, moment),
        copies=copies,
        directory=STAGES_DIR,
        damaged=damaged,
        is_again=is_again,
        on_step=_show_step,
    )
    return describe(moment, done)


def _close(stage: Stage) -> None:
    changes = make_key_changes(stage)
    with hold_lock(changes):
        StageGate(stage, Progress(_show_step, changes.acquire_lock).pause).close()


def _open(stage: Stage) -> Result:
    changes = make_key_changes(stage)
    # Not while a restore takes back what would come in.
    with hold_lock(changes):
        require_filled(stage)
        StageGate(stage, Progress(_show_step, changes.acquire_lock).pause).open()
    notes = [*run_schedules(stage)]
    return Result({"notes": notes}, ["the stage is open", *(f"note: {note}" for note in notes)])


def _fill(
    old: Stage, new: Stage, moment: datetime, damaged: tuple[str, ...], *, is_confirmed: bool
) -> Result:
    for line in (
        f"Fills {new.stack_name} with {old.stack_name} as it was at {to_timestamp(moment)}.",
        f"  What came since is not there: {_format_age(moment)}.",
        f"  {new.stack_name} stays closed until you open it, and sends no SMS until you resume.",
        f"  {old.stack_name} stays as it is. Close it first if it is not to go on.",
    ):
        progress_console.print(line, markup=False, soft_wrap=True)
    _require_consent("Restore?", is_confirmed=is_confirmed)
    done = restore_into(old, new, moment, copies=_choose_copies(old), damaged=damaged, on_step=_show_step)
    return describe(moment, done, into=new.stack_name)


def _find_old_stage(context: click.Context, stack_name: str | None) -> Stage:
    """Return the stage to restore. If its stack is gone, its tables may still be there."""
    try:
        return find_chosen_stage(context, stack_name)
    except StackUnavailable:
        session: Any = boto3.Session()
        recorded = stack_name and find_recorded_stage(stack_name, STAGES_DIR, make_client_factory(session))
        if not recorded:
            raise
        _show_step(f"{stack_name} is gone: its tables are looked for by the record of its deployment")
        return recorded


def _choose_copies(stage: Stage) -> Copies:
    return ScannedCopies() if is_emulated(stage) else PointInTimeCopies()


def _run_drill(stage: Stage, workers: int) -> Result:
    if not is_emulated(stage):
        raise OperationError("a drill takes registrations away: it runs on the emulator only")
    result = run_drill(stage, workers, on_step=_show_step)
    return describe(result.moment, result.restoration, drill=result)


def _show_step(step: str) -> None:
    progress_console.print(f"- {step}", markup=False)


def _confirm(stage: Stage, moment: datetime, damaged: tuple[str, ...], *, is_confirmed: bool) -> None:
    policies = choose_policies(damaged)
    taken_back = [name for name, policy in policies.items() if not policy.keeps_changes]
    kept = [name for name in policies if name not in taken_back]
    lost = [name for name in taken_back if policies[name] == TAKEN_BACK]
    for line in (
        f"Takes {', '.join(taken_back)} of {stage.stack_name} back to {to_timestamp(moment)}.",
        f"  What came since is lost from {', '.join(lost)}: {_format_age(moment)}.",
        f"  {', '.join(kept)} keep what they have, and get back what they have lost.",
        "  The stage is closed meanwhile.",
    ):
        progress_console.print(line, markup=False, soft_wrap=True)
    _require_consent("Restore?", is_confirmed=is_confirmed)


def _require_consent(question: str, *, is_confirmed: bool) -> None:
    if not is_confirmed and not click.confirm(question, err=True):
        raise RestoreDeclined("nothing was changed")


def _format_age(moment: datetime) -> str:
    return f"{(utc_now() - moment.astimezone(UTC)).total_seconds() / 3600:.1f} hours"
