"""References of registrations: short, unguessable, hard to mishear, and unlike one-time passwords."""

from collections.abc import Callable
from typing import NewType

from chalicelib.typed import clean_number

Reference = NewType("Reference", str)

# No 0/O, 1/I/L, and no U, which sounds like a Q and looks like a V.
ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
_RANDOM_CHARACTERS = 8
_GROUP_LENGTH = 3
# Each weight shares no factor with the alphabet's 30, so that any one changed character changes the check.
_WEIGHTS = (1, 7, 11, 13, 17, 19, 23, 29)


def generate(random_index: Callable[[int], int]) -> Reference:
    """Return a new reference, such as `7K4-M2Q-X9P`: 39 random bits and a check character.

    `random_index(n)` returns a cryptographically random integer below n. Mobile operators drop an SMS with a
    long run of digits as a one-time password, so a reference has at least one letter.
    """
    while True:
        characters = "".join(ALPHABET[random_index(len(ALPHABET))] for _ in range(_RANDOM_CHARACTERS))
        if not characters.isdigit():
            return _format(characters + _compute_check_character(characters))


def parse(text: str) -> Reference | None:
    """Return a typed reference, in any case and grouping, or None if its check character is wrong."""
    characters = clean_number(text).replace("-", "").replace(" ", "")
    # Upper case makes two letters of some others, and plain ones of some strange ones.
    characters = characters.upper() if characters.isascii() else ""
    if len(characters) != _RANDOM_CHARACTERS + 1 or any(each not in ALPHABET for each in characters):
        return None
    if _compute_check_character(characters[:-1]) != characters[-1]:
        return None
    return _format(characters)


def _compute_check_character(characters: str) -> str:
    total = sum(weight * ALPHABET.index(each) for weight, each in zip(_WEIGHTS, characters, strict=True))
    return ALPHABET[total % len(ALPHABET)]


def _format(characters: str) -> Reference:
    groups = (characters[start : start + _GROUP_LENGTH] for start in range(0, len(characters), _GROUP_LENGTH))
    return Reference("-".join(groups))
