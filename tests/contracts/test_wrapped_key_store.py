"""The store of wrapped keys, on each engine."""

import pytest

from chalicelib.crypto.keyring import WrappedKey
from chalicelib.crypto.store import DynamoWrappedKeys
from tests.contracts.conftest import Engine
from tests.support.builders import NOW


@pytest.fixture
def keys(engine: Engine) -> DynamoWrappedKeys:
    return DynamoWrappedKeys(engine.client, engine.create_table("KeysTable"))


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


def test_a_removed_key_is_gone_and_others_stay(keys: DynamoWrappedKeys) -> None:
    for key_id in ("2024-10", "2025-01"):
        keys.add(make_key(key_id))

    keys.remove(make_key("2024-10"))
    keys.remove(make_key("2024-10"))

    assert [key.key_id for key in keys.iter_by_purpose("field")] == ["2025-01"]
