"""Makes the PNG of a screenshot small: a browser writes four bytes a pixel, and text needs few colours."""

import struct
import zlib
from collections import Counter
from collections.abc import Iterator
from functools import partial

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_BYTES_PER_PIXEL_BY_COLOUR_TYPE = {2: 3, 6: 4}
_PALETTE_SIZE, _INDEXED = 256, 3


def shrink(png: bytes) -> bytes:
    """Return the picture with a palette of its most frequent colours, the nearest of them for all others."""
    chunks = list(_iter_chunks(png))
    width, height, _, colour_type = struct.unpack(">IIBB", chunks[0][1][:10])
    size = _BYTES_PER_PIXEL_BY_COLOUR_TYPE[colour_type]
    data = zlib.decompress(b"".join(body for kind, body in chunks if kind == b"IDAT"))
    pixels = [
        list(zip(*(line[channel::size] for channel in range(3)), strict=True))
        for line in _iter_lines(data, width * size, size)
    ]
    frequency = Counter(colour for line in pixels for colour in line)
    palette = {colour: index for index, (colour, _) in enumerate(frequency.most_common(_PALETTE_SIZE))}
    nearest = {colour: palette[min(palette, key=partial(_compare, colour))] for colour in frequency}
    indices = b"".join(b"\0" + bytes(nearest[colour] for colour in line) for line in pixels)
    header = struct.pack(">IIBBBBB", width, height, 8, _INDEXED, 0, 0, 0)
    parts = [
        (b"IHDR", header),
        (b"PLTE", bytes(value for colour in palette for value in colour)),
        (b"IDAT", zlib.compress(indices, 9)),
        (b"IEND", b""),
    ]
    return _SIGNATURE + b"".join(_build_chunk(kind, body) for kind, body in parts)


def _compare(one: tuple[int, ...], other: tuple[int, ...]) -> int:
    """Return how far apart two colours are."""
    return sum((left - right) ** 2 for left, right in zip(one, other, strict=True))


def _iter_chunks(png: bytes) -> Iterator[tuple[bytes, bytes]]:
    position = len(_SIGNATURE)
    while position < len(png):
        (length,) = struct.unpack(">I", png[position : position + 4])
        yield png[position + 4 : position + 8], png[position + 8 : position + 8 + length]
        position += length + 12


def _iter_lines(data: bytes, width: int, size: int) -> Iterator[bytes]:
    """Yield the bytes of each line of pixels, without the filters of PNG."""
    above = bytes(width)
    for start in range(0, len(data), width + 1):
        filter_type, line = data[start], bytearray(data[start + 1 : start + 1 + width])
        for index in range(width) if filter_type else ():
            left, corner = (line[index - size], above[index - size]) if index >= size else (0, 0)
            up = above[index]
            distances = abs(up - corner), abs(left - corner), abs(left + up - 2 * corner)
            nearest = (left, up, corner)[distances.index(min(distances))]
            line[index] = (line[index] + (0, left, up, (left + up) // 2, nearest)[filter_type]) & 255
        yield bytes(line)
        above = bytes(line)


def _build_chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
