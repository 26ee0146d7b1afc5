"""JSON whose objects name each key once.

Python and pydantic keep the last value of a repeated key, so that the reader and the sender may disagree on
what was sent.
"""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, TypeVar

from pydantic import TypeAdapter

Content = TypeVar("Content")
JsonPath = tuple[int | str, ...]

# The place of a value: the place of what it is in, and its key or index there.
_Place = tuple[Any, int | str]


class ObjectWithRepeatedKeys(dict[str, Any]):
    """A JSON object that names some keys, `repeated_keys`, more than once; it has their last values."""

    def __init__(self, pairs: Sequence[tuple[str, Any]]) -> None:
        super().__init__(pairs)
        counts = Counter(name for name, _ in pairs)
        self.repeated_keys = [name for name, count in counts.items() if count > 1]


def parse_json(document: bytes | str) -> Any:
    """Return a JSON document; `iter_repeated_keys` finds its repeated keys. Raise ValueError."""
    return json.loads(document, object_pairs_hook=_build_object)


def iter_repeated_keys(document: Any) -> Iterator[JsonPath]:
    """Yield the path of each repeated key of a document from `parse_json`."""
    # Neither recursive nor with a path for each value: a hostile document is deep and wide.
    remaining: list[tuple[_Place | None, Any]] = [(None, document)]
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
    document = parse_json(text)
    repeated = next(iter_repeated_keys(document), None)
    if repeated is not None:
        raise ValueError(f"{'.'.join(map(str, repeated))} is written twice")
    return document


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


def _build_object(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    return found if len(found) == len(pairs) else ObjectWithRepeatedKeys(pairs)
