"""Faster transactions for moto.

For each part of a transaction, moto deep-copies the whole table to restore it after a failure. Here the copy
shares the items, and an item is copied before it changes. The contract tests check the results of
transactions on this engine and on others.

A failed transaction restores the copy of the table, so that no other thread may write meanwhile: writes wait
for one another, as the items of a batch do not.
"""

import copy
from collections import defaultdict
from collections.abc import Callable
from functools import wraps
from threading import RLock
from types import SimpleNamespace
from typing import Any

from moto.dynamodb import models
from moto.dynamodb.models import DynamoDBBackend
from moto.dynamodb.models.table import Table

_original_update_item = DynamoDBBackend.update_item
_WRITES = ("transact_write_items", "put_item", "update_item", "delete_item")
_write_lock = RLock()


def patch_moto_transactions() -> None:
    """Patch moto for the rest of the process."""
    vars(models)["copy"] = SimpleNamespace(deepcopy=_copy_table)
    DynamoDBBackend.update_item = _update_item_copy  # type: ignore[assignment, method-assign]
    for name in _WRITES:
        setattr(DynamoDBBackend, name, _run_alone(getattr(DynamoDBBackend, name)))


def _run_alone(write: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(write)
    def run(*args: Any, **kwargs: Any) -> Any:
        with _write_lock:
            return write(*args, **kwargs)

    return run


def _copy_table(value: Any) -> Any:
    """Return a copy of a table that shares its items, or a deep copy of anything else."""
    if not isinstance(value, Table):
        return copy.deepcopy(value)
    table = copy.copy(value)
    table.items = defaultdict(dict, value.items)
    if value.has_range_key:
        table.items.update({hash_key: dict(items) for hash_key, items in value.items.items()})
    return table


def _update_item_copy(backend: DynamoDBBackend, table_name: str, key: Any, *args: Any, **kwargs: Any) -> Any:
    """Update a copy of the item, so that copies of its table keep the old one."""
    table = backend.get_table(table_name)
    hash_key, range_key = backend.get_keys_value(table, key)
    item = copy.deepcopy(table.get_item(hash_key, range_key))
    if item is not None and range_key is not None:
        table.items[hash_key][range_key] = item
    elif item is not None:
        table.items[hash_key] = item  # type: ignore[assignment]
    return _original_update_item(backend, table_name, key, *args, **kwargs)
