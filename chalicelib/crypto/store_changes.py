"""Changes of the wrapped keys in DynamoDB, by one operator at a time.

<purpose>   <key id>    a wrapped key; a retired one has `kept_until`
CHANGES     LOCK        who may change keys now, and until when
"""

from datetime import datetime, timedelta
from typing import Any

from chalicelib.aws.items import Values
from chalicelib.aws.table import ConditionFailed, Table, TransactionFailed, Write
from chalicelib.clock import Clock, from_optional_timestamp, to_timestamp
from chalicelib.crypto.keyring import WrappedKey
from chalicelib.crypto.store import KEY_IS_NEW, build_key_values

# A process that was killed keeps others out for this long. A page of a table is read in less.
LOCK_DURATION = timedelta(minutes=2)

_LOCK_KEY: Values = {"purpose": "CHANGES", "key_id": "LOCK"}
_LOCK_IS_FREE = "attribute_not_exists(holder) OR holder = :holder OR held_until < :now"
_LOCK_IS_HELD = "holder = :holder"
_KEY_IS_IN_USE = "attribute_exists(key_id) AND attribute_not_exists(kept_until)"
_KEY_IS_RETIRED = "attribute_exists(kept_until)"


class KeysLocked(Exception):
    """Another process changes the keys. `held_until` is None if it came in between."""

    def __init__(self, held_until: datetime | None = None) -> None:
        super().__init__("another process changes the keys")
        self.held_until = held_until


class DynamoKeyChanges:
    """Adds, retires and deletes keys, each only while `holder` has the lock."""

    def __init__(self, client: Any, table_name: str, *, holder: str, clock: Clock) -> None:
        """`holder` is the id of one run of a command."""
        self._table = Table(client, table_name)
        self._holder = holder
        self._clock = clock

    def acquire_lock(self) -> None:
        """Take the lock, or renew it. Raise KeysLocked."""
        now = self._clock()
        values = {**_LOCK_KEY, "holder": self._holder, "held_until": to_timestamp(now + LOCK_DURATION)}
        compared = {":holder": self._holder, ":now": to_timestamp(now)}
        try:
            self._table.run(self._table.put(values, _LOCK_IS_FREE, compared=compared, returns_current=True))
        except ConditionFailed as failure:
            raise KeysLocked(from_optional_timestamp(failure.current.get("held_until"))) from None

    def release_lock(self) -> None:
        """Let others change keys. A lock that was lost meanwhile is left alone."""
        self._table.try_run(self._table.delete(_LOCK_KEY, _LOCK_IS_HELD, compared={":holder": self._holder}))

    def add(self, key: WrappedKey) -> None:
        """Store a new key, the current one from now on. Raise KeysLocked."""
        self._change(self._table.put(build_key_values(key), KEY_IS_NEW))

    def retire(self, key: WrappedKey, *, kept_until: datetime) -> None:
        """Take a key out of use. Raise KeysLocked."""
        compared = {":until": to_timestamp(kept_until)}
        self._change(
            self._table.update(_build_key(key), "SET kept_until = :until", _KEY_IS_IN_USE, compared=compared)
        )

    def reinstate(self, key: WrappedKey) -> None:
        """Take a retired key back into use, to open what is sealed under it. Raise KeysLocked."""
        self._change(self._table.update(_build_key(key), "REMOVE kept_until", _KEY_IS_RETIRED))

    def delete(self, key: WrappedKey) -> None:
        """Delete a retired key. Raise KeysLocked."""
        self._change(self._table.delete(_build_key(key), _KEY_IS_RETIRED))

    def _change(self, write: Write) -> None:
        lock = self._table.check(_LOCK_KEY, _LOCK_IS_HELD, compared={":holder": self._holder})
        try:
            self._table.transact([write, lock])
        except TransactionFailed:
            raise KeysLocked from None


def _build_key(key: WrappedKey) -> Values:
    return {"purpose": key.purpose, "key_id": key.key_id}
