"""The NIK, Indonesia's single identity number: `PPKKCC DDMMYY SSSS`.

Province, regency and district of first issue by the civil ministry's codes (Kemendagri, not the statistics
office's), the birth date with 40 added to a woman's day, and a serial. It has no check digit: a well-formed
NIK is not yet a true one.
"""

import re
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import NewType

NIK = NewType("NIK", str)

_DIGITS = 16
_SEPARATORS = re.compile(r"[\s.\-]+")
_WOMAN = 40
_LAST_CITY = "79"
_NEIGHBOURS = 10

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
    """As the NIK states it."""

    FEMALE = "female"
    MALE = "male"


class NIKMalformed(ValueError):
    """Not a NIK. `code` says why; the value is never repeated."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True)
class Reading:
    """What a NIK says of its bearer. The place is that of first issue, and need not exist any more."""

    birth_date: date
    sex: Sex
    place_is_numbered: bool


def parse(text: str, *, on: date) -> tuple[NIK, Reading]:
    """The NIK in a text that may have spaces, dots or dashes, and what it says on a given day.

    The century is the one that makes its bearer 0-99 years old on that day. Raises NIKMalformed with
    `nik_length`, `nik_province`, `nik_serial` or `nik_birth_date`.
    """
    digits = _SEPARATORS.sub("", text)
    if len(digits) != _DIGITS or not (digits.isascii() and digits.isdigit()):
        raise NIKMalformed("nik_length")
    if digits[:2] not in PROVINCES:
        raise NIKMalformed("nik_province")
    if digits[12:] == "0000":
        raise NIKMalformed("nik_serial")
    return NIK(digits), _read(digits, on)


def neighbourhoods(number: NIK) -> tuple[str, str]:
    """Two texts of which NIKs of one place and birth date share one if their serials are five apart or less.

    Registers hand out serials one after the other, and so does somebody who makes NIKs up.
    """
    serial = int(number[12:])
    return (
        f"{number[:12]} {serial // _NEIGHBOURS}",
        f"{number[:12]} {(serial + _NEIGHBOURS // 2) // _NEIGHBOURS} half on",
    )


def _read(digits: str, on: date) -> Reading:
    day, month, year = int(digits[6:8]), int(digits[8:10]), int(digits[10:12])
    sex = Sex.FEMALE if day > _WOMAN else Sex.MALE
    if sex is Sex.FEMALE:
        day -= _WOMAN
    this_century = on.year - on.year % 100
    for century in (this_century, this_century - 100):
        try:
            birth_date = date(century + year, month, day)
        except ValueError:
            continue
        if birth_date <= on:
            return Reading(
                birth_date=birth_date, sex=sex, place_is_numbered=_is_numbered(digits[2:4], digits[4:6])
            )
    raise NIKMalformed("nik_birth_date")


def _is_numbered(regency: str, district: str) -> bool:
    # Regencies are numbered from 01 and cities from 71, districts from 01; which of them exist changes by
    # the year.
    return "01" <= regency <= _LAST_CITY and district != "00"
