"""Commands, and the questions outside the form that they lead to. Pure."""

from collections.abc import Callable, Mapping

from chalicelib.conversations import questions
from chalicelib.conversations.form import CONSENT
from chalicelib.conversations.model import Effect, Session, Step, TextRef
from chalicelib.conversations.outcomes import add_notices, ask_question, begin_draft, end
from chalicelib.conversations.questions import Context

_OPT_OUT, _OPT_IN = Effect("opt_out", {}), Effect("opt_in", {})


def run_command(session: Session, command: tuple[str, str], context: Context, *, is_new: bool) -> Step:
    """Return the step after a command with its argument. In a new chat its answer comes with a greeting."""
    name, argument = command
    if name == "start":
        return _start(session, argument, context, is_new=is_new)
    if name == "edit":
        return begin_edit(session, argument, context)
    answered = _COMMANDS[name](session, context)
    if not is_new or answered.prompt is None or name == "stop":
        return answered
    return add_notices(answered, TextRef(key="greeting"), is_first=True)


def begin_edit(session: Session, number: str, context: Context) -> Step:
    """Return the step that asks a field again: that with a number of the list, or the one to be chosen."""
    editable = questions.list_editable(session, context.form)
    if not editable:
        return ask_question(_clear_detour(session), context, TextRef(key="nothing_to_edit"))
    if number.isdecimal() and 1 <= int(number) <= len(editable):
        return _focus(session, editable[int(number) - 1].field_id, context)
    return ask_question(_detour(session, questions.EDIT), context)


def choose_detour(session: Session, question: str, value: str, context: Context) -> Step:
    """Return the step after an option of a question outside the form was chosen."""
    if question == questions.EDIT:
        return _focus(session, value, context)
    choose = _CHOICES.get((question, value))
    return ask_question(_clear_detour(session), context) if choose is None else choose(session, context)


def _start(session: Session, campaign_id: str, context: Context, *, is_new: bool) -> Step:
    """Return the step after a start: a greeting, or the same question in the midst of a draft."""
    changed = _clear_detour(session)
    if campaign_id and not changed.answers and context.rules.is_open(campaign_id):
        changed = changed.model_copy(update={"campaign_id": campaign_id})
    if changed.is_finished:
        changed = begin_draft(changed, context)
    notice = TextRef(key="resumed" if changed.answers and not is_new else "greeting")
    return ask_question(changed, context, notice, effects=(_OPT_IN,))


def _help(session: Session, context: Context) -> Step:
    question = questions.find_question(session, context.form)
    found = context.form.find_field(question)
    example = () if found is None else (TextRef(key=f"help_{found.field_id}"),)
    return ask_question(session, context, TextRef(key="help"), *example)


def _stop(session: Session, context: Context) -> Step:
    return end(_clear_detour(session), "stopped", (_OPT_OUT,))


def _go_back(session: Session, context: Context) -> Step:
    """Return the step to the question before. Its answer stays until another one is given."""
    if session.detour is not None:
        return ask_question(_clear_detour(session), context)
    question = questions.find_question(session, context.form)
    editable = questions.list_editable(session, context.form)
    answered = [each.field_id for each in editable if not each.is_derived or each.field_id == question]
    if question in answered:
        answered = answered[: answered.index(question)]
    elif question not in (questions.REVIEW, questions.DONE):
        order = [each.field_id for each in context.form.fields]
        answered = [each for each in answered if order.index(each) < order.index(question)]
    if not answered:
        return ask_question(session, context, TextRef(key="no_question_before"))
    return _focus(session, answered[-1], context)


def _ask_restart(session: Session, context: Context) -> Step:
    if not set(session.answers) - {CONSENT}:
        return _restart(session, context)
    return ask_question(_detour(session, questions.RESTART), context)


def _ask_cancel(session: Session, context: Context) -> Step:
    return ask_question(_detour(session, questions.CANCEL), context)


def _ask_status(session: Session, context: Context) -> Step:
    return ask_question(_detour(session, questions.STATUS_REFERENCE), context)


def _call_agent(session: Session, context: Context) -> Step:
    state = questions.find_question(session, context.form)
    effect = Effect(
        "hand_off", {"state": state, "campaign_id": session.campaign_id, "language": session.language}
    )
    return ask_question(session, context, effects=(effect,))


def _register_another(session: Session, context: Context) -> Step:
    if session.answers:
        return ask_question(_clear_detour(session), context, TextRef(key="finish_first"))
    return ask_question(begin_draft(session, context), context)


def _speak_indonesian(session: Session, context: Context) -> Step:
    return ask_question(session.model_copy(update={"language": "id", "page": 0}), context)


def _speak_english(session: Session, context: Context) -> Step:
    return ask_question(session.model_copy(update={"language": "en", "page": 0}), context)


def _register(session: Session, context: Context) -> Step:
    """Return the step that sends the draft to intake; its answer is the prompt."""
    return Step(session, None, (Effect("register", {}),))


def _edit(session: Session, context: Context) -> Step:
    return begin_edit(session, "", context)


def _restart(session: Session, context: Context) -> Step:
    return ask_question(begin_draft(session, context), context, TextRef(key="restarted"))


def _turn_page(session: Session, context: Context) -> Step:
    return ask_question(session.model_copy(update={"page": session.page + 1}), context, *session.notices)


_COMMANDS: Mapping[str, Callable[[Session, Context], Step]] = {
    "help": _help,
    "stop": _stop,
    "back": _go_back,
    "restart": _ask_restart,
    "cancel": _ask_cancel,
    "status": _ask_status,
    "agent": _call_agent,
    "again": _register_another,
    "indonesian": _speak_indonesian,
    "english": _speak_english,
    "more": _turn_page,
}


_CHOICES: Mapping[tuple[str, str], Callable[[Session, Context], Step]] = {
    (questions.REVIEW, "send"): _register,
    (questions.REVIEW, "edit"): _edit,
    (questions.REVIEW, "restart"): _ask_restart,
    (questions.RESTART, "yes"): _restart,
    (questions.CANCEL, "restart"): _restart,
    (questions.CANCEL, "stop"): _stop,
    (questions.DONE, "again"): _register_another,
    (questions.DONE, "status"): _ask_status,
}


def _focus(session: Session, field_id: str, context: Context) -> Step:
    return ask_question(_clear_detour(session).model_copy(update={"focus": field_id, "failures": 0}), context)


def _detour(session: Session, question: str) -> Session:
    return session.model_copy(update={"detour": question, "page": 0, "failures": 0})


def _clear_detour(session: Session) -> Session:
    return session.model_copy(update={"detour": None, "status_reference": None, "page": 0, "candidates": ()})
