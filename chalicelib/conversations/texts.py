"""The texts of conversations in every language, and how a text is made of its parts. Pure.

`texts.json` has the texts, with `{name}` for each argument. A few keys have no row: they are made of values
or of other lists, such as the names of occupations and the messages of the API.
"""

from collections.abc import Callable, Mapping
from datetime import date
from functools import cache
from pathlib import Path

from chalicelib.conversations.model import TextRef
from chalicelib.devices.consent_texts import load_consent_texts
from chalicelib.http.field_texts import FIELD_MESSAGES, FieldMessage
from chalicelib.languages import WorkerLanguage
from chalicelib.models import FrozenModel
from chalicelib.occupations.model import load_occupations
from chalicelib.statuses.texts import RegistrationState
from chalicelib.statuses.texts import load_texts as load_statuses
from chalicelib.strict_json import parse_data_file

_FILE = Path(__file__).with_name("texts.json")


class _Catalogue(FrozenModel):
    source: str
    months: Mapping[WorkerLanguage, tuple[str, ...]]
    texts: Mapping[str, Mapping[WorkerLanguage, str]]


@cache
def load_texts() -> _Catalogue:
    return parse_data_file(_Catalogue, _FILE.read_text(encoding="utf-8"))


def render_text(text: TextRef, language: WorkerLanguage) -> str:
    """Return a text in a language. Raise KeyError for a key that is in no list."""
    args = {
        name: render_text(value, language) if isinstance(value, TextRef) else value
        for name, value in text.args.items()
    }
    special = _SPECIAL.get(text.key)
    if special is not None:
        return special(args, language)
    # A missing line of the review is one whose question was not asked.
    return load_texts().texts[text.key][language].format_map(_Arguments(args))


class _Arguments(dict[str, str]):
    def __missing__(self, name: str) -> str:
        return "-"


def _render_plain(args: Mapping[str, str], language: WorkerLanguage) -> str:
    return args["text"]


def _render_date(args: Mapping[str, str], language: WorkerLanguage) -> str:
    day = date.fromisoformat(args["date"])
    return f"{day.day} {load_texts().months[language][day.month - 1]} {day.year}"


def _render_occupation(args: Mapping[str, str], language: WorkerLanguage) -> str:
    occupation = load_occupations()[args["id"]]
    return occupation.name if language == "id" else occupation.name_en


def _render_consent(args: Mapping[str, str], language: WorkerLanguage) -> str:
    return next(each.text[language] for each in load_consent_texts() if each.version == args["version"])


def _render_error(args: Mapping[str, str], language: WorkerLanguage) -> str:
    message = FIELD_MESSAGES.get(args["code"], _UNKNOWN)
    text = message.indonesian if language == "id" else message.english
    if "digits" not in args:
        return text
    return f"{text} {load_texts().texts['digits_typed'][language].format_map(args)}"


_UNKNOWN = FieldMessage("Isian belum benar.", "This is not right yet.")


def _render_status(args: Mapping[str, str], language: WorkerLanguage) -> str:
    return load_statuses()[RegistrationState(args["state"])][language]


_SPECIAL: Mapping[str, Callable[[Mapping[str, str], WorkerLanguage], str]] = {
    "plain": _render_plain,
    "date": _render_date,
    "occupation": _render_occupation,
    "consent": _render_consent,
    "error": _render_error,
    "status": _render_status,
}
