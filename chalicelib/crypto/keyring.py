"""The stage's data keys: stored wrapped by KMS, unwrapped once per process and cached in memory."""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from functools import cached_property
from typing import Protocol

from chalicelib.clock import Clock
from chalicelib.crypto.encryption import FieldKeys
from chalicelib.crypto.hashing import HashKey
from chalicelib.values import Value

FIELD_PURPOSE = "field"
HASH_PURPOSE = "hash"
RESCUE_PURPOSE = "rescue"

KEY_REFRESH_INTERVAL = timedelta(minutes=5)

MAX_KEY_AGE = timedelta(hours=12)
"""The longest time for which a process seals under an old key after a new one was added.

While keys cannot be read, a process goes on with those that it has: for half a day of intake.
"""

# Pause before an unknown key id is looked up again, and before a failed refresh is repeated.
_RETRY_INTERVAL = timedelta(seconds=10)


class KeysMissing(Exception):
    """The stage has no data key for a purpose; `daftar up` and the deployment create them."""


class WrappedKey(Value):
    """A data key as it is stored. Ids sort by age; the last one in use is the current key.

    A retired key is not in use. It is kept wrapped until `kept_until`, so that it can be taken back.
    """

    purpose: str
    key_id: str
    wrapped: bytes
    made_at: datetime
    kept_until: datetime | None = None


class WrappedKeys(Protocol):
    """The store of wrapped keys."""

    def iter_by_purpose(self, purpose: str) -> Iterable[WrappedKey]:
        """Yield the keys of one purpose that are in use, oldest first."""


class KeyWrapper(Protocol):
    """The service that unwraps keys, by one call each: KMS."""

    def unwrap(self, key: WrappedKey) -> bytes:
        """Return the plain data key. The purpose is part of the encryption context."""


class Keyring:
    """Plain keys in memory; those of a purpose are unwrapped on its first use.

    Field keys are read again every five minutes, and at once for a value under an unknown key, so that
    running processes pick up a new key without a restart.
    """

    def __init__(
        self,
        *,
        wrapped_keys: WrappedKeys,
        key_wrapper: KeyWrapper,
        clock: Clock,
        on_failure: Callable[[Exception], object] | None = None,
    ) -> None:
        """`on_failure` receives the error of a refresh that failed, and cached keys stay in use for a while.

        Without it, or when they are MAX_KEY_AGE old, the error is raised.
        """
        self._wrapped_keys = wrapped_keys
        self._key_wrapper = key_wrapper
        self._clock = clock
        self._on_failure = on_failure
        self._cached_keys: FieldKeys | None = None
        self._refresh_at = self._usable_until = clock()
        self._retry_missing_at: dict[str, datetime] = {}

    def get_field_keys(self) -> FieldKeys:
        """Return the keys for fields, KEY_REFRESH_INTERVAL old at most, or MAX_KEY_AGE if refreshes fail."""
        if self._cached_keys is None:
            return self._load_field_keys()
        if self._clock() < self._refresh_at:
            return self._cached_keys
        try:
            return self._load_field_keys()
        except Exception as error:
            if self._on_failure is None or self._clock() >= self._usable_until:
                raise
            # The cached keys still seal and unseal, so that intake continues.
            self._refresh_at = self._clock() + _RETRY_INTERVAL
            self._on_failure(error)
            return self._cached_keys

    def refresh_field_keys(self, key_id: str) -> FieldKeys:
        """Return the keys, read again for an unknown `key_id`, but for one id at most every ten seconds."""
        now = self._clock()
        if self._retry_missing_at.get(key_id, now) > now:
            return self.get_field_keys()
        keys = self._load_field_keys()
        if key_id not in keys.by_id:
            self._retry_missing_at[key_id] = now + _RETRY_INTERVAL
        return keys

    def get_hash_key(self) -> HashKey:
        """Return the key for hashes. It never rotates: hashes under two keys cannot be compared."""
        return self._hash_key

    def load_rescue_keys(self) -> dict[str, bytes]:
        """Return the secrets for rescue files by id, oldest first. A stage of an earlier release has none."""
        stored = self._wrapped_keys.iter_by_purpose(RESCUE_PURPOSE)
        return {key.key_id: self._key_wrapper.unwrap(key) for key in stored}

    def _load_field_keys(self) -> FieldKeys:
        read_at = self._clock()
        stored = self._list_wrapped_keys(FIELD_PURPOSE)
        unwrapped = {} if self._cached_keys is None else self._cached_keys.by_id
        keys = FieldKeys(
            current_key_id=stored[-1].key_id,
            by_id={key.key_id: unwrapped.get(key.key_id) or self._key_wrapper.unwrap(key) for key in stored},
        )
        self._cached_keys = keys
        self._refresh_at, self._usable_until = read_at + KEY_REFRESH_INTERVAL, read_at + MAX_KEY_AGE
        return keys

    @cached_property
    def _hash_key(self) -> HashKey:
        return HashKey(self._key_wrapper.unwrap(self._list_wrapped_keys(HASH_PURPOSE)[0]))

    def _list_wrapped_keys(self, purpose: str) -> list[WrappedKey]:
        stored = list(self._wrapped_keys.iter_by_purpose(purpose))
        if not stored:
            raise KeysMissing(purpose)
        return stored
