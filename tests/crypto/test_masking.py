"""Masked values show what was promised and nothing else."""

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
def test_of_a_number_the_last_four_signs_show(value: str, masked: str) -> None:
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
def test_of_a_name_the_first_letter_of_each_word_shows(name: str, masked: str) -> None:
    assert mask_name(name) == masked


@given(value=st.text(min_size=4), shown=st.integers(1, 4))
def test_a_masked_number_never_shows_more_than_promised(value: str, shown: int) -> None:
    masked = mask_number(value, visible_digits=shown)
    assert len(masked) == len(value)
    assert masked[-shown:] == value[-shown:]
    assert set(masked[:-shown]) <= {"*"}


@given(name=st.text())
def test_a_masked_name_never_shows_more_than_first_letters(name: str) -> None:
    masked = mask_name(name).split()
    assert [len(word) for word in masked] == [len(word) for word in name.split()]
    assert all(set(word[1:]) <= {"*"} for word in masked)
