"""Sealed fields: opened by us for their own place only, and readable by any AES-GCM."""

import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.crypto.encryption import FieldCipher, FieldKeys, UnsealError

OLD, NEW = bytes(range(32)), bytes(range(32, 64))
RECORD, FIELD = "registration 7K4-M2Q-X9P", "nik"

tags = st.text("abcdefghijklmnopqrstuvwxyz0123456789- ", max_size=20)


def a_cipher(current: str = "2024-10", **keys: bytes) -> FieldCipher:
    return FieldCipher(lambda: FieldKeys(current_key_id=current, by_id={"2024-10": OLD} | keys))


def sealed(text: str = "3171075204857001") -> bytes:
    return a_cipher().seal(text, record=RECORD, field=FIELD)


def opened(value: bytes, *, record: str = RECORD, field: str = FIELD) -> str:
    return a_cipher().unseal(value, record=record, field=field)


@given(text=st.text(), record=tags, field=tags)
def test_what_is_sealed_for_a_place_is_unsealed_there(text: str, record: str, field: str) -> None:
    value = a_cipher().seal(text, record=record, field=field)
    assert a_cipher().unseal(value, record=record, field=field) == text


@given(text=st.text(), record=tags, field=tags, other_record=tags, other_field=tags)
def test_what_is_sealed_for_a_place_is_unsealed_nowhere_else(
    text: str, record: str, field: str, other_record: str, other_field: str
) -> None:
    value = a_cipher().seal(text, record=record, field=field)
    if (record, field) == (other_record, other_field):
        return
    with pytest.raises(UnsealError):
        a_cipher().unseal(value, record=other_record, field=other_field)


def test_any_changed_byte_is_noticed() -> None:
    value = sealed()
    for position in range(len(value)):
        for flipped in (0x01, 0x80, 0xFF):
            tampered = bytearray(value)
            tampered[position] ^= flipped
            with pytest.raises(UnsealError):
                opened(bytes(tampered))


def test_a_value_cut_or_extended_anywhere_is_noticed() -> None:
    value = sealed()
    for length in range(len(value)):
        with pytest.raises(UnsealError):
            opened(value[:length])
    with pytest.raises(UnsealError):
        opened(value + b"\x00")


@given(value=st.binary(max_size=80))
def test_bytes_that_were_never_sealed_are_refused_by_name(value: bytes) -> None:
    with pytest.raises(UnsealError):
        opened(value)


def test_the_same_text_is_never_sealed_to_the_same_bytes() -> None:
    assert len({sealed() for _ in range(100)}) == 100


def test_nothing_of_the_text_shows_but_its_length() -> None:
    assert b"3171" not in sealed()
    assert len(sealed("")) + 16 == len(sealed("3171075204857001"))


def test_a_value_under_the_old_key_stays_readable_after_rotation() -> None:
    rotated = a_cipher(current="2025-01", **{"2025-01": NEW})
    assert rotated.unseal(sealed("before"), record=RECORD, field=FIELD) == "before"


def test_after_rotation_new_values_are_sealed_under_the_new_key() -> None:
    rotated = a_cipher(current="2025-01", **{"2025-01": NEW})
    value = rotated.seal("after", record=RECORD, field=FIELD)
    assert rotated.unseal(value, record=RECORD, field=FIELD) == "after"
    with pytest.raises(UnsealError):
        opened(value)


def test_another_key_under_the_same_id_opens_nothing() -> None:
    impostor = FieldCipher(lambda: FieldKeys(current_key_id="2024-10", by_id={"2024-10": NEW}))
    with pytest.raises(UnsealError):
        impostor.unseal(sealed(), record=RECORD, field=FIELD)


def test_a_refusal_names_the_field_and_no_content() -> None:
    with pytest.raises(UnsealError) as refused:
        opened(sealed(), field="phone")
    assert "phone" in str(refused.value)
    assert "3171" not in str(refused.value)


def parts(value: bytes) -> tuple[bytes, bytes, bytes, bytes]:
    """Format and length of the key id; key id; nonce; ciphertext with tag."""
    end = 2 + value[1]
    return value[:2], value[2:end], value[end : end + 12], value[end + 12 :]


def test_another_library_opens_what_we_sealed() -> None:
    header, key_id, nonce, body = parts(sealed("Melati Kusumawati"))
    assert (header, key_id) == (b"\x01\x07", b"2024-10")
    assert AESGCM(OLD).decrypt(nonce, body, b"registration 7K4-M2Q-X9P\x1fnik") == b"Melati Kusumawati"
    with pytest.raises(InvalidTag):
        AESGCM(OLD).decrypt(nonce, body, b"registration 7K4-M2Q-X9P\x1fname")


@given(text=st.text(), nonce=st.binary(min_size=12, max_size=12))
def test_we_open_what_another_library_sealed(text: str, nonce: bytes) -> None:
    body = AESGCM(OLD).encrypt(nonce, text.encode(), f"{RECORD}\x1f{FIELD}".encode())
    assert opened(b"\x01\x07" + b"2024-10" + nonce + body) == text
