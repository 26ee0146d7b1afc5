"""What a text may not say: every template is judged by it before it is published, and in the tests.

Operators drop what looks like a one-time password or a fraud; workers must never take registered for
protected; and there is no way to answer a text in Indonesia, so none may ask for an answer.
"""

import json
import re
from collections.abc import Iterator
from itertools import product
from pathlib import Path

from chalicelib.messaging import gsm7
from chalicelib.messaging.segments import split_segments
from chalicelib.notifications.templates import (
    LANGUAGES,
    FieldKind,
    Language,
    Template,
    TemplateField,
    load_templates,
)

BRAND = "BPJAMSOSTEK"

_FILTERED_WORDS = json.loads(Path(__file__).with_name("filtered_words.json").read_text(encoding="utf-8"))[
    "words"
]
_FILTERED_PATTERN = re.compile(rf"\b({'|'.join(_FILTERED_WORDS)})\b", re.I)
_LINK_PATTERN = re.compile(r"https?:|www\.|://|\b\w+\.(id|com|net|org|go|me|ly|info)\b", re.I)
_LONG_DIGIT_RUN = re.compile(r"\d{4}")
_REPLY_REQUEST_PATTERN = re.compile(r"\b(reply|stop|balas|ketik|unsubscribe|berhenti langganan)\b", re.I)
_NOT_PROTECTED_PATTERN = re.compile(
    r"\b(belum|tidak|not( yet)?) (terlindungi|dilindungi|protected|insured|covered)\b", re.I
)
_PROTECTED_PATTERN = re.compile(r"terlindung|dilindungi|protected|insured|covered|\b(aktif|active)\b", re.I)
_FIELD_PATTERN = re.compile(r"\{(.*?)\}")

# As full as each kind of field can be, in plain characters and, for what people type, in those that count
# twice. A reference of nothing but digits is the worst one.
_WORST_CHARACTERS = {
    FieldKind.NAME: ("W", "€"),
    FieldKind.REFERENCE: ("9", "W"),
    FieldKind.AMOUNT: (".",),
    FieldKind.DATE: ("W",),
}


class TemplateInvalid(Exception):
    """A template that may not be published; the message names each fault."""


def check_templates() -> None:
    """Judge every template we ship. Raises TemplateInvalid."""
    faults = [f"{each.purpose}: {fault}" for each in load_templates().values() for fault in find_faults(each)]
    if faults:
        raise TemplateInvalid("\n".join(faults))


def find_faults(template: Template) -> Iterator[str]:
    """Everything that speaks against publishing a template."""
    if set(template.bodies) != set(LANGUAGES):
        yield f"is worded in {sorted(template.bodies)}, not in {sorted(LANGUAGES)}"
        return
    for language in LANGUAGES:
        words = template.bodies[language]
        used = set(_FIELD_PATTERN.findall(words))
        if used != set(template.fields):
            yield f"{language}: uses {sorted(used)} and declares {sorted(template.fields)}"
            continue
        yield from (f"{language}: {fault}" for fault in _find_body_faults(words, template))
        yield from (f"{language}: {fault}" for fault in sorted(set(_find_length_faults(template, language))))


def _find_body_faults(body: str, template: Template) -> Iterator[str]:
    fixed = _FIELD_PATTERN.sub("", body)
    if not body.startswith(f"{BRAND}: "):
        yield f"does not begin with {BRAND}"
    if found := _FILTERED_PATTERN.search(fixed):
        yield f"says {found.group()!r}, which operators filter"
    if _LINK_PATTERN.search(fixed):
        yield "holds a link"
    if _REPLY_REQUEST_PATTERN.search(fixed):
        yield "asks for an answer"
    if gsm7.count_septets(fixed) != len(fixed):
        yield "holds a character that counts twice"
    if not template.is_after_payment and _PROTECTED_PATTERN.search(_NOT_PROTECTED_PATTERN.sub("", fixed)):
        yield "says protected before payment"


def render_longest_bodies(template: Template, language: Language) -> Iterator[str]:
    """A template filled as full as it can be, with whatever fills it worst."""
    choices = [
        [(name, text) for text in _iter_longest_values(field)] for name, field in template.fields.items()
    ]
    for values in product(*choices):
        yield template.render(language, **dict(values))


def _find_length_faults(template: Template, language: Language) -> Iterator[str]:
    for text in render_longest_bodies(template, language):
        cut = split_segments(text)
        if cut.encoding != "GSM":
            yield "leaves the GSM-7 alphabet"
        if len(cut.parts) > 1:
            yield f"takes {gsm7.count_septets(text)} septets when full"
        if _LONG_DIGIT_RUN.search(text):
            yield "holds a run of digits over 3"


def _iter_longest_values(field: TemplateField) -> Iterator[str]:
    for filling in _WORST_CHARACTERS[field.kind]:
        if field.kind is FieldKind.REFERENCE and filling.isdigit():
            # Spaces are put between groups of three when it is rendered.
            yield filling * (field.max_septets - (field.max_septets - 1) // 4)
        else:
            yield filling * (field.max_septets // gsm7.count_septets(filling))
