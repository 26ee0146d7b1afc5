"""The stage's data keys: stored wrapped by KMS, each unwrapped once per container and kept in its memory."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Protocol

from chalicelib.clock import Clock
from chalicelib.crypto.encryption import FieldKeys
from chalicelib.crypto.hashing import HashKey

FIELD_PURPOSE = "field"
HASH_PURPOSE = "hash"

# How long a container may go on sealing under the key before a new one.
KEY_REFRESH_INTERVAL = timedelta(minutes=5)

# Neither a key that is nowhere nor a store that does not answer is asked for at every value.
_RETRY_INTERVAL = timedelta(seconds=10)


class KeysMissing(Exception):
    """This stage has no data key for a purpose; `daftar up` and the deployment provide them."""


@dataclass(frozen=True)
class WrappedKey:
    """One data key as it is stored. Ids sort by age: the last one is the current one."""

    purpose: str
    key_id: str
    wrapped: bytes
    made_at: datetime


class WrappedKeys(Protocol):
    """Where wrapped keys are kept."""

    def iter_by_purpose(self, purpose: str) -> Iterable[WrappedKey]:
        """The keys of one purpose, oldest first."""


class KeyWrapper(Protocol):
    """Who can unwrap them: KMS, through one call each."""

    def unwrap(self, key: WrappedKey) -> bytes:
        """The plain data key. The purpose is part of the encryption context."""


class Keyring:
    """Keys in the clear, each purpose unwrapped on its first use.

    Field keys are looked at anew every few minutes, and at once when a value names one that is not known: a
    key added while containers run is taken up by all of them without a restart.
    """

    def __init__(
        self,
        *,
        wrapped_keys: WrappedKeys,
        key_wrapper: KeyWrapper,
        clock: Clock,
        on_failure: Callable[[Exception], object],
    ) -> None:
        self._wrapped_keys = wrapped_keys
        self._key_wrapper = key_wrapper
        self._clock = clock
        self._on_failure = on_failure
        self._cached_keys: FieldKeys | None = None
        self._refresh_at = clock()
        self._retry_missing_at: dict[str, datetime] = {}

    def get_field_keys(self) -> FieldKeys:
        """The keys that seal fields, as they stood within the last minutes.

        Where they cannot be read anew, those that are known go on serving.
        """
        if self._cached_keys is None:
            return self._load_field_keys()
        if self._clock() < self._refresh_at:
            return self._cached_keys
        try:
            return self._load_field_keys()
        except Exception as error:  # noqa: BLE001 - what is known still seals and unseals; intake goes on
            self._refresh_at = self._clock() + _RETRY_INTERVAL
            self._on_failure(error)
            return self._cached_keys

    def refresh_field_keys(self, key_id: str) -> FieldKeys:
        """The keys, looked at anew for one that was not among them; not again soon if it was not there."""
        now = self._clock()
        if self._retry_missing_at.get(key_id, now) > now:
            return self.get_field_keys()
        keys = self._load_field_keys()
        if key_id not in keys.by_id:
            self._retry_missing_at[key_id] = now + _RETRY_INTERVAL
        return keys

    def get_hash_key(self) -> HashKey:
        """The key that hashes are made under. It never rotates: hashes could not be compared any more."""
        return self._hash_key

    def _load_field_keys(self) -> FieldKeys:
        stored = self._list_wrapped_keys(FIELD_PURPOSE)
        unwrapped = {} if self._cached_keys is None else self._cached_keys.by_id
        known = FieldKeys(
            current_key_id=stored[-1].key_id,
            by_id={key.key_id: unwrapped.get(key.key_id) or self._key_wrapper.unwrap(key) for key in stored},
        )
        self._cached_keys, self._refresh_at = known, self._clock() + KEY_REFRESH_INTERVAL
        return known

    @cached_property
    def _hash_key(self) -> HashKey:
        return HashKey(self._key_wrapper.unwrap(self._list_wrapped_keys(HASH_PURPOSE)[0]))

    def _list_wrapped_keys(self, purpose: str) -> list[WrappedKey]:
        stored = list(self._wrapped_keys.iter_by_purpose(purpose))
        if not stored:
            raise KeysMissing(purpose)
        return stored
