"""People's names, kept as typed. One word is a whole name in Indonesia."""

import unicodedata

from chalicelib.registrations.errors import InvalidValue
from chalicelib.typed import APOSTROPHES, clean_text

# Allowed beside letters and their marks. A name is part of an SMS under the agency's brand: it must contain
# nothing that makes a link or looks like a one-time password.
PUNCTUATION = frozenset(" .,-") | APOSTROPHES
_ALLOWED_CATEGORIES = ("L", "M")

# The visible part of an emoji of a digit.
_FORBIDDEN_CHARACTERS = "\N{COMBINING ENCLOSING KEYCAP}"


class InvalidName(InvalidValue):
    """Not a name."""


def parse(text: str) -> str:
    """Return the name, cleaned.

    Letters of any script, blanks, and the punctuation of names are allowed. Raise InvalidName with
    `name_characters`, or with `name_empty` if there is no letter.
    """
    name = clean_text(text)
    if not all(_is_allowed(character) for character in name):
        raise InvalidName("name_characters")
    if not any(character.isalpha() and character not in APOSTROPHES for character in name):
        raise InvalidName("name_empty")
    return name


def _is_allowed(character: str) -> bool:
    if character in PUNCTUATION:
        return True
    return (
        character not in _FORBIDDEN_CHARACTERS and unicodedata.category(character)[0] in _ALLOWED_CATEGORIES
    )
