"""Rules of SMS templates, checked by the tests and before packaging.

Operators filter SMS that look like a one-time password or a fraud. A worker must not take "registered" for
"protected". An SMS cannot be answered in Indonesia, so it may not ask for an answer.
"""

import re
from collections.abc import Iterator
from itertools import product

from chalicelib.filtered_text import find_filtered_word
from chalicelib.languages import WORKER_LANGUAGES, WorkerLanguage
from chalicelib.messaging import gsm7
from chalicelib.messaging.content import BRAND, ContentFault
from chalicelib.messaging.content import find_faults as find_content_faults
from chalicelib.notifications.templates import (
    FieldKind,
    Template,
    TemplateField,
    load_templates,
)
from ops.errors import OperationError

# What operators drop, apart from what the fields of a template add to it.
_WORDS_BY_FAULT = {
    ContentFault.BRAND: f"does not begin with {BRAND}",
    ContentFault.LINK: "holds a link",
}

_REPLY_REQUEST_PATTERN = re.compile(r"\b(reply|stop|balas|ketik|unsubscribe|berhenti langganan)\b", re.I)
_NOT_PROTECTED_PATTERN = re.compile(
    r"\b(belum|tidak|not( yet)?) (terlindungi|dilindungi|protected|insured|covered)\b", re.I
)
_PROTECTED_PATTERN = re.compile(r"terlindung|dilindungi|protected|insured|covered|\b(aktif|active)\b", re.I)
_FIELD_PATTERN = re.compile(r"\{(.*?)\}")

# The longest values of each kind of field, in plain characters and, for typed fields, in characters of two
# septets. The worst reference is all digits.
_WORST_CHARACTERS = {
    FieldKind.NAME: ("W", "€"),
    FieldKind.REFERENCE: ("9", "W"),
    FieldKind.AMOUNT: (".",),
    FieldKind.DATE: ("W",),
}


class TemplateInvalid(OperationError):
    """A template breaks rules; the message names each fault."""


def check_templates() -> None:
    """Check all our templates. Raise TemplateInvalid."""
    faults = [f"{each.purpose}: {fault}" for each in load_templates().values() for fault in find_faults(each)]
    if faults:
        raise TemplateInvalid("\n".join(faults))


def find_faults(template: Template) -> Iterator[str]:
    """Yield every fault of a template."""
    if set(template.bodies) != set(WORKER_LANGUAGES):
        yield f"has bodies in {sorted(template.bodies)}, not in {sorted(WORKER_LANGUAGES)}"
        return
    for language in WORKER_LANGUAGES:
        body = template.bodies[language]
        used = set(_FIELD_PATTERN.findall(body))
        if used != set(template.fields):
            yield f"{language}: uses {sorted(used)} and declares {sorted(template.fields)}"
            continue
        yield from (f"{language}: {fault}" for fault in _find_body_faults(body, template))
        yield from (f"{language}: {fault}" for fault in sorted(set(_find_length_faults(template, language))))


def _find_body_faults(body: str, template: Template) -> Iterator[str]:
    fixed_text = _FIELD_PATTERN.sub("", body)
    found = find_content_faults(fixed_text)
    yield from (message for fault, message in _WORDS_BY_FAULT.items() if fault in found)
    if word := find_filtered_word(fixed_text):
        yield f"says {word!r}, which operators filter"
    if _REPLY_REQUEST_PATTERN.search(fixed_text):
        yield "asks for an answer"
    if gsm7.count_septets(fixed_text) != len(fixed_text):
        yield "holds a character that counts twice"
    claims = _NOT_PROTECTED_PATTERN.sub("", fixed_text)
    if not template.is_after_payment and _PROTECTED_PATTERN.search(claims):
        yield "says protected before payment"


def render_longest_bodies(template: Template, language: WorkerLanguage) -> Iterator[str]:
    """Yield the body of a template with the longest values of all fields."""
    choices = [
        [(name, value) for value in _iter_longest_values(field)] for name, field in template.fields.items()
    ]
    for values in product(*choices):
        yield template.render(language, **dict(values))


def _find_length_faults(template: Template, language: WorkerLanguage) -> Iterator[str]:
    for body in render_longest_bodies(template, language):
        if not gsm7.is_gsm7(body):
            yield "leaves the GSM-7 alphabet"
        elif ContentFault.PARTS in find_content_faults(body):
            yield f"takes {gsm7.count_septets(body)} septets when full"
        if ContentFault.DIGITS in find_content_faults(body):
            yield "holds a run of digits over 3"


def _iter_longest_values(field: TemplateField) -> Iterator[str]:
    for character in _WORST_CHARACTERS[field.kind]:
        if field.kind is FieldKind.REFERENCE and character.isdigit():
            # Rendering adds separators between groups of three.
            yield character * (field.max_septets - (field.max_septets - 1) // 4)
        else:
            yield character * (field.max_septets // gsm7.count_septets(character))
