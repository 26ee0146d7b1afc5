"""Entity tags and conditional requests (RFC 9110, sections 8.8.3 and 13.1.2)."""

from hashlib import sha256

_DIGITS = 32


def compute_etag(content: bytes) -> str:
    """Return a strong entity tag: the same content has the same tag."""
    return f'"{sha256(content).hexdigest()[:_DIGITS]}"'


def is_etag_match(if_none_match: str, etag: str) -> bool:
    """Return True if an `If-None-Match` header names the version; weak and strong tags are equal here."""
    tags = [_to_strong(each.strip()) for each in if_none_match.split(",")]
    return "*" in tags or _to_strong(etag) in tags


def _to_strong(etag: str) -> str:
    return etag.removeprefix("W/")
