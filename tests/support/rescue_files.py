"""Rescue files, sealed as a browser does: by another library than the one that opens them."""

import gzip
import json
import os
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.support.app_loader import make_container

FORMAT = "daftar-rescue-1"


def encode(content: bytes) -> str:
    return urlsafe_b64encode(content).decode().rstrip("=")


def decode(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


def make_content(captures: Any, *, client_id: str = "van-1", **changes: Any) -> dict[str, Any]:
    """Return the content of a file, as a device exports it."""
    return {
        "client_id": client_id,
        "exported_at": "2024-10-09T18:00:00+07:00",
        "app_version": "0123456789abcdef",
        "clock_skew_seconds": -4,
        "captures": captures,
        **changes,
    }


def seal(content: bytes, *, key_id: str, public_key: bytes) -> dict[str, str]:
    """Return the file of a content, which is packed already."""
    device_key = ec.generate_private_key(ec.SECP256R1())
    server_key = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), public_key)
    device_public_key = device_key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    key = HKDF(SHA256(), 32, device_public_key + public_key, FORMAT.encode()).derive(
        device_key.exchange(ec.ECDH(), server_key)
    )
    nonce = os.urandom(12)
    return {
        "format": FORMAT,
        "key_id": key_id,
        "ephemeral_public_key": encode(device_public_key),
        "nonce": encode(nonce),
        "ciphertext": encode(AESGCM(key).encrypt(nonce, content, f"{FORMAT} {key_id}".encode())),
    }


def seal_for(rescue_key: dict[str, str], content: dict[str, Any]) -> dict[str, str]:
    """Return the file of a content for the `rescue_key` of a bundle."""
    packed = gzip.compress(json.dumps(content).encode())
    return seal(packed, key_id=rescue_key["key_id"], public_key=decode(rescue_key["public_key"]))


def make_rescue_file(captures: Any, *, client_id: str = "van-1", **changes: Any) -> dict[str, str]:
    """Return a file with captures, sealed for the stage on moto."""
    key = make_container().rescue_keys.get_current()
    assert key is not None
    rescue_key = {"key_id": key.key_id, "public_key": encode(key.public_key)}
    return seal_for(rescue_key, make_content(captures, client_id=client_id, **changes))
