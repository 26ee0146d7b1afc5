"""The stage's keys: unwrapped once, the newest seals, the oldest hashes."""

from collections.abc import Iterable

import pytest

from chalicelib.privacy.keyring import Keyring, KeysMissing, WrappedKey


class StoredKeys:
    """Keys as they are stored; they unwrap to their own name, and each unwrapping is noted."""

    def __init__(self, *keys: tuple[str, str]) -> None:
        self._keys = [WrappedKey(purpose, key_id, f"{purpose} {key_id}".encode()) for purpose, key_id in keys]
        self.unwrapped: list[WrappedKey] = []

    def of(self, purpose: str) -> Iterable[WrappedKey]:
        return (key for key in self._keys if key.purpose == purpose)

    def unwrap(self, key: WrappedKey) -> bytes:
        self.unwrapped.append(key)
        return key.wrapped


def a_keyring(stored: StoredKeys) -> Keyring:
    return Keyring(stored=stored, wrap=stored)


def test_the_newest_field_key_seals_and_every_one_unseals() -> None:
    keys = a_keyring(StoredKeys(("field", "2024-10"), ("hash", "2024-10"), ("field", "2025-01"))).field_keys()
    assert keys.current == "2025-01"
    assert keys.by_id == {"2024-10": b"field 2024-10", "2025-01": b"field 2025-01"}


def test_hashes_are_made_under_the_oldest_key_for_ever() -> None:
    assert a_keyring(StoredKeys(("hash", "2024-10"), ("hash", "2025-01"))).hash_key() == b"hash 2024-10"


def test_each_key_is_unwrapped_once_and_only_when_it_is_wanted() -> None:
    stored = StoredKeys(("field", "2024-10"), ("hash", "2024-10"))
    keyring = a_keyring(stored)
    assert stored.unwrapped == []
    for _ in range(3):
        keyring.field_keys()
    assert [key.purpose for key in stored.unwrapped] == ["field"]
    for _ in range(3):
        keyring.hash_key()
    assert [key.purpose for key in stored.unwrapped] == ["field", "hash"]


def test_a_stage_without_keys_says_which_are_missing() -> None:
    keyring = a_keyring(StoredKeys(("field", "2024-10")))
    with pytest.raises(KeysMissing, match="hash"):
        keyring.hash_key()


def test_keys_that_were_missing_are_found_once_they_are_there() -> None:
    class LateKeys(StoredKeys):
        def of(self, purpose: str) -> Iterable[WrappedKey]:
            found = list(super().of(purpose)) if self.asked else []
            self.asked = True
            return found

        asked = False

    keyring = a_keyring(LateKeys(("hash", "2024-10")))
    with pytest.raises(KeysMissing):
        keyring.hash_key()
    assert keyring.hash_key() == b"hash 2024-10"
