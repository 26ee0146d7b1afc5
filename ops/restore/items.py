"""Read and write the items of tables as they are, in DynamoDB's own form and in any number."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

Item = Mapping[str, Any]
Key = tuple[tuple[str, str], ...]

# DynamoDB takes no more in one request.
_READ_SIZE, _WRITE_SIZE = 100, 25


def iter_pages(dynamodb: Any, table_name: str) -> Iterator[list[dict[str, Any]]]:
    """Yield the items of a table, page by page."""
    pages = dynamodb.get_paginator("scan").paginate(
        TableName=table_name, Limit=_READ_SIZE, ConsistentRead=True
    )
    for page in pages:
        if page["Items"]:
            yield page["Items"]


def read_key_names(dynamodb: Any, table_name: str) -> tuple[str, ...]:
    """Return the names of a table's key attributes."""
    schema = dynamodb.describe_table(TableName=table_name)["Table"]["KeySchema"]
    return tuple(sorted(each["AttributeName"] for each in schema))


def get_key(item: Item, names: Sequence[str]) -> Key:
    """Return the key of an item. Every key of ours is text."""
    return tuple((name, item[name]["S"]) for name in names)


def read_items(dynamodb: Any, table_name: str, keys: Sequence[Key]) -> dict[Key, dict[str, Any]]:
    """Return the items that a table has under keys."""
    names = [name for name, _ in keys[0]] if keys else []
    wanted = [{name: {"S": value} for name, value in key} for key in keys]
    found: dict[Key, dict[str, Any]] = {}
    while wanted:
        request = {table_name: {"Keys": wanted[:_READ_SIZE], "ConsistentRead": True}}
        answer = dynamodb.batch_get_item(RequestItems=request)
        found |= {get_key(item, names): item for item in answer["Responses"].get(table_name, [])}
        unanswered = answer.get("UnprocessedKeys", {}).get(table_name, {}).get("Keys", [])
        wanted = [*unanswered, *wanted[_READ_SIZE:]]
    return found


def write_items(dynamodb: Any, table_name: str, items: Sequence[Item], deleted: Sequence[Key] = ()) -> None:
    """Store items as they are, and delete the items under other keys."""
    requests: list[dict[str, Any]] = [{"PutRequest": {"Item": item}} for item in items]
    requests += [{"DeleteRequest": {"Key": {name: {"S": value} for name, value in key}}} for key in deleted]
    while requests:
        answer = dynamodb.batch_write_item(RequestItems={table_name: requests[:_WRITE_SIZE]})
        unwritten = answer.get("UnprocessedItems", {}).get(table_name, [])
        requests = [*unwritten, *requests[_WRITE_SIZE:]]
