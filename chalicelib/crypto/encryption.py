"""Field encryption: AES-256-GCM, bound to the record and the field that a value belongs to."""

from collections.abc import Callable, Mapping
from secrets import token_bytes

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from chalicelib.values import Value

_FORMAT = 1
_HEADER_BYTES = 2
_NONCE_BYTES = 12
# A length is rounded up to this, so that it does not tell how many digits or letters a short value has.
_BLOCK_BYTES = 32
_BLANK, _END = b" ", b"\x00"


class UnsealError(Exception):
    """Sealed bytes were altered, belong to another place, or were sealed under a key that is not held."""


class KeyNotHeld(UnsealError):
    """The value names a key that is not in use: it was retired or deleted, or the name was altered."""


class FieldKeys(Value):
    """The data keys of a stage by id, and the id of the key for new values."""

    current_key_id: str
    by_id: Mapping[str, bytes]


class FieldCipher:
    """Seals and unseals text fields.

    A sealed value is: format (1 byte), length of the key id (1), key id, nonce (12), ciphertext, tag (16).
    The key id keeps values readable after a rotation. The associated data names the record and the field, so
    that a value copied to another place does not unseal. The text is padded with blanks, which earlier
    releases read as part of a text that does not mind them: during a deployment both read all values.
    """

    def __init__(
        self, get_keys: Callable[[], FieldKeys], refresh_keys: Callable[[str], FieldKeys] | None = None
    ) -> None:
        """`refresh_keys` reads the keys again, for a key id that `get_keys` does not return."""
        self._get_keys = get_keys
        self._refresh_keys = refresh_keys

    def seal(self, text: str, *, record: str, field: str) -> bytes:
        """Encrypt one field of one record under the current key."""
        keys = self._get_keys()
        key_id = keys.current_key_id.encode()
        nonce = token_bytes(_NONCE_BYTES)
        cipher = AESGCM(keys.by_id[keys.current_key_id])
        body = cipher.encrypt(nonce, _pad(text.encode()), _build_associated_data(record, field))
        return bytes([_FORMAT, len(key_id)]) + key_id + nonce + body

    def unseal(self, sealed: bytes, *, record: str, field: str) -> str:
        """Return the text that was sealed for this record and field. Raise UnsealError."""
        if len(sealed) < _HEADER_BYTES or sealed[0] != _FORMAT:
            raise UnsealError(f"unknown format of {field}")
        start = _HEADER_BYTES + sealed[1]
        key = self._find_key(read_key_id(sealed))
        if key is None:
            raise KeyNotHeld(f"no key for {field}")
        nonce, body = sealed[start : start + _NONCE_BYTES], sealed[start + _NONCE_BYTES :]
        try:
            padded = AESGCM(key).decrypt(nonce, body, _build_associated_data(record, field))
            return _unpad(padded).decode()
        except (InvalidTag, ValueError):
            raise UnsealError(f"{field} does not belong to this record, or was altered") from None

    def reseal(self, sealed: bytes, *, record: str, field: str) -> bytes | None:
        """Return the value sealed under the current key, or None if it is already. Raise UnsealError."""
        if read_key_id(sealed) == self._get_keys().current_key_id:
            return None
        return self.seal(self.unseal(sealed, record=record, field=field), record=record, field=field)

    def _find_key(self, key_id: str) -> bytes | None:
        key = self._get_keys().by_id.get(key_id)
        if key is None and self._refresh_keys is not None:
            key = self._refresh_keys(key_id).by_id.get(key_id)
        return key


def is_sealed(value: bytes) -> bool:
    """Return True if the value has the form of a sealed one."""
    return value[:1] == bytes([_FORMAT])


def read_key_id(sealed: bytes) -> str:
    """Return the id of the key that a value is sealed under."""
    return sealed[_HEADER_BYTES : _HEADER_BYTES + sealed[1]].decode("ascii", "replace")


def _pad(text: bytes) -> bytes:
    # An end that would be taken for padding is marked.
    marked = text + _END if text.endswith((_BLANK, _END)) else text
    blocks = max(1, -(-len(marked) // _BLOCK_BYTES))
    return marked.ljust(blocks * _BLOCK_BYTES, _BLANK)


def _unpad(padded: bytes) -> bytes:
    return padded.rstrip(_BLANK).removesuffix(_END)


def _build_associated_data(record: str, field: str) -> bytes:
    return f"{record}\x1f{field}".encode()
