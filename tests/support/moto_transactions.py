"""moto's transactions, made quick: for each of their parts it copies the whole table, in case one fails.

Here the copy shares the items, and an item that is changed is copied before. What a transaction leaves, and
what it leaves alone, is judged by the contracts, on this and on other engines alike.
"""

import copy
from collections import defaultdict
from types import SimpleNamespace
from typing import Any

import moto.dynamodb.models
from moto.dynamodb.models import DynamoDBBackend
from moto.dynamodb.models.table import Table

_original_update_item = DynamoDBBackend.update_item


def patch_moto_transactions() -> None:
    """From now on, for the whole process."""
    moto.dynamodb.models.copy = SimpleNamespace(deepcopy=_copy_table)  # type: ignore[assignment]
    DynamoDBBackend.update_item = _update_item_copy  # type: ignore[method-assign]


def _copy_table(value: Any) -> Any:
    if not isinstance(value, Table):
        return copy.deepcopy(value)
    table = copy.copy(value)
    table.items = defaultdict(dict, value.items)
    if value.has_range_key:
        table.items.update({hash_key: dict(items) for hash_key, items in value.items.items()})
    return table


def _update_item_copy(backend: DynamoDBBackend, table_name: str, key: Any, *rest: Any, **more: Any) -> Any:
    table = backend.get_table(table_name)
    hash_key, range_key = backend.get_keys_value(table, key)
    item = copy.deepcopy(table.get_item(hash_key, range_key))
    if item is not None and range_key is not None:
        table.items[hash_key][range_key] = item
    elif item is not None:
        table.items[hash_key] = item  # type: ignore[assignment]
    return _original_update_item(backend, table_name, key, *rest, **more)
