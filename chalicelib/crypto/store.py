"""Wrapped data keys in DynamoDB."""

from collections.abc import Iterator
from dataclasses import asdict
from datetime import datetime
from typing import Any

from chalicelib.aws.table import Table
from chalicelib.clock import to_timestamp
from chalicelib.crypto.keyring import WrappedKey


class DynamoWrappedKeys:
    """Satisfies `keyring.WrappedKeys`."""

    def __init__(self, client: Any, table_name: str) -> None:
        self._table = Table(client, table_name)

    def iter_by_purpose(self, purpose: str) -> Iterator[WrappedKey]:
        for values in self._table.query("purpose = :purpose", {":purpose": purpose}):
            yield WrappedKey(
                purpose=purpose,
                key_id=values["key_id"],
                wrapped=values["wrapped"],
                made_at=datetime.fromisoformat(values["made_at"]),
            )

    def add(self, key: WrappedKey) -> bool:
        """Store a key under a new id. Return False, and store nothing, if the id exists."""
        values = {**asdict(key), "made_at": to_timestamp(key.made_at)}
        return self._table.try_run(self._table.put(values, "attribute_not_exists(key_id)"))

    def remove(self, key: WrappedKey) -> None:
        """Delete a key. The table's point-in-time recovery covers it for as long as the values under it."""
        self._table.run(self._table.delete({"purpose": key.purpose, "key_id": key.key_id}))
