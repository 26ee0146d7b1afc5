"""Indonesian mobile numbers, the only ones that an SMS to a worker can be sent to."""

import re
import unicodedata
from typing import NewType

import phonenumbers
from phonenumbers import PhoneNumberType

from chalicelib.registrations.errors import InvalidValue

Phone = NewType("Phone", str)

_REGION = "ID"
_PUNCTUATION = re.compile(r"[\s().\-/\u2010-\u2015]+")
_INVISIBLE_CATEGORIES = frozenset({"Cf"})
_DIALLED_NUMBER = re.compile(r"\+?\d+")


class InvalidPhone(InvalidValue):
    """Not a number that an SMS can be sent to."""


def parse(text: str) -> Phone:
    """Return a number in E.164 form, as typed: 0812…, 812…, 62812…, 0062812… or +62 (0)812-….

    Raise InvalidPhone with `phone_malformed` (letters, too long, no such number), `phone_foreign` or
    `phone_not_mobile`.
    """
    # Numbers copied from a contact list may contain invisible direction marks and full-width digits.
    plain = "".join(
        each
        for each in unicodedata.normalize("NFKC", text)
        if unicodedata.category(each) not in _INVISIBLE_CATEGORIES
    )
    # The library would skip letters, and accept a typing mistake as a number.
    dialled = _PUNCTUATION.sub("", plain)
    if not _DIALLED_NUMBER.fullmatch(dialled):
        raise InvalidPhone("phone_malformed")
    if dialled.startswith("00"):
        dialled = "+" + dialled[2:]
    try:
        number = phonenumbers.parse(dialled, _REGION)
    except phonenumbers.NumberParseException:
        raise InvalidPhone("phone_malformed") from None
    if number.country_code != phonenumbers.country_code_for_region(_REGION):
        raise InvalidPhone("phone_foreign")
    if not phonenumbers.is_valid_number_for_region(number, _REGION):
        raise InvalidPhone("phone_malformed")
    if phonenumbers.number_type(number) is not PhoneNumberType.MOBILE:
        raise InvalidPhone("phone_not_mobile")
    return Phone(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))
