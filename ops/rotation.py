"""Field keys: a new one beside the old, every value sealed anew under it, the old one taken away at last.

It runs while functions do, and may stop anywhere: which key a value is sealed under stands on the value, so
the next run goes on with what is left.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from botocore.exceptions import ClientError

from chalicelib.campaigns.dynamodb import resealed as resealed_campaign
from chalicelib.clock import Clock
from chalicelib.dynamodb import condition_failed, from_item, to_item
from chalicelib.privacy.dynamodb import DynamoWrappedKeys
from chalicelib.privacy.encryption import FieldCipher
from chalicelib.privacy.keyring import FIELD_PURPOSE, TAKEN_UP_WITHIN, Keyring, WrappedKey
from chalicelib.privacy.kms import KMSKeyWrap
from chalicelib.registrations.items import resealed as resealed_registration
from ops.deployment import Clients
from ops.processes import ProgramError

# Every table with sealed values, and how its items are sealed anew; `tests/structure` finds a missing one.
SEALED: Mapping[str, Callable[[Mapping[str, Any], FieldCipher], dict[str, Any]]] = {
    "RegistrationsTable": resealed_registration,
    "CampaignsTable": resealed_campaign,
}

_PAGE = 100
_PASSES = 5

# A value is stored within moments of being sealed.
_MARGIN = timedelta(minutes=1)


class CannotRetire(ProgramError):
    """The old key may still be needed; the message says why, and until when."""


@dataclass(frozen=True)
class Rotated:
    """What a run has done: the key that seals now, the ones before it, and how many items were sealed anew.

    Until an instant, functions that have not looked at the keys may still seal under the old one.
    """

    current: str
    older: tuple[str, ...]
    items: int
    settled_at: datetime


class Rotation:
    """Changes the field key of one stage, with the rights of whoever runs it."""

    def __init__(
        self, *, outputs: Mapping[str, str], clients: Clients, clock: Clock, tell: Callable[[str], object]
    ) -> None:
        self._outputs = outputs
        self._dynamodb = clients("dynamodb")
        self._stored = DynamoWrappedKeys(self._dynamodb, outputs["KeysTableName"])
        self._wrap = KMSKeyWrap(clients("kms"), outputs["FieldKeyArn"])
        self._clock = clock
        self._tell = tell

    def rotate(self) -> Rotated:
        """Add a key, unless an earlier run has added one, and seal everything anew under it.

        Raises ProgramError if values kept coming in under the old key.
        """
        keys = self._keys()
        if len(keys) == 1:
            new = self._wrap.make(FIELD_PURPOSE, at=self._clock())
            self._stored.add(new)
            keys.append(new)
            self._tell(f"added {new.key_id}")
        else:
            self._tell(f"going on with {keys[-1].key_id}")
        items = 0
        for _ in range(_PASSES):
            found = sum(self._reseal(table) for table in SEALED)
            items += found
            if found == 0:
                return Rotated(
                    current=keys[-1].key_id,
                    older=tuple(key.key_id for key in keys[:-1]),
                    items=items,
                    settled_at=_settled_at(keys[-1]),
                )
        raise ProgramError("values keep coming in under the old key: run this again in a few minutes")

    def retire(self) -> tuple[str, ...]:
        """Take the older keys away, after nothing was found under them. Raises CannotRetire."""
        keys = self._keys()
        current, older = keys[-1], keys[:-1]
        if not older:
            raise CannotRetire("there is one key, and it is in use: run this without --retire to add another")
        if self._clock() < _settled_at(current):
            raise CannotRetire(
                f"functions may seal under the old key until {_settled_at(current):%H:%M:%S} UTC"
            )
        cipher = self._cipher()
        left = sum(bool(SEALED[table](item, cipher)) for table in SEALED for item in self._items(table))
        if left:
            raise CannotRetire(f"{left} items are still under an older key: run this without --retire first")
        for key in older:
            self._stored.remove(key)
        return tuple(key.key_id for key in older)

    def _keys(self) -> list[WrappedKey]:
        keys = list(self._stored.of(FIELD_PURPOSE))
        if not keys:
            raise ProgramError("this stage has no field key yet")
        return keys

    def _cipher(self) -> FieldCipher:
        def fail(error: Exception) -> None:
            raise error

        keyring = Keyring(stored=self._stored, wrap=self._wrap, clock=self._clock, on_failure=fail)
        return FieldCipher(keyring.field_keys, keyring.field_keys_with)

    def _reseal(self, table: str) -> int:
        """Seal anew what is under an older key in one table; how many items were."""
        cipher, seen, changed = self._cipher(), 0, 0
        for item in self._items(table):
            anew = SEALED[table](item, cipher)
            seen += 1
            changed += bool(anew)
            if anew:
                self._store(table, item, anew)
            if seen % _PAGE == 0:
                self._tell(f"{table}: {seen} items seen, {changed} sealed anew")
        self._tell(f"{table}: {seen} items seen, {changed} sealed anew")
        return changed

    def _store(self, table: str, item: Mapping[str, Any], anew: Mapping[str, Any]) -> None:
        """Put the new values where the old ones stand still; where they do not, the next pass looks again."""
        names = list(anew)
        values = {f":new{at}": anew[name] for at, name in enumerate(names)}
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
            if not condition_failed(error):
                raise

    def _items(self, table: str) -> Iterator[dict[str, Any]]:
        request: dict[str, Any] = {
            "TableName": self._outputs[f"{table}Name"],
            "Limit": _PAGE,
            "ConsistentRead": True,
        }
        while True:
            page = self._dynamodb.scan(**request)
            yield from map(from_item, page["Items"])
            if "LastEvaluatedKey" not in page:
                return
            request["ExclusiveStartKey"] = page["LastEvaluatedKey"]


def _settled_at(current: WrappedKey) -> datetime:
    return current.made_at + TAKEN_UP_WITHIN + _MARGIN
