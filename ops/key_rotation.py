"""Field keys: a new one beside the old, every value sealed anew under it, the old one taken away at last.

It runs while functions do, and may stop anywhere: which key a value is sealed under stands on the value, so
the next run goes on with what is left.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from botocore.exceptions import ClientError

from chalicelib.aws.dynamodb import is_condition_failure
from chalicelib.aws.items import from_item, to_item
from chalicelib.campaigns.store import reseal as reseal_campaign
from chalicelib.clock import Clock
from chalicelib.crypto.encryption import FieldCipher
from chalicelib.crypto.keyring import FIELD_PURPOSE, KEY_REFRESH_INTERVAL, Keyring, WrappedKey
from chalicelib.crypto.kms import KMSKeyWrapper
from chalicelib.crypto.store import DynamoWrappedKeys
from chalicelib.registrations.items import reseal as reseal_registration
from ops.deploy.cloudformation import AwsClientFactory
from ops.local.processes import OperationError

# Every table with sealed values, and how its items are sealed anew; `tests/structure` finds a missing one.
SEALED_TABLES: Mapping[str, Callable[[Mapping[str, Any], FieldCipher], dict[str, Any]]] = {
    "RegistrationsTable": reseal_registration,
    "CampaignsTable": reseal_campaign,
}

_PAGE_SIZE = 100
_MAX_PASSES = 5

# A value is stored within moments of being sealed.
_SAFETY_MARGIN = timedelta(minutes=1)


class KeyInUse(OperationError):
    """The old key may still be needed; the message says why, and until when."""


@dataclass(frozen=True)
class RotationResult:
    """What a run has done: the key that seals now, the ones before it, and how many items were sealed anew.

    Until an instant, functions that have not looked at the keys may still seal under the old one.
    """

    current_key_id: str
    older_key_ids: tuple[str, ...]
    resealed_count: int
    retirable_at: datetime


class KeyRotation:
    """Changes the field key of one stage, with the rights of whoever runs it."""

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
        """Add a key, unless an earlier run has added one, and seal everything anew under it.

        Raises OperationError if values kept coming in under the old key.
        """
        keys = self._list_field_keys()
        if len(keys) == 1:
            new = self._key_wrap.generate(FIELD_PURPOSE, now=self._clock())
            self._key_store.add(new)
            keys.append(new)
            self._on_progress(f"added {new.key_id}")
        else:
            self._on_progress(f"going on with {keys[-1].key_id}")
        items = 0
        for _ in range(_MAX_PASSES):
            found = sum(self._reseal_table(table) for table in SEALED_TABLES)
            items += found
            if found == 0:
                return RotationResult(
                    current_key_id=keys[-1].key_id,
                    older_key_ids=tuple(key.key_id for key in keys[:-1]),
                    resealed_count=items,
                    retirable_at=_find_retirable_at(keys[-1]),
                )
        raise OperationError("values keep coming in under the old key: run this again in a few minutes")

    def retire(self) -> tuple[str, ...]:
        """Take the older keys away, after nothing was found under them. Raises KeyInUse."""
        keys = self._list_field_keys()
        current, older = keys[-1], keys[:-1]
        if not older:
            raise KeyInUse("there is one key, and it is in use: run this without --retire to add another")
        if self._clock() < _find_retirable_at(current):
            raise KeyInUse(
                f"functions may seal under the old key until {_find_retirable_at(current):%H:%M:%S} UTC"
            )
        cipher = self._make_cipher()
        left = sum(
            bool(SEALED_TABLES[table](item, cipher))
            for table in SEALED_TABLES
            for item in self._scan_items(table)
        )
        if left:
            raise KeyInUse(f"{left} items are still under an older key: run this without --retire first")
        for key in older:
            self._key_store.remove(key)
        return tuple(key.key_id for key in older)

    def _list_field_keys(self) -> list[WrappedKey]:
        keys = list(self._key_store.iter_by_purpose(FIELD_PURPOSE))
        if not keys:
            raise OperationError("this stage has no field key yet")
        return keys

    def _make_cipher(self) -> FieldCipher:
        keyring = Keyring(wrapped_keys=self._key_store, key_wrapper=self._key_wrap, clock=self._clock)
        return FieldCipher(keyring.get_field_keys, keyring.refresh_field_keys)

    def _reseal_table(self, table: str) -> int:
        """Seal anew what is under an older key in one table; how many items were."""
        cipher, seen, changed = self._make_cipher(), 0, 0
        for item in self._scan_items(table):
            anew = SEALED_TABLES[table](item, cipher)
            seen += 1
            changed += bool(anew)
            if anew:
                self._write_resealed(table, item, anew)
            if seen % _PAGE_SIZE == 0:
                self._on_progress(f"{table}: {seen} items seen, {changed} sealed anew")
        self._on_progress(f"{table}: {seen} items seen, {changed} sealed anew")
        return changed

    def _write_resealed(self, table: str, item: Mapping[str, Any], resealed: Mapping[str, Any]) -> None:
        """Put the new values where the old ones stand still; where they do not, the next pass looks again."""
        names = list(resealed)
        values = {f":new{at}": resealed[name] for at, name in enumerate(names)}
        values |= {f":old{at}": item[name] for at, name in enumerate(names)}
        try:
            self._dynamodb.update_item(
                TableName=self._outputs[f"{table}Name"],
                Key=to_item({name: item[name] for name in ("pk", "sk")}),
                UpdateExpression="SET " + ", ".join(f"#n{at} = :new{at}" for at in range(len(names))),
                ConditionExpression=" AND ".join(f"#n{at} = :old{at}" for at in range(len(names))),
                ExpressionAttributeNames={f"#n{at}": name for at, name in enumerate(names)},
                ExpressionAttributeValues=to_item(values),
            )
        except ClientError as error:
            if not is_condition_failure(error):
                raise

    def _scan_items(self, table: str) -> Iterator[dict[str, Any]]:
        request: dict[str, Any] = {
            "TableName": self._outputs[f"{table}Name"],
            "Limit": _PAGE_SIZE,
            "ConsistentRead": True,
        }
        while True:
            page = self._dynamodb.scan(**request)
            yield from map(from_item, page["Items"])
            if "LastEvaluatedKey" not in page:
                return
            request["ExclusiveStartKey"] = page["LastEvaluatedKey"]


def _find_retirable_at(current_key: WrappedKey) -> datetime:
    return current_key.made_at + KEY_REFRESH_INTERVAL + _SAFETY_MARGIN
