"""Keyed hashes: the same person is recognised, by us only."""

import hashlib
import hmac

from hypothesis import given
from hypothesis import strategies as st

from chalicelib.privacy.hashing import HashKey, KeyedHash
from tests.builders import a_nik

KEY = bytes(range(32))


def hashing(key: bytes = KEY) -> KeyedHash:
    return KeyedHash(lambda: HashKey(key))


def test_the_same_value_hashes_the_same_in_every_container() -> None:
    assert hashing().of("nik", a_nik()) == hashing().of("nik", a_nik())


def test_the_form_of_a_hash_never_changes() -> None:
    """Stored keys could not be found any more."""
    expected = hmac.new(KEY, b"nik\x1f3171075204857001", hashlib.sha256).hexdigest()
    assert hashing().of("nik", "3171075204857001") == expected


@given(value=st.text())
def test_another_purpose_hashes_differently(value: str) -> None:
    assert hashing().of("nik", value) != hashing().of("capture", value)


@given(value=st.text(), another=st.binary(min_size=32, max_size=32).filter(lambda key: key != KEY))
def test_another_key_hashes_differently(value: str, another: bytes) -> None:
    assert hashing().of("nik", value) != hashing(another).of("nik", value)


@given(value=st.text(), other=st.text())
def test_another_value_hashes_differently(value: str, other: str) -> None:
    assert (hashing().of("nik", value) == hashing().of("nik", other)) is (value == other)


def test_without_the_key_the_hash_of_a_value_cannot_be_made() -> None:
    assert hashing().of("nik", a_nik()) != hashlib.sha256(a_nik().encode()).hexdigest()
