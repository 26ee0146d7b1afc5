"""The texts that find a registration. Pure."""

import re
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from uuid import UUID

from chalicelib.registrations import nik, phone, references
from chalicelib.registrations.errors import InvalidValue
from chalicelib.searches.errors import SearchUnclear
from chalicelib.typed import clean_number

_UUID = re.compile(r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")
_CODE = re.compile(r"[0-9A-Z]{8}")


class SearchKey(StrEnum):
    """The kind of what was typed."""

    REFERENCE = "reference"
    CAPTURE_ID = "capture_id"
    RECEIPT_CODE = "receipt_code"
    NIK = "nik"
    PHONE = "phone"


PERSONAL_KEYS = frozenset({SearchKey.NIK, SearchKey.PHONE})


@dataclass(frozen=True)
class SearchTerm:
    """A typed text, in the form in which it is stored. A NIK or a phone number is personal."""

    key: SearchKey
    value: str


def parse_search(text: str, *, today: date) -> SearchTerm:
    """Return what was typed. Raise SearchUnclear if it has no known form.

    References and receipt codes have another number of characters, and neither is as long as a phone number.
    """
    typed = " ".join(clean_number(text).split())
    if _UUID.fullmatch(typed):
        return SearchTerm(SearchKey.CAPTURE_ID, str(UUID(typed)))
    reference = references.parse(typed)
    if reference is not None:
        return SearchTerm(SearchKey.REFERENCE, reference)
    code = typed.replace("-", "").replace(" ", "").upper()
    if _CODE.fullmatch(code):
        return SearchTerm(SearchKey.RECEIPT_CODE, code)
    try:
        return SearchTerm(SearchKey.NIK, nik.parse(typed, capture_day=today)[0])
    except InvalidValue:
        pass
    try:
        return SearchTerm(SearchKey.PHONE, phone.parse(typed))
    except InvalidValue:
        raise SearchUnclear("no known form") from None
