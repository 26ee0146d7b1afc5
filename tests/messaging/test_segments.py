"""Segments of SMS, at the standard's own limits and by properties."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.messaging.segments import split_segments

BASIC, EXTENDED, OUTSIDE, PAIR = "a", "€", "č", "\N{GRINNING FACE}"

TEXTS = st.one_of(
    st.text([BASIC, EXTENDED, "{", "é"], max_size=700),
    st.text([BASIC, EXTENDED, OUTSIDE, PAIR], max_size=300),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=300),
)


def count_septets(part: str) -> int:
    return len(part) + sum(part.count(character) for character in "\f^{}\\[~]|€")


def count_units(part: str) -> int:
    return len(part.encode("utf-16-be")) // 2


@pytest.mark.parametrize(
    ("text", "encoding", "parts"),
    [
        ("", "GSM", 1),
        (BASIC * 160, "GSM", 1),
        (BASIC * 161, "GSM", 2),
        (BASIC * 306, "GSM", 2),
        (BASIC * 307, "GSM", 3),
        (EXTENDED * 80, "GSM", 1),
        (EXTENDED * 81, "GSM", 2),
        # 76 of them leave one of a part's 153 septets free; the next one needs two.
        (EXTENDED * 152, "GSM", 2),
        (EXTENDED * 153, "GSM", 3),
        (OUTSIDE + BASIC * 69, "UCS-2", 1),
        (OUTSIDE + BASIC * 70, "UCS-2", 2),
        (OUTSIDE * 134, "UCS-2", 2),
        (OUTSIDE * 135, "UCS-2", 3),
        (PAIR * 35, "UCS-2", 1),
        (PAIR * 36, "UCS-2", 2),
        (PAIR * 66, "UCS-2", 2),
        (PAIR * 67, "UCS-2", 3),
    ],
    ids=lambda value: f"{len(value)} of {value[-1:]!a}" if isinstance(value, str) else str(value),
)
def test_text_is_split_at_the_limits_of_the_standard(text: str, encoding: str, parts: int) -> None:
    segmented = split_segments(text)
    assert (segmented.encoding, len(segmented.parts)) == (encoding, parts)


@given(text=TEXTS)
def test_parts_join_to_the_text(text: str) -> None:
    assert "".join(split_segments(text).parts) == text


@given(text=TEXTS)
def test_no_part_is_longer_than_its_encoding_allows(text: str) -> None:
    segmented = split_segments(text)
    size, single, part = (count_septets, 160, 153) if segmented.encoding == "GSM" else (count_units, 70, 67)
    assert all(size(each) <= (single if len(segmented.parts) == 1 else part) for each in segmented.parts)


@given(text=TEXTS)
def test_no_escape_or_surrogate_pair_is_split(text: str) -> None:
    segmented = split_segments(text)
    for each in segmented.parts:
        # Half a surrogate pair cannot be encoded, and half an escape would change the next character.
        assert each.encode("utf-16-be").decode("utf-16-be") == each
    for before, after in zip(segmented.parts, segmented.parts[1:], strict=False):
        size, part = (count_septets, 153) if segmented.encoding == "GSM" else (count_units, 67)
        assert size(before) + size(after[:1]) > part, "a part ends only if the next character does not fit"


@given(text=TEXTS)
def test_one_character_outside_the_alphabet_changes_the_encoding(text: str) -> None:
    assert split_segments(text + OUTSIDE).encoding == "UCS-2"
