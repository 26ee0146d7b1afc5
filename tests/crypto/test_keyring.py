"""The stage's keys: unwrapped once, the newest seals, the oldest hashes."""

from collections.abc import Iterable
from datetime import timedelta

import pytest

from chalicelib.crypto.encryption import FieldCipher, UnsealError
from chalicelib.crypto.keyring import KEY_REFRESH_INTERVAL, Keyring, KeysMissing, WrappedKey
from tests.support.builders import NOW
from tests.support.fakes import FixedClock


def a_key(purpose: str, key_id: str) -> WrappedKey:
    return WrappedKey(purpose, key_id, f"{purpose} {key_id}".encode(), NOW)


class StoredKeys:
    """Keys as they are stored; they unwrap to their own name, and each unwrapping is noted."""

    def __init__(self, *keys: tuple[str, str]) -> None:
        self._keys = [a_key(*key) for key in keys]
        self.unwrapped: list[WrappedKey] = []
        self.asked = 0
        self.answers = True

    def add(self, purpose: str, key_id: str) -> None:
        self._keys.append(a_key(purpose, key_id))

    def iter_by_purpose(self, purpose: str) -> Iterable[WrappedKey]:
        self.asked += 1
        if not self.answers:
            raise ConnectionError
        return (key for key in self._keys if key.purpose == purpose)

    def unwrap(self, key: WrappedKey) -> bytes:
        self.unwrapped.append(key)
        return key.wrapped


def a_keyring(
    stored: StoredKeys, clock: FixedClock | None = None, failures: list[Exception] | None = None
) -> Keyring:
    told = [] if failures is None else failures
    return Keyring(
        wrapped_keys=stored, key_wrapper=stored, clock=clock or FixedClock(NOW), on_failure=told.append
    )


def test_the_newest_field_key_seals_and_every_one_unseals() -> None:
    keys = a_keyring(
        StoredKeys(("field", "2024-10"), ("hash", "2024-10"), ("field", "2025-01"))
    ).get_field_keys()
    assert keys.current_key_id == "2025-01"
    assert keys.by_id == {"2024-10": b"field 2024-10", "2025-01": b"field 2025-01"}


def test_hashes_are_made_under_the_oldest_key_for_ever() -> None:
    assert a_keyring(StoredKeys(("hash", "2024-10"), ("hash", "2025-01"))).get_hash_key() == b"hash 2024-10"


def test_each_key_is_unwrapped_once_and_only_when_it_is_wanted() -> None:
    stored = StoredKeys(("field", "2024-10"), ("hash", "2024-10"))
    keyring = a_keyring(stored)
    assert stored.unwrapped == []
    for _ in range(3):
        keyring.get_field_keys()
    assert [key.purpose for key in stored.unwrapped] == ["field"]
    for _ in range(3):
        keyring.get_hash_key()
    assert [key.purpose for key in stored.unwrapped] == ["field", "hash"]


def test_a_stage_without_keys_says_which_are_missing() -> None:
    keyring = a_keyring(StoredKeys(("field", "2024-10")))
    with pytest.raises(KeysMissing, match="hash"):
        keyring.get_hash_key()


def test_keys_that_were_missing_are_found_once_they_are_there() -> None:
    class LateKeys(StoredKeys):
        def iter_by_purpose(self, purpose: str) -> Iterable[WrappedKey]:
            found = list(super().iter_by_purpose(purpose))
            return found if self.asked > 1 else []

    keyring = a_keyring(LateKeys(("hash", "2024-10")))
    with pytest.raises(KeysMissing):
        keyring.get_hash_key()
    assert keyring.get_hash_key() == b"hash 2024-10"


def test_a_new_key_is_taken_up_within_minutes_and_only_it_is_unwrapped() -> None:
    stored, clock = StoredKeys(("field", "2024-10")), FixedClock(NOW)
    keyring = a_keyring(stored, clock)
    keyring.get_field_keys()
    stored.add("field", "2025-01")

    clock.advance(KEY_REFRESH_INTERVAL - timedelta(seconds=1))
    assert keyring.get_field_keys().current_key_id == "2024-10"
    clock.advance(timedelta(seconds=1))
    assert keyring.get_field_keys().current_key_id == "2025-01"

    assert [key.key_id for key in stored.unwrapped] == ["2024-10", "2025-01"]


def test_a_value_under_a_key_that_a_container_has_not_met_is_read_at_once() -> None:
    stored = StoredKeys(("field", "sixteen bytes 01"))
    stored.unwrap = lambda key: key.key_id.encode()  # type: ignore[method-assign]
    old, new = a_keyring(stored), a_keyring(stored)
    reader = FieldCipher(old.get_field_keys, old.refresh_field_keys)
    reader.seal("before", record="r", field="f")
    stored.add("field", "sixteen bytes 02")

    sealed = FieldCipher(new.get_field_keys).seal("after", record="r", field="f")

    assert reader.unseal(sealed, record="r", field="f") == "after"
    assert old.get_field_keys().current_key_id == "sixteen bytes 02", (
        "and it seals under the new key from now on"
    )


def test_a_key_that_is_nowhere_is_not_asked_for_at_every_value() -> None:
    stored, clock = StoredKeys(("field", "sixteen bytes 01")), FixedClock(NOW)
    stored.unwrap = lambda key: key.key_id.encode()  # type: ignore[method-assign]
    keyring = a_keyring(stored, clock)
    cipher = FieldCipher(keyring.get_field_keys, keyring.refresh_field_keys)
    orphan = b"\x01\x04gone" + bytes(40)

    for _ in range(50):
        with pytest.raises(UnsealError):
            cipher.unseal(orphan, record="r", field="f")

    assert stored.asked == 2
    clock.advance(timedelta(seconds=11))
    with pytest.raises(UnsealError):
        cipher.unseal(orphan, record="r", field="f")
    assert stored.asked == 3


def test_keys_that_cannot_be_read_anew_go_on_serving_and_it_is_told() -> None:
    stored, clock, failures = StoredKeys(("field", "2024-10")), FixedClock(NOW), list[Exception]()
    keyring = a_keyring(stored, clock, failures)
    keyring.get_field_keys()
    stored.answers = False
    clock.advance(KEY_REFRESH_INTERVAL)

    assert [keyring.get_field_keys().current_key_id for _ in range(20)] == ["2024-10"] * 20

    assert [type(error) for error in failures] == [ConnectionError]
    stored.answers = True
    stored.add("field", "2025-01")
    clock.advance(timedelta(seconds=11))
    assert keyring.get_field_keys().current_key_id == "2025-01"
