"""Faster transactions and answers for moto's DynamoDB.

For each part of a transaction, moto deep-copies the whole table to restore it after a failure. Here the copy
shares the items, and an item is copied before it changes. The contract tests check the results of
transactions on this engine and on others.

For each attribute of each item, moto looks under some thirty names in turn. Its DynamoDB uses those of AWS.

Requests are executed one at a time: moto ends a failed transaction by putting the whole table back as it was,
without what other threads have written since.
"""

import copy
import threading
from collections import defaultdict
from types import SimpleNamespace
from typing import Any

from moto.core.botocore_stubber import BotocoreStubber
from moto.core.serialize import ResponseSerializer
from moto.dynamodb import models
from moto.dynamodb.models import DynamoDBBackend
from moto.dynamodb.models.table import Table

_original_update_item = DynamoDBBackend.update_item
_original_request = BotocoreStubber.process_request
_original_get_value = ResponseSerializer.get_value
_lock = threading.RLock()


def patch_moto_transactions() -> None:
    """Patch moto for the rest of the process."""
    vars(models)["copy"] = SimpleNamespace(deepcopy=_copy_table)
    DynamoDBBackend.update_item = _update_item_copy  # type: ignore[assignment, method-assign]
    BotocoreStubber.process_request = _process_request_alone  # type: ignore[assignment, method-assign]
    ResponseSerializer.get_value = _get_value_by_name  # type: ignore[assignment, method-assign]


def _process_request_alone(stubber: BotocoreStubber, request: Any) -> Any:
    with _lock:
        return _original_request(stubber, request)


def _get_value_by_name(serializer: ResponseSerializer, value: Any, key: str, shape: Any) -> Any:
    if type(value) is dict and serializer.operation_model.service_model.service_name == "dynamodb":
        return value.get(key)
    return _original_get_value(serializer, value, key, shape)


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
