"""The segments of an SMS, by which networks charge for it.

160 septets in one part or 153 in each of several; with a character outside the GSM 7-bit alphabet 70 UTF-16
units or 67. A character of two units is never split.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from chalicelib.messaging import gsm7

_SINGLE_SEPTETS, _PART_SEPTETS = gsm7.SEGMENT_SEPTETS, 153
_SINGLE_UNITS, _PART_UNITS = 70, 67
_FIRST_TWO_UNIT_CODE_POINT = 0x10000


@dataclass(frozen=True)
class SegmentedText:
    """The encoding of an SMS, and the characters of each part."""

    encoding: str
    parts: tuple[str, ...]


def split_segments(text: str) -> SegmentedText:
    """Return `text` in parts, at least one."""
    if gsm7.is_gsm7(text):
        return SegmentedText("GSM", _split(text, gsm7.count_septets, _SINGLE_SEPTETS, _PART_SEPTETS))
    return SegmentedText("UCS-2", _split(text, _count_utf16_units, _SINGLE_UNITS, _PART_UNITS))


def _split(text: str, measure: Callable[[str], int], single_limit: int, part_limit: int) -> tuple[str, ...]:
    return (text,) if measure(text) <= single_limit else tuple(_fill_parts(text, measure, part_limit))


def _fill_parts(characters: Iterable[str], measure: Callable[[str], int], limit: int) -> Iterator[str]:
    part, length = "", 0
    for character in characters:
        size = measure(character)
        if length + size > limit:
            yield part
            part, length = "", 0
        part, length = part + character, length + size
    yield part


def _count_utf16_units(text: str) -> int:
    return sum(2 if ord(character) >= _FIRST_TWO_UNIT_CODE_POINT else 1 for character in text)
