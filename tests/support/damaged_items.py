"""Damage to stored items: an altered byte, a key that is gone, or a value that nothing parses."""

from collections.abc import Callable, Mapping
from typing import Any

HEADER_BYTES = 2


def flip_byte(sealed: bytes) -> bytes:
    """Return a sealed value with another last byte."""
    return sealed[:-1] + bytes([sealed[-1] ^ 1])


def lose_key(sealed: bytes) -> bytes:
    """Return a sealed value that names a key that does not exist."""
    length = sealed[1]
    return sealed[:HEADER_BYTES] + b"?" * length + sealed[HEADER_BYTES + length :]


SEALED_DAMAGES: Mapping[str, Callable[[bytes], bytes]] = {"flipped byte": flip_byte, "lost key": lose_key}


def damage_item(dynamodb: Any, table: str, pk: str, path: str, change: Callable[[bytes], bytes]) -> None:
    """Change the sealed value at a path, such as `sealed.nik`, of the item with a partition key."""
    item, parent, name = _find(dynamodb, table, pk, path)
    parent[name] = {"B": change(bytes(parent[name]["B"]))}
    dynamodb.put_item(TableName=table, Item=item)


def garble_item(dynamodb: Any, table: str, pk: str, path: str) -> None:
    """Replace the value at a path by a text that nothing parses as."""
    item, parent, name = _find(dynamodb, table, pk, path)
    parent[name] = {"S": "?"}
    dynamodb.put_item(TableName=table, Item=item)


def _find(dynamodb: Any, table: str, pk: str, path: str) -> tuple[dict[str, Any], dict[str, Any], str]:
    *parents, name = path.split(".")
    items = dynamodb.scan(TableName=table)["Items"]
    (item,) = [each for each in items if pk in {each.get("pk", {}).get("S"), each.get("sms_id", {}).get("S")}]
    parent = item
    for each in parents:
        parent = parent[each]["M"]
    assert name in parent
    return item, parent, name
