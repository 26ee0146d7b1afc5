"""JSON within limits, whose objects name each key once.

Python and pydantic keep the last value of a repeated key, so that the reader and the sender may disagree on
what was sent.
"""

import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, TypeVar

from pydantic import TypeAdapter

Content = TypeVar("Content")
JsonPath = tuple[int | str, ...]

# No request needs half of them. Parsers have limits of their own, all higher, which fail each in another way.
MAX_DEPTH = 16
MAX_DIGITS = 1000

# In UTF-8 no other character has one of the bytes of a quote, bracket, comma or digit.
_STRING = r'"[^"\\]*+(?:\\.[^"\\]*+)*+"?'
_STRINGS = re.compile(_STRING.encode(), re.DOTALL)
_BRACKETS = re.compile(rb"[\[\]{}]")
# Without the look behind, each digit of a run would begin a search of its own.
_LONG_NUMBER = re.compile(rb"(?<!\d)\d{%d}" % (MAX_DIGITS + 1))
_TOKEN = re.compile(rf"{_STRING}|[\[\]{{}},]".encode(), re.DOTALL)
_WHITE_SPACE = b" \t\r\n"
_DEPTH_OF_ITEMS = 2

# The place of a value: the place of what it is in, and its key or index there.
_Place = tuple[Any, int | str]


class ObjectWithRepeatedKeys(dict[str, Any]):
    """A JSON object that names some keys, `repeated_keys`, more than once; it has their last values."""

    def __init__(self, pairs: Sequence[tuple[str, Any]]) -> None:
        super().__init__(pairs)
        counts = Counter(name for name, _ in pairs)
        self.repeated_keys = [name for name, count in counts.items() if count > 1]


def require_within_limits(document: bytes) -> None:
    """Raise ValueError if a document is nested too deep or has a number with too many digits."""
    without_strings = _STRINGS.sub(b'""', document)
    if _LONG_NUMBER.search(without_strings):
        raise ValueError("a number has too many digits")
    depth = 0
    for bracket in _BRACKETS.findall(without_strings):
        depth += 1 if bracket in b"[{" else -1
        if depth > MAX_DEPTH:
            raise ValueError("nested too deep")


def cut_out_items(document: bytes) -> tuple[bytes, list[bytes]]:
    """Return an object with each item of its lists replaced by a number, and the items, unread.

    Only quotes, brackets and commas count, so that an item that cannot be parsed spoils no other.
    """
    envelope: list[bytes] = []
    items: list[bytes] = []
    depth, kept_until, item_start = 0, 0, None
    for token in _TOKEN.finditer(document):
        mark = token[0]
        if mark in (b"[", b"{"):
            depth += 1
            if depth == _DEPTH_OF_ITEMS:
                item_start = token.end() if mark == b"[" else None
        elif mark in (b",", b"]", b"}"):
            if depth == _DEPTH_OF_ITEMS and item_start is not None:
                item = document[item_start : token.start()].strip(_WHITE_SPACE)
                if item:
                    envelope += (document[kept_until:item_start], b"%d" % len(items))
                    kept_until = token.start()
                    items.append(item)
                item_start = token.end()
            depth -= mark != b","
    return b"".join((*envelope, document[kept_until:])), items


def iter_repeated_keys(document: bytes | str) -> Iterator[JsonPath]:
    """Yield the path of each key that an object of a JSON document repeats. Raise ValueError."""
    content, has_repeated_keys = _read(document)
    if has_repeated_keys:
        yield from _iter_repeated_keys(content)


def _read(document: bytes | str) -> tuple[Any, bool]:
    """Return a JSON document, and whether an object in it repeats a key. Raise ValueError."""
    has_repeated_keys = False

    def build_object(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
        nonlocal has_repeated_keys
        found = dict(pairs)
        if len(found) == len(pairs):
            return found
        has_repeated_keys = True
        return ObjectWithRepeatedKeys(pairs)

    return json.loads(document, object_pairs_hook=build_object), has_repeated_keys


def _iter_repeated_keys(content: Any) -> Iterator[JsonPath]:
    # Neither recursive nor with a path for each value: a hostile document is deep and wide.
    remaining: list[tuple[_Place | None, Any]] = [(None, content)]
    while remaining:
        place, value = remaining.pop()
        if isinstance(value, ObjectWithRepeatedKeys):
            yield from (_build_path((place, name)) for name in value.repeated_keys)
        remaining.extend(((place, step), child) for step, child in _iter_children(value))


def parse_data_file(kind: type[Content], text: str) -> Content:
    """Return the JSON of a data file as `kind`, in pydantic's strict mode.

    Raise ValueError, which pydantic's ValidationError is too, if it is malformed or repeats a key.
    """
    load_data_file(text)
    return TypeAdapter(kind).validate_json(text, strict=True)


def load_data_file(text: str) -> Any:
    """Return the JSON of a data file. Raise ValueError if it is malformed or repeats a key."""
    content, has_repeated_keys = _read(text)
    if has_repeated_keys:
        repeated = next(_iter_repeated_keys(content))
        raise ValueError(f"{'.'.join(map(str, repeated))} is written twice")
    return content


def _build_path(place: _Place | None) -> JsonPath:
    steps: list[int | str] = []
    while place is not None:
        place, step = place
        steps.append(step)
    return tuple(reversed(steps))


def _iter_children(value: Any) -> Iterator[tuple[int | str, Any]]:
    """Yield the objects and lists in an object or a list, with their keys or indexes."""
    children = (
        value.items() if isinstance(value, dict) else enumerate(value if isinstance(value, list) else ())
    )
    return ((step, child) for step, child in children if isinstance(child, dict | list))
