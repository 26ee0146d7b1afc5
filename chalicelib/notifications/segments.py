"""How networks cut a text into parts, which is how they charge for it.

160 septets in one part, or 153 in each of several; 70 UTF-16 units, or 67, where a single letter is outside
the GSM 7-bit alphabet. A character that takes two units is never split.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from chalicelib.notifications import gsm7

_WHOLE_SEPTETS, _PART_SEPTETS = gsm7.SEGMENT_SEPTETS, 153
_WHOLE_UNITS, _PART_UNITS = 70, 67
_TWO_UNITS_FROM = 0x10000


@dataclass(frozen=True)
class Segmented:
    """A text as it travels: its encoding, and the characters of each part."""

    encoding: str
    parts: tuple[str, ...]


def segmented(text: str) -> Segmented:
    """A text in parts, at least one."""
    if gsm7.is_gsm7(text):
        return Segmented("GSM", _parts(text, gsm7.septets, _WHOLE_SEPTETS, _PART_SEPTETS))
    return Segmented("UCS-2", _parts(text, _units, _WHOLE_UNITS, _PART_UNITS))


def _parts(text: str, length: Callable[[str], int], whole: int, part: int) -> tuple[str, ...]:
    return (text,) if length(text) <= whole else tuple(_filled(text, length, part))


def _filled(characters: Iterable[str], length: Callable[[str], int], most: int) -> Iterator[str]:
    kept, taken = "", 0
    for character in characters:
        size = length(character)
        if taken + size > most:
            yield kept
            kept, taken = "", 0
        kept, taken = kept + character, taken + size
    yield kept


def _units(text: str) -> int:
    return sum(2 if ord(character) >= _TWO_UNITS_FROM else 1 for character in text)
