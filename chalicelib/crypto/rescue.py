"""Opening of rescue files, which devices seal for the server with its public key.

ECDH on P-256 with a new key of the device for each file, HKDF-SHA-256, AES-256-GCM: browsers have these.
The private key is made of a data key of the stage, which KMS wraps like the others.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

FORMAT = "daftar-rescue-1"

_CURVE = ec.SECP256R1()
# The order of the curve's group (FIPS 186-5, SP 800-186 3.2.1.3).
_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
_KEY_BYTES = 32


class RescueNotOpened(Exception):
    """A file was sealed for another key, or was altered."""


@dataclass(frozen=True)
class SealedRescue:
    """The parts of a rescue file, as bytes. `ciphertext` has the tag at its end."""

    key_id: str
    ephemeral_public_key: bytes
    nonce: bytes
    ciphertext: bytes


@dataclass(frozen=True)
class RescueKey:
    """A key pair for rescue files, made of a secret of 32 bytes."""

    key_id: str
    secret: bytes

    @cached_property
    def public_key(self) -> bytes:
        """The public key as a raw uncompressed point, 65 bytes."""
        return _encode_point(self._private_key.public_key())

    @cached_property
    def _private_key(self) -> ec.EllipticCurvePrivateKey:
        return ec.derive_private_key(int.from_bytes(self.secret) % (_ORDER - 1) + 1, _CURVE)

    def open(self, sealed: SealedRescue) -> bytes:
        """Return the content of a file. Raise RescueNotOpened."""
        try:
            device_key = ec.EllipticCurvePublicKey.from_encoded_point(_CURVE, sealed.ephemeral_public_key)
            shared = self._private_key.exchange(ec.ECDH(), device_key)
            key = derive_key(shared, sealed.ephemeral_public_key, self.public_key)
            return AESGCM(key).decrypt(sealed.nonce, sealed.ciphertext, build_associated_data(sealed.key_id))
        except (InvalidTag, ValueError):
            raise RescueNotOpened("sealed for another key, or altered") from None


class RescueKeys:
    """The stage's keys for rescue files. The newest is for new files; older ones open files made before."""

    def __init__(self, load_keys: Callable[[], Mapping[str, bytes]]) -> None:
        """`load_keys` returns the secrets by key id, oldest first."""
        self._load_keys = load_keys
        self._keys: dict[str, RescueKey] = {}

    def get_current(self) -> RescueKey | None:
        """Return the key that new files are sealed for, None if the stage has none."""
        if not self._keys:
            self._reload()
        return next(reversed(self._keys.values()), None)

    def open(self, sealed: SealedRescue) -> bytes:
        """Return the content of a file. Raise RescueNotOpened."""
        if sealed.key_id not in self._keys:
            self._reload()
        if sealed.key_id not in self._keys:
            raise RescueNotOpened("sealed for a key that this stage does not have")
        return self._keys[sealed.key_id].open(sealed)

    def _reload(self) -> None:
        self._keys = {key_id: RescueKey(key_id, secret) for key_id, secret in self._load_keys().items()}


def derive_key(shared: bytes, device_public_key: bytes, server_public_key: bytes) -> bytes:
    """Return the key of one file from the shared secret and both public keys."""
    salt = device_public_key + server_public_key
    return HKDF(SHA256(), _KEY_BYTES, salt, FORMAT.encode()).derive(shared)


def build_associated_data(key_id: str) -> bytes:
    return f"{FORMAT} {key_id}".encode()


def _encode_point(public_key: ec.EllipticCurvePublicKey) -> bytes:
    return public_key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
