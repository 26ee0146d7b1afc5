"""Keyed hashes of a worker's identity fields, and repeated captures of a known worker that differ. Pure."""

import unicodedata
from collections.abc import Mapping
from dataclasses import replace

from chalicelib.conflicts import WriteConflict
from chalicelib.crypto.hashing import KeyedHash
from chalicelib.registrations.captures import IDENTITY_FIELDS, IdentityField
from chalicelib.registrations.model import EventType, Flag, Registration
from chalicelib.registrations.phone import Phone
from chalicelib.registrations.worker import Recipient, Worker
from chalicelib.typed import APOSTROPHES

MAX_RECORDED_REPEATS = 5
"""How many differing repeats the history of a registration keeps. Later ones are in their captures alone."""

# Enough that two values of one worker never share a hash by chance.
_HASH_DIGITS = 16

# Enough that two persons never share a hash by chance, among all that are ever registered.
_LOOKUP_DIGITS = 24

# Stands for a field that the worker does not have, in the length of a hash.
_NO_VALUE, _NO_LOOKUP = "-" * _HASH_DIGITS, "-" * _LOOKUP_DIGITS

PHONE_LOOKUP, PERSON_LOOKUP = "phone_lookup", "person_lookup"
"""The hashes by which registrations of different workers are found together."""


def hash_identity(worker: Worker, *, worker_key: str, hashing: KeyedHash) -> Mapping[str, str]:
    """Return a keyed hash of each identity field, and the two lookups of a worker.

    Equal values of two workers have different hashes, so that the hashes link nobody. The lookups alone are
    the same for two workers: that of the phone, and that of name, birth date and phone together.
    """
    values: dict[IdentityField, str | None] = {
        "name": _fold_name(worker.name),
        "birth_date": worker.birth_date.isoformat(),
        "phone": worker.phone,
    }
    hashes = _hash_values(values, worker_key=worker_key, hashing=hashing)
    return {**hashes, **_hash_lookups(values, hashing)}


def hash_phone_lookup(phone: Phone, hashing: KeyedHash) -> str:
    """Return the lookup of a phone number."""
    return hashing.digest("phone lookup", phone)[:_LOOKUP_DIGITS]


def read_lookups(identity: Mapping[str, str] | None) -> Mapping[str, str]:
    """Return the lookups among identity hashes that have a value. Those of earlier releases have none."""
    found = {name: (identity or {}).get(name, _NO_LOOKUP) for name in (PHONE_LOOKUP, PERSON_LOOKUP)}
    return {name: value for name, value in found.items() if value != _NO_LOOKUP}


def delete_person_lookup(identity: Mapping[str, str] | None) -> Mapping[str, str] | None:
    """Return identity hashes after the birth date was deleted: nobody is found by it any more."""
    return None if identity is None else {**identity, PERSON_LOOKUP: _NO_LOOKUP}


def hash_retained_identity(
    recipient: Recipient, identity: Mapping[str, str] | None, *, worker_key: str, hashing: KeyedHash
) -> Mapping[str, str] | None:
    """Return identity hashes with new ones of name and phone, which are kept when the rest is deleted."""
    if identity is None:
        return None
    values: dict[IdentityField, str | None] = {"name": _fold_name(recipient.name), "phone": recipient.phone}
    hashes = _hash_values(values, worker_key=worker_key, hashing=hashing)
    phone = recipient.phone
    lookup = _NO_LOOKUP if phone is None else hash_phone_lookup(phone, hashing)
    return {**identity, **hashes, PHONE_LOOKUP: lookup}


def _hash_values(
    values: Mapping[IdentityField, str | None], *, worker_key: str, hashing: KeyedHash
) -> dict[str, str]:
    return {
        str(field): _NO_VALUE
        if value is None
        else hashing.digest(f"identity {field}", f"{worker_key}\x1f{value}")[:_HASH_DIGITS]
        for field, value in values.items()
    }


def _hash_lookups(values: Mapping[IdentityField, str | None], hashing: KeyedHash) -> Mapping[str, str]:
    phone = values["phone"]
    if phone is None:
        return {PHONE_LOOKUP: _NO_LOOKUP, PERSON_LOOKUP: _NO_LOOKUP}
    person = f"{values['name']}\x1f{values['birth_date']}\x1f{phone}"
    return {
        PHONE_LOOKUP: hash_phone_lookup(Phone(phone), hashing),
        PERSON_LOOKUP: hashing.digest("person lookup", person)[:_LOOKUP_DIGITS],
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
