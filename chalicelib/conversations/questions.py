"""The question of a session, and the prompt that asks it. Pure.

No "current question" is stored: it is the detour, the field that is asked again, the first field without an
answer, the review, or the end.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from chalicelib.conversations.capabilities import Capabilities
from chalicelib.conversations.fields import Field, make_choices
from chalicelib.conversations.form import CONSENT, Form, build_capture_fields
from chalicelib.conversations.model import Option, Prompt, Session, TextRef
from chalicelib.conversations.rules import FormRules
from chalicelib.crypto.masking import mask_number
from chalicelib.rupiah import format_rupiah

REVIEW, DONE, DECLINED = "review", "done", "declined"
CLOSED = "closed"
RESTART, CANCEL, EDIT = "restart", "cancel", "edit"
STATUS_REFERENCE, STATUS_PHONE = "status_reference", "status_phone"

NOTHING = TextRef(key="nothing")

_DETOUR_OPTIONS: Mapping[str, tuple[Option, ...]] = {
    RESTART: make_choices("yes", "no"),
    CANCEL: make_choices("continue", "restart", "stop"),
    REVIEW: make_choices("send", "edit", "restart"),
    DONE: make_choices("again", "status"),
}


@dataclass(frozen=True, kw_only=True)
class Context:
    """The knowledge of a step beside session and event: form, channel, rules, time and chat."""

    form: Form
    capabilities: Capabilities
    rules: FormRules
    now: datetime
    default_campaign: str
    consent_version: str
    proven_phone: str | None = None


def find_question(session: Session, form: Form) -> str:
    """Return the id of the question that a session asks: a field's, or one of this module."""
    if session.detour is not None:
        return session.detour
    focus = None if session.focus is None else form.find_field(session.focus)
    if focus is not None and focus.is_applicable(session.answers):
        return focus.field_id
    if session.is_finished:
        return DONE
    missing = form.find_missing(session.answers)
    if missing is not None:
        return missing.field_id
    return REVIEW if form.completion == "review" else DONE


def list_question_options(question: str, session: Session, context: Context) -> tuple[Option, ...]:
    """Return the options of a question, numbered as they are shown."""
    if question == EDIT:
        return tuple(
            Option(value=each.field_id, label=TextRef(key=f"label_{each.field_id}"), token=str(number))
            for number, each in enumerate(list_editable(session, context.form), 1)
        )
    found = context.form.find_field(question)
    if found is None:
        return _DETOUR_OPTIONS.get(question, ())
    return found.list_options(session.candidates if question == "occupation" else ())


def list_editable(session: Session, form: Form) -> list[Field]:
    """Return the answered fields that may be asked again. The consent is withdrawn by other ways."""
    return [
        each
        for each in form.iter_applicable(session.answers)
        if each.field_id in session.answers and each.field_id != CONSENT
    ]


def build_prompt(session: Session, context: Context, *notices: TextRef) -> Prompt:
    """Return the prompt that asks the question of a session, after some notices."""
    question = find_question(session, context.form)
    asks_contact = _asks_contact(question, context)
    return Prompt(
        notices=notices,
        question=_build_question(question, session, context),
        field=question,
        draft=session.draft,
        options=list_question_options(question, session, context),
        asks_contact=asks_contact,
        removes_keyboard=session.shows_contact_keyboard and not asks_contact,
        page=session.page,
        closes=question == DONE,
    )


def shows_contact_keyboard(prompt: Prompt) -> bool:
    return prompt.asks_contact


def describe_answer(found: Field, session: Session) -> TextRef:
    """Return the text of an answer as a person is shown it."""
    value = session.answers.get(found.field_id)
    if value is None:
        return NOTHING
    return _DESCRIPTIONS.get(found.field_id, _describe_plain)(value)


def _asks_contact(question: str, context: Context) -> bool:
    found = context.form.find_field(question)
    return found is not None and found.asks_contact and context.capabilities.has_contact_share


def _build_question(question: str, session: Session, context: Context) -> TextRef:
    if question == CONSENT:
        return TextRef(
            key="ask_consent",
            args={"text": TextRef(key="consent", args={"version": session.consent_version})},
        )
    if question != REVIEW:
        return TextRef(key=f"ask_{question}")
    price = context.rules.compute_price(build_capture_fields(session.answers, context.form))
    lines: dict[str, str | TextRef] = {
        each.field_id: describe_answer(each, session) for each in list_editable(session, context.form)
    }
    lines.setdefault("jht", TextRef(key="option_yes"))
    lines["price"] = (
        TextRef(key="price_unknown")
        if price is None
        else TextRef(key="plain", args={"text": format_rupiah(price)})
    )
    return TextRef(key="ask_review", args=lines)


def _describe_plain(value: Any) -> TextRef:
    return TextRef(key="plain", args={"text": str(value)})


def _describe_flag(value: Any) -> TextRef:
    return TextRef(key="option_yes" if value else "option_no")


_DESCRIPTIONS: Mapping[str, Callable[[Any], TextRef]] = {
    "nik": lambda value: _describe_plain(mask_number("".join(filter(str.isdigit, str(value))))),
    "birth_date": lambda value: TextRef(key="date", args={"date": str(value)}),
    "occupation": lambda value: TextRef(key="occupation", args={"id": str(value)}),
    "monthly_income": lambda value: _describe_plain(format_rupiah(int(value))),
    "employs_others": _describe_flag,
    "jht": _describe_flag,
    "months": lambda value: TextRef(key="months", args={"count": str(value)}),
}
