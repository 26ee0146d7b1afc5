"""Bring all tables of a stage to one moment, in order, and make the stage consistent again."""

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from chalicelib.container import Container
from ops.deploy.stages import Stage
from ops.restore.items import Item
from ops.restore.losses import Losses
from ops.restore.lost_acts import LostAct, list_lost_acts
from ops.restore.merging import POLICIES, Merged
from ops.restore.reconciling import erase_again, hold_unsettled_sms, list_unlogged_erasures, mark_days

# After the keys that open what is put back, and the registrations: erasures are done again in between, and
# the SMS of those whom they erase are not put back.
LEDGER = "SmsLedgerTable"
_FIRST = ("KeysTable", "RegistrationsTable")
_ORDER = (*_FIRST, *(table for table in POLICIES if table not in {*_FIRST, LEDGER}))

OnStep = Callable[[str], object]


@dataclass(frozen=True)
class Progress:
    """Is told each step, and keeps the lock of the run: at each page of a table, each erasure and each
    day, and before each pause.
    """

    on_step: OnStep
    keep_lock: Callable[[], object]
    sleep: Callable[[float], object] = time.sleep

    def pause(self, seconds: float) -> None:
        """Wait, with the lock kept."""
        self.keep_lock()
        self.sleep(seconds)


@dataclass(frozen=True)
class Restoration:
    """The result of a restore, with what was lost."""

    losses: Losses
    acts: Sequence[LostAct]
    tables: Mapping[str, Merged]
    erasures: int = 0
    unlogged_erasures: Collection[str] = ()
    held_sms: int = 0
    days: int = 0
    closed_seconds: float = 0
    seconds: float = 0
    notes: Collection[str] = ()


class MergeTable(Protocol):
    """Brings one table to the moment."""

    def __call__(self, table: str, is_wanted: Callable[[Item], bool]) -> Merged:
        """Put back the items that are wanted, by the table's policy. It may be repeated."""


def bring_back(
    stage: Stage,
    container: Container,
    moment: datetime,
    merge_table: MergeTable,
    *,
    losses: Losses,
    holds_sms: bool,
    progress: Progress,
) -> Restoration:
    """Bring the tables of a closed stage to a moment. With `holds_sms` unsettled SMS wait for a person."""
    merged: dict[str, Merged] = {}

    def run(table: str, is_wanted: Callable[[Item], bool] = lambda _: True) -> None:
        progress.on_step(f"taking {table} back")
        merged[table] = merge_table(table, is_wanted)

    for table in _ORDER:
        run(table)
    progress.on_step("erasing again whom a request has erased since")
    erasure_count, erased = erase_again(stage, container, progress.keep_lock)
    gone = erased | losses.destroyed

    def has_person(sms: Item) -> bool:
        return sms.get("reference", {}).get("S") not in gone

    run(LEDGER, has_person)
    return Restoration(
        losses=losses,
        acts=list_lost_acts(stage, moment, progress.keep_lock),
        tables=merged,
        erasures=erasure_count,
        unlogged_erasures=list_unlogged_erasures(stage, moment, progress.keep_lock),
        held_sms=hold_unsettled_sms(stage, progress.keep_lock) if holds_sms else 0,
        days=mark_days(stage, container, moment, progress.keep_lock),
    )
