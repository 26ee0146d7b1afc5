"""The lock of a stage's keys: one operator at a time changes keys, or takes tables back."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import ClassVar

from chalicelib.clock import utc_now
from chalicelib.crypto.store_changes import DynamoKeyChanges, KeysLocked
from chalicelib.randomness import generate_write_id
from ops.deploy.stages import Stage
from ops.errors import OperationError


class KeysBusy(OperationError):
    """Another run changes the keys, or restores the stage."""

    default_code: ClassVar[str] = "keys_busy"


def make_key_changes(stage: Stage) -> DynamoKeyChanges:
    """Return the changes of a stage's keys, for one run of a command."""
    return DynamoKeyChanges(
        stage.aws_client("dynamodb"),
        stage.outputs["KeysTableName"],
        holder=generate_write_id(),
        clock=utc_now,
    )


@contextmanager
def hold_lock(changes: DynamoKeyChanges) -> Iterator[None]:
    """Hold the lock. Renew it by `acquire_lock` at least every two minutes. Raise KeysBusy."""
    try:
        changes.acquire_lock()
        yield
    except KeysLocked as locked:
        until = (
            ""
            if locked.held_until is None
            else f"; if it was killed, it ends at {locked.held_until:%H:%M:%S} UTC"
        )
        raise KeysBusy(f"another run changes the keys or restores the stage{until}") from None
    finally:
        changes.release_lock()
