"""Pages of ordered rows, and opaque cursors that stay valid while rows are added or moved."""

import base64
import binascii
from collections.abc import Callable, Iterable, Sequence
from itertools import islice
from typing import Generic, NewType, TypeVar

from chalicelib.refusals import Refusal
from chalicelib.values import Value

Position = NewType("Position", str)
Row = TypeVar("Row")

# A position is printable ASCII: a timestamp and an id.
_MAX_LENGTH = 200
_SEPARATOR = "|"


class CursorInvalid(Refusal):
    """The cursor was not made by this API."""

    code = "cursor_invalid"


class Page(Value, Generic[Row]):
    """Rows in order, the position of the last row read, and if more rows follow.

    `unreadable` are the ids of the rows that could not be read; the position is after them too.
    """

    rows: Sequence[Row]
    last_position: Position | None
    has_more: bool
    unreadable: Sequence[str] = ()

    @property
    def next_position(self) -> Position | None:
        """The position after which the next page begins; None if there is none."""
        return self.last_position if self.has_more else None


def cut_page(
    found: Iterable[Row],
    page_size: int,
    *,
    start_after: Position | None,
    get_position: Callable[[Row], str],
) -> Page[Row]:
    """Return the first rows of those found after a position. Reads one more row than the page has."""
    rows = list(islice(found, page_size + 1))
    kept = rows[:page_size]
    return Page(
        kept,
        last_position=Position(get_position(kept[-1])) if kept else start_after,
        has_more=len(rows) > page_size,
    )


def to_cursor(position: Position | None, settled_position: Position | None = None) -> str | None:
    """Return a position as a cursor, with the position that was settled when the first page was read."""
    if position is None:
        return None
    text = position if settled_position is None else f"{position}{_SEPARATOR}{settled_position}"
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def from_cursor(cursor: str | None) -> tuple[Position | None, Position | None]:
    """Return the position and the settled position of a cursor. Raise CursorInvalid."""
    if cursor is None:
        return None, None
    try:
        text = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True).decode(
            "ascii"
        )
    except (binascii.Error, ValueError):
        raise CursorInvalid("not base64") from None
    if not (0 < len(text) <= _MAX_LENGTH and text.isprintable()):
        raise CursorInvalid("not a position")
    position, _, settled = text.partition(_SEPARATOR)
    return Position(position), Position(settled) if settled else None
