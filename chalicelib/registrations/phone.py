"""Indonesian mobile numbers, the only ones a worker's text can be sent to."""

import re
import unicodedata
from typing import NewType

import phonenumbers
from phonenumbers import PhoneNumberType

Phone = NewType("Phone", str)

_REGION = "ID"
_PUNCTUATION = re.compile(r"[\s().\-/\u2010-\u2015]+")
_INVISIBLE_CATEGORIES = frozenset({"Cf"})
_DIALLED_NUMBER = re.compile(r"\+?\d+")


class InvalidPhone(ValueError):
    """Not a number that a text can be sent to. `code` says why; the value is never repeated."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def parse(text: str) -> Phone:
    """The E.164 form of a number as people write it: 0812…, 812…, 62812…, 0062812…, +62 (0)812-….

    Raises InvalidPhone with `phone_malformed` (letters, too long, no such number), `phone_foreign` or
    `phone_not_mobile`.
    """
    # Numbers copied from a contact list come with invisible marks of direction and full-width digits.
    plain = "".join(
        each
        for each in unicodedata.normalize("NFKC", text)
        if unicodedata.category(each) not in _INVISIBLE_CATEGORIES
    )
    # The library would skip letters, and so make a number out of a typing mistake.
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
