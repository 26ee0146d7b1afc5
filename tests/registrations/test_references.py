"""References: their form, their check character, and their difference from one-time passwords."""

import re
import secrets
from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.registrations import references
from chalicelib.registrations.references import ALPHABET, Reference

FIRST_LETTER = 8  # The eight digits come first in the alphabet.


def generate_from(indices: Iterable[int]) -> Reference:
    source = iter(indices)
    return references.generate(lambda _: next(source))


REFERENCES = (
    st.lists(st.integers(0, 29), min_size=8, max_size=8)
    .filter(lambda indices: max(indices) >= FIRST_LETTER)
    .map(generate_from)
)


def test_the_alphabet_has_thirty_characters_that_are_hard_to_confuse() -> None:
    assert len(set(ALPHABET)) == len(ALPHABET) == 30
    assert not set("01OILU") & set(ALPHABET)
    assert ALPHABET.upper() == ALPHABET


@given(new=REFERENCES)
def test_a_new_reference_has_three_groups_and_is_parsed_to_itself(new: Reference) -> None:
    assert re.fullmatch(f"[{ALPHABET}]{{3}}(-[{ALPHABET}]{{3}}){{2}}", new)
    assert references.parse(new) == new


@given(new=REFERENCES)
def test_a_reference_has_no_long_run_of_digits(new: Reference) -> None:
    assert re.search("[A-Z]", new)
    assert not re.search(r"\d{4}", new)


@pytest.mark.parametrize("typed", ["\ufeff{}", "{}\u200b", " {}\n", "\u202a{}\u202c"], ids=ascii)
def test_invisible_characters_of_a_pasted_reference_are_dropped(typed: str) -> None:
    new = generate_from([8, 0, 1, 2, 3, 4, 5, 6])
    assert references.parse(typed.format(new)) == new
    full_width = "".join(chr(ord(each) + 0xFEE0) for each in new)
    assert references.parse(typed.format(full_width)) == new


def test_a_character_that_becomes_a_letter_in_upper_case_is_no_letter() -> None:
    new = next(found for found in map(_generate_with, range(30)) if "S" in found)
    assert references.parse(new.replace("S", "\N{LATIN SMALL LETTER LONG S}")) is None


def _generate_with(first: int) -> Reference:
    return generate_from([first, 8, 9, 10, 11, 12, 13, 14])


def test_random_characters_that_are_all_digits_are_discarded() -> None:
    digits, letters = [ALPHABET.index("2")] * 8, [ALPHABET.index("K")] * 8
    assert generate_from([*digits, *digits, *letters]).startswith("KKK-KKK-KK")


def test_characters_are_chosen_from_the_whole_alphabet() -> None:
    asked: list[int] = []

    def random_index(below: int) -> int:
        asked.append(below)
        return below - 1

    assert references.generate(random_index).startswith("ZZZ-ZZZ-ZZ")
    assert asked == [30] * 8


def test_new_references_differ() -> None:
    assert len({references.generate(secrets.randbelow) for _ in range(1000)}) == 1000


@given(new=REFERENCES, position=st.integers(0, 8), step=st.integers(1, 29))
def test_a_single_changed_character_is_detected(new: Reference, position: int, step: int) -> None:
    characters = list(new.replace("-", ""))
    characters[position] = ALPHABET[(ALPHABET.index(characters[position]) + step) % 30]
    assert references.parse("".join(characters)) is None


def test_every_changed_character_of_one_reference_is_detected() -> None:
    given_out = generate_from([11, 0, 29, 5, 8, 14, 21, 3]).replace("-", "")
    others = {
        given_out[:position] + sign + given_out[position + 1 :] for position in range(9) for sign in ALPHABET
    } - {given_out}
    assert len(others) == 9 * 29
    assert not any(references.parse(other) for other in others)


@given(new=REFERENCES)
def test_case_and_grouping_do_not_matter(new: Reference) -> None:
    bare = new.replace("-", "")
    for typed in (new.lower(), bare, bare.lower(), new.replace("-", " "), f" {new} ", "-".join(bare)):
        assert references.parse(typed) == new


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "-",
        "7K4",
        "7K4-M2Q-X9",
        "7K4-M2Q-X9PP",
        "7K4.M2Q.X9P",
        "0K4-M2Q-X9P",
        "7K4-MIQ-X9P",
        "\N{FULLWIDTH LATIN CAPITAL LETTER K}" * 9,
    ],
)
def test_an_invalid_reference_is_parsed_to_none(typed: str) -> None:
    assert references.parse(typed) is None


@given(typed=st.text(max_size=20))
def test_any_string_is_a_reference_or_none(typed: str) -> None:
    parsed = references.parse(typed)
    assert parsed is None or references.parse(parsed) == parsed
