"""Repeated captures of a known worker: which identity fields differ from what is recorded. Pure."""

import unicodedata
from collections.abc import Mapping
from dataclasses import replace

from chalicelib.conflicts import WriteConflict
from chalicelib.crypto.hashing import KeyedHash
from chalicelib.registrations.captures import IDENTITY_FIELDS, IdentityField
from chalicelib.registrations.model import EventType, Flag, Registration
from chalicelib.registrations.worker import Worker
from chalicelib.typed import APOSTROPHES

MAX_RECORDED_REPEATS = 5
"""How many differing repeats the history of a registration keeps. Later ones are in their captures alone."""

# Enough that two values of one worker never share a hash by chance.
_HASH_DIGITS = 16

# Stands for a field that the worker does not have, in the length of a hash.
_NO_VALUE = "-" * _HASH_DIGITS


def hash_identity(worker: Worker, *, worker_key: str, hashing: KeyedHash) -> Mapping[str, str]:
    """Return a keyed hash of each identity field.

    Equal values of two workers have different hashes, so that the hashes link nobody.
    """
    values: dict[IdentityField, str | None] = {
        "name": _fold_name(worker.name),
        "birth_date": worker.birth_date.isoformat(),
        "phone": worker.phone,
    }
    return {
        field: _NO_VALUE
        if value is None
        else hashing.digest(f"identity {field}", f"{worker_key}\x1f{value}")[:_HASH_DIGITS]
        for field, value in values.items()
    }


def find_differences(
    recorded: Mapping[str, str] | None, given: Mapping[str, str] | None
) -> tuple[IdentityField, ...]:
    """Return the identity fields of a capture that differ from those of the worker's registration.

    Without hashes, as in registrations of earlier releases, nothing is known to differ. A field that the
    capture does not have differs from nothing.
    """
    if recorded is None or given is None:
        return ()
    return tuple(field for field in IDENTITY_FIELDS if given[field] not in {recorded[field], _NO_VALUE})


def record_repeat(
    recorded: Registration, repeat: Registration, *, hashing: KeyedHash
) -> tuple[tuple[IdentityField, ...], Registration | None]:
    """Return the identity fields in which `repeat` differs from `recorded`, and the next version of that.

    The next version has an event and a flag for the difference. It is None if nothing differs, or if enough
    repeats were recorded. Raise WriteConflict if the registration has ended.
    """
    lifecycle, metadata = recorded.lifecycle, repeat.capture_metadata
    if lifecycle.has_ended:
        raise WriteConflict("the registration ended in between")
    # The registration of an earlier release has no hashes.
    identity = recorded.identity
    if isinstance(recorded.worker, Worker):
        identity = hash_identity(recorded.worker, worker_key=repeat.worker_key, hashing=hashing)
    differs = find_differences(identity, repeat.identity)
    recorded_repeats = sum(event.event_type is EventType.REPEAT_DIFFERS for event in lifecycle.history)
    if not differs or recorded_repeats >= MAX_RECORDED_REPEATS:
        return differs, None
    changed = lifecycle.with_differing_repeat(
        differs, occurred_at=metadata.received_at, client_id=metadata.client_id
    )
    flags = tuple(dict.fromkeys((*recorded.flags, Flag.REPEAT_DIFFERS)))
    return differs, replace(recorded, lifecycle=changed, flags=flags)


def _fold_name(name: str) -> str:
    """Return the letters of a name alone: case, blanks, accents and punctuation make no other person."""
    decomposed = unicodedata.normalize("NFKD", name.casefold())
    return "".join(each for each in decomposed if each.isalpha() and each not in APOSTROPHES)
