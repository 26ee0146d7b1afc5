"""Indonesian mobile numbers, the only ones that an SMS to a worker can be sent to."""

import re
import unicodedata
from typing import NewType

import phonenumbers
from phonenumbers import PhoneNumber, PhoneNumberType

from chalicelib.registrations.errors import InvalidValue
from chalicelib.typed import clean_number, count_digits, is_from_spreadsheet
from chalicelib.values import Value

Phone = NewType("Phone", str)

_REGION = "ID"
_PUNCTUATION = re.compile(r"[\s().\-/\u2010-\u2015]+")
_DIALLED_NUMBER = re.compile(r"\+?\d+")
# Between a number and what somebody wrote behind it: a second number, an extension, a fraction.
# The kinds of numbers in the library's metadata that no SMS is sent to.
_OTHER_KINDS = (
    *("fixed_line", "toll_free", "premium_rate", "shared_cost"),
    *("personal_number", "voip", "pager", "uan", "voicemail"),
)
_APPENDIX_MARK = re.compile(r"[./(]")


class NumberingPlan(Value):
    """The form of mobile numbers in Indonesia, by the metadata that `parse` judges by."""

    country_code: str
    trunk_prefix: str
    national_pattern: str
    other_pattern: str


def read_numbering_plan() -> NumberingPlan:
    """Return the plan. Raise LookupError if the library does not know it."""
    metadata = phonenumbers.PhoneMetadata.metadata_for_region(_REGION)
    if metadata is None or metadata.mobile is None or not metadata.mobile.national_number_pattern:
        raise LookupError(f"no mobile numbers of {_REGION}")
    return NumberingPlan(
        country_code=str(phonenumbers.country_code_for_region(_REGION)),
        trunk_prefix=phonenumbers.ndd_prefix_for_region(_REGION, strip_non_digits=True) or "",
        national_pattern=metadata.mobile.national_number_pattern,
        other_pattern="|".join(
            pattern
            for kind in _OTHER_KINDS
            if (pattern := getattr(getattr(metadata, kind), "national_number_pattern", None))
        ),
    )


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
    number = _parse_number(typed)
    # What is written behind a whole number must not become its last digits.
    head, *appendices = _APPENDIX_MARK.split(typed)
    if len(appendices) == 1 and _is_number(head):
        raise _make_malformed(typed)
    if number.country_code != phonenumbers.country_code_for_region(_REGION):
        raise InvalidPhone("phone_foreign")
    if not phonenumbers.is_valid_number_for_region(number, _REGION):
        raise _make_malformed(typed)
    if phonenumbers.number_type(number) is not PhoneNumberType.MOBILE:
        raise InvalidPhone("phone_not_mobile")
    return Phone(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))


def _parse_number(typed: str) -> PhoneNumber:
    # The library would skip letters, and accept a typing mistake as a number.
    dialled = "".join(map(_to_ascii_digit, _PUNCTUATION.sub("", typed)))
    if not _DIALLED_NUMBER.fullmatch(dialled):
        raise _make_malformed(typed)
    if dialled.startswith("00"):
        dialled = "+" + dialled[2:]
    try:
        return phonenumbers.parse(dialled, _REGION)
    except phonenumbers.NumberParseException:
        raise _make_malformed(typed) from None


def _is_number(typed: str) -> bool:
    try:
        return phonenumbers.is_valid_number_for_region(_parse_number(typed), _REGION)
    except InvalidPhone:
        return False


def _to_ascii_digit(character: str) -> str:
    return str(unicodedata.decimal(character)) if character.isdecimal() else character


def _make_malformed(typed: str) -> InvalidPhone:
    return InvalidPhone("phone_malformed", digits=count_digits(typed))
