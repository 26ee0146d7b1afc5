"""The texts that workers get: data in `templates.json`, filled in so that each stays one GSM-7 part.

A template declares its fields and the most septets each may take; a longer name is cut at a word, a longer
reference is a fault of ours.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

from chalicelib.notifications import gsm7

Language = Literal["id", "en"]
Purpose = Literal["received"]

_INNER_FULL_STOP = re.compile(r"\.(?=\w)")

_FILE = Path(__file__).with_name("templates.json")


@dataclass(frozen=True)
class Template:
    """The wording for one purpose, in each language."""

    purpose: str
    version: int
    fields: Mapping[str, int]
    texts: Mapping[str, str]

    def render(self, language: Language, **values: str) -> str:
        """One text, at most one GSM-7 part. Raises ValueError if the fields given are not the template's."""
        if values.keys() != self.fields.keys():
            raise ValueError(f"{self.purpose} takes {sorted(self.fields)}")
        fitted = {name: _fitted(value, self.fields[name]) for name, value in values.items()}
        return self.texts[language].format_map(fitted)


@cache
def template(purpose: Purpose) -> Template:
    """The current template for a purpose."""
    return templates()[purpose]


@cache
def templates() -> Mapping[str, Template]:
    """Every template, by purpose."""
    kept = json.loads(_FILE.read_text(encoding="utf-8"))
    return {purpose: Template(purpose=purpose, **wording) for purpose, wording in kept.items()}


def _fitted(value: str, most: int) -> str:
    # A full stop inside a word would make a link of it on most phones.
    spaced = _INNER_FULL_STOP.sub(". ", gsm7.transliterated(value))
    text = " ".join(spaced.split())
    if gsm7.septets(text) <= most:
        return text
    kept = ""
    for word in text.split(" "):
        longer = f"{kept} {word}".strip()
        if gsm7.septets(longer) > most:
            break
        kept = longer
    return kept or _cut(text, most)


def _cut(word: str, most: int) -> str:
    kept = ""
    for character in word:
        if gsm7.septets(kept + character) > most:
            break
        kept += character
    return kept
