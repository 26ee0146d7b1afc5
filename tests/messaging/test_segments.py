"""How a text is cut into parts, at the standard's own limits and by properties."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.messaging.segments import split_segments

BASIC, EXTENDED, OUTSIDE, PAIR = "a", "€", "č", "\N{GRINNING FACE}"

texts = st.one_of(
    st.text([BASIC, EXTENDED, "{", "é"], max_size=700),
    st.text([BASIC, EXTENDED, OUTSIDE, PAIR], max_size=300),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=300),
)


def septets(part: str) -> int:
    return len(part) + sum(part.count(character) for character in "\f^{}\\[~]|€")


def units(part: str) -> int:
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
        # 76 of them leave one septet of a part's 153 free, which no half of the next can take.
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
def test_a_text_is_cut_where_the_standard_says(text: str, encoding: str, parts: int) -> None:
    cut = split_segments(text)
    assert (cut.encoding, len(cut.parts)) == (encoding, parts)


@given(text=texts)
def test_the_parts_are_the_text(text: str) -> None:
    assert "".join(split_segments(text).parts) == text


@given(text=texts)
def test_no_part_is_longer_than_its_encoding_allows(text: str) -> None:
    cut = split_segments(text)
    size, whole, part = (septets, 160, 153) if cut.encoding == "GSM" else (units, 70, 67)
    assert all(size(each) <= (whole if len(cut.parts) == 1 else part) for each in cut.parts)


@given(text=texts)
def test_neither_an_escape_nor_a_surrogate_pair_straddles_two_parts(text: str) -> None:
    cut = split_segments(text)
    for each in cut.parts:
        # Half a pair could not be written, and half an escape would make another character of what follows.
        assert each.encode("utf-16-be").decode("utf-16-be") == each
    for before, after in zip(cut.parts, cut.parts[1:], strict=False):
        size, part = (septets, 153) if cut.encoding == "GSM" else (units, 67)
        assert size(before) + size(after[:1]) > part, (
            "a part is left only when the next character is too much"
        )


@given(text=texts)
def test_one_letter_outside_the_alphabet_changes_the_encoding_of_all(text: str) -> None:
    assert split_segments(text + OUTSIDE).encoding == "UCS-2"
