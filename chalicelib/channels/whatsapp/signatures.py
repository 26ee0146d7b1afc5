"""The proofs of Meta's webhooks: the verification of an address, and the signature of each request. Pure.

https://developers.facebook.com/docs/graph-api/webhooks/getting-started
"""

import hashlib
import hmac
from collections.abc import Mapping

SIGNATURE_HEADER = "x-hub-signature-256"
_PREFIX = "sha256="
_SIGNATURE_LENGTH = 71


def is_signed(body: bytes, signature: str, app_secret: str) -> bool:
    """Return True if Meta signed these very bytes with our secret. Compare in constant time."""
    if not app_secret or len(signature) != _SIGNATURE_LENGTH or not signature.startswith(_PREFIX):
        return False
    expected = hmac.new(app_secret.encode(), body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(signature.removeprefix(_PREFIX).encode(), expected.encode())


def find_challenge(query: Mapping[str, str], verify_token: str) -> str | None:
    """Return the challenge of a verification with our token, or None."""
    token = query.get("hub.verify_token", "")
    is_ours = bool(verify_token) and hmac.compare_digest(token.encode(), verify_token.encode())
    challenge = query.get("hub.challenge", "")
    if not is_ours or query.get("hub.mode") != "subscribe" or not challenge.isalnum():
        return None
    return challenge
