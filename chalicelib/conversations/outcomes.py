"""The steps that follow from an answer: the next question, the end of a draft, or a correction. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass

from chalicelib.conversations import questions
from chalicelib.conversations.form import Form
from chalicelib.conversations.model import Effect, Prompt, Session, Step, TextRef
from chalicelib.conversations.questions import Context
from chalicelib.refusals import BrokenRule
from chalicelib.rupiah import format_rupiah


@dataclass(frozen=True)
class Registered:
    """A capture was taken. Known worker or not, this is the answer.

    It is also that to somebody whose capture was refused for what is known of the worker: then nothing was
    stored, and `is_captured` is False.
    """

    total: int
    is_captured: bool = True


@dataclass(frozen=True)
class NotRegistered:
    """A capture was refused, for broken rules of fields or for a limit of the day."""

    broken_rules: tuple[BrokenRule, ...] = ()
    is_over_limit: bool = False


def ask_question(
    session: Session, context: Context, *notices: TextRef, effects: tuple[Effect, ...] = ()
) -> Step:
    """Return the step that asks the question of a session."""
    if not session.answers and not context.rules.is_open(session.campaign_id):
        session = session.model_copy(update={"campaign_id": context.default_campaign})
        if not context.rules.is_open(session.campaign_id) and session.detour is None:
            closed = Prompt(notices=notices, question=TextRef(key="closed"), closes=True)
            return Step(session, closed, effects)
    prompt = questions.build_prompt(session, context, *notices)
    changes = {"shows_contact_keyboard": prompt.asks_contact, "notices": notices}
    return Step(session.model_copy(update=changes), prompt, effects)


def add_notices(answered: Step, *notices: TextRef, link: str | None = None, is_first: bool = False) -> Step:
    """Return a step whose prompt has more notices, after its own unless `is_first`, and perhaps a link."""
    if answered.prompt is None:
        return answered
    own = answered.prompt.notices
    joined = (*notices, *own) if is_first else (*own, *notices)
    prompt = answered.prompt.model_copy(update={"notices": joined, "link": link})
    session = answered.session.model_copy(update={"notices": joined})
    return Step(session, prompt, answered.effects)


def end(session: Session, question: str, effects: tuple[Effect, ...] = ()) -> Step:
    """Return the step that says something and asks nothing, such as a farewell."""
    return Step(
        session,
        Prompt(question=TextRef(key=question), removes_keyboard=session.shows_contact_keyboard, closes=True),
        effects,
    )


def begin_draft(session: Session, context: Context) -> Session:
    """Return a session with a new, empty draft: buttons of the earlier one are known by its number."""
    return session.model_copy(
        update={
            "draft": session.draft + 1,
            "answers": {},
            "consented_at": None,
            "consent_version": context.consent_version,
            "focus": None,
            "detour": None,
            "candidates": (),
            "is_finished": False,
            "failures": 0,
            "page": 0,
        }
    )


def conclude(session: Session, outcome: Registered | NotRegistered, context: Context) -> Step:
    """Return the step after the capture of a draft was sent to intake."""
    if isinstance(outcome, Registered):
        finished = begin_draft(session, context).model_copy(update={"is_finished": True})
        notice = TextRef(key="registered", args={"price": format_rupiah(outcome.total)})
        return ask_question(finished, context, notice)
    if outcome.is_over_limit:
        return ask_question(session, context, TextRef(key="over_limit"))
    focus = _find_focus(outcome.broken_rules, context.form)
    errors = tuple(describe_error(rule) for rule in outcome.broken_rules)
    if focus is None:
        return Step(session, Prompt(notices=errors, question=TextRef(key="closed"), closes=True))
    return ask_question(session.model_copy(update={"focus": focus}), context, *errors)


def describe_error(rule: BrokenRule) -> TextRef:
    """Return the text of a broken rule: the message that the API has for it."""
    digits = {} if rule.digits is None else {"digits": str(rule.digits)}
    return TextRef(key="error", args={"code": rule.code, **digits})


def _find_focus(broken_rules: Iterable[BrokenRule], form: Form) -> str | None:
    for rule in broken_rules:
        for each in form.fields:
            if f"{rule.field}.".startswith(f"{each.path}."):
                return each.field_id
    return None
