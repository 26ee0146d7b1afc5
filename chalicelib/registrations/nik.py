"""The NIK, Indonesia's single identity number: `PPKKCC DDMMYY SSSS`.

Province, regency and district of first issue by the civil ministry's codes (Kemendagri, not the statistics
office's), the birth date with 40 added to a woman's day, and a serial. It has no check digit: a well-formed
NIK need not exist.
"""

import re
from datetime import date
from enum import StrEnum
from typing import NewType

from chalicelib.registrations.errors import InvalidValue
from chalicelib.typed import clean_number, count_digits, is_from_spreadsheet
from chalicelib.values import Value

NIK = NewType("NIK", str)

LENGTH = 16
_SEPARATORS = re.compile(r"[\s.\-]+")
FEMALE_DAY_OFFSET = 40
NO_SERIAL = "0000"
LAST_REGENCY_CODE = "79"
_NEIGHBOURHOOD_SIZE = 10

# The 38 provinces of today, and 54 (East Timor, until 1999): a NIK keeps the code it was first issued under.
PROVINCES = frozenset(
    {
        *("11", "12", "13", "14", "15", "16", "17", "18", "19", "21"),
        *("31", "32", "33", "34", "35", "36"),
        *("51", "52", "53", "54"),
        *("61", "62", "63", "64", "65"),
        *("71", "72", "73", "74", "75", "76"),
        *("81", "82", "91", "92", "93", "94", "95", "96"),
    }
)


class Sex(StrEnum):
    """The sex according to a NIK."""

    FEMALE = "female"
    MALE = "male"


class InvalidNIK(InvalidValue):
    """Not a NIK."""


class NIKDetails(Value):
    """The content of a NIK. The place is that of first issue, and need not exist any more."""

    birth_date: date
    sex: Sex
    has_valid_place_code: bool


def parse(text: str, *, capture_day: date) -> tuple[NIK, NIKDetails]:
    """Return a NIK that was typed with or without spaces, dots or dashes, and its content on a day.

    The century is the one in which its bearer is 0-99 years old on that day. Raise InvalidNIK with
    `number_from_spreadsheet`, `nik_length`, `nik_province`, `nik_serial` or `nik_birth_date`.
    """
    typed = clean_number(text)
    if is_from_spreadsheet(typed):
        raise InvalidNIK("number_from_spreadsheet")
    digits = _SEPARATORS.sub("", typed)
    if len(digits) != LENGTH or not (digits.isascii() and digits.isdigit()):
        typed_digits = count_digits(typed)
        raise InvalidNIK("nik_length", digits=None if typed_digits == LENGTH else typed_digits)
    if digits[:2] not in PROVINCES:
        raise InvalidNIK("nik_province")
    if digits[12:] == NO_SERIAL:
        raise InvalidNIK("nik_serial")
    return NIK(digits), _decode(digits, capture_day)


def list_neighbourhoods(nik: NIK) -> tuple[str, str]:
    """Return two strings. NIKs of one place and birth date share one if their serials are within five.

    Consecutive serials may mean invented NIKs.
    """
    serial = int(nik[12:])
    return (
        f"{nik[:12]} {serial // _NEIGHBOURHOOD_SIZE}",
        f"{nik[:12]} {(serial + _NEIGHBOURHOOD_SIZE // 2) // _NEIGHBOURHOOD_SIZE} half on",
    )


def _decode(digits: str, capture_day: date) -> NIKDetails:
    day, month, year = int(digits[6:8]), int(digits[8:10]), int(digits[10:12])
    sex = Sex.FEMALE if day > FEMALE_DAY_OFFSET else Sex.MALE
    if sex is Sex.FEMALE:
        day -= FEMALE_DAY_OFFSET
    this_century = capture_day.year - capture_day.year % 100
    for century in (this_century, this_century - 100):
        try:
            birth_date = date(century + year, month, day)
        except ValueError:
            continue
        if birth_date <= capture_day:
            return NIKDetails(
                birth_date=birth_date,
                sex=sex,
                has_valid_place_code=_is_valid_place_code(digits[2:4], digits[4:6]),
            )
    raise InvalidNIK("nik_birth_date")


def _is_valid_place_code(regency: str, district: str) -> bool:
    # Regencies are numbered from 01 and cities from 71, districts from 01; which of them exist changes by
    # the year.
    return "01" <= regency <= LAST_REGENCY_CODE and district != "00"
