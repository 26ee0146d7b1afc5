"""Cursors: opaque, read back as the position they were made of, and refused if invalid."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.http.pagination import CursorInvalid, Page, Position, cut_page, from_cursor, to_cursor

# Positions are timestamps and ids: the bar that separates them from the settled position is in neither.
PRINTABLE = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7B), min_size=1, max_size=200)


@given(position=PRINTABLE)
def test_a_cursor_is_read_back_as_its_position(position: str) -> None:
    cursor = to_cursor(Position(position))
    assert cursor is not None
    assert from_cursor(cursor) == (position, None)
    assert cursor.replace("-", "").replace("_", "").isalnum(), "a query string holds it without escapes"


@given(numbers=st.integers(0, 12), page_size=st.integers(1, 5))
def test_pages_after_one_another_have_every_row_once(numbers: int, page_size: int) -> None:
    rows = [f"{number:02}" for number in range(numbers)]
    read: list[str] = []
    position: Position | None = None
    while True:
        after = [row for row in rows if position is None or row > position]
        page = cut_page(after, page_size, start_after=position, get_position=str)
        assert len(page.rows) <= page_size
        read += page.rows
        position = page.last_position
        if not page.has_more:
            break
    assert read == rows
    assert position == (rows[-1] if rows else None)


def test_without_a_cursor_a_listing_begins_at_the_start() -> None:
    assert from_cursor(None) == (None, None)
    assert to_cursor(None) is None


@pytest.mark.parametrize(
    "cursor",
    ["", "=", "====", "A", "AAAAA", "%00", "a b", "ABCD\n", "2024-10-09T05:00:00Z", "ÄÖ", "🙂",
     "gICA", "AAAA", "Cg", "fw", "_" * 400],
    ids=ascii,
)  # fmt: skip
def test_an_invalid_cursor_is_refused(cursor: str) -> None:
    with pytest.raises(CursorInvalid):
        from_cursor(cursor)


def test_a_position_that_no_row_can_have_is_refused() -> None:
    with pytest.raises(CursorInvalid):
        from_cursor(to_cursor(Position("x" * 201)))


def parse_or_none(cursor: str) -> Position | None:
    try:
        return from_cursor(cursor)[0]
    except CursorInvalid:
        return None


@given(cursor=st.text(max_size=60) | st.text("ABCabc019-_=+/", max_size=40) | st.binary().map(repr))
def test_any_string_is_a_position_or_refused(cursor: str) -> None:
    position = parse_or_none(cursor)
    assert position is None or (position.isprintable() and position.isascii() and 0 < len(position) <= 200)


def test_only_a_page_that_is_not_the_last_has_a_next_position() -> None:
    end = Position("2024-10-09T05:00:00.000Z#7K4-M2Q-X9P")
    assert Page([], end, has_more=True).next_position == end
    assert Page([], end, has_more=False).next_position is None
