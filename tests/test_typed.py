"""Cleaning: what cannot be seen is dropped, and no digit is added, joined or changed."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.typed import (
    clean_number,
    clean_text,
    count_digits,
    extract_digits,
    find_text_problem,
    is_from_spreadsheet,
)

TYPED = st.text() | st.text("0８٨²½.,'\u2019 \t\n\xa0\u200b\u202e\ufeff\ufe0f\u3164\u0301a\x00")  # noqa: RUF001


@given(typed=TYPED)
def test_cleaning_twice_changes_nothing(typed: str) -> None:
    for clean in (clean_text, clean_number):
        assert clean(clean(typed)) == clean(typed)


@given(typed=TYPED)
def test_cleaning_keeps_every_digit_in_its_place(typed: str) -> None:
    assert extract_digits(clean_text(typed)) == extract_digits(typed)
    assert extract_digits(clean_number(typed)) == extract_digits(typed)
    assert count_digits(clean_number(typed)) == len(extract_digits(typed))


@given(typed=TYPED)
def test_a_cleaned_text_has_no_format_characters_and_no_blank_ends(typed: str) -> None:
    cleaned = clean_text(typed)
    assert not any(unicodedata.category(each) == "Cf" for each in cleaned)
    assert cleaned.strip(" \t\r\n\xa0\u2800\u3000") == cleaned
    assert unicodedata.is_normalized("NFC", cleaned)


@given(typed=TYPED)
def test_a_usable_text_shows_something_and_no_control_characters(typed: str) -> None:
    cleaned = clean_text(typed)
    if find_text_problem(cleaned) is None:
        assert cleaned
        assert not any(unicodedata.category(each) in {"Cc", "Cs", "Zl", "Zp"} for each in cleaned)


@given(
    typed=st.text("Siti 12,'", max_size=8),
    hidden=st.sampled_from("\u200b\u200d\u200e\u202e\u2066\ufeff\u00ad\ufe0f\u3164"),
)
def test_hidden_characters_make_no_difference(typed: str, hidden: str) -> None:
    assert clean_text(hidden + hidden.join(typed) + hidden) == clean_text(typed)


@pytest.mark.parametrize("signs", ["²", "①", "½", "㉈", "⑽", "⒈", "㏴"])
def test_a_sign_that_resembles_digits_is_never_folded_into_digits(signs: str) -> None:
    assert clean_number(signs) == signs
    assert extract_digits(signs) == ""


def test_full_width_characters_of_a_number_are_folded() -> None:
    assert clean_number("＋６２（８１２）３４　５－７．ＡＢｚ") == "+62(812)34 5-7.ABz"  # noqa: RUF001


@pytest.mark.parametrize(
    "number",
    ["1.0", "12,00", "812345678.5", "1.234.567,8", "1.000", "10250,000", "1E5", "3.17E+15", "1e-3", "1 . 0"],
)
def test_a_number_of_a_spreadsheet_is_recognised(number: str) -> None:
    assert is_from_spreadsheet(number)


@pytest.mark.parametrize(
    "number",
    [
        "",
        ".",
        "081234567890",
        "0812.3456.7890",
        "0812.345.000",
        "8.123.456.789",
        "10250.",
        "08.12.34.56",
        "AE1",
    ],
)
def test_a_grouped_number_is_not_taken_for_one_of_a_spreadsheet(number: str) -> None:
    assert not is_from_spreadsheet(number)
