"""Indonesian mobile numbers, the only ones that an SMS to a worker can be sent to."""

import re
import unicodedata
from typing import NewType

from chalicelib.registrations.errors import InvalidValue
from chalicelib.typed import clean_number, count_digits, is_from_spreadsheet

Phone = NewType("Phone", str)

_PUNCTUATION = re.compile(r"[\s().\-/\u2010-\u2015]+")
_DIALLED_NUMBER = re.compile(r"\+?\d+")
# Between a number and what somebody wrote behind it: a second number, an extension, a fraction.
_APPENDIX_MARK = re.compile(r"[./(]")
MOBILE_PATTERN = r"8[1-35-9]\d{7,10}"
"""The mobile numbers of Indonesia, without country code and trunk prefix, as of the library's metadata."""
# After 62 without a plus, a short number may be one of a landline that begins with 62.
_USUAL_FORM = re.compile(rf"(?:\+620?|0|62(?=\d{{10}}))?({MOBILE_PATTERN})", re.ASCII)


class InvalidPhone(InvalidValue):
    """Not a number that an SMS can be sent to."""


def parse(text: str) -> Phone:
    """Return a number in E.164 form, as typed: 0812…, 812…, 62812…, 0062812… or +62 (0)812-….

    Raise InvalidPhone with `phone_malformed` (letters, too long, no such number), `phone_foreign`,
    `phone_not_mobile` or `number_from_spreadsheet`.
    """
    typed = clean_number(text)
    if is_from_spreadsheet(typed):
        raise InvalidPhone("number_from_spreadsheet")
    dialled = _read_dialled(typed)
    # What is written behind a whole number must not become its last digits.
    head, *appendices = _APPENDIX_MARK.split(typed)
    if not appendices and (usual := _USUAL_FORM.fullmatch(dialled)):
        return Phone(f"+62{usual[1]}")
    return _parse_unusual(typed, dialled, head if len(appendices) == 1 else "")


def _parse_unusual(typed: str, dialled: str, head: str) -> Phone:
    # Imported for a mistake or a rare form: the cold start of the API would pay for it.
    from chalicelib.registrations import numbering

    kind, first = numbering.find_kind(dialled), _join(head)
    if kind is None or (_DIALLED_NUMBER.fullmatch(first) and numbering.is_number(first)):
        raise _make_malformed(typed)
    if kind is numbering.Kind.FOREIGN:
        raise InvalidPhone("phone_foreign")
    if kind is numbering.Kind.NOT_MOBILE:
        raise InvalidPhone("phone_not_mobile")
    return Phone(numbering.format_number(dialled))


def _read_dialled(typed: str) -> str:
    # The library would skip letters, and accept a typing mistake as a number.
    dialled = _join(typed)
    if not _DIALLED_NUMBER.fullmatch(dialled):
        raise _make_malformed(typed)
    return dialled


def _join(typed: str) -> str:
    """Return a number without punctuation, with a plus before a country code."""
    dialled = "".join(map(_to_ascii_digit, _PUNCTUATION.sub("", typed)))
    return f"+{dialled[2:]}" if dialled.startswith("00") else dialled


def _to_ascii_digit(character: str) -> str:
    return str(unicodedata.decimal(character)) if character.isdecimal() else character


def _make_malformed(typed: str) -> InvalidPhone:
    return InvalidPhone("phone_malformed", digits=count_digits(typed))
