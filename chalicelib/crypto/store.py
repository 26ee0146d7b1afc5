"""Wrapped data keys in DynamoDB."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from chalicelib.aws.items import Values
from chalicelib.aws.table import Table
from chalicelib.clock import from_optional_timestamp, to_timestamp
from chalicelib.crypto.keyring import WrappedKey

KEY_IS_NEW = "attribute_not_exists(key_id)"


class DynamoWrappedKeys:
    """Satisfies `keyring.WrappedKeys`."""

    def __init__(self, client: Any, table_name: str) -> None:
        self._table = Table(client, table_name)

    def iter_by_purpose(self, purpose: str) -> Iterator[WrappedKey]:
        return (key for key in self._iter_all(purpose) if key.kept_until is None)

    def iter_retired(self, purpose: str) -> Iterator[WrappedKey]:
        """Yield the retired keys of one purpose that are still kept, oldest first."""
        return (key for key in self._iter_all(purpose) if key.kept_until is not None)

    def add(self, key: WrappedKey) -> bool:
        """Store the first key of a purpose. Return False, and store nothing, if the id exists."""
        return self._table.try_run(self._table.put(build_key_values(key), KEY_IS_NEW))

    def _iter_all(self, purpose: str) -> Iterator[WrappedKey]:
        for values in self._table.query("purpose = :purpose", {":purpose": purpose}):
            yield WrappedKey(
                purpose=purpose,
                key_id=values["key_id"],
                wrapped=values["wrapped"],
                made_at=datetime.fromisoformat(values["made_at"]),
                kept_until=from_optional_timestamp(values.get("kept_until")),
            )


def build_key_values(key: WrappedKey) -> Values:
    """Return a key that is in use as the values of its item."""
    return {
        "purpose": key.purpose,
        "key_id": key.key_id,
        "wrapped": key.wrapped,
        "made_at": to_timestamp(key.made_at),
    }
