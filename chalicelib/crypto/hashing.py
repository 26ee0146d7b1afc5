"""Keyed hashes: one person or one content is recognised without its value being kept."""

import hashlib
import hmac
from collections.abc import Callable
from typing import NewType

HashKey = NewType("HashKey", bytes)


class KeyedHash:
    """HMAC-SHA256 under the stage's hash key.

    Without the key, a hash of a NIK could be undone by trying all NIKs.
    """

    def __init__(self, get_key: Callable[[], HashKey]) -> None:
        self._get_key = get_key

    def digest(self, purpose: str, value: str) -> str:
        """Hex digest of a value for one purpose; the same value for another purpose hashes differently."""
        return hmac.new(self._get_key(), f"{purpose}\x1f{value}".encode(), hashlib.sha256).hexdigest()
