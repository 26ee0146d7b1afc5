"""The store of wrapped keys, on each engine."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any, NamedTuple

import pytest

from chalicelib.crypto.keyring import WrappedKey
from chalicelib.crypto.store import DynamoWrappedKeys
from chalicelib.crypto.store_changes import LOCK_DURATION, DynamoKeyChanges, KeysLocked
from tests.contracts.conftest import Engine
from tests.support.builders import NOW
from tests.support.fakes.clock import FixedClock


class Table(NamedTuple):
    client: Any
    name: str


@pytest.fixture
def keys_table(engine: Engine) -> Table:
    return Table(engine.client, engine.create_table("KeysTable"))


@pytest.fixture
def keys(keys_table: Table) -> DynamoWrappedKeys:
    return DynamoWrappedKeys(keys_table.client, keys_table.name)


def make_key(
    key_id: str = "2024-10", *, purpose: str = "field", wrapped: bytes = b"\x00\xffwrapped"
) -> WrappedKey:
    return WrappedKey(purpose=purpose, key_id=key_id, wrapped=wrapped, made_at=NOW)


def test_a_key_comes_back_as_it_was_added(keys: DynamoWrappedKeys) -> None:
    assert keys.add(make_key()) is True

    assert list(keys.iter_by_purpose("field")) == [make_key()]


def test_a_stored_key_is_never_replaced(keys: DynamoWrappedKeys) -> None:
    keys.add(make_key())

    assert keys.add(make_key(wrapped=b"another")) is False
    assert list(keys.iter_by_purpose("field")) == [make_key()]


def test_keys_are_read_oldest_first(keys: DynamoWrappedKeys) -> None:
    for key_id in ("2025-01", "2024-10", "2024-12"):
        keys.add(make_key(key_id))

    assert [key.key_id for key in keys.iter_by_purpose("field")] == ["2024-10", "2024-12", "2025-01"]


def test_each_purpose_has_its_own_keys(keys: DynamoWrappedKeys) -> None:
    keys.add(make_key(purpose="hash"))

    assert list(keys.iter_by_purpose("field")) == []


def make_changes(keys_table: Table, holder: str = "a", clock: FixedClock | None = None) -> DynamoKeyChanges:
    return DynamoKeyChanges(keys_table.client, keys_table.name, holder=holder, clock=clock or FixedClock(NOW))


def test_a_retired_key_is_not_in_use_until_it_is_taken_back(
    keys: DynamoWrappedKeys, keys_table: Table
) -> None:
    changes, kept_until = make_changes(keys_table), NOW + timedelta(days=60)
    changes.acquire_lock()
    for key_id in ("2024-10", "2025-01"):
        changes.add(make_key(key_id))

    changes.retire(make_key("2024-10"), kept_until=kept_until)

    assert list(keys.iter_by_purpose("field")) == [make_key("2025-01")]
    assert list(keys.iter_retired("field")) == [replace(make_key("2024-10"), kept_until=kept_until)]
    changes.reinstate(make_key("2024-10"))
    assert list(keys.iter_by_purpose("field")) == [make_key("2024-10"), make_key("2025-01")]
    assert list(keys.iter_retired("field")) == []


def test_only_a_retired_key_is_deleted(keys: DynamoWrappedKeys, keys_table: Table) -> None:
    changes = make_changes(keys_table)
    changes.acquire_lock()
    changes.add(make_key())
    with pytest.raises(KeysLocked):
        changes.delete(make_key())
    assert list(keys.iter_by_purpose("field")) == [make_key()]

    changes.retire(make_key(), kept_until=NOW)
    changes.delete(make_key())

    assert [*keys.iter_by_purpose("field"), *keys.iter_retired("field")] == []


CHANGES: dict[str, Callable[[DynamoKeyChanges], None]] = {
    "add": lambda changes: changes.add(make_key("2026-01")),
    "retire": lambda changes: changes.retire(make_key("2024-10"), kept_until=NOW),
    "reinstate": lambda changes: changes.reinstate(make_key("2024-09")),
    "delete": lambda changes: changes.delete(make_key("2024-09")),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_nothing_is_changed_without_the_lock(
    keys: DynamoWrappedKeys, keys_table: Table, change: Callable[[DynamoKeyChanges], None]
) -> None:
    clock = FixedClock(NOW)
    first, second = make_changes(keys_table, "a", clock), make_changes(keys_table, "b", clock)
    first.acquire_lock()
    for key_id in ("2024-09", "2024-10"):
        first.add(make_key(key_id))
    first.retire(make_key("2024-09"), kept_until=NOW)
    before = [*keys.iter_by_purpose("field"), *keys.iter_retired("field")]

    with pytest.raises(KeysLocked):
        change(second)
    clock.advance(LOCK_DURATION + timedelta(seconds=1))
    second.acquire_lock()
    with pytest.raises(KeysLocked):
        change(first)

    assert [*keys.iter_by_purpose("field"), *keys.iter_retired("field")] == before
    change(second)
    assert [*keys.iter_by_purpose("field"), *keys.iter_retired("field")] != before


def test_the_lock_is_kept_by_renewal_and_free_after_release(keys_table: Table) -> None:
    clock = FixedClock(NOW)
    first, second = make_changes(keys_table, "a", clock), make_changes(keys_table, "b", clock)
    for _ in range(3):
        first.acquire_lock()
        clock.advance(LOCK_DURATION - timedelta(seconds=1))
        with pytest.raises(KeysLocked) as locked:
            second.acquire_lock()
        assert locked.value.held_until == clock() + timedelta(seconds=1)

    second.release_lock()  # It has none to release.
    with pytest.raises(KeysLocked):
        second.acquire_lock()
    first.release_lock()
    second.acquire_lock()
    with pytest.raises(KeysLocked):
        first.acquire_lock()


def test_of_many_at_once_one_gets_the_lock(keys_table: Table) -> None:
    def acquire(number: int) -> bool:
        try:
            make_changes(keys_table, str(number)).acquire_lock()
        except KeysLocked:
            return False
        return True

    with ThreadPoolExecutor(8) as threads:
        assert sum(threads.map(acquire, range(8))) == 1
