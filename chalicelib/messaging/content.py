"""The content of an SMS that operators let through, and names that are made so. Pure."""

import re
from enum import StrEnum

from chalicelib.filtered_text import LINK, find_filtered_word, shorten_filtered_words
from chalicelib.messaging import gsm7
from chalicelib.messaging.segments import split_segments

BRAND = "BPJAMSOSTEK"
"""Begins every SMS: the sender's name as registered."""

# Phones underline any word with a full stop inside.
_INNER_FULL_STOP = re.compile(r"\.(?=\w)")
_LINK_SIGN = re.compile(r"https?:(//)?|://", re.I)

# A longer run of digits is taken for a one-time password.
_DIGIT_RUN = re.compile(r"\d{4}")
_SPLIT_DIGITS = re.compile(r"(\d{3})(?=\d)")
_YEAR = re.compile(r"\b20(\d\d)\b")


class ContentFault(StrEnum):
    """A reason for which operators may drop an SMS, and block its sender."""

    BRAND = "without_brand"
    LINK = "link"
    WORD = "filtered_word"
    DIGITS = "digit_run"
    PARTS = "several_parts"


def find_faults(body: str) -> list[ContentFault]:
    """Return what is wrong with the body of an SMS."""
    segments = split_segments(body)
    faults = {
        ContentFault.BRAND: not body.startswith(f"{BRAND}: "),
        ContentFault.LINK: LINK.search(body) is not None,
        ContentFault.WORD: find_filtered_word(body) is not None,
        ContentFault.DIGITS: _DIGIT_RUN.search(body) is not None,
        ContentFault.PARTS: segments.encoding != "GSM" or len(segments.parts) > 1,
    }
    return [fault for fault, is_found in faults.items() if is_found]


def make_harmless(text: str) -> str:
    """Return `text` in the GSM-7 alphabet, without anything for which operators drop an SMS.

    A filtered word becomes its first letter, a link falls apart, a year has two digits, and other digits
    stand in groups of three.
    """
    plain = _LINK_SIGN.sub(" ", gsm7.transliterate(text))
    spaced = _YEAR.sub(r"'\1", _INNER_FULL_STOP.sub(". ", plain))
    return shorten_filtered_words(group_digits(spaced))


def group_digits(text: str) -> str:
    """Return `text` with blanks after every third of adjacent digits."""
    return _SPLIT_DIGITS.sub(r"\1 ", text)
