"""Names: one word is enough; letters and punctuation are kept, emoji and invisible characters refused."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from chalicelib.messaging.gsm7 import transliterate
from chalicelib.registrations import names
from chalicelib.registrations.names import InvalidName
from chalicelib.typed import APOSTROPHES
from tests.support.builders import make_submission


def get_error_code(text: str) -> str:
    with pytest.raises(InvalidName) as refused:
        names.parse(text)
    return refused.value.code


@pytest.mark.parametrize(
    "name",
    [
        "Sukarno",
        "Siti Aminah",
        "MELATI KUSUMAWATI",
        "melati",
        "X",
        "I Gusti Ayu Putu Ngurah",
        "Dr. H. Abdul Rahman, S.Pd., M.M.",
        "Muh. Nur Hidayat bin Abdullah",
        "D'Angelo",
        "Nu\N{RIGHT SINGLE QUOTATION MARK}man",
        "Ma\N{MODIFIER LETTER APOSTROPHE}ruf",
        "MA`RUF",
        "Lie-Tan",
        "Jos\N{LATIN SMALL LETTER E WITH ACUTE}",
        "Bj\N{LATIN SMALL LETTER O WITH DIAERESIS}rn",
        "陳大文",
        "محمد",
        "கண்ணன்",
    ],
)
def test_a_name_is_kept_as_it_was_typed(name: str) -> None:
    assert names.parse(name) == name


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("  Siti Aminah ", "Siti Aminah"),
        ("\N{NO-BREAK SPACE}Siti\N{IDEOGRAPHIC SPACE}", "Siti"),
        ("Siti\n", "Siti"),
        ("Siti  Aminah", "Siti  Aminah"),
        ("Jose\N{COMBINING ACUTE ACCENT}", "Jos\N{LATIN SMALL LETTER E WITH ACUTE}"),
        ("A\N{COMBINING RING ABOVE}sa", "\N{LATIN CAPITAL LETTER A WITH RING ABOVE}sa"),
    ],
)
def test_a_name_is_stripped_and_normalized(typed: str, kept: str) -> None:
    assert names.parse(typed) == kept


@pytest.mark.parametrize(
    "hidden",
    [
        "\N{ZERO WIDTH SPACE}",
        "\N{ZERO WIDTH JOINER}",
        "\N{ZERO WIDTH NON-JOINER}",
        "\N{WORD JOINER}",
        "\N{ZERO WIDTH NO-BREAK SPACE}",
        "\N{SOFT HYPHEN}",
        "\N{LEFT-TO-RIGHT MARK}",
        "\N{RIGHT-TO-LEFT MARK}",
        "\N{RIGHT-TO-LEFT OVERRIDE}",
        "\N{RIGHT-TO-LEFT ISOLATE}",
        "\N{POP DIRECTIONAL ISOLATE}",
        "\N{TAG LATIN SMALL LETTER A}",
        "\N{VARIATION SELECTOR-16}",
        "\N{HANGUL FILLER}",
    ],
    ids=ascii,
)
def test_characters_that_cannot_be_seen_are_dropped(hidden: str) -> None:
    assert names.parse(f"{hidden} Siti{hidden} Aminah {hidden}") == "Siti Aminah"


@pytest.mark.parametrize("apostrophe", sorted(APOSTROPHES), ids=ascii)
def test_every_apostrophe_is_kept_in_a_name_and_is_a_plain_one_in_an_sms(apostrophe: str) -> None:
    assert names.parse(f"Nu{apostrophe}man") == f"Nu{apostrophe}man"
    assert transliterate(f"Nu{apostrophe}man") == "Nu'man"


@pytest.mark.parametrize(
    "hidden",
    [
        "\N{NULL}",
        "\t",
        "\n",
        "\r",
        "\x1b[31m",
        "\x7f",
        "\x85",
        "\N{LINE SEPARATOR}",
        "\N{PARAGRAPH SEPARATOR}",
        "\N{REPLACEMENT CHARACTER}",
        "\ue000",
        "\U0010fffe",
    ],
    ids=ascii,
)
def test_control_characters_and_line_breaks_inside_a_name_are_refused(hidden: str) -> None:
    assert get_error_code(f"Siti{hidden}Aminah") == "name_characters"


@pytest.mark.parametrize(
    "picture",
    [
        "\N{SLIGHTLY SMILING FACE}",
        "\N{HEAVY BLACK HEART}\N{VARIATION SELECTOR-16}",
        "\N{WHITE SMILING FACE}",
        "\N{EMOJI MODIFIER FITZPATRICK TYPE-4}",
        "\N{REGIONAL INDICATOR SYMBOL LETTER I}\N{REGIONAL INDICATOR SYMBOL LETTER D}",
        "1\N{VARIATION SELECTOR-16}\N{COMBINING ENCLOSING KEYCAP}",
        "\N{WOMAN}\N{ZERO WIDTH JOINER}\N{PERSONAL COMPUTER}",
        "\N{TRADE MARK SIGN}",
        "\N{COPYRIGHT SIGN}",
        "<script>",
        "Rp$",
        "a+b",
        "a|b",
        "a=b",
        "~",
        "(Anni)",
        "a/b",
        "bpjs.example/x",
        "a@b.co",
        "#1",
        "2",
        "3171075204857001",
        "٣",
        "Ⅳ",
        "²",
    ],
    ids=ascii,
)
def test_emoji_signs_and_numbers_are_refused(picture: str) -> None:
    assert get_error_code(f"Siti {picture}") == "name_characters"


def test_half_a_surrogate_pair_is_refused() -> None:
    assert get_error_code("Siti \ud83d") == "name_characters"


@pytest.mark.parametrize(
    "nobody",
    ["", " ", ".", "-", "'", "''", "...", "\u0301", "\u02bb", "\u02bc\u02bf", "\u3164", "\u200b\ufeff"],
    ids=ascii,
)
def test_a_name_without_a_letter_is_refused(nobody: str) -> None:
    assert get_error_code(nobody) == "name_empty"


def test_a_name_has_at_most_a_hundred_characters() -> None:
    longest = "a" * 100
    assert names.parse(make_submission(worker={"name": longest}).worker.name) == longest
    for unfit in ("a" * 101, ""):
        with pytest.raises(ValidationError):
            make_submission(worker={"name": unfit})


LETTERS = st.characters(categories=["Lu", "Ll", "Lo", "Lm", "Mn", "Zs", "Po", "Pd"])


def read(typed: str) -> str | None:
    """Return the name, or None if it is refused. Check that the refusal does not repeat it."""
    try:
        return names.parse(typed)
    except InvalidName as unusable:
        refused = unusable
    assert str(refused) == refused.code
    assert refused.code in {"name_characters", "name_empty"}
    return None


@given(typed=st.text(LETTERS, min_size=1, max_size=100))
def test_a_parsed_name_is_parsed_to_itself(typed: str) -> None:
    name = read(typed)
    assert name is None or (read(name) == name and unicodedata.is_normalized("NFC", name))


@given(typed=st.text(max_size=100))
def test_any_string_is_a_name_that_can_be_stored_or_is_refused(typed: str) -> None:
    name = read(typed)
    # The store and an SMS accept it as it is.
    assert name is None or (name.encode().decode() == name and any(each.isalpha() for each in name))
