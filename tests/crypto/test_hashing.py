"""Keyed hashes: equal for one value, purpose and key, and different otherwise."""

import hashlib
import hmac

from hypothesis import given
from hypothesis import strategies as st

from chalicelib.crypto.hashing import HashKey, KeyedHash
from tests.support.payloads import make_nik

KEY = bytes(range(32))


def make_hash(key: bytes = KEY) -> KeyedHash:
    return KeyedHash(lambda: HashKey(key))


def test_the_same_value_has_the_same_hash_in_every_process() -> None:
    assert make_hash().digest("nik", make_nik()) == make_hash().digest("nik", make_nik())


def test_the_format_of_a_hash_never_changes() -> None:
    """Stored hashes could not be found any more."""
    expected = hmac.new(KEY, b"nik\x1f3171075204857001", hashlib.sha256).hexdigest()
    assert make_hash().digest("nik", "3171075204857001") == expected


@given(value=st.text())
def test_another_purpose_hashes_differently(value: str) -> None:
    assert make_hash().digest("nik", value) != make_hash().digest("capture", value)


@given(value=st.text(), other_key=st.binary(min_size=32, max_size=32).filter(lambda key: key != KEY))
def test_another_key_hashes_differently(value: str, other_key: bytes) -> None:
    assert make_hash().digest("nik", value) != make_hash(other_key).digest("nik", value)


@given(value=st.text(), other=st.text())
def test_another_value_hashes_differently(value: str, other: str) -> None:
    assert (make_hash().digest("nik", value) == make_hash().digest("nik", other)) is (value == other)


def test_a_hash_is_not_the_plain_digest() -> None:
    assert make_hash().digest("nik", make_nik()) != hashlib.sha256(make_nik().encode()).hexdigest()
