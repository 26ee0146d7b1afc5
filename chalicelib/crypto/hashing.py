"""Keyed hashes: they recognise a person or a content without keeping the value."""

import hashlib
import hmac
from collections.abc import Callable
from typing import NewType

HashKey = NewType("HashKey", bytes)


class KeyedHash:
    """HMAC-SHA256 under the stage's hash key: a plain hash of a NIK could be reversed by trying every NIK."""

    def __init__(self, get_key: Callable[[], HashKey]) -> None:
        self._get_key = get_key

    def digest(self, purpose: str, value: str) -> str:
        """Return the hex digest of `value` for one purpose; each purpose has digests of its own."""
        return hmac.new(self._get_key(), f"{purpose}\x1f{value}".encode(), hashlib.sha256).hexdigest()
