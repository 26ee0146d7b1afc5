"""Cursors: opaque, good for what made them, and refused by name when they are anything else."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.http.pagination import CursorInvalid, Page, Position, from_cursor, to_cursor

# Positions are timestamps and ids: the bar that parts them from what was settled is in neither.
PRINTABLE = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7B), min_size=1, max_size=200)


@given(position=PRINTABLE)
def test_a_cursor_stands_for_the_position_it_was_made_of(position: Any) -> None:
    cursor = to_cursor(Position(position))
    assert cursor is not None
    assert from_cursor(cursor) == (position, None)
    assert cursor.replace("-", "").replace("_", "").isalnum(), "it travels in a query without escapes"


def test_no_cursor_stands_for_the_beginning() -> None:
    assert from_cursor(None) == (None, None)
    assert to_cursor(None) is None


@pytest.mark.parametrize(
    "cursor",
    ["", "=", "====", "A", "AAAAA", "%00", "a b", "ABCD\n", "2024-10-09T05:00:00Z", "ÄÖ", "🙂",
     "gICA", "AAAA", "Cg", "fw", "_" * 400],
    ids=ascii,
)  # fmt: skip
def test_what_is_no_cursor_is_refused(cursor: str) -> None:
    with pytest.raises(CursorInvalid):
        from_cursor(cursor)


def test_a_position_that_no_row_can_have_is_refused() -> None:
    with pytest.raises(CursorInvalid):
        from_cursor(to_cursor(Position("x" * 201)))


def accepted(cursor: str) -> Position | None:
    try:
        return from_cursor(cursor)[0]
    except CursorInvalid:
        return None


@given(cursor=st.text(max_size=60) | st.text("ABCabc019-_=+/", max_size=40) | st.binary().map(repr))
def test_whatever_is_sent_is_a_position_or_refused(cursor: Any) -> None:
    position = accepted(cursor)
    assert position is None or (position.isprintable() and position.isascii() and 0 < len(position) <= 200)


def test_only_a_page_with_more_behind_it_has_a_next_one() -> None:
    end = Position("2024-10-09T05:00:00.000Z#7K4-M2Q-X9P")
    assert Page([], end, has_more=True).next_position == end
    assert Page([], end, has_more=False).next_position is None
