"""The GSM 7-bit alphabet, against the standard's own tables and by properties."""

import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.messaging import gsm7

# 3GPP TS 23.038, section 6.2.1, in the order of its codes; 0x1B is the escape to the extension table.
DEFAULT_TABLE = (
    *"@£$¥èéùìòÇ\nØø\rÅå",
    *"Δ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ",
    *" !\"#¤%&'()*+,-./",
    *"0123456789:;<=>?",
    *"¡ABCDEFGHIJKLMNO",
    *"PQRSTUVWXYZÄÖÑÜ§",
    *"¿abcdefghijklmno",
    *"pqrstuvwxyzäöñüà",
)
EXTENSION_TABLE = (*"\f^{}\\[~]|€",)
ESCAPE = "\x1b"

BASIC = sorted({*DEFAULT_TABLE} - {ESCAPE})


def test_tables_of_the_standard_are_complete() -> None:
    assert len(DEFAULT_TABLE) == len(set(DEFAULT_TABLE)) == 128
    assert len(set(EXTENSION_TABLE)) == 10


@pytest.mark.parametrize("character", BASIC, ids=ascii)
def test_basic_character_counts_once(character: str) -> None:
    assert gsm7.is_gsm7(character)
    assert gsm7.count_septets(character) == 1


@pytest.mark.parametrize("character", EXTENSION_TABLE, ids=ascii)
def test_extension_character_counts_twice_and_is_kept(character: str) -> None:
    assert gsm7.is_gsm7(character)
    assert gsm7.count_septets(character) == 2
    assert gsm7.transliterate(character) == character


def test_no_other_character_is_in_the_alphabet() -> None:
    within = {character for character in map(chr, range(sys.maxunicode + 1)) if gsm7.is_gsm7(character)}
    assert within == {*BASIC, *EXTENSION_TABLE}


@given(text=st.text([*BASIC, *EXTENSION_TABLE]))
def test_length_is_the_number_of_codes(text: str) -> None:
    coded = [
        code
        for character in text
        for code in ([ESCAPE, character] if character in EXTENSION_TABLE else [character])
    ]
    assert gsm7.count_septets(text) == len(coded)


@given(text=st.text())
def test_transliterated_text_is_in_the_alphabet(text: str) -> None:
    assert gsm7.is_gsm7(gsm7.transliterate(text))


@given(text=st.text())
def test_transliteration_is_idempotent(text: str) -> None:
    once = gsm7.transliterate(text)
    assert gsm7.transliterate(once) == once


@given(text=st.text([character for character in BASIC if character != "`"]))
def test_text_in_the_alphabet_is_not_changed(text: str) -> None:
    assert gsm7.transliterate(text) == text


@pytest.mark.parametrize(
    ("written", "sent"),
    [
        ("Nur\N{RIGHT SINGLE QUOTATION MARK}aini", "Nur'aini"),
        ("Nur`aini", "Nur'aini"),
        ("Ma\N{MODIFIER LETTER APOSTROPHE}ruf", "Ma'ruf"),
        ("\N{LEFT DOUBLE QUOTATION MARK}Udin\N{RIGHT DOUBLE QUOTATION MARK}", '"Udin"'),
        ("Jum\N{EN DASH}at\N{EM DASH}1", "Jum-at-1"),
        ("tunggu\N{HORIZONTAL ELLIPSIS}", "tunggu..."),
        ("Siti\N{NO-BREAK SPACE}Aminah", "Siti Aminah"),
        ("Siti\tAminah", "Siti Aminah"),
        ("Si\N{ZERO WIDTH SPACE}ti\N{ZERO WIDTH JOINER}", "Siti"),
        ("Si\N{RIGHT-TO-LEFT OVERRIDE}ti", "Siti"),
        ("Si\N{SOFT HYPHEN}ti\N{VARIATION SELECTOR-16}", "Siti"),
        ("José", "José"),
        ("Jose\N{COMBINING ACUTE ACCENT}", "Jose"),
        ("Ján Nguyễn", "Jan Nguyen"),
        ("Ç ç", "Ç c"),
        ("\N{LATIN SMALL LIGATURE FI}tri", "fitri"),
        ("\N{FULLWIDTH LATIN CAPITAL LETTER A}di", "Adi"),
        ("Budi \N{GRINNING FACE}", "Budi ?"),
        ("सीता", "????"),
        ("Ł", "?"),
        (ESCAPE, "?"),
        ("\x00", "?"),
    ],
)
def test_other_characters_are_transliterated(written: str, sent: str) -> None:
    assert gsm7.transliterate(written) == sent
