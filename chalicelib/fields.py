"""Types of fields that take one written form only, whatever a parser would make of others.

Pydantic's strict mode reads the text "0" as 1 January 1970, and `true` and `3.0` as choices among numbers.
"""

import re
from datetime import date, datetime
from typing import Annotated, Any, TypeVar
from uuid import UUID

from pydantic import AfterValidator, AwareDatetime, BeforeValidator, Field, TypeAdapter
from pydantic_core import PydanticCustomError

_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
# RFC 3339, section 5.6.
_INSTANT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?([Zz]|[+-][0-9]{2}:[0-9]{2})"
)
_UUID = re.compile(r"[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")
_NIK_DIGITS = 16
# Digits as numbers are written: at once, or in groups of two and more.
_DIGIT_GROUP = re.compile(r"\d+(?:[._-]\d{2,})*")
_LONG_RUN = re.compile(rf"\d{{{_NIK_DIGITS}}}")
_MOBILE = re.compile(r"(?:00)?(?:62)?0?8[1-35-9]\d{7,10}")
_DIGITS = re.compile(r"0|[1-9][0-9]{0,18}")

# In strict mode a type reads text from JSON alone, and what a validator returns is no longer JSON.
_DATE_ADAPTER: TypeAdapter[date] = TypeAdapter(date)
_INSTANT_ADAPTER: TypeAdapter[datetime] = TypeAdapter(AwareDatetime)

Items = TypeVar("Items", bound=tuple[Any, ...])


def _check_date(value: Any) -> Any:
    if isinstance(value, int | float):
        raise PydanticCustomError("value_wrong_type", "not a date")
    if not isinstance(value, str):
        return value
    if not _DATE.fullmatch(value):
        raise PydanticCustomError("value_malformed", "not a date as YYYY-MM-DD")
    return _DATE_ADAPTER.validate_python(value)


def _check_instant(value: Any) -> Any:
    if isinstance(value, int | float):
        raise PydanticCustomError("value_wrong_type", "not an instant")
    if not isinstance(value, str):
        return value
    if not _INSTANT.fullmatch(value):
        raise PydanticCustomError("value_malformed", "not an instant as RFC 3339 writes it")
    return _INSTANT_ADAPTER.validate_python(value)


def parse_digits(text: str) -> int:
    """Return a whole number written in digits alone, without leading zeros. Raise ValueError."""
    if not _DIGITS.fullmatch(text):
        raise PydanticCustomError("value_malformed", "not a whole number")
    return int(text)


def _check_digits(value: Any) -> Any:
    return parse_digits(value) if isinstance(value, str) else value


def _check_uuid(value: Any) -> Any:
    if isinstance(value, str) and not _UUID.fullmatch(value):
        raise PydanticCustomError("value_malformed", "not a UUID")
    return value


def _check_choice(value: Any) -> Any:
    if isinstance(value, bool | float):
        raise PydanticCustomError("value_not_allowed", "not a whole number")
    return value


def _check_unique(items: Items) -> Items:
    if len(set(items)) < len(items):
        raise PydanticCustomError("value_repeated", "an item is in the list twice")
    return items


def _check_impersonal(value: str) -> str:
    without_uuids = _UUID.sub("", value)
    for group in _DIGIT_GROUP.findall(without_uuids):
        digits = re.sub(r"\D", "", group)
        if len(digits) == _NIK_DIGITS or _LONG_RUN.search(group) or _MOBILE.fullmatch(digits):
            raise PydanticCustomError("id_looks_personal", "looks like a NIK or a phone number")
    return value


# A validator that stands after the limits of a type runs before them, and leaves them in its JSON Schema.

DATE_FORM = BeforeValidator(_check_date)
"""Reads dates written YYYY-MM-DD."""

INSTANT_FORM = BeforeValidator(_check_instant)
"""Reads instants as RFC 3339 writes them."""

DIGITS_FORM = BeforeValidator(_check_digits)
"""Reads the whole numbers of a query string or a setting: digits alone, without leading zeros."""

UUID_FORM = BeforeValidator(_check_uuid)
"""Reads UUIDs as RFC 9562 writes them: with hyphens, in letters of any case."""

StrictDate = Annotated[date, DATE_FORM]
StrictInstant = Annotated[AwareDatetime, INSTANT_FORM]
StrictUUID = Annotated[UUID, UUID_FORM]
PageSize = Annotated[int, Field(ge=1, le=200), DIGITS_FORM]

WHOLE_NUMBER = BeforeValidator(_check_choice)
"""Refuses `true` and `3.0` among literals, which equal 1 and 3 in Python."""

UNIQUE_ITEMS = AfterValidator(_check_unique)
"""Refuses a list that is a set, and has an item twice."""

UNIQUE_ITEMS_SCHEMA = Field(json_schema_extra={"uniqueItems": True})
"""Declares a list as a set in the API's description."""

IMPERSONAL = AfterValidator(_check_impersonal)
"""Refuses an id that looks like a NIK or a phone number: ids stand in addresses, logs and reports."""
