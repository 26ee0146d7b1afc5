"""Masked values show their agreed part only."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.crypto.masking import mask_name, mask_number


@pytest.mark.parametrize(
    ("value", "masked"),
    [
        ("3171075204857001", "************7001"),
        ("+6282455507001", "**********7001"),
        ("12345", "*2345"),
        ("1234", "1234"),
        ("", ""),
    ],
)
def test_the_last_four_digits_of_a_number_are_visible(value: str, masked: str) -> None:
    assert mask_number(value) == masked


@pytest.mark.parametrize(
    ("name", "masked"),
    [
        ("Siti Aminah", "S*** A*****"),
        ("Suharno", "S******"),
        ("  siti   aminah ", "s*** a*****"),
        ("M. Ali", "M* A**"),
        ("Nur'aini", "N*******"),
        ("Ł", "Ł"),
        ("", ""),
        ("   ", ""),
    ],
)
def test_the_first_letter_of_each_word_of_a_name_is_visible(name: str, masked: str) -> None:
    assert mask_name(name) == masked


@given(value=st.text(min_size=4), visible=st.integers(1, 4))
def test_a_masked_number_shows_exactly_its_last_digits(value: str, visible: int) -> None:
    masked = mask_number(value, visible_digits=visible)
    assert len(masked) == len(value)
    assert masked[-visible:] == value[-visible:]
    assert set(masked[:-visible]) <= {"*"}


@given(name=st.text())
def test_a_masked_name_shows_only_first_letters(name: str) -> None:
    masked = mask_name(name).split()
    assert [len(word) for word in masked] == [len(word) for word in name.split()]
    assert all(set(word[1:]) <= {"*"} for word in masked)
