"""Generation and unwrapping of data keys by KMS."""

from datetime import datetime
from typing import Any

from chalicelib.clock import to_timestamp
from chalicelib.crypto.keyring import WrappedKey


class KMSKeyWrapper:
    """Satisfies `keyring.KeyWrapper`. The encryption context ties each key to its purpose."""

    def __init__(self, client: Any, key_arn: str) -> None:
        self._client = client
        self._key_arn = key_arn

    def unwrap(self, key: WrappedKey) -> bytes:
        plain: bytes = self._client.decrypt(
            KeyId=self._key_arn, CiphertextBlob=key.wrapped, EncryptionContext=build_context(key.purpose)
        )["Plaintext"]
        return plain

    def generate(self, purpose: str, *, now: datetime) -> WrappedKey:
        """Return a new 256-bit data key. Its plain bytes never leave KMS before the first `unwrap`."""
        wrapped = self._client.generate_data_key_without_plaintext(
            KeyId=self._key_arn, KeySpec="AES_256", EncryptionContext=build_context(purpose)
        )["CiphertextBlob"]
        return WrappedKey(
            purpose=purpose, key_id=f"{purpose}-{to_timestamp(now)}", wrapped=wrapped, made_at=now
        )


def build_context(purpose: str) -> dict[str, str]:
    """Return the encryption context of a key, which ties it to its purpose."""
    return {"daftar:purpose": purpose}
