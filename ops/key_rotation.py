"""Rotate the field key: add a key, reseal every value with it, then remove the old key.

It runs while the functions run, and can be interrupted anywhere: each value names its key, so the next run
continues with the rest.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from chalicelib.aws.items import from_item
from chalicelib.aws.table import Table
from chalicelib.campaigns.store import reseal as reseal_campaign
from chalicelib.clock import Clock
from chalicelib.crypto.encryption import FieldCipher
from chalicelib.crypto.keyring import FIELD_PURPOSE, KEY_REFRESH_INTERVAL, Keyring, WrappedKey
from chalicelib.crypto.kms import KMSKeyWrapper
from chalicelib.crypto.store import DynamoWrappedKeys
from chalicelib.registrations.store_items import reseal as reseal_registration
from ops.deploy.stages import AwsClientFactory
from ops.errors import OperationError

# The tables with sealed values, and the function that reseals an item; `tests/structure` finds a missing one.
SEALED_TABLES: Mapping[str, Callable[[Mapping[str, Any], FieldCipher], dict[str, Any]]] = {
    "RegistrationsTable": reseal_registration,
    "CampaignsTable": reseal_campaign,
}

_PAGE_SIZE = 100
_MAX_PASSES = 5

# The time from the sealing of a value to its storage is shorter than this.
_SAFETY_MARGIN = timedelta(minutes=1)


class KeyInUse(OperationError):
    """The old key may still be needed; the message says why."""


@dataclass(frozen=True)
class RotationResult:
    """The result of a run: the current key, the older keys, and the number of resealed items.

    Until `retirable_at`, a function with cached keys may still seal with an older one.
    """

    current_key_id: str
    older_key_ids: tuple[str, ...]
    resealed_count: int
    retirable_at: datetime


class KeyRotation:
    """Changes the field key of one stage, with the operator's own rights."""

    def __init__(
        self,
        *,
        outputs: Mapping[str, str],
        aws_client: AwsClientFactory,
        clock: Clock,
        on_progress: Callable[[str], object],
    ) -> None:
        self._outputs = outputs
        self._dynamodb = aws_client("dynamodb")
        self._key_store = DynamoWrappedKeys(self._dynamodb, outputs["KeysTableName"])
        self._key_wrap = KMSKeyWrapper(aws_client("kms"), outputs["FieldKeyArn"])
        self._clock = clock
        self._on_progress = on_progress

    def rotate(self) -> RotationResult:
        """Add a key, unless an earlier run has added one, and reseal all values with it.

        Raise OperationError if functions keep sealing with the old key.
        """
        keys = self._list_field_keys()
        if len(keys) == 1:
            new_key = self._key_wrap.generate(FIELD_PURPOSE, now=self._clock())
            self._key_store.add(new_key)
            keys.append(new_key)
            self._on_progress(f"added {new_key.key_id}")
        else:
            self._on_progress(f"continuing with {keys[-1].key_id}")
        resealed_count = 0
        for _ in range(_MAX_PASSES):
            count = sum(self._reseal_table(table) for table in SEALED_TABLES)
            resealed_count += count
            if count == 0:
                return RotationResult(
                    current_key_id=keys[-1].key_id,
                    older_key_ids=tuple(key.key_id for key in keys[:-1]),
                    resealed_count=resealed_count,
                    retirable_at=_find_retirable_at(keys[-1]),
                )
        raise OperationError(
            "functions keep sealing values with the old key: run this again in a few minutes"
        )

    def retire(self) -> tuple[str, ...]:
        """Remove the older keys, after a check that no value needs them. Raise KeyInUse."""
        keys = self._list_field_keys()
        current, older = keys[-1], keys[:-1]
        if not older:
            raise KeyInUse(
                "there is only one key, and it is in use: run this without --retire to add another"
            )
        if self._clock() < _find_retirable_at(current):
            raise KeyInUse(
                f"functions may seal with the old key until {_find_retirable_at(current):%H:%M:%S} UTC"
            )
        cipher = self._make_cipher()
        needing_count = sum(
            bool(SEALED_TABLES[table](item, cipher))
            for table in SEALED_TABLES
            for item in self._scan_items(table)
        )
        if needing_count:
            raise KeyInUse(
                f"{needing_count} items are still sealed with an older key: run this without --retire first"
            )
        for key in older:
            self._key_store.remove(key)
        return tuple(key.key_id for key in older)

    def _list_field_keys(self) -> list[WrappedKey]:
        keys = list(self._key_store.iter_by_purpose(FIELD_PURPOSE))
        if not keys:
            raise OperationError("this stage has no field key")
        return keys

    def _make_cipher(self) -> FieldCipher:
        keyring = Keyring(wrapped_keys=self._key_store, key_wrapper=self._key_wrap, clock=self._clock)
        return FieldCipher(keyring.get_field_keys, keyring.refresh_field_keys)

    def _reseal_table(self, table: str) -> int:
        """Reseal the values of one table that are sealed with an older key. Return the number of items."""
        cipher, seen_count, resealed_count = self._make_cipher(), 0, 0
        for item in self._scan_items(table):
            resealed = SEALED_TABLES[table](item, cipher)
            seen_count += 1
            if resealed:
                resealed_count += 1
                self._write_resealed(table, item, resealed)
            if seen_count % _PAGE_SIZE == 0:
                self._on_progress(f"{table}: {seen_count} items seen, {resealed_count} resealed")
        self._on_progress(f"{table}: {seen_count} items seen, {resealed_count} resealed")
        return resealed_count

    def _write_resealed(self, table: str, item: Mapping[str, Any], resealed: Mapping[str, Any]) -> None:
        """Replace values that are unchanged since they were read. The next pass handles the others."""
        names = list(resealed)
        numbers = range(len(names))
        values = {f":new{number}": resealed[names[number]] for number in numbers}
        values |= {f":old{number}": item[names[number]] for number in numbers}
        target = Table(self._dynamodb, self._outputs[f"{table}Name"])
        target.try_run(
            target.update(
                {name: item[name] for name in ("pk", "sk")},
                "SET " + ", ".join(f"#n{number} = :new{number}" for number in numbers),
                " AND ".join(f"#n{number} = :old{number}" for number in numbers),
                compared=values,
                names={f"#n{number}": names[number] for number in numbers},
            )
        )

    def _scan_items(self, table: str) -> Iterator[dict[str, Any]]:
        pages = self._dynamodb.get_paginator("scan").paginate(
            TableName=self._outputs[f"{table}Name"], Limit=_PAGE_SIZE, ConsistentRead=True
        )
        for page in pages:
            yield from map(from_item, page["Items"])


def _find_retirable_at(current_key: WrappedKey) -> datetime:
    return current_key.made_at + KEY_REFRESH_INTERVAL + _SAFETY_MARGIN
