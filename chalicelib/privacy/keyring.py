"""The stage's data keys: stored wrapped by KMS, unwrapped once per container and kept in its memory."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

from chalicelib.privacy.encryption import FieldKeys
from chalicelib.privacy.hashing import HashKey

FIELD_PURPOSE = "field"
HASH_PURPOSE = "hash"


class KeysMissing(Exception):
    """This stage has no data key for a purpose; `daftar up` and the deployment provide them."""


@dataclass(frozen=True)
class WrappedKey:
    """One data key as it is stored. Ids sort by age: the last one is the current one."""

    purpose: str
    key_id: str
    wrapped: bytes


class WrappedKeys(Protocol):
    """Where wrapped keys are kept."""

    def of(self, purpose: str) -> Iterable[WrappedKey]:
        """The keys of one purpose, oldest first."""


class KeyWrap(Protocol):
    """Who can unwrap them: KMS, through one call each."""

    def unwrap(self, key: WrappedKey) -> bytes:
        """The plain data key. The purpose is part of the encryption context."""


class Keyring:
    """Keys in the clear, each purpose unwrapped on its first use."""

    def __init__(self, *, stored: WrappedKeys, wrap: KeyWrap) -> None:
        self._stored = stored
        self._wrap = wrap

    def field_keys(self) -> FieldKeys:
        """The keys that seal fields."""
        return self._field_keys

    def hash_key(self) -> HashKey:
        """The key that hashes are made under. It never rotates: hashes could not be compared any more."""
        return self._hash_key

    @cached_property
    def _field_keys(self) -> FieldKeys:
        stored = self._all_of(FIELD_PURPOSE)
        return FieldKeys(
            current=stored[-1].key_id, by_id={key.key_id: self._wrap.unwrap(key) for key in stored}
        )

    @cached_property
    def _hash_key(self) -> HashKey:
        return HashKey(self._wrap.unwrap(self._all_of(HASH_PURPOSE)[0]))

    def _all_of(self, purpose: str) -> list[WrappedKey]:
        stored = list(self._stored.of(purpose))
        if not stored:
            raise KeysMissing(purpose)
        return stored
