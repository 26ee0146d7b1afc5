"""Take a stage's tables back to one moment, all together, and make the stage consistent again."""

import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from ops import invoke
from ops.deploy.stages import Stage
from ops.errors import OperationError
from ops.restore.copies import Copies, delete_copies
from ops.restore.gate import StageGate
from ops.restore.items import Item
from ops.restore.losses import Losses
from ops.restore.lost_acts import LostAct, list_lost_acts
from ops.restore.merging import POLICIES, POLICIES_IF_DAMAGED, Merged, merge
from ops.restore.reconciling import (
    erase_again,
    hold_unsettled_sms,
    list_unlogged_erasures,
    mark_days,
    open_container,
)

# After the keys that open what is put back, and the registrations: erasures are done again in between, and
# the SMS of those whom they erase are not put back.
_LEDGER = "SmsLedgerTable"
_FIRST = ("KeysTable", "RegistrationsTable")
_ORDER = (*_FIRST, *(table for table in POLICIES if table not in {*_FIRST, _LEDGER}))


@dataclass(frozen=True)
class Restoration:
    """The result of a restore, with what was lost."""

    tables: Mapping[str, Merged]
    losses: Losses
    acts: Sequence[LostAct]
    erasures: int
    unlogged_erasures: Collection[str]
    held_sms: int
    days: int
    closed_seconds: float
    seconds: float
    notes: Collection[str] = ()


def restore(
    stage: Stage,
    moment: datetime,
    *,
    copies: Copies,
    directory: Path,
    damaged: Collection[str] = (),
    on_step: Callable[[str], object] = lambda step: None,
) -> Restoration:
    """Restore a stage in place. `damaged` are tables of POLICIES_IF_DAMAGED that are taken back as well.

    If it fails, the stage stays closed; the same call goes on, with what it has noted in the directory. Raise
    OperationError, or the SDK's error.
    """
    begun = time.monotonic()
    copies.check_moment(stage, moment)
    policies = {**POLICIES, **{table: POLICIES_IF_DAMAGED[table] for table in damaged}}
    container, gate = open_container(stage), StageGate(stage)
    on_step("making copies of the tables as they were, which may take some hours")
    names = copies.make(stage, moment)
    on_step("closing the stage: devices keep what they have")
    closed = time.monotonic()
    gate.close()
    losses_file = directory / f"{stage.stack_name}-restore-{moment:%Y%m%dT%H%M%S%f}.json"
    losses = _find_losses(stage, names["RegistrationsTable"], losses_file)
    merged: dict[str, Merged] = {}

    def run_merge(table: str, is_wanted: Callable[[Item], bool] = lambda _: True) -> None:
        on_step(f"taking {table} back")
        merged[table] = merge(
            stage.aws_client("dynamodb"),
            copy=names[table],
            live=stage.outputs[f"{table}Name"],
            policy=policies[table],
            is_wanted=is_wanted,
        )

    for table in _ORDER:
        run_merge(table)
    on_step("erasing again whom a request has erased since")
    erasure_count, erased = erase_again(stage, container)
    gone = erased | losses.destroyed

    def has_person(sms: Item) -> bool:
        return sms.get("reference", {}).get("S") not in gone

    run_merge(_LEDGER, has_person)
    held = hold_unsettled_sms(stage) if _LEDGER in damaged else 0
    unlogged, acts = list_unlogged_erasures(stage, moment), list_lost_acts(stage, moment)
    days = mark_days(stage, container, moment)
    on_step("opening the stage")
    gate.open()
    closed_seconds = time.monotonic() - closed
    on_step("counting the days again, and deleting what is too old")
    notes = [*_run_schedules(stage)]
    delete_copies(stage, names)
    losses_file.unlink()
    return Restoration(
        tables=merged,
        losses=losses,
        acts=acts,
        erasures=erasure_count,
        unlogged_erasures=unlogged,
        held_sms=held,
        days=days,
        closed_seconds=closed_seconds,
        seconds=time.monotonic() - begun,
        notes=notes,
    )


def _find_losses(stage: Stage, copy: str, file: Path) -> Losses:
    """Return what the restore takes away. A run that was cut off has written it, and has begun to take it."""
    if file.exists():
        return Losses.from_file(file)
    losses, table = Losses(), "RegistrationsTable"
    merge(
        stage.aws_client("dynamodb"),
        copy=copy,
        live=stage.outputs[f"{table}Name"],
        policy=POLICIES[table],
        on_change=losses.record,
    )
    losses.write(file)
    return losses


def _run_schedules(stage: Stage) -> Iterator[str]:
    """Count and age now. Yield what failed: the next run of the schedule does it."""
    for function in ("RollUpDueDays", "AgeRegistrations"):
        try:
            invoke.run_schedule(stage, function)
        except OperationError as error:
            yield f"{error}; its next run goes on"
