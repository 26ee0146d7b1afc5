"""Rotate the field key: add a key, reseal every value with it, then retire the old key, and later delete it.

It runs while the functions run, and can be interrupted anywhere: each value names its key, so the next run
continues with the rest. One run at a time: each change of a key is stored only under the lock of its run.
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, ClassVar

from chalicelib.aws.table import Table
from chalicelib.clock import Clock
from chalicelib.crypto.encryption import FieldCipher, FieldKeys
from chalicelib.crypto.keyring import FIELD_PURPOSE, MAX_KEY_AGE, Keyring, WrappedKey
from chalicelib.crypto.kms import KMSKeyWrapper
from chalicelib.crypto.store import DynamoWrappedKeys
from chalicelib.crypto.store_changes import DynamoKeyChanges
from chalicelib.randomness import generate_write_id
from chalicelib.refusals import RecordUnreadable
from ops.deploy.stages import AwsClientFactory
from ops.errors import OperationError
from ops.key_lock import hold_lock
from ops.sealed_items import SEALED_TABLES, iter_key_ids, iter_pages, list_tables

MIN_KEPT_PERIOD = timedelta(days=36)
"""A table can be restored to any time of the last 35 days, with the values that it had then."""

_MAX_PASSES = 5

# The time from the sealing of a value to its storage is shorter than this.
_SAFETY_MARGIN = timedelta(minutes=1)

# DynamoDB keeps a stream's record for so long, and the queue of chat events its messages, which are sealed.
_STREAM_RETENTION = timedelta(hours=24)


class KeyInUse(OperationError):
    """A key may still be needed; the message says why."""

    default_code: ClassVar[str] = "key_in_use"


@dataclass(frozen=True)
class RotationResult:
    """The result of a run: the current key, the older keys, and the numbers of items.

    Until `sealing_ends_at`, a function with cached keys may still seal with an older one; until
    `retirable_at`, such a value may still be under way. Unreadable items keep the key that they have.
    """

    current_key_id: str
    older_key_ids: tuple[str, ...]
    resealed_count: int
    unreadable_count: int
    sealing_ends_at: datetime
    retirable_at: datetime


@dataclass(frozen=True)
class RetirementResult:
    """The keys that were retired, which are kept until `kept_until`, and those that were deleted."""

    retired_key_ids: tuple[str, ...]
    kept_until: datetime
    deleted_key_ids: tuple[str, ...]


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
        self._changes = DynamoKeyChanges(
            self._dynamodb, outputs["KeysTableName"], holder=generate_write_id(), clock=clock
        )
        self._key_wrap = KMSKeyWrapper(aws_client("kms"), outputs["FieldKeyArn"])
        self._clock = clock
        self._on_progress = on_progress

    def rotate(self) -> RotationResult:
        """Add a key, unless an earlier run has added one, and reseal all values with it.

        Raise KeysBusy, or OperationError if functions keep sealing with the old key.
        """
        with hold_lock(self._changes):
            keys = self._list_field_keys()
            if len(keys) == 1:
                new_key = self._key_wrap.generate(FIELD_PURPOSE, now=self._clock())
                self._changes.add(new_key)
                keys.append(new_key)
                self._on_progress(f"added {new_key.key_id}")
            else:
                self._on_progress(f"continuing with {keys[-1].key_id}")
            resealed_count = 0
            for _ in range(_MAX_PASSES):
                counts = [self._reseal_table(table) for table in SEALED_TABLES]
                count = sum(resealed for resealed, _ in counts)
                resealed_count += count
                if count == 0:
                    return RotationResult(
                        current_key_id=keys[-1].key_id,
                        older_key_ids=tuple(key.key_id for key in keys[:-1]),
                        resealed_count=resealed_count,
                        unreadable_count=sum(unreadable for _, unreadable in counts),
                        sealing_ends_at=_find_sealing_end(keys[-1]),
                        retirable_at=_find_retirable_at(keys[-1]),
                    )
        raise OperationError(
            "functions keep sealing values with the old key: run this again in a few minutes"
        )

    def retire(self, *, kept_for: timedelta, leaves_unreadable: bool = False) -> RetirementResult:
        """Retire the older keys, and delete the retired ones whose time is over, if no value needs them.

        With `leaves_unreadable`, items that cannot be opened even with their key do not count. Raise KeyInUse
        or KeysBusy, and change nothing.
        """
        with hold_lock(self._changes):
            now = self._clock()
            *older, current = self._list_field_keys()
            kept = list(self._key_store.iter_retired(FIELD_PURPOSE))
            over = [key for key in kept if key.kept_until is not None and key.kept_until <= now]
            if not older and not over:
                raise KeyInUse(_describe_only_key(kept))
            if older and now < _find_retirable_at(current):
                raise KeyInUse(
                    "a value may be under way that a function sealed with the old key: retire it after "
                    f"{_find_retirable_at(current):%Y-%m-%d %H:%M} UTC"
                )
            self._check_unused([current, *older, *kept], older, over, leaves_unreadable=leaves_unreadable)
            for key in over:
                self._changes.delete(key)
            for key in older:
                self._changes.retire(key, kept_until=now + kept_for)
            return RetirementResult(
                retired_key_ids=tuple(key.key_id for key in older),
                kept_until=now + kept_for,
                deleted_key_ids=tuple(key.key_id for key in over),
            )

    def reinstate(self, key_id: str) -> None:
        """Take a retired key back into use. Raise OperationError or KeysBusy."""
        with hold_lock(self._changes):
            for key in self._key_store.iter_retired(FIELD_PURPOSE):
                if key.key_id == key_id:
                    self._changes.reinstate(key)
                    return
            raise OperationError(f"no retired key has the id {key_id}", code="key_unknown")

    def _check_unused(
        self,
        keys: Collection[WrappedKey],
        older: Collection[WrappedKey],
        over: Collection[WrappedKey],
        *,
        leaves_unreadable: bool,
    ) -> None:
        """Raise KeyInUse if an item of any table has a value that is sealed under one of the older keys.

        `over` are those of them that are retired already. All of `keys` open values.
        """
        cipher = self._make_cipher_of(keys)
        wanted, needed, unreadable = {key.key_id for key in (*older, *over)}, set[str](), 0
        for table in list_tables(self._outputs):
            for item in self._iter_items(table):
                used = wanted.intersection(iter_key_ids(item))
                if used and not _is_readable(table, item, cipher):
                    unreadable += 1
                else:
                    needed |= used
        if reinstated := needed & {key.key_id for key in over}:
            raise KeyInUse(
                f"values are sealed with {min(reinstated)}, which is retired: take it back with "
                f"--reinstate {min(reinstated)}, then run this without --retire"
            )
        if needed:
            raise KeyInUse("values are still sealed with an older key: run this without --retire first")
        if unreadable and not leaves_unreadable:
            raise KeyInUse(
                f"{unreadable} items that are sealed with an older key cannot be read: `daftar records "
                "unreadable` names them; restore them first, or give them up with --leave-unreadable"
            )

    def _list_field_keys(self) -> list[WrappedKey]:
        keys = list(self._key_store.iter_by_purpose(FIELD_PURPOSE))
        if not keys:
            raise OperationError("this stage has no field key")
        return keys

    def _make_cipher(self) -> FieldCipher:
        keyring = Keyring(wrapped_keys=self._key_store, key_wrapper=self._key_wrap, clock=self._clock)
        return FieldCipher(keyring.get_field_keys, keyring.refresh_field_keys)

    def _make_cipher_of(self, keys: Collection[WrappedKey]) -> FieldCipher:
        by_id = {key.key_id: self._key_wrap.unwrap(key) for key in keys}
        field_keys = FieldKeys(next(iter(by_id)), by_id)
        return FieldCipher(lambda: field_keys)

    def _reseal_table(self, table: str) -> tuple[int, int]:
        """Reseal the values of one table that are sealed with an older key.

        Return the numbers of resealed and of unreadable items.
        """
        cipher, seen_count, resealed_count, unreadable_count = self._make_cipher(), 0, 0, 0
        for item in self._iter_items(table):
            seen_count += 1
            try:
                resealed = SEALED_TABLES[table](item, cipher)
            except RecordUnreadable:
                unreadable_count += 1
                continue
            if resealed:
                resealed_count += 1
                self._write_resealed(table, item, resealed)
        self._on_progress(f"{table}: {seen_count} items seen, {resealed_count} resealed")
        return resealed_count, unreadable_count

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

    def _iter_items(self, table: str) -> Iterator[dict[str, Any]]:
        """Yield the items of a table, and renew the lock for each page. Raise KeysLocked."""
        seen_count = 0
        for page in iter_pages(self._dynamodb, self._outputs[f"{table}Name"]):
            self._changes.acquire_lock()
            yield from page
            seen_count += len(page)
            self._on_progress(f"{table}: {seen_count} items seen")


def _is_readable(table: str, item: Mapping[str, Any], cipher: FieldCipher) -> bool:
    """Return False if a value of the item cannot be opened. What nothing reseals counts as readable."""
    try:
        if table in SEALED_TABLES:
            SEALED_TABLES[table](item, cipher)
    except RecordUnreadable:
        return False
    return True


def _describe_only_key(kept: Collection[WrappedKey]) -> str:
    only = "there is only one key, and it is in use: run this without --retire to add another"
    retired = [f"{key.key_id} until {key.kept_until:%Y-%m-%d}" for key in kept]
    return f"{only}; retired and kept: {', '.join(retired)}" if retired else only


def _find_sealing_end(current_key: WrappedKey) -> datetime:
    return current_key.made_at + MAX_KEY_AGE + _SAFETY_MARGIN


def _find_retirable_at(current_key: WrappedKey) -> datetime:
    return _find_sealing_end(current_key) + _STREAM_RETENTION
