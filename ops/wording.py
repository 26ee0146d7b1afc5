"""What a text may not say: every template is judged by it before it is published, and in the tests.

Operators drop what looks like a one-time password or a fraud; workers must never take registered for
protected; and there is no way to answer a text in Indonesia, so none may ask for an answer.
"""

import json
import re
from collections.abc import Iterator
from itertools import product
from pathlib import Path

from chalicelib.notifications import gsm7
from chalicelib.notifications.segments import segmented
from chalicelib.notifications.templates import LANGUAGES, Field, FieldKind, Language, Template, templates

BRAND = "BPJAMSOSTEK"

_WORDS = json.loads(Path(__file__).with_name("filtered_words.json").read_text(encoding="utf-8"))["words"]
_FILTERED = re.compile(rf"\b({'|'.join(_WORDS)})\b", re.I)
_LINK = re.compile(r"https?:|www\.|://|\b\w+\.(id|com|net|org|go|me|ly|info)\b", re.I)
_LONG_RUN = re.compile(r"\d{4}")
_ANSWER = re.compile(r"\b(reply|stop|balas|ketik|unsubscribe|berhenti langganan)\b", re.I)
_DENIED = re.compile(r"\b(belum|tidak|not( yet)?) (terlindungi|dilindungi|protected|insured|covered)\b", re.I)
_PROTECTED = re.compile(r"terlindung|dilindungi|protected|insured|covered|\b(aktif|active)\b", re.I)
_FIELD = re.compile(r"\{(.*?)\}")

# As full as each kind of field can be, in plain characters and, for what people type, in those that count
# twice. A reference of nothing but digits is the worst one.
_FILLINGS = {
    FieldKind.NAME: ("W", "€"),
    FieldKind.REFERENCE: ("9", "W"),
    FieldKind.AMOUNT: (".",),
    FieldKind.DATE: ("W",),
}


class WordingFaulty(Exception):
    """A template that may not be published; the message names each fault."""


def check() -> None:
    """Judge every template we ship. Raises WordingFaulty."""
    faults = [f"{each.purpose}: {fault}" for each in templates().values() for fault in faults_of(each)]
    if faults:
        raise WordingFaulty("\n".join(faults))


def faults_of(wording: Template) -> Iterator[str]:
    """Everything that speaks against publishing a template."""
    if set(wording.texts) != set(LANGUAGES):
        yield f"is worded in {sorted(wording.texts)}, not in {sorted(LANGUAGES)}"
        return
    for language in LANGUAGES:
        words = wording.texts[language]
        used = set(_FIELD.findall(words))
        if used != set(wording.fields):
            yield f"{language}: uses {sorted(used)} and declares {sorted(wording.fields)}"
            continue
        yield from (f"{language}: {fault}" for fault in _faults_in_words(words, wording))
        yield from (f"{language}: {fault}" for fault in sorted(set(_faults_when_full(wording, language))))


def _faults_in_words(words: str, wording: Template) -> Iterator[str]:
    fixed = _FIELD.sub("", words)
    if not words.startswith(f"{BRAND}: "):
        yield f"does not begin with {BRAND}"
    if found := _FILTERED.search(fixed):
        yield f"says {found.group()!r}, which operators filter"
    if _LINK.search(fixed):
        yield "holds a link"
    if _ANSWER.search(fixed):
        yield "asks for an answer"
    if gsm7.septets(fixed) != len(fixed):
        yield "holds a character that counts twice"
    if not wording.after_payment and _PROTECTED.search(_DENIED.sub("", fixed)):
        yield "says protected before payment"


def fullest_texts(wording: Template, language: Language) -> Iterator[str]:
    """A template filled as full as it can be, with whatever fills it worst."""
    choices = [[(name, text) for text in _fullest(field)] for name, field in wording.fields.items()]
    for values in product(*choices):
        yield wording.render(language, **dict(values))


def _faults_when_full(wording: Template, language: Language) -> Iterator[str]:
    for text in fullest_texts(wording, language):
        cut = segmented(text)
        if cut.encoding != "GSM":
            yield "leaves the GSM-7 alphabet"
        if len(cut.parts) > 1:
            yield f"takes {gsm7.septets(text)} septets when full"
        if _LONG_RUN.search(text):
            yield "holds a run of digits over 3"


def _fullest(field: Field) -> Iterator[str]:
    for filling in _FILLINGS[field.kind]:
        if field.kind is FieldKind.REFERENCE and filling.isdigit():
            # Spaces are put between groups of three when it is rendered.
            yield filling * (field.septets - (field.septets - 1) // 4)
        else:
            yield filling * (field.septets // gsm7.septets(filling))
