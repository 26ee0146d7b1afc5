"""Compressed bodies: unpacked within a limit, or refused."""

import gzip
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.http.content_encoding import (
    BodyTooLarge,
    EncodingUnsupported,
    GzipMalformed,
    decode_body,
)

LIMIT = 1_000


@given(st.binary(max_size=LIMIT // 2))
def test_a_body_is_the_same_compressed_or_not(body: bytes) -> None:
    for encoding in ("gzip", "GZIP", " x-gzip "):
        assert decode_body(gzip.compress(body), encoding, max_bytes=LIMIT) == body
    for encoding in ("", "identity"):
        assert decode_body(body, encoding, max_bytes=LIMIT) == body


@pytest.mark.parametrize("size", [LIMIT + 1, 100_000_000])
def test_unpacking_stops_at_the_limit(size: int) -> None:
    compressor = zlib.compressobj(9, zlib.DEFLATED, 31)
    bomb = b"".join(compressor.compress(bytes(min(size, 1_000_000))) for _ in range(-(-size // 1_000_000)))
    bomb += compressor.flush()
    with pytest.raises(BodyTooLarge):
        decode_body(bomb, "gzip", max_bytes=max(LIMIT, len(bomb)) if size > LIMIT + 1 else LIMIT)


def test_a_body_of_exactly_the_limit_is_unpacked() -> None:
    assert len(decode_body(gzip.compress(bytes(LIMIT)), "gzip", max_bytes=LIMIT)) == LIMIT


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b'{"items": []}',
        gzip.compress(b"whole")[:-1],
        gzip.compress(b"whole")[:-8] + bytes(8),
        gzip.compress(b"one") + gzip.compress(b"two"),
        gzip.compress(b"one") + b"more",
        zlib.compress(b"another format"),
    ],
    ids=["empty", "not compressed", "cut off", "wrong checksum", "two members", "more after it", "zlib"],
)
def test_what_is_not_one_whole_gzip_is_refused(body: bytes) -> None:
    with pytest.raises(GzipMalformed):
        decode_body(body, "gzip", max_bytes=LIMIT)


@pytest.mark.parametrize("encoding", ["br", "deflate", "zstd", "gzip, gzip", "gzip2", "*"])
def test_another_encoding_is_refused(encoding: str) -> None:
    with pytest.raises(EncodingUnsupported):
        decode_body(b"{}", encoding, max_bytes=LIMIT)
