"""The templates of SMS to workers: data in `templates.json`, rendered so that each SMS is one GSM-7 part.

A template declares its fields and the maximum of septets of each. A name is made harmless and cut at a word;
any other longer value is an error. `ops/deploy/sms_templates.py` checks every template before it is
published.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from functools import cache
from pathlib import Path

from pydantic import Field

from chalicelib.filtered_text import shorten_filtered_words
from chalicelib.languages import WorkerLanguage
from chalicelib.messaging import gsm7
from chalicelib.messaging.content import group_digits, make_harmless
from chalicelib.models import StrictModel
from chalicelib.strict_json import parse_data_file

MONTHS: Mapping[WorkerLanguage, tuple[str, ...]] = {
    "id": ("Jan", "Feb", "Mar", "Apr", "Mei", "Jun", "Jul", "Agu", "Sep", "Okt", "Nov", "Des"),
    "en": ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"),
}

_TEMPLATES_FILE = Path(__file__).with_name("templates.json")


class SmsKind(StrEnum):
    """The urgency of an SMS: a confirmation is sent at any hour and before reminders."""

    CONFIRMATION = "confirmation"
    REMINDER = "reminder"


class FieldKind(StrEnum):
    """The content of a field, by which it is fitted into its maximum length."""

    NAME = "name"
    REFERENCE = "reference"
    AMOUNT = "amount"
    DATE = "date"


@dataclass(frozen=True)
class TemplateField:
    """A field of a template, with the maximum of septets of its value."""

    kind: FieldKind
    max_septets: int


@dataclass(frozen=True)
class Template:
    """The body of the SMS for one purpose, in each language.

    After `time_to_live` the SMS is not sent any more. `is_duplicate_harmless`: a second copy does no harm.
    `is_after_payment`: the worker has paid, and so may be called protected.
    """

    purpose: str
    version: int
    kind: SmsKind
    time_to_live: timedelta
    is_duplicate_harmless: bool
    is_after_payment: bool
    fields: Mapping[str, TemplateField]
    bodies: Mapping[str, str]

    def render(self, language: WorkerLanguage, **values: str) -> str:
        """Return the body with `values` filled in. Raise ValueError for other or too long fields."""
        if values.keys() != self.fields.keys():
            raise ValueError(f"{self.purpose} takes {sorted(self.fields)}")
        fitted = {name: _fit(value, self.fields[name]) for name, value in values.items()}
        return self.bodies[language].format_map(fitted)


@cache
def get_template(purpose: str) -> Template:
    """Return the current template for a purpose."""
    return load_templates()[purpose]


@cache
def load_templates() -> Mapping[str, Template]:
    return parse_templates(_TEMPLATES_FILE.read_text(encoding="utf-8"))


class _FieldRow(StrictModel):
    kind: FieldKind
    septets: int = Field(gt=0)


class _TemplateRow(StrictModel):
    version: int = Field(ge=1)
    kind: SmsKind
    deadline_hours: int = Field(ge=1)
    duplicate_harmless: bool
    after_payment: bool
    fields: dict[str, _FieldRow]
    texts: dict[str, str]


def parse_templates(text: str) -> Mapping[str, Template]:
    """Return the templates of a data file. Raise ValueError, which pydantic's ValidationError is too."""
    return {
        purpose: Template(
            purpose=purpose,
            version=row.version,
            kind=row.kind,
            time_to_live=timedelta(hours=row.deadline_hours),
            is_duplicate_harmless=row.duplicate_harmless,
            is_after_payment=row.after_payment,
            fields={name: TemplateField(field.kind, field.septets) for name, field in row.fields.items()},
            bodies=row.texts,
        )
        for purpose, row in parse_data_file(dict[str, _TemplateRow], text).items()
    }


def format_day(day: date, language: WorkerLanguage) -> str:
    """Return a day as `31 Des 26`. A year of four digits could look like a one-time password."""
    return f"{day.day} {MONTHS[language][day.month - 1]} {day.year % 100:02d}"


def _fit(value: str, field: TemplateField) -> str:
    match field.kind:
        case FieldKind.NAME:
            return _shorten_name(value, field.max_septets)
        case FieldKind.REFERENCE:
            return _check(group_digits(value), field.max_septets)
        case _:
            return _check(value, field.max_septets)


def _check(value: str, limit: int) -> str:
    if not gsm7.is_gsm7(value) or gsm7.count_septets(value) > limit:
        raise ValueError(f"longer than {limit} septets")
    return value


def _shorten_name(name: str, limit: int) -> str:
    words = make_harmless(name).split()
    cut = _join_fitting(words, " ", limit) or _join_fitting(words[0] if words else "", "", limit)
    return shorten_filtered_words(cut)


def _join_fitting(parts: Iterable[str], separator: str, limit: int) -> str:
    """Join as many of the first parts as fit into `limit` septets."""
    joined = ""
    for part in parts:
        longer = f"{joined}{separator}{part}" if joined else part
        if gsm7.count_septets(longer) > limit:
            break
        joined = longer
    return joined
