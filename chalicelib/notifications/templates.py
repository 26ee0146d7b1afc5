"""The texts that workers get: data in `load_templates.json`, filled in so that each stays one GSM-7 part.

A template declares its fields and the most septets each may take. A longer name is cut at a word; anything
else that is longer is a fault of ours. `ops/deploy/sms_templates.py` judges every template before it is published.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any, Literal

from chalicelib.messaging import gsm7

Language = Literal["id", "en"]
LANGUAGES: tuple[Language, ...] = ("id", "en")

_INNER_FULL_STOP = re.compile(r"\.(?=\w)")

# Operators take a longer run of digits for a one-time password and drop the text.
_LONG_DIGIT_RUN = re.compile(r"(\d{3})(?=\d)")

_MONTHS: Mapping[Language, tuple[str, ...]] = {
    "id": ("Jan", "Feb", "Mar", "Apr", "Mei", "Jun", "Jul", "Agu", "Sep", "Okt", "Nov", "Des"),
    "en": ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"),
}

_TEMPLATES_FILE = Path(__file__).with_name("templates.json")


class Purpose(StrEnum):
    """What a text is for."""

    RECEIVED = "received"
    PAYMENT_CODE = "payment_code"
    ACTIVE = "active"
    MISMATCH = "mismatch"
    LAPSING_SOON = "lapsing_soon"
    ALREADY_REGISTERED = "already_registered"


class SmsKind(StrEnum):
    """How urgent a text is: a confirmation goes at any hour and before every reminder."""

    CONFIRMATION = "confirmation"
    REMINDER = "reminder"


class FieldKind(StrEnum):
    """What a field holds, which decides how it is made to fit."""

    NAME = "name"
    REFERENCE = "reference"
    AMOUNT = "amount"
    DATE = "date"


@dataclass(frozen=True)
class TemplateField:
    """A place in a text, and the most septets that what is put there may take."""

    kind: FieldKind
    max_septets: int


@dataclass(frozen=True)
class Template:
    """The wording for one purpose, in each language.

    After `time_to_live` a text only confuses. `is_duplicate_harmless` says that a second copy does no harm;
    `is_after_payment` that the worker has paid, and so may be called protected.
    """

    purpose: str
    version: int
    kind: SmsKind
    time_to_live: timedelta
    is_duplicate_harmless: bool
    is_after_payment: bool
    fields: Mapping[str, TemplateField]
    bodies: Mapping[str, str]

    def render(self, language: Language, **values: str) -> str:
        """One text. Raises ValueError for fields that are not the template's, or longer than they may be."""
        if values.keys() != self.fields.keys():
            raise ValueError(f"{self.purpose} takes {sorted(self.fields)}")
        fitted = {name: _fit(value, self.fields[name]) for name, value in values.items()}
        return self.bodies[language].format_map(fitted)


@cache
def get_template(purpose: Purpose) -> Template:
    """The current template for a purpose."""
    return load_templates()[purpose]


@cache
def load_templates() -> Mapping[str, Template]:
    """Every template, by purpose."""
    return parse_templates(json.loads(_TEMPLATES_FILE.read_text(encoding="utf-8")))


def parse_templates(document: Mapping[str, Mapping[str, Any]]) -> Mapping[str, Template]:
    """Templates as the file keeps them. Raises KeyError, ValueError or TypeError if they are none."""
    return {
        purpose: Template(
            purpose=Purpose(purpose),
            version=wording["version"],
            kind=SmsKind(wording["kind"]),
            time_to_live=timedelta(hours=wording["deadline_hours"]),
            is_duplicate_harmless=wording["duplicate_harmless"],
            is_after_payment=wording["after_payment"],
            fields={
                name: TemplateField(FieldKind(field["kind"]), field["septets"])
                for name, field in wording["fields"].items()
            },
            bodies=wording["texts"],
        )
        for purpose, wording in document.items()
    }


def format_rupiah(amount: int) -> str:
    """An amount as it is written in Indonesia: `Rp16.800`."""
    return f"Rp{amount:,}".replace(",", ".")


def format_day(day: date, language: Language) -> str:
    """A day in nine letters: `31 Des 26`. A year of four digits would look like a one-time password."""
    return f"{day.day} {_MONTHS[language][day.month - 1]} {day.year % 100:02d}"


def _fit(value: str, field: TemplateField) -> str:
    match field.kind:
        case FieldKind.NAME:
            return _shorten_name(value, field.max_septets)
        case FieldKind.REFERENCE:
            return _check(_LONG_DIGIT_RUN.sub(r"\1 ", value), field.max_septets)
        case _:
            return _check(value, field.max_septets)


def _check(value: str, limit: int) -> str:
    if not gsm7.is_gsm7(value) or gsm7.count_septets(value) > limit:
        raise ValueError(f"longer than {limit} septets")
    return value


def _shorten_name(name: str, limit: int) -> str:
    # A full stop inside a word would make a link of it on most phones.
    spaced = _INNER_FULL_STOP.sub(". ", gsm7.transliterate(name))
    text = " ".join(spaced.split())
    if gsm7.count_septets(text) <= limit:
        return text
    kept = ""
    for word in text.split(" "):
        longer = f"{kept} {word}".strip()
        if gsm7.count_septets(longer) > limit:
            break
        kept = longer
    return kept or _cut_word(text, limit)


def _cut_word(word: str, limit: int) -> str:
    kept = ""
    for character in word:
        if gsm7.count_septets(kept + character) > limit:
            break
        kept += character
    return kept
