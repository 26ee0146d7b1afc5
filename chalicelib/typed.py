"""Cleaning of values that a person typed or pasted: what cannot be seen is dropped, then the value is judged.

Cleaning never adds, joins or changes a digit that the person sees. Pure.
"""

import re
import unicodedata

APOSTROPHES = frozenset(
    "'`"
    "\N{ACUTE ACCENT}"
    "\N{MODIFIER LETTER PRIME}"
    "\N{MODIFIER LETTER TURNED COMMA}"
    "\N{MODIFIER LETTER APOSTROPHE}"
    "\N{MODIFIER LETTER REVERSED COMMA}"
    "\N{MODIFIER LETTER RIGHT HALF RING}"
    "\N{MODIFIER LETTER LEFT HALF RING}"
    "\N{LEFT SINGLE QUOTATION MARK}"
    "\N{RIGHT SINGLE QUOTATION MARK}"
    "\N{SINGLE HIGH-REVERSED-9 QUOTATION MARK}"
    "\N{PRIME}"
    "\N{FULLWIDTH APOSTROPHE}"
)
"""The signs that keyboards of all makes give for the apostrophe of Indonesian names: kept as typed, and sent
as `'` in an SMS.
"""

# Characters without a shape of their own that are not in category Cf: joiners, fillers, variation selectors.
_INVISIBLE = frozenset(
    map(
        chr,
        (
            *(0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x180B, 0x180C, 0x180D, 0x180F, 0x3164, 0xFFA0),
            *range(0xFE00, 0xFE10),
            *range(0xE0100, 0xE01F0),
        ),
    )
)
_BLANKS = (
    " \t\r\n\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u2800\u3000"
)
_CONTROL_CATEGORIES = frozenset({"Cc", "Cs", "Zl", "Zp"})

_FULL_WIDTH = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)} | {0x3000: 0x20}

_EXPONENT = re.compile(r"[+-]?\d+(?:[.,]\d+)?[eE][+-]?\d+")
_ARABIC_DECIMAL_MARK = "\u066b"
_NOT_DIGITS = re.compile(r"\D+")
_MAX_FRACTION_DIGITS = 2
# A number written in pairs, 08.12.34.56, ends in two digits like a decimal.
_PAIRS = re.compile(r"\+?\d+(?:\.\d\d){3,}")


def clean_text(text: str) -> str:
    """Return `text` in NFC, without invisible characters and without blanks at both ends."""
    if text.isascii():  # It has no invisible characters, and NFC changes nothing.
        return text.strip(_BLANKS)
    visible = "".join(each for each in text if not _is_invisible(each))
    return unicodedata.normalize("NFC", visible).strip(_BLANKS)


def clean_number(text: str) -> str:
    """Return `text` cleaned, with full-width digits, letters and signs as the usual ones."""
    return clean_text(text).translate(_FULL_WIDTH)


def find_text_problem(cleaned: str) -> str | None:
    """Return the code of what makes a cleaned free text unusable, or None.

    The codes are `text_blank` and `text_characters` (control characters, line breaks and NUL).
    """
    if not cleaned:
        return "text_blank"
    if not cleaned.isprintable() and any(
        unicodedata.category(each) in _CONTROL_CATEGORIES for each in cleaned
    ):
        return "text_characters"
    return None


def extract_digits(text: str) -> str:
    """Return the digits of a text in any script, as `0` to `9`."""
    return "".join(str(unicodedata.decimal(each)) for each in text if each.isdecimal())


def count_digits(cleaned: str) -> int:
    """Return how many digits a person sees in a cleaned number."""
    return sum(each.isdecimal() for each in cleaned)


def is_from_spreadsheet(cleaned: str) -> bool:
    """Return True for a number that a spreadsheet took for a quantity: `812345678.0`, `3,17E+15`.

    Removing the sign would give a longer number, which may be somebody else's.
    """
    compact = re.sub(r"\s+", "", cleaned)
    if _EXPONENT.fullmatch(compact):
        return True
    *whole, fraction = compact.replace(_ARABIC_DECIMAL_MARK, ".").replace(",", ".").split(".")
    digits = _NOT_DIGITS.sub("", fraction)
    if not whole or not digits or _PAIRS.fullmatch(compact):
        return False
    return len(digits) <= _MAX_FRACTION_DIGITS or (len(whole) == 1 and not digits.strip("0"))


def _is_invisible(character: str) -> bool:
    return character in _INVISIBLE or unicodedata.category(character) == "Cf"
