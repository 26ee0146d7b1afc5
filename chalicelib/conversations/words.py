"""The words that people type: commands, names of options, dates and amounts, in both languages. Pure."""

import re
from collections.abc import Mapping
from datetime import date
from functools import cache
from pathlib import Path

from chalicelib.models import FrozenModel
from chalicelib.strict_json import parse_data_file
from chalicelib.typed import clean_number

_FILE = Path(__file__).with_name("words.json")

_EDIT_NUMBER = re.compile(r"(?:ubah|edit|ganti|/ubah|/edit)\s+(?:no\.?\s*)?(\d{1,2})")
_START_CAMPAIGN = re.compile(r"(?:/start|start|daftar|/daftar)\s+([a-z0-9][a-z0-9-]{1,62}[a-z0-9])")
_DATE = re.compile(r"(\d{1,2})[\s./-]+(\d{1,2}|[a-z]+)[\s./-]+(\d{4}|\d{2})")
_ISO_DATE = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})")
_AMOUNT = re.compile(r"(?:rp\.?\s*)?([0-9]+(?:[.,][0-9]+)*)\s*([a-z]+)?(?:\s*/?\s*(?:bulan|bln|month))?")
_GROUPS = re.compile(r"[0-9]{1,3}(?:[.,][0-9]{3})+")
_DECIMAL = re.compile(r"[0-9]+[.,][0-9]{1,2}")

# Nobody earns so little in a month: such a number lacks its "ribu" or "juta".
_LEAST_PLAIN_AMOUNT = 10_000
_CENTURY = 100

_NO_UNITS = (None, "bulan", "bln", "month", "rupiah", "perbulan")


class _Words(FrozenModel):
    source: str
    commands: Mapping[str, tuple[str, ...]]
    options: Mapping[str, tuple[str, ...]]
    months: Mapping[str, int]
    amounts: Mapping[str, int]


@cache
def load_words() -> _Words:
    return parse_data_file(_Words, _FILE.read_text(encoding="utf-8"))


@cache
def _list_commands() -> Mapping[str, str]:
    return {word: command for command, listed in load_words().commands.items() for word in listed}


def normalise(text: str) -> str:
    """Return what was typed, in small letters and with single blanks."""
    return " ".join(clean_number(text).casefold().split())


def find_command(text: str) -> tuple[str, str] | None:
    """Return the command that a whole message is, with its argument, or None for anything else."""
    typed = normalise(text).rstrip(".!")
    if found := _EDIT_NUMBER.fullmatch(typed):
        return "edit", found[1]
    command = _list_commands().get(typed) or _list_commands().get(normalise(text))
    if command is not None:
        return command, ""
    if found := _START_CAMPAIGN.fullmatch(typed):
        return "start", found[1]
    return None


def is_word_for(option: str, text: str) -> bool:
    """Return True if a message is one of the words for an option."""
    return normalise(text).rstrip(".!") in load_words().options.get(option, ())


def parse_date(text: str, *, today: date) -> date | None:
    """Return a date as Indonesians write it: `17-8-45`, `17 Agustus 1945`, `1945-08-17`; or None.

    A year of two digits is the latest one that is not in the future.
    """
    typed = normalise(text).replace(",", " ")
    if found := _ISO_DATE.fullmatch(typed):
        year, month, day = int(found[1]), int(found[2]), int(found[3])
    elif found := _DATE.fullmatch(typed):
        day, year = int(found[1]), int(found[3])
        month = int(found[2]) if found[2].isdecimal() else load_words().months.get(found[2], 0)
        if len(found[3]) <= 2:  # noqa: PLR2004 - two digits
            century = today.year - today.year % _CENTURY
            year += century if century + year <= today.year else century - _CENTURY
    else:
        return None
    try:
        return date(year, month, day)
    except ValueError:
        return None


def parse_amount(text: str) -> int | None:
    """Return an amount of rupiah: `2.500.000`, `2,5 juta`, `500rb`; or None if it is unclear."""
    found = _AMOUNT.fullmatch(normalise(text))
    number, unit = (found[1], found[2]) if found else ("", "")
    if unit in _NO_UNITS:
        amount = _read_whole(number)
        return amount if amount == 0 or (amount or 0) >= _LEAST_PLAIN_AMOUNT else None
    factor = load_words().amounts.get(unit)
    if factor is None:
        return None
    if _DECIMAL.fullmatch(number):
        whole, _, fraction = number.replace(",", ".").partition(".")
        return int(whole) * factor + int(fraction) * factor // int("1" + "0" * len(fraction))
    amount = _read_whole(number)
    return None if amount is None else amount * factor


def _read_whole(number: str) -> int | None:
    """Return a number written at once or in groups of three digits."""
    if not number.isdecimal() and not _GROUPS.fullmatch(number):
        return None
    return int(re.sub(r"[.,]", "", number))
