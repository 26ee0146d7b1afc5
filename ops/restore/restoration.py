"""Take a stage's tables back to one moment, all together, and make the stage consistent again."""

import time
from collections.abc import Callable, Collection, Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from chalicelib.clock import to_timestamp, utc_now
from ops import invoke
from ops.deploy.stages import Stage
from ops.errors import OperationError
from ops.key_lock import KeysBusy, hold_lock, make_key_changes
from ops.restore.bringing_back import LEDGER, OnStep, Progress, Restoration, bring_back
from ops.restore.copies import Copies, delete_copies, find_missing_copies, format_moment, name_copies
from ops.restore.gate import StageGate
from ops.restore.losses import Losses
from ops.restore.lost_acts import list_lost_acts
from ops.restore.merging import Merged, choose_policies, merge
from ops.restore.reconciling import open_container


class AlreadyRestored(OperationError):
    """The stage was restored to this moment, and has been open since; nothing was changed."""

    default_code = "already_restored"


def restore(  # noqa: PLR0913 - keyword-only
    stage: Stage,
    moment: datetime,
    *,
    copies: Copies,
    directory: Path,
    damaged: Collection[str] = (),
    is_again: bool = False,
    on_step: OnStep = lambda step: None,
    sleep: Callable[[float], object] = time.sleep,
) -> Restoration:
    """Restore a stage in place. `damaged` are tables of POLICIES_IF_DAMAGED that are taken back as well.

    If it fails, the stage stays closed; the same call goes on, with what it has noted in the directory. Once
    the tables are taken back, the same call takes nothing back again: captures may have come since. After a
    restore that is done it raises AlreadyRestored, unless `is_again` says to lose what came since. Raise
    OperationError, or the SDK's error.
    """
    begun = time.monotonic()
    file = directory / f"{stage.stack_name}-restore-{format_moment(moment)}.json"
    if (known := Losses.from_file(file)).is_done:
        if not is_again:
            raise AlreadyRestored(
                f"{stage.stack_name} was restored to {to_timestamp(moment)} at {known.restored_at}, and has "
                "been open since: --again takes it back once more, and what came since is lost"
            )
        file.unlink()
        known = Losses()
    if known.restored_at is None:
        copies.check_moment(stage, moment)
        on_step("making copies of the tables as they were, which may take some hours")
        copies.make(stage, moment)
    changes = make_key_changes(stage)
    progress = Progress(on_step, changes.acquire_lock, sleep)
    with hold_lock(changes):
        closed, gate = time.monotonic(), StageGate(stage, progress.pause)
        losses = Losses.from_file(file)
        if losses.restored_at is None:
            _require_copies(stage, moment)
            on_step("closing the stage: devices keep what they have")
            gate.close()
            done = _take_back(stage, moment, damaged, losses, file, progress)
        else:
            found = list_lost_acts(stage, moment, changes.acquire_lock)
            acts = [act for act in found if act.at < losses.restored_at]
            done = Restoration(losses=losses, acts=acts, tables={})
        on_step("opening the stage")
        # If another run has the lock by now, it decides when the stage is opened.
        changes.acquire_lock()
        gate.open()
        closed_seconds = time.monotonic() - closed
        delete_copies(stage, moment)
    on_step("counting the days again, and deleting what is too old")
    notes = [*run_schedules(stage)]
    # Their references and keys are of no use any more.
    Losses(restored_at=done.losses.restored_at, is_done=True).write(file)
    return replace(done, closed_seconds=closed_seconds, seconds=time.monotonic() - begun, notes=notes)


def _require_copies(stage: Stage, moment: datetime) -> None:
    if find_missing_copies(stage, moment):
        raise KeysBusy("another run has restored the stage meanwhile, and has deleted the copies")


def _take_back(
    stage: Stage,
    moment: datetime,
    damaged: Collection[str],
    losses: Losses,
    file: Path,
    progress: Progress,
) -> Restoration:
    names, policies = name_copies(stage, moment), choose_policies(damaged)

    def merge_own(table: str, **options: Any) -> Merged:
        return merge(
            stage.aws_client("dynamodb"),
            copy=names[table],
            live=stage.outputs[f"{table}Name"],
            policy=policies[table],
            on_page=progress.keep_lock,
            **options,
        )

    # Before anything is taken away: a run that was cut off finds in the file what it took.
    merge_own("RegistrationsTable", on_change=losses.record)
    losses.write(file)
    done = bring_back(
        stage,
        open_container(stage),
        moment,
        lambda table, is_wanted: merge_own(table, is_wanted=is_wanted),
        losses=losses,
        holds_sms=LEDGER in damaged,
        progress=progress,
    )
    losses.restored_at = to_timestamp(utc_now())
    losses.write(file)
    return done


def run_schedules(stage: Stage) -> Iterator[str]:
    """Count and age now. Yield what failed: the next run of the schedule does it."""
    for function in ("RollUpDueDays", "AgeRegistrations"):
        try:
            invoke.run_schedule(stage, function)
        except OperationError as error:
            yield f"{error}; its next run goes on"
