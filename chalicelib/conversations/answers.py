"""Answers to the questions of a form, typed, tapped or shared. Pure."""

from typing import Any

from chalicelib.conversations import form, questions
from chalicelib.conversations.commands import choose_detour
from chalicelib.conversations.events import Contact
from chalicelib.conversations.fields import Field, Unreadable
from chalicelib.conversations.model import Effect, Session, Step, TextRef, parse_choice_id
from chalicelib.conversations.outcomes import ask_question, begin_draft, describe_error, end
from chalicelib.conversations.questions import Context
from chalicelib.refusals import BrokenRule

# After so many answers that cannot be used, help is offered.
_FAILURES_BEFORE_HELP = 3

_PHONE, _NIK = "phone", "nik"
_OLD_BUTTON = TextRef(key="old_button")


def answer_text(session: Session, text: str, context: Context) -> Step:
    """Return the step after a text that is no command: an answer to the question of the session."""
    question = questions.find_question(session, context.form)
    if question == questions.STATUS_REFERENCE:
        return _take_reference(session, text, context)
    if question == questions.STATUS_PHONE:
        return look_up_status(session, text, context)
    options = questions.list_question_options(question, session, context)
    found = context.form.find_field(question)
    if found is None:
        return _answer_detour(session, question, text, context)
    try:
        value = found.read_text(text, options, today=context.rules.today())
    except Unreadable as unreadable:
        return fail(session, context, unreadable.error, candidates=unreadable.candidates)
    return take_answer(session, found, value, context)


def answer_choice(session: Session, choice_id: str, context: Context) -> Step:
    """Return the step after a tap. A button of an earlier question edits its own field, and no other."""
    tapped = parse_choice_id(choice_id)
    if tapped is None or tapped.draft != session.draft:
        return ask_question(session, context, _OLD_BUTTON)
    question = questions.find_question(session, context.form)
    found = context.form.find_field(tapped.field)
    if found is None:
        options = questions.list_question_options(tapped.field, session, context)
        if tapped.field != question or all(each.value != tapped.value for each in options):
            return ask_question(session, context, _OLD_BUTTON)
        return choose_detour(session, question, tapped.value, context)
    is_asked = tapped.field in session.answers or tapped.field == question
    if not is_asked or not found.accepts(tapped.value) or not found.is_applicable(session.answers):
        return ask_question(session, context, _OLD_BUTTON)
    return take_answer(session, found, found.read_choice(tapped.value), context)


def answer_contact(session: Session, contact: Contact, context: Context) -> Step:
    """Return the step after a contact card: the person's own number is the answer to that question."""
    found = context.form.find_field(_PHONE)
    if found is None or questions.find_question(session, context.form) != _PHONE:
        return ask_question(session, context, TextRef(key="contact_unexpected"))
    if not contact.is_own:
        return fail(session, context, TextRef(key="contact_not_own"))
    return take_answer(session, found, contact.phone, context)


def prefill_phone(session: Session, context: Context) -> Session:
    """Return a session with the number that the channel proves as the answer to the question for it."""
    if context.proven_phone is None or form.CONSENT not in session.answers or _PHONE in session.answers:
        return session
    if session.is_finished or context.form.find_field(_PHONE) is None:
        return session
    answers = {**session.answers, _PHONE: context.proven_phone}
    if _list_errors(answers, _PHONE, context):
        return session
    return session.model_copy(update={"answers": answers})


def take_answer(session: Session, found: Field, value: Any, context: Context) -> Step:
    """Return the step after an answer was read: it is kept if the rules of intake allow it."""
    if found.field_id == form.CONSENT:
        return _take_consent(session, value, context)
    answers = {**session.answers, found.field_id: value}
    if found.field_id == _NIK:
        answers = _derive_birth_date(answers, session, context)
    result = context.rules.check(form.build_capture_fields(answers, context.form))
    errors = _select(result.errors, found)
    if errors:
        return fail(session, context, *map(describe_error, errors), field=found)
    is_change = found.field_id in session.answers and session.answers[found.field_id] != value
    changed = session.model_copy(
        update={
            "answers": answers,
            "focus": None if session.focus == found.field_id else session.focus,
            "detour": None,
            "candidates": (),
            "failures": 0,
            "page": 0,
        }
    )
    notices = [describe_error(rule) for rule in result.warnings if is_about(rule, found)]
    if is_change:
        label = TextRef(key=f"label_{found.field_id}")
        changed_text = {"field": label, "value": questions.describe_answer(found, changed)}
        notices.insert(0, TextRef(key="changed", args=changed_text))
    return ask_question(changed, context, *notices)


def fail(
    session: Session,
    context: Context,
    *errors: TextRef,
    candidates: tuple[str, ...] = (),
    field: Field | None = None,
) -> Step:
    """Return the step after an unusable answer: the question again, and help after some of them."""
    changes: dict[str, Any] = {
        "failures": session.failures + (not candidates),
        "candidates": candidates,
        "page": 0,
    }
    if field is not None and field.field_id in session.answers:
        changes["focus"] = field.field_id
    changed = session.model_copy(update=changes)
    help_notice = (TextRef(key="offer_help"),) if changed.failures >= _FAILURES_BEFORE_HELP else ()
    return ask_question(changed, context, *errors, *help_notice)


def look_up_status(session: Session, phone: str, context: Context) -> Step:
    """Return the step that asks for the state of a registration."""
    effect = Effect("tell_status", {"reference": session.status_reference or "", "phone": phone})
    changed = session.model_copy(update={"detour": None, "status_reference": None, "page": 0})
    return ask_question(changed, context, effects=(effect,))


def _take_reference(session: Session, text: str, context: Context) -> Step:
    changed = session.model_copy(
        update={"detour": questions.STATUS_PHONE, "status_reference": text[:40], "page": 0}
    )
    if context.proven_phone is not None:
        return look_up_status(changed, context.proven_phone, context)
    return ask_question(changed, context)


def _answer_detour(session: Session, question: str, text: str, context: Context) -> Step:
    options = questions.list_question_options(question, session, context)
    reader = Field(field_id=question, path="", choices=options)
    try:
        value = reader.read_text(text, options, today=context.rules.today())
    except Unreadable as unreadable:
        return fail(session, context, unreadable.error)
    return choose_detour(session, question, value, context)


def _take_consent(session: Session, value: str, context: Context) -> Step:
    if value == form.LANGUAGE:
        other = "en" if session.language == "id" else "id"
        return ask_question(session.model_copy(update={"language": other, "page": 0}), context)
    if value == form.DISAGREE:
        return end(begin_draft(session, context), questions.DECLINED)
    answers = {**session.answers, form.CONSENT: session.consent_version}
    changed = session.model_copy(
        update={
            "answers": answers,
            "consented_at": session.consented_at or context.now,
            "focus": None,
            "failures": 0,
            "page": 0,
        }
    )
    changed = prefill_phone(changed, context)
    if context.form.completion == "make_link" and context.form.find_missing(answers) is None:
        return ask_question(
            changed.model_copy(update={"is_finished": True}), context, effects=(Effect("make_link", {}),)
        )
    return ask_question(changed, context)


def _derive_birth_date(answers: dict[str, Any], session: Session, context: Context) -> dict[str, Any]:
    """Return the answers with the birth date that the NIK holds."""
    if answers[_NIK] == session.answers.get(_NIK) or context.form.find_field("birth_date") is None:
        return answers
    found = context.rules.find_birth_date(answers[_NIK])
    rest = {name: value for name, value in answers.items() if name != "birth_date"}
    return rest if found is None else {**rest, "birth_date": found.isoformat()}


def _list_errors(answers: dict[str, Any], field_id: str, context: Context) -> list[BrokenRule]:
    found = context.form.find_field(field_id)
    result = context.rules.check(form.build_capture_fields(answers, context.form))
    return [] if found is None else _select(result.errors, found)


def _select(broken_rules: tuple[BrokenRule, ...], found: Field) -> list[BrokenRule]:
    return [rule for rule in broken_rules if is_about(rule, found)]


def is_about(rule: BrokenRule, found: Field) -> bool:
    """Return True if a broken rule is about a question. A NIK is refused for the age of its bearer, too."""
    paths = (found.path, "worker.birth_date") if found.field_id == _NIK else (found.path,)
    return any(f"{rule.field}.".startswith(f"{path}.") for path in paths)
