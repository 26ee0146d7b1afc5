"""The kinds of questions of a form: their options, and how an answer is read. Pure.

A reader returns the value of an answer, or raises Unreadable. Whether the value may be registered is for the
rules of intake to say.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from typing import Any

from chalicelib.conversations import words
from chalicelib.conversations.model import Answers, Option, TextRef
from chalicelib.occupations.model import load_occupations
from chalicelib.typed import clean_text

_MAX_CANDIDATES = 8
_LEAST_SEARCH_LETTERS = 3

NONE = "none"


class Unreadable(Exception):
    """An answer that means nothing to its question. `error` says why; `candidates` are what it may mean."""

    def __init__(self, error: TextRef, candidates: tuple[str, ...] = ()) -> None:
        super().__init__(error.key)
        self.error = error
        self.candidates = candidates


Reader = Callable[[str, date], Any]
"""Returns the value of what was typed, given the present day. Raises Unreadable."""


@dataclass(frozen=True, kw_only=True)
class Field:
    """One question. `path` is the field of a capture that its answer becomes, if it is one alone.

    `choices` are the values of its options and their labels. With `read` other answers can be typed, with
    `has_none` the person may have none. One that `is_derived` follows from another answer, and is asked only
    if it cannot, or to change it.
    """

    field_id: str
    path: str
    choices: tuple[Option, ...] = ()
    read: Reader | None = None
    has_none: bool = False
    is_derived: bool = False
    asks_contact: bool = False
    is_applicable: Callable[[Answers], bool] = field(default=lambda answers: True)
    to_value: Callable[[str], Any] = field(default=lambda value: value)

    def list_options(self, candidates: tuple[str, ...] = ()) -> tuple[Option, ...]:
        """Return the options to show: `candidates` where an answer may mean several."""
        if candidates:
            return tuple(make_option(each, number) for number, each in enumerate(candidates, 1))
        return self.choices

    def accepts(self, value: str) -> bool:
        """Return True for the value of an option of this question, now or earlier."""
        return any(option.value == value for option in self.choices)

    def read_choice(self, value: str) -> Any:
        """Return the answer that an option stands for."""
        return None if self.has_none and value == NONE else self.to_value(value)

    def read_text(self, text: str, options: tuple[Option, ...], *, today: date) -> Any:
        """Return the answer that was typed: an option by its number, its name or a word for it, or a value.

        Raise Unreadable.
        """
        typed = words.normalise(text)
        for option in options:
            if typed.rstrip(".") == option.token or words.is_word_for(option.value, text):
                return self.read_choice(option.value)
        if self.read is None:
            raise Unreadable(TextRef(key="error_choose"))
        return self.read(text, today)


def make_option(value: str, number: int) -> Option:
    """Return the option of an occupation."""
    return Option(value=value, label=TextRef(key="occupation", args={"id": value}), token=str(number))


def make_choices(*values: str, tokens: tuple[str, ...] = ()) -> tuple[Option, ...]:
    """Return options with texts of the catalogue as labels, numbered unless `tokens` are given."""
    numbers = tokens or tuple(map(str, range(1, len(values) + 1)))
    return tuple(
        Option(value=value, label=TextRef(key=f"option_{value}"), token=token)
        for value, token in zip(values, numbers, strict=True)
    )


def read_as_typed(text: str, today: date) -> str:
    """Return a text as it was typed. Raise Unreadable for an empty one."""
    cleaned = clean_text(text)
    if not cleaned:
        raise Unreadable(TextRef(key="error", args={"code": "text_blank"}))
    return cleaned


def read_line(text: str, today: date) -> str:
    """Return a text with its lines joined. Raise Unreadable for an empty one."""
    return read_as_typed(" ".join(text.split()), today)


def read_date(text: str, today: date) -> str:
    """Return a date as JSON has it. Raise Unreadable."""
    found = words.parse_date(text, today=today)
    if found is None:
        raise Unreadable(TextRef(key="error_date"))
    return found.isoformat()


def read_amount(text: str, today: date) -> int:
    """Return an amount of rupiah. Raise Unreadable."""
    amount = words.parse_amount(text)
    if amount is None:
        raise Unreadable(TextRef(key="error_amount"))
    return amount


def read_occupation(text: str, today: date) -> str:
    """Return the id of the occupation that a text names. Raise Unreadable, perhaps with candidates."""
    typed = words.normalise(text)
    exact = [each for each, names in _list_names().items() if typed in names]
    if len(exact) == 1:
        return exact[0]
    close = exact or (
        [each for each, names in _list_names().items() if any(_is_close(typed, name) for name in names)]
        if len(typed) >= _LEAST_SEARCH_LETTERS
        else []
    )
    if len(close) == 1:
        return close[0]
    if not close:
        raise Unreadable(TextRef(key="error_occupation"))
    raise Unreadable(TextRef(key="error_occupations"), tuple(close[:_MAX_CANDIDATES]))


def is_occupation(value: str) -> bool:
    return value in load_occupations()


@cache
def _list_names() -> Mapping[str, frozenset[str]]:
    return {
        each.id: frozenset(map(str.casefold, (each.id, each.name, each.name_en, *each.search)))
        for each in load_occupations().values()
    }


def _is_close(typed: str, name: str) -> bool:
    return typed in name or (len(name) > _LEAST_SEARCH_LETTERS and name in typed.split())
