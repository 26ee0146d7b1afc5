"""Sealed fields: unsealed for their own record and field only, and readable by any AES-GCM."""

import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.crypto.encryption import FieldCipher, FieldKeys, UnsealError

OLD, NEW = bytes(range(32)), bytes(range(32, 64))
RECORD, FIELD = "registration 7K4-M2Q-X9P", "nik"

names = st.text("abcdefghijklmnopqrstuvwxyz0123456789- ", max_size=20)


def make_cipher(current: str = "2024-10", **keys: bytes) -> FieldCipher:
    return FieldCipher(lambda: FieldKeys(current_key_id=current, by_id={"2024-10": OLD} | keys))


def seal(text: str = "3171075204857001") -> bytes:
    return make_cipher().seal(text, record=RECORD, field=FIELD)


def unseal(value: bytes, *, record: str = RECORD, field: str = FIELD) -> str:
    return make_cipher().unseal(value, record=record, field=field)


@given(text=st.text(), record=names, field=names)
def test_a_value_is_unsealed_for_its_record_and_field(text: str, record: str, field: str) -> None:
    value = make_cipher().seal(text, record=record, field=field)
    assert make_cipher().unseal(value, record=record, field=field) == text


@given(text=st.text(), record=names, field=names, other_record=names, other_field=names)
def test_a_value_is_not_unsealed_for_another_record_or_field(
    text: str, record: str, field: str, other_record: str, other_field: str
) -> None:
    value = make_cipher().seal(text, record=record, field=field)
    if (record, field) == (other_record, other_field):
        return
    with pytest.raises(UnsealError):
        make_cipher().unseal(value, record=other_record, field=other_field)


def test_any_changed_byte_is_detected() -> None:
    value = seal()
    for position in range(len(value)):
        for flipped in (0x01, 0x80, 0xFF):
            tampered = bytearray(value)
            tampered[position] ^= flipped
            with pytest.raises(UnsealError):
                unseal(bytes(tampered))


def test_a_truncated_or_extended_value_is_detected() -> None:
    value = seal()
    for length in range(len(value)):
        with pytest.raises(UnsealError):
            unseal(value[:length])
    with pytest.raises(UnsealError):
        unseal(value + b"\x00")


@given(value=st.binary(max_size=80))
def test_other_bytes_raise_an_unseal_error(value: bytes) -> None:
    with pytest.raises(UnsealError):
        unseal(value)


def test_each_sealed_value_is_different() -> None:
    assert len({seal() for _ in range(100)}) == 100


def test_a_sealed_value_reveals_only_the_length_of_the_text_in_steps_of_32_bytes() -> None:
    assert b"3171" not in seal()
    assert len({len(seal("1" * length)) for length in range(33)}) == 1
    assert len(seal("1" * 33)) == len(seal("")) + 32 == len(seal("\u00e9" * 32))


@pytest.mark.parametrize(
    "text", ["", " ", "  ", "\x00", " \x00", "\x00 ", "a ", "a\x00", "a" * 31 + " ", "a" * 32]
)
def test_an_end_that_looks_like_padding_is_kept(text: str) -> None:
    assert unseal(seal(text)) == text


def test_a_value_under_the_old_key_stays_readable_after_rotation() -> None:
    rotated = make_cipher(current="2025-01", **{"2025-01": NEW})
    assert rotated.unseal(seal("before"), record=RECORD, field=FIELD) == "before"


def test_after_rotation_new_values_are_sealed_under_the_new_key() -> None:
    rotated = make_cipher(current="2025-01", **{"2025-01": NEW})
    value = rotated.seal("after", record=RECORD, field=FIELD)
    assert rotated.unseal(value, record=RECORD, field=FIELD) == "after"
    with pytest.raises(UnsealError):
        unseal(value)


def test_another_key_under_the_same_id_unseals_nothing() -> None:
    impostor = FieldCipher(lambda: FieldKeys(current_key_id="2024-10", by_id={"2024-10": NEW}))
    with pytest.raises(UnsealError):
        impostor.unseal(seal(), record=RECORD, field=FIELD)


def test_an_error_names_the_field_and_no_content() -> None:
    with pytest.raises(UnsealError) as error_info:
        unseal(seal(), field="phone")
    assert "phone" in str(error_info.value)
    assert "3171" not in str(error_info.value)


def split_parts(value: bytes) -> tuple[bytes, bytes, bytes, bytes]:
    """Return the header (format, length of the key id), the key id, the nonce, the ciphertext with tag."""
    end = 2 + value[1]
    return value[:2], value[2:end], value[end : end + 12], value[end + 12 :]


def test_a_value_that_a_release_sealed_with_pycryptodomex_is_unsealed() -> None:
    value = (
        "0107323032342d3130000102030405060708090a0b7433e12af5d2f729bd75afbe86d9485c"
        "a3f6a714d05b7f5c1847c5a53d492092fb96ff87bfc3990ebc73bb7ccd412e9b"
    )
    assert unseal(bytes.fromhex(value)) == "3171075204857001"


def test_aes_gcm_by_itself_decrypts_a_sealed_value() -> None:
    header, key_id, nonce, body = split_parts(seal("Melati Kusumawati"))
    assert (header, key_id) == (b"\x01\x07", b"2024-10")
    assert AESGCM(OLD).decrypt(nonce, body, b"registration 7K4-M2Q-X9P\x1fnik") == (
        b"Melati Kusumawati".ljust(32)
    )
    with pytest.raises(InvalidTag):
        AESGCM(OLD).decrypt(nonce, body, b"registration 7K4-M2Q-X9P\x1fname")


# No value of an earlier release ends like padding: typed values are stripped, others are numbers and JSON.
@given(
    text=st.text().filter(lambda text: not text.endswith((" ", "\x00"))),
    nonce=st.binary(min_size=12, max_size=12),
)
def test_a_value_without_padding_of_an_earlier_release_is_unsealed(text: str, nonce: bytes) -> None:
    body = AESGCM(OLD).encrypt(nonce, text.encode(), f"{RECORD}\x1f{FIELD}".encode())
    assert unseal(b"\x01\x07" + b"2024-10" + nonce + body) == text
