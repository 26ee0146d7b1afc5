"""The reference a worker is given: short, unguessable, hard to mishear, and never mistaken for a one-time
password.
"""

from collections.abc import Callable
from typing import NewType

Reference = NewType("Reference", str)

# No 0/O, 1/I/L, and no U, which is heard as a Q or taken for a V.
ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
_RANDOM_CHARACTERS = 8
_GROUP_LENGTH = 3
# Each weight shares no factor with the alphabet's 30, so that any one changed character changes the check.
_WEIGHTS = (1, 7, 11, 13, 17, 19, 23, 29)


def generate(random_index: Callable[[int], int]) -> Reference:
    """A new reference, such as `7K4-M2Q-X9P`: 39 random bits and a check character.

    `random_index(n)` gives a cryptographically random whole number below n. Operators drop texts with a
    long run of digits as one-time passwords, so a reference without any letter is thrown away.
    """
    while True:
        characters = "".join(ALPHABET[random_index(len(ALPHABET))] for _ in range(_RANDOM_CHARACTERS))
        if not characters.isdigit():
            return _format(characters + _compute_check_character(characters))


def parse(text: str) -> Reference | None:
    """The reference that a person or a program typed, in any case and grouping; None if it cannot be one."""
    characters = text.upper().replace("-", "").replace(" ", "")
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
