"""Keyed hashes: the same person is recognised, by us only."""

import hashlib
import hmac

from hypothesis import given
from hypothesis import strategies as st

from chalicelib.crypto.hashing import HashKey, KeyedHash
from tests.support.builders import make_nik

KEY = bytes(range(32))


def hashing(key: bytes = KEY) -> KeyedHash:
    return KeyedHash(lambda: HashKey(key))


def test_the_same_value_hashes_the_same_in_every_container() -> None:
    assert hashing().digest("nik", make_nik()) == hashing().digest("nik", make_nik())


def test_the_form_of_a_hash_never_changes() -> None:
    """Stored keys could not be found any more."""
    expected = hmac.new(KEY, b"nik\x1f3171075204857001", hashlib.sha256).hexdigest()
    assert hashing().digest("nik", "3171075204857001") == expected


@given(value=st.text())
def test_another_purpose_hashes_differently(value: str) -> None:
    assert hashing().digest("nik", value) != hashing().digest("capture", value)


@given(value=st.text(), another=st.binary(min_size=32, max_size=32).filter(lambda key: key != KEY))
def test_another_key_hashes_differently(value: str, another: bytes) -> None:
    assert hashing().digest("nik", value) != hashing(another).digest("nik", value)


@given(value=st.text(), other=st.text())
def test_another_value_hashes_differently(value: str, other: str) -> None:
    assert (hashing().digest("nik", value) == hashing().digest("nik", other)) is (value == other)


def test_without_the_key_the_hash_of_a_value_cannot_be_made() -> None:
    assert hashing().digest("nik", make_nik()) != hashlib.sha256(make_nik().encode()).hexdigest()
