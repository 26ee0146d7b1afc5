"""The stage's data keys: stored wrapped by KMS, each unwrapped once per container and kept in its memory."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Protocol

from chalicelib.clock import Clock
from chalicelib.privacy.encryption import FieldKeys
from chalicelib.privacy.hashing import HashKey

FIELD_PURPOSE = "field"
HASH_PURPOSE = "hash"

# How long a container may go on sealing under the key before a new one.
TAKEN_UP_WITHIN = timedelta(minutes=5)

# Neither a key that is nowhere nor a store that does not answer is asked for at every value.
_PAUSE = timedelta(seconds=10)


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

    def of(self, purpose: str) -> Iterable[WrappedKey]:
        """The keys of one purpose, oldest first."""


class KeyWrap(Protocol):
    """Who can unwrap them: KMS, through one call each."""

    def unwrap(self, key: WrappedKey) -> bytes:
        """The plain data key. The purpose is part of the encryption context."""


class Keyring:
    """Keys in the clear, each purpose unwrapped on its first use.

    Field keys are looked at anew every few minutes, and at once when a value names one that is not known: a
    key added while containers run is taken up by all of them without a restart.
    """

    def __init__(
        self, *, stored: WrappedKeys, wrap: KeyWrap, clock: Clock, on_failure: Callable[[Exception], object]
    ) -> None:
        self._stored = stored
        self._wrap = wrap
        self._clock = clock
        self._on_failure = on_failure
        self._known: FieldKeys | None = None
        self._look_again_at = clock()
        self._missed: dict[str, datetime] = {}

    def field_keys(self) -> FieldKeys:
        """The keys that seal fields, as they stood within the last minutes.

        Where they cannot be read anew, those that are known go on serving.
        """
        if self._known is None:
            return self._read()
        if self._clock() < self._look_again_at:
            return self._known
        try:
            return self._read()
        except Exception as error:  # noqa: BLE001 - what is known still seals and unseals; intake goes on
            self._look_again_at = self._clock() + _PAUSE
            self._on_failure(error)
            return self._known

    def field_keys_with(self, key_id: str) -> FieldKeys:
        """The keys, looked at anew for one that was not among them; not again soon if it was not there."""
        now = self._clock()
        if self._missed.get(key_id, now) > now:
            return self.field_keys()
        keys = self._read()
        if key_id not in keys.by_id:
            self._missed[key_id] = now + _PAUSE
        return keys

    def hash_key(self) -> HashKey:
        """The key that hashes are made under. It never rotates: hashes could not be compared any more."""
        return self._hash_key

    def _read(self) -> FieldKeys:
        stored = self._all_of(FIELD_PURPOSE)
        unwrapped = {} if self._known is None else self._known.by_id
        known = FieldKeys(
            current=stored[-1].key_id,
            by_id={key.key_id: unwrapped.get(key.key_id) or self._wrap.unwrap(key) for key in stored},
        )
        self._known, self._look_again_at = known, self._clock() + TAKEN_UP_WITHIN
        return known

    @cached_property
    def _hash_key(self) -> HashKey:
        return HashKey(self._wrap.unwrap(self._all_of(HASH_PURPOSE)[0]))

    def _all_of(self, purpose: str) -> list[WrappedKey]:
        stored = list(self._stored.of(purpose))
        if not stored:
            raise KeysMissing(purpose)
        return stored
