"""Commands, dates and amounts are read as people type them."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.conversations import words

TODAY = date(2026, 11, 29)


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("17-8-45", date(1945, 8, 17)),
        ("17 Agustus 1945", date(1945, 8, 17)),
        ("17/08/1945", date(1945, 8, 17)),
        ("1945-08-17", date(1945, 8, 17)),
        ("1 mei 26", date(2026, 5, 1)),
        ("1 mei 27", date(1927, 5, 1)),
        ("31 Februari 1985", None),
        ("kemarin", None),
    ],
)
def test_a_date_is_read_as_indonesians_write_it(typed: str, expected: date | None) -> None:
    assert words.parse_date(typed, today=TODAY) == expected


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("2500000", 2_500_000),
        ("2.500.000", 2_500_000),
        ("Rp 2.500.000", 2_500_000),
        ("2,5 juta", 2_500_000),
        ("2.5jt", 2_500_000),
        ("2 juta", 2_000_000),
        ("500rb", 500_000),
        ("750 ribu", 750_000),
        ("1.250 ribu", 1_250_000),
        ("".join(chr(ord(each) - 0x30 + 0xFF10) for each in "2500000"), 2_500_000),
        ("0", 0),
        ("250", None),
        ("2,5", None),
        ("banyak", None),
        ("2 dollar", None),
    ],
)
def test_an_amount_is_read_as_people_say_it(typed: str, expected: int | None) -> None:
    assert words.parse_amount(typed) == expected


@given(st.integers(min_value=10_000, max_value=999_999_999))
def test_an_amount_means_the_same_with_and_without_dots(amount: int) -> None:
    assert words.parse_amount(f"{amount:,}".replace(",", ".")) == words.parse_amount(str(amount)) == amount


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("BANTUAN", ("help", "")),
        (" stop ", ("stop", "")),
        ("ubah 3", ("edit", "3")),
        ("/start tanah-abang-2024", ("start", "tanah-abang-2024")),
        ("DAFTAR senen-2026", ("start", "senen-2026")),
        ("Batal", ("cancel", "")),
        ("1", None),
        ("Siti Bantuan", None),
        ("jangan berhenti di sini", None),
    ],
)
def test_a_command_is_a_whole_message(typed: str, expected: tuple[str, str] | None) -> None:
    assert words.find_command(typed) == expected


@given(st.text(max_size=200))
def test_no_text_breaks_a_reader(typed: str) -> None:
    words.find_command(typed)
    words.parse_date(typed, today=TODAY)
    words.parse_amount(typed)
