"""Restore a stage into another one, which was deployed empty. The old stage is read, and left as it is.

The new stage stays closed until an operator opens it, and sends no SMS until an operator resumes: the old one
may still be running.
"""

import time
from collections.abc import Callable, Collection
from dataclasses import replace
from datetime import datetime

from chalicelib.aws.items import Values
from chalicelib.aws.table import Table
from chalicelib.clock import to_timestamp
from chalicelib.messaging.rate_limiter import SendingStop
from chalicelib.messaging.store import DynamoSendRateLimiter
from ops.deploy.stages import Stage
from ops.errors import OperationError
from ops.key_lock import hold_lock, make_key_changes
from ops.restore.bringing_back import OnStep, Progress, Restoration, bring_back
from ops.restore.copies import Copies, delete_copies
from ops.restore.filling import Filling
from ops.restore.gate import StageGate
from ops.restore.items import iter_pages
from ops.restore.reconciling import open_container
from ops.sealed_items import list_tables

# The record of who fills a stage stands beside the lock, in the table of keys.
_PURPOSE = "CHANGES"
_RECORD_KEY: Values = {"purpose": _PURPOSE, "key_id": "RESTORE"}

# Functions write to these by themselves, also in a stage without clients.
_NOT_LOOKED_AT = {"ConversationsTable", "SendingTable", "SummariesTable"}


class StageNotEmpty(OperationError):
    """The stage that is to be filled holds something already; it was not changed."""

    default_code = "stage_not_empty"


class StageHalfFilled(OperationError):
    """The stage is still being filled, or that was cut off: it stays closed until it is done."""

    default_code = "stage_half_filled"


def restore_into(
    old: Stage,
    new: Stage,
    moment: datetime,
    *,
    copies: Copies,
    damaged: Collection[str] = (),
    on_step: OnStep = lambda step: None,
    sleep: Callable[[float], object] = time.sleep,
) -> Restoration:
    """Fill an empty stage with the tables of another one at a moment, and leave it closed.

    If it fails, the same call begins again. Raise OperationError, or the SDK's error.
    """
    begun, record = time.monotonic(), _FillRecord(old, new, moment)
    record.check_stage()
    copies.check_moment(old, moment)
    container, changes = open_container(new), make_key_changes(new)
    progress = Progress(on_step, changes.acquire_lock, sleep)
    filling, gate = Filling(old, new, moment, damaged, progress), StageGate(new, progress.pause)
    with hold_lock(changes):
        record.check_stage()
        on_step(f"closing {new.stack_name}")
        gate.close()
        record.write(is_done=False)
        _stop_sms(old, new)
        # Before the copies are waited for: an operator may lack the rights for the keys.
        filling.move_live_keys()
    on_step("making copies of the tables as they were, which may take some hours")
    copies.make(old, moment)
    with hold_lock(changes):
        record.check_stage()
        # The lock was free while the copies were made.
        gate.close()
        losses = filling.find_losses()
        done = bring_back(
            new,
            container,
            moment,
            filling.merge_table,
            losses=losses,
            holds_sms=True,
            progress=progress,
        )
        delete_copies(old, moment)
        record.write(is_done=True)
    return replace(done, seconds=time.monotonic() - begun, notes=[*filling.iter_notes()])


def require_filled(stage: Stage) -> None:
    """Raise StageHalfFilled for a stage that a restore into it has begun to fill and not finished."""
    found = Table(stage.aws_client("dynamodb"), stage.outputs["KeysTableName"]).get(_RECORD_KEY)
    if found is not None and not found["is_done"]:
        source, moment = found["source"], found["moment"]
        raise StageHalfFilled(
            f"{stage.stack_name} is not filled yet, and stays closed until it is: run daftar restore "
            f"--at {moment} --stack {source} --into {stage.stack_name}"
        )


def _stop_sms(old: Stage, new: Stage) -> None:
    limiter = DynamoSendRateLimiter(new.aws_client("dynamodb"), new.outputs["SendingTableName"])
    limiter.stop(SendingStop(f"restored from {old.stack_name}: resume when that one sends no more", None))


class _FillRecord:
    """Says, in a stage that is being filled or was, from which one and as of when."""

    def __init__(self, old: Stage, new: Stage, moment: datetime) -> None:
        self._old = old
        self._new = new
        self._moment = to_timestamp(moment)
        self._dynamodb = new.aws_client("dynamodb")
        self._table = Table(self._dynamodb, new.outputs["KeysTableName"])

    def check_stage(self) -> None:
        """Raise StageNotEmpty unless the stage has nothing but what the same restore began to put there.

        Raise OperationError if it is of another kind: production's rules hold for production's people.
        """
        name = self._new.stack_name
        kinds = {each.parameters["Stage"] for each in (self._old, self._new) if "Stage" in each.parameters}
        if len(kinds) > 1:
            raise OperationError(
                f"{name} and {self._old.stack_name} differ in `Stage`: {', '.join(sorted(kinds))}",
                code="stage_of_another_kind",
            )
        if self._old.outputs["KeysTableName"] == self._new.outputs["KeysTableName"]:
            raise StageNotEmpty(f"{name} is the stage itself: without --into it is restored in place")
        found = self._table.get(_RECORD_KEY)
        if found is None:
            for table in list_tables(self._new.outputs):
                if table not in _NOT_LOOKED_AT and self._has_items(table):
                    raise StageNotEmpty(f"{table} of {name} is not empty: deploy a stage with --empty for it")
        elif found["is_done"] or (found["source"], found["moment"]) != (self._old.stack_name, self._moment):
            verb = "was" if found["is_done"] else "is being"
            raise StageNotEmpty(
                f"{name} {verb} restored from {found['source']} at {found['moment']}: deploy another stage "
                "with --empty"
            )

    def write(self, *, is_done: bool) -> None:
        values = {"source": self._old.stack_name, "moment": self._moment, "is_done": is_done}
        self._table.run(self._table.put({**_RECORD_KEY, **values}))

    def _has_items(self, table: str) -> bool:
        pages = iter_pages(self._dynamodb, self._new.outputs[f"{table}Name"])
        return any(item.get("purpose") != {"S": _PURPOSE} for item in next(pages, []))
