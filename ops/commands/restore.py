"""`daftar restore`: take a stage's tables back to one moment."""

from collections.abc import Callable
from datetime import UTC, datetime
from functools import wraps
from typing import Any

import click

from chalicelib.clock import to_timestamp, utc_now
from ops.commands.parameter_types import MOMENT, WHOLE_NUMBER
from ops.commands.results import Command, Result, progress_console
from ops.commands.stage_option import on_stage
from ops.deploy.deployment import STAGES_DIR
from ops.deploy.stage_record import is_emulated
from ops.deploy.stages import Stage
from ops.errors import OperationError
from ops.restore.copies import PointInTimeCopies, ScannedCopies
from ops.restore.drill import Drill, run_drill
from ops.restore.gate import StageGate
from ops.restore.lost_acts import describe_acts, to_json
from ops.restore.merging import POLICIES, POLICIES_IF_DAMAGED, TAKEN_BACK
from ops.restore.restoration import Restoration, restore

_DRILL_WORKERS = 1000
_MAX_CHANGED_SHOWN = 20


class RestoreDeclined(OperationError):
    """The operator did not want the restore; nothing was changed."""

    default_code = "restore_declined"


def _require_one_act(command: Callable[..., Result]) -> Callable[..., Result]:
    """Refuse --at, --drill and --open beside each other, before the stack is looked up."""

    @wraps(command)
    def run(*args: Any, moment: datetime | None, drill: bool, is_opening: bool, **options: Any) -> Result:
        if (moment is not None) + drill + is_opening != 1:
            raise click.UsageError("name one of --at, --drill and --open")
        return command(*args, moment=moment, is_opening=is_opening, **options)

    return run


@click.command(
    "restore",
    cls=Command,
    fails_when="the moment is out of reach, it was declined, or it failed; the stage then stays closed",
    json_fields=(
        *("moment", "tables", "lost_captures", "resend", "unnumbered", "changed", "acts", "erasures"),
        *("unlogged_erasures", "held_sms", "days", "closed_seconds", "seconds", "notes", "drill"),
    ),
)
@click.option("--at", "moment", metavar="TIME", type=MOMENT, help="The moment, with a UTC offset.")
@click.option(
    "--also",
    "damaged",
    metavar="TABLE",
    type=click.Choice(sorted(POLICIES_IF_DAMAGED)),
    multiple=True,
    help=f"Take this table back as well: {', '.join(sorted(POLICIES_IF_DAMAGED))}.",
)
@click.option("--drill", is_flag=True, help="Register synthetic workers, lose some, restore; emulator only.")
@click.option("--workers", type=WHOLE_NUMBER, default=_DRILL_WORKERS, help="How many, for the drill.")
@click.option("--open", "is_opening", is_flag=True, help="Open a stage that a failed restore left closed.")
@click.option("--yes", "is_confirmed", is_flag=True, help="Restore without asking first.")
@_require_one_act
@on_stage
def restore_tables(
    stage: Stage,
    *,
    moment: datetime | None,
    damaged: tuple[str, ...],
    workers: int,
    is_opening: bool,
    is_confirmed: bool,
) -> Result:
    """Take the tables of a stage back to a moment, together, and make the stage consistent again.

    What has left the house stays: SMS that were sent, opt-outs, tokens, requests and the audit trail. The
    stage is closed meanwhile. To repeat it after a failure goes on.
    """
    if moment is None:
        return _open(stage) if is_opening else _run_drill(stage, workers)
    copies = ScannedCopies() if is_emulated(stage) else PointInTimeCopies()
    copies.check_moment(stage, moment)
    _confirm(stage, moment, damaged, is_confirmed=is_confirmed)
    return _describe(
        moment,
        restore(stage, moment, copies=copies, directory=STAGES_DIR, damaged=damaged, on_step=_show_step),
        None,
    )


def _open(stage: Stage) -> Result:
    StageGate(stage).open()
    return Result({}, ["the stage is open"])


def _run_drill(stage: Stage, workers: int) -> Result:
    if not is_emulated(stage):
        raise OperationError("a drill takes registrations away: it runs on the emulator only")
    result = run_drill(stage, workers, on_step=_show_step)
    return _describe(result.moment, result.restoration, result)


def _show_step(step: str) -> None:
    progress_console.print(f"- {step}", markup=False)


def _confirm(stage: Stage, moment: datetime, damaged: tuple[str, ...], *, is_confirmed: bool) -> None:
    taken_back = [name for name, policy in POLICIES.items() if not policy.keeps_changes or name in damaged]
    kept = [name for name in POLICIES if name not in taken_back]
    lost = [
        name
        for name in taken_back
        if (POLICIES_IF_DAMAGED if name in damaged else POLICIES)[name] == TAKEN_BACK
    ]
    for line in (
        f"Takes {', '.join(taken_back)} of {stage.stack_name} back to {to_timestamp(moment)}.",
        f"  What came since is lost from {', '.join(lost)}: {_format_age(moment)}.",
        f"  {', '.join(kept)} keep what they have, and get back what they have lost.",
        "  The stage is closed meanwhile.",
    ):
        progress_console.print(line, markup=False, soft_wrap=True)
    if not is_confirmed and not click.confirm("Restore?", err=True):
        raise RestoreDeclined("nothing was changed")


def _format_age(moment: datetime) -> str:
    return f"{(utc_now() - moment.astimezone(UTC)).total_seconds() / 3600:.1f} hours"


def _describe(moment: datetime, done: Restoration, drill: Drill | None) -> Result:
    losses, runs = done.losses, done.losses.list_runs()
    changed = sorted(losses.changed.items())
    text = [
        f"{name}: {each.put_back} items put back, {each.taken_away} taken away"
        for name, each in done.tables.items()
        if each.put_back or each.taken_away
    ]
    text.append(f"{losses.captures} captures that came later are lost")
    text += [
        f"  {each['client_id']}: numbers {each['first']} to {each['last']}; ask for them again"
        for each in runs
    ]
    if losses.unnumbered:
        text.append(f"  {losses.unnumbered} came without a number, from bots or other programs")
    text.append(f"{len(changed)} registrations lost a later status")
    text += [f"  {reference} was {status}" for reference, status in changed[:_MAX_CHANGED_SHOWN]]
    text.append(f"{len(done.acts)} acts on registrations are lost; --json names each")
    text += [f"  {line}" for line in describe_acts(done.acts)]
    text.append(f"{done.erasures} erasures were done again; {done.days} days are counted again")
    if done.unlogged_erasures:
        text.append(f"erasures to send again: {', '.join(done.unlogged_erasures)}")
    if done.held_sms:
        text.append(f"{done.held_sms} SMS are held: daftar sms status")
    text.append(f"closed for {done.closed_seconds:.0f} s, {done.seconds:.0f} s in all")
    text += [f"note: {note}" for note in done.notes]
    if drill is not None:
        text += drill.describe()
    return Result(
        {
            "moment": to_timestamp(moment),
            "tables": {name: vars(each) for name, each in done.tables.items()},
            "lost_captures": losses.captures,
            "resend": runs,
            "unnumbered": losses.unnumbered,
            "changed": dict(changed),
            "acts": to_json(done.acts),
            "erasures": done.erasures,
            "unlogged_erasures": list(done.unlogged_erasures),
            "held_sms": done.held_sms,
            "days": done.days,
            "closed_seconds": round(done.closed_seconds, 1),
            "seconds": round(done.seconds, 1),
            "notes": list(done.notes),
            "drill": None if drill is None else drill.get_figures(),
        },
        text,
        failure=None if drill is None else drill.find_failure(),
        code="drill_failed",
    )
