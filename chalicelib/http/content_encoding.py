"""Bodies of requests as they were before they were compressed for the way (RFC 9110, section 8.4)."""

import zlib

from chalicelib.refusals import Refusal

_GZIP_FORMAT = 16 + zlib.MAX_WBITS
_NAMES = {"gzip": True, "x-gzip": True, "identity": False, "": False}


class BodyTooLarge(Refusal):
    """The body is larger than a single record can be."""

    code = "body_too_large"


class EncodingUnsupported(Refusal):
    """The body is compressed in another format than gzip."""

    code = "encoding_unsupported"


class GzipMalformed(Refusal):
    """The body is declared as gzip, and is not one whole member of it."""

    code = "gzip_malformed"


def decode_body(body: bytes, content_encoding: str, *, max_bytes: int) -> bytes:
    """Return a body, unpacked if it is compressed. Raise a refusal of this module.

    A body that would unpack to more than `max_bytes` is refused when that many were read, whatever follows.
    """
    require_size(body, max_bytes)
    name = content_encoding.strip().lower()
    if name not in _NAMES:
        raise EncodingUnsupported("neither gzip nor identity")
    return _unpack(body, max_bytes) if _NAMES[name] else body


def require_size(document: bytes, max_bytes: int) -> None:
    """Raise BodyTooLarge if a document is larger than `max_bytes`."""
    if len(document) > max_bytes:
        raise BodyTooLarge(f"more than {max_bytes} bytes")


def _unpack(body: bytes, max_bytes: int) -> bytes:
    unpacker = zlib.decompressobj(_GZIP_FORMAT)
    try:
        unpacked = unpacker.decompress(body, max_bytes + 1)
    except zlib.error:
        raise GzipMalformed("not gzip") from None
    require_size(unpacked, max_bytes)
    if not unpacker.eof or unpacker.unused_data:
        raise GzipMalformed("cut off, or followed by more")
    return unpacked
