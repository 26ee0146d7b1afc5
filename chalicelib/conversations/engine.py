"""The conversation: an event and a session make the next session, one prompt and some effects. Pure."""

from datetime import timedelta
from typing import Any

from chalicelib.conversations import questions, words
from chalicelib.conversations.answers import (
    answer_choice,
    answer_contact,
    answer_text,
    is_about,
    prefill_phone,
)
from chalicelib.conversations.commands import run_command
from chalicelib.conversations.events import (
    Blocked,
    Choice,
    Contact,
    Content,
    Dialled,
    InboundEvent,
    Media,
    TypedText,
)
from chalicelib.conversations.form import build_capture_fields
from chalicelib.conversations.model import Answers, Effect, Session, Step, TextRef
from chalicelib.conversations.outcomes import add_notices, ask_question
from chalicelib.conversations.questions import Context

# A person answers some 15 questions for each worker, and a family has some workers. Two programs that answer
# one another send more.
_REPLIES_PER_HOUR = 150

# A person who dials again is asked the same question again.
_REDIALLED = "menu"

_ONE_HOUR, _ONE_MINUTE = timedelta(hours=1), timedelta(minutes=1)


def begin_session(context: Context) -> Session:
    """Return the session of a chat that has none."""
    return Session(
        form_id=context.form.form_id,
        form_version=context.form.version,
        campaign_id=context.default_campaign,
        consent_version=context.consent_version,
        touched_at=context.now,
    )


def step(session: Session | None, event: InboundEvent, context: Context) -> Step:
    """Return the answer to an event."""
    is_new = session is None
    current = begin_session(context) if session is None else _resume(session, context)
    if isinstance(event.content, Blocked):
        return Step(current, None, (Effect("opt_out", {}),))
    current, may_reply = _count_reply(current, context)
    if not may_reply:
        return Step(current, None)
    current = prefill_phone(current, context)
    was_away = session is not None and context.now - session.touched_at > _ONE_HOUR
    current, content = _read_dialled(current, event.content)
    answered = _dispatch(current, content, context, is_new=is_new)
    if was_away and session is not None and session.answers:
        answered = _welcome_back(answered)
    return answered


def _resume(session: Session, context: Context) -> Session:
    """Return a session under the present version of its form: answers to questions that exist stay."""
    changes: dict[str, Any] = {"touched_at": context.now}
    form = context.form
    if (session.form_id, session.form_version) != (form.form_id, form.version):
        answers = _keep_valid(session.answers, context)
        changes |= {"form_id": form.form_id, "form_version": form.version, "answers": answers}
    return session.model_copy(update=changes)


def _keep_valid(answers: Answers, context: Context) -> Answers:
    """Return the answers to questions of the form that its rules allow."""
    form = context.form
    known = {name: value for name, value in answers.items() if form.find_field(name) is not None}
    errors = context.rules.check(build_capture_fields(known, form)).errors
    refused = {each.field_id for each in form.fields for rule in errors if is_about(rule, each)}
    return {name: value for name, value in known.items() if name not in refused}


def _count_reply(session: Session, context: Context) -> tuple[Session, bool]:
    since = session.replies_since
    if since is None or context.now - since >= _ONE_HOUR:
        return session.model_copy(update={"replies": 1, "replies_since": context.now}), True
    changed = session.model_copy(update={"replies": session.replies + 1})
    return changed, session.replies < _REPLIES_PER_HOUR


def _read_dialled(session: Session, content: Content) -> tuple[Session, Content]:
    """Return what was typed in this step of a USSD session; a new session goes on with the same question.

    The gateway sends all that was typed, joined by `*`. A name may hold that sign, so that the last answer is
    what follows the history of the step before.
    """
    if not isinstance(content, Dialled):
        return session, content
    history = f"{session.dialled_history}*" if session.dialled_history else ""
    goes_on = content.session_id == session.dialled_session and content.history.startswith(history)
    changes = {"dialled_session": content.session_id, "dialled_history": content.history}
    typed = content.history.removeprefix(history) if goes_on else _REDIALLED
    return session.model_copy(update=changes), TypedText(text=typed)


def _dispatch(session: Session, content: Content, context: Context, *, is_new: bool) -> Step:
    match content:
        case Media():
            return _answer_media(session, context, is_new=is_new)
        case Choice(choice_id=choice_id) if not is_new:
            return answer_choice(session, choice_id, context)
        case Contact() as contact if not is_new:
            return answer_contact(session, contact, context)
        case TypedText(text=text):
            command = words.find_command(text)
            if command is not None and _is_command(command[0], session, context):
                return run_command(session, command, context, is_new=is_new)
            if not is_new:
                return answer_text(session, text, context)
    return ask_question(session, context, TextRef(key="greeting"))


def _is_command(command: str, session: Session, context: Context) -> bool:
    """Return True unless a word means something else here, as "lagi" does without pages."""
    if command != "more":
        return True
    return context.capabilities.has_pages and not (
        questions.find_question(session, context.form) == questions.DONE and session.page == 0
    )


def _answer_media(session: Session, context: Context, *, is_new: bool) -> Step:
    answered_at = session.media_answered_at
    if answered_at is not None and context.now - answered_at < _ONE_MINUTE:
        return Step(session, None)
    changed = session.model_copy(update={"media_answered_at": context.now})
    notices = (TextRef(key="greeting"),) if is_new else ()
    return ask_question(changed, context, *notices, TextRef(key="text_only"))


def _welcome_back(answered: Step) -> Step:
    notice = TextRef(key="resumed")
    if answered.prompt is None or notice in answered.prompt.notices:
        return answered
    return add_notices(answered, notice, is_first=True)
