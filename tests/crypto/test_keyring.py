"""The keyring: keys are unwrapped once, the newest one seals and the oldest one hashes."""

from collections.abc import Iterable
from datetime import timedelta

import pytest

from chalicelib.crypto.encryption import FieldCipher, UnsealError
from chalicelib.crypto.keyring import (
    KEY_REFRESH_INTERVAL,
    MAX_KEY_AGE,
    Keyring,
    KeysMissing,
    WrappedKey,
)
from tests.support.builders import NOW
from tests.support.fakes.clock import FixedClock


def make_key(purpose: str, key_id: str) -> WrappedKey:
    return WrappedKey(purpose, key_id, f"{purpose} {key_id}".encode(), NOW)


class FakeKeyStore:
    """Stores and unwraps keys: each unwraps to its own name. Records every unwrapping."""

    def __init__(self, *keys: tuple[str, str]) -> None:
        self._keys = [make_key(*key) for key in keys]
        self.unwrapped: list[WrappedKey] = []
        self.read_count = 0
        self.is_available = True

    def add(self, purpose: str, key_id: str) -> None:
        self._keys.append(make_key(purpose, key_id))

    def iter_by_purpose(self, purpose: str) -> Iterable[WrappedKey]:
        self.read_count += 1
        if not self.is_available:
            raise ConnectionError
        return (key for key in self._keys if key.purpose == purpose)

    def unwrap(self, key: WrappedKey) -> bytes:
        self.unwrapped.append(key)
        return key.wrapped


def make_keyring(
    key_store: FakeKeyStore, clock: FixedClock | None = None, failures: list[Exception] | None = None
) -> Keyring:
    return Keyring(
        wrapped_keys=key_store,
        key_wrapper=key_store,
        clock=clock or FixedClock(NOW),
        on_failure=None if failures is None else failures.append,
    )


def test_the_newest_field_key_seals_and_every_one_unseals() -> None:
    keys = make_keyring(
        FakeKeyStore(("field", "2024-10"), ("hash", "2024-10"), ("field", "2025-01"))
    ).get_field_keys()
    assert keys.current_key_id == "2025-01"
    assert keys.by_id == {"2024-10": b"field 2024-10", "2025-01": b"field 2025-01"}


def test_hashes_always_use_the_oldest_key() -> None:
    assert (
        make_keyring(FakeKeyStore(("hash", "2024-10"), ("hash", "2025-01"))).get_hash_key() == b"hash 2024-10"
    )


def test_each_key_is_unwrapped_once_on_first_use() -> None:
    key_store = FakeKeyStore(("field", "2024-10"), ("hash", "2024-10"))
    keyring = make_keyring(key_store)
    assert key_store.unwrapped == []
    for _ in range(3):
        keyring.get_field_keys()
    assert [key.purpose for key in key_store.unwrapped] == ["field"]
    for _ in range(3):
        keyring.get_hash_key()
    assert [key.purpose for key in key_store.unwrapped] == ["field", "hash"]


def test_a_missing_key_is_named_by_its_purpose() -> None:
    keyring = make_keyring(FakeKeyStore(("field", "2024-10")))
    with pytest.raises(KeysMissing, match="hash"):
        keyring.get_hash_key()


def test_missing_keys_are_looked_up_again() -> None:
    class LateKeys(FakeKeyStore):
        def iter_by_purpose(self, purpose: str) -> Iterable[WrappedKey]:
            found = list(super().iter_by_purpose(purpose))
            return found if self.read_count > 1 else []

    keyring = make_keyring(LateKeys(("hash", "2024-10")))
    with pytest.raises(KeysMissing):
        keyring.get_hash_key()
    assert keyring.get_hash_key() == b"hash 2024-10"


def test_a_new_key_is_used_after_the_refresh_interval_and_alone_unwrapped() -> None:
    key_store, clock = FakeKeyStore(("field", "2024-10")), FixedClock(NOW)
    keyring = make_keyring(key_store, clock)
    keyring.get_field_keys()
    key_store.add("field", "2025-01")

    clock.advance(KEY_REFRESH_INTERVAL - timedelta(seconds=1))
    assert keyring.get_field_keys().current_key_id == "2024-10"
    clock.advance(timedelta(seconds=1))
    assert keyring.get_field_keys().current_key_id == "2025-01"

    assert [key.key_id for key in key_store.unwrapped] == ["2024-10", "2025-01"]


def test_a_value_under_an_unknown_key_is_unsealed_at_once() -> None:
    key_store = FakeKeyStore(("field", "sixteen bytes 01"))
    key_store.unwrap = lambda key: key.key_id.encode()  # type: ignore[method-assign]
    old, new = make_keyring(key_store), make_keyring(key_store)
    reader = FieldCipher(old.get_field_keys, old.refresh_field_keys)
    reader.seal("before", record="r", field="f")
    key_store.add("field", "sixteen bytes 02")

    sealed = FieldCipher(new.get_field_keys).seal("after", record="r", field="f")

    assert reader.unseal(sealed, record="r", field="f") == "after"
    assert old.get_field_keys().current_key_id == "sixteen bytes 02", "it seals under the new key now"


def test_a_missing_key_id_is_not_looked_up_for_every_value() -> None:
    key_store, clock = FakeKeyStore(("field", "sixteen bytes 01")), FixedClock(NOW)
    key_store.unwrap = lambda key: key.key_id.encode()  # type: ignore[method-assign]
    keyring = make_keyring(key_store, clock)
    cipher = FieldCipher(keyring.get_field_keys, keyring.refresh_field_keys)
    sealed = b"\x01\x04gone" + bytes(40)

    for _ in range(50):
        with pytest.raises(UnsealError):
            cipher.unseal(sealed, record="r", field="f")

    assert key_store.read_count == 2
    clock.advance(timedelta(seconds=11))
    with pytest.raises(UnsealError):
        cipher.unseal(sealed, record="r", field="f")
    assert key_store.read_count == 3


def test_cached_keys_stay_in_use_when_a_refresh_fails_and_the_failure_is_reported() -> None:
    key_store, clock, failures = FakeKeyStore(("field", "2024-10")), FixedClock(NOW), list[Exception]()
    keyring = make_keyring(key_store, clock, failures)
    keyring.get_field_keys()
    key_store.is_available = False
    clock.advance(KEY_REFRESH_INTERVAL)

    assert [keyring.get_field_keys().current_key_id for _ in range(20)] == ["2024-10"] * 20

    assert [type(error) for error in failures] == [ConnectionError]
    key_store.is_available = True
    key_store.add("field", "2025-01")
    clock.advance(timedelta(seconds=11))
    assert keyring.get_field_keys().current_key_id == "2025-01"


def test_cached_keys_are_not_used_longer_than_their_highest_age() -> None:
    key_store, clock, failures = FakeKeyStore(("field", "2024-10")), FixedClock(NOW), list[Exception]()
    keyring = make_keyring(key_store, clock, failures)
    keyring.get_field_keys()
    key_store.is_available = False

    clock.advance(MAX_KEY_AGE - timedelta(seconds=1))
    assert keyring.get_field_keys().current_key_id == "2024-10"
    clock.advance(timedelta(seconds=11))
    with pytest.raises(ConnectionError):
        keyring.get_field_keys()

    key_store.is_available = True
    key_store.add("field", "2025-01")
    assert keyring.get_field_keys().current_key_id == "2025-01"


def test_a_failed_refresh_is_raised_without_a_failure_handler() -> None:
    key_store, clock = FakeKeyStore(("field", "2024-10")), FixedClock(NOW)
    keyring = make_keyring(key_store, clock)
    keyring.get_field_keys()
    key_store.is_available = False
    clock.advance(KEY_REFRESH_INTERVAL)

    with pytest.raises(ConnectionError):
        keyring.get_field_keys()
