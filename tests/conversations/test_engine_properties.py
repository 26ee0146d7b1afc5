"""From whatever a person did, the way out and the way on are open, and every prompt fits every channel."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.channels.text_menu.rendering import render_pages, render_ussd
from chalicelib.channels.whatsapp.rendering import Message
from chalicelib.conversations.capabilities import CAPABILITIES
from chalicelib.conversations.events import ChannelName, Choice, Contact, Content, Media, TypedText
from chalicelib.conversations.layout import render_body
from chalicelib.conversations.messages import OutboxContent
from chalicelib.conversations.model import Prompt, Session, TextRef
from chalicelib.conversations.outcomes import NotRegistered, Registered, add_notices
from chalicelib.conversations.questions import RESTART, REVIEW, find_question
from chalicelib.languages import WORKER_LANGUAGES, WorkerLanguage
from chalicelib.messaging import gsm7
from chalicelib.refusals import BrokenRule
from tests.support.chat_driver import PHONE, Person
from tests.support.transcripts import CHANNELS, render_prompt, render_whatsapp

# Good answers, by question; a bad one for most of them; and every command.
GOOD = {
    "consent": "setuju",
    "nik": "3171064504850003",
    "birth_date": "5 April 1985",
    "phone": "0812-3456-7890",
    "name": "Siti Aminah",
    "address": "Jl. Kebon Kacang 3",
    "postal_code": "10240",
    "occupation": "kuli panggul",
    "place": "Blok A",
    "monthly_income": "2,5 juta",
    "employs_others": "tidak",
    "jht": "ya",
    "months": "6",
}
COMMANDS = (
    *("bantuan", "berhenti", "kembali", "ulang", "batal", "mulai", "ubah", "ubah 2", "status", "petugas"),
    *("daftar lagi", "english", "indonesia", "0", "1", "2", "3", "ya", "tidak", "kirim"),
)
LONGEST = {"name": "W" * 99, "address": "W " * 150, "place": "€" * 120, "nik": "3171064504850003"}

_MAX_WHATSAPP_TEXT = 4096
OUTCOMES: tuple[Registered | NotRegistered, ...] = (
    Registered(1_017_600),
    NotRegistered(is_over_limit=True),
    NotRegistered((BrokenRule("worker.phone", "phone_malformed"),)),
    NotRegistered((BrokenRule("captured_at", "captured_outside_campaign"),)),
)

texts = st.one_of(
    st.sampled_from([*GOOD.values(), *COMMANDS, *LONGEST.values()]),
    st.text(max_size=40),
).map(lambda text: TypedText(text=text))
taps = st.builds(
    lambda field, value, draft: Choice(choice_id=f"v1:{field}:{value}:{draft}"),
    st.sampled_from([*GOOD, "review", "done", "restart", "cancel", "edit"]),
    st.sampled_from(
        ["agree", "disagree", "language", "yes", "no", "none", "porter", "6", "send", "edit", "again"]
    ),
    st.integers(min_value=1, max_value=3),
)
contents: st.SearchStrategy[Content] = st.one_of(
    texts, texts, taps, st.builds(Contact, phone=st.just(PHONE), is_own=st.booleans()), st.just(Media())
)


def answer_good(person: Person) -> None:
    """Answer the present question well."""
    session = person.session
    assert session is not None
    question = find_question(session, person.context.form)
    person.say(GOOD.get(question, "1"))


def measure(channel: ChannelName) -> Callable[[str], int]:
    return gsm7.count_septets if CAPABILITIES[channel].is_gsm7 else len


def make_reply(prompt: Prompt, language: WorkerLanguage) -> OutboxContent:
    return OutboxContent(channel="ussd", account="", recipient=PHONE, language=language, message=prompt)


def assert_fits(prompt: Prompt, channel: ChannelName) -> None:
    """Fail unless a prompt fits its channel in every language."""
    limits = CAPABILITIES[channel]
    for language in WORKER_LANGUAGES:
        if channel == "whatsapp":
            assert_fits_whatsapp(render_whatsapp(prompt, language))
        elif limits.has_pages:
            pages = render_pages(prompt, language, limits)
            assert all(gsm7.is_gsm7(page) for page in pages)
            assert max(map(measure(channel), pages)) <= limits.max_length
            assert len(pages) == 1 or all(page.strip() for page in pages)
            if channel == "ussd":
                assert render_ussd(make_reply(prompt, language)).startswith(("CON ", "END "))
        else:
            params = render_prompt(prompt, language).params
            assert 0 < len(params["text"]) <= limits.max_length
            for row in params.get("reply_markup", {}).get("inline_keyboard", ()):
                for button in row:
                    assert len(button["callback_data"].encode()) <= 64
                    assert len(button["text"]) <= limits.max_button_length
    for option in prompt.options:
        assert option.token


def assert_fits_whatsapp(message: Message) -> None:
    """Fail unless a message is within the limits of the Cloud API."""
    if message["type"] == "text":
        assert 0 < len(message["text"]["body"]) <= _MAX_WHATSAPP_TEXT
        return
    limits, interactive = CAPABILITIES["whatsapp"], message["interactive"]
    assert 0 < len(interactive["body"]["text"]) <= limits.max_length
    action = interactive["action"]
    buttons = [button["reply"] for button in action.get("buttons", ())]
    rows = [row for section in action.get("sections", ()) for row in section["rows"]]
    assert len(buttons) <= limits.max_buttons
    assert len(rows) <= limits.max_rows
    for choices, length in ((buttons, limits.max_button_length), (rows, limits.max_row_length)):
        assert all(0 < len(each["title"]) <= length for each in choices)
        assert all(len(each["id"]) <= 256 for each in choices)
        # A message with two equal titles is refused.
        assert len({each["title"] for each in choices}) == len(choices)
    labels = [action.get("button", ""), action.get("parameters", {}).get("display_text", "")]
    assert max(map(len, labels)) <= limits.max_button_length


@given(events=st.lists(contents, max_size=20))
def test_the_door_of_whatsapp_leads_to_the_form_from_every_state(events: list[Content]) -> None:
    person = Person("whatsapp")
    person.say("halo")
    for content in events:
        person.send(content)
    helped = person.say("bantuan")
    assert helped.prompt is not None
    assert "help" in [notice.key for notice in helped.prompt.notices]
    assert [effect.kind for effect in person.say("berhenti").effects] == ["opt_out"]
    person.say("ulang")
    person.say("ya")
    given_link = person.say("mulai", "daftar lagi", "setuju")
    assert [effect.kind for effect in given_link.effects] == ["make_link"]
    assert given_link.session.answers.keys() <= {"consent"}


@given(events=st.lists(contents, max_size=20))
def test_a_link_beside_any_prompt_fits_whatsapp(events: list[Content]) -> None:
    person = Person("whatsapp")
    person.say("halo")
    for content in events:
        answered = person.send(content)
        if answered.prompt is not None:
            linked = add_notices(
                answered, TextRef(key="form_link"), link=f"https://d.example/app#self={'x' * 60}"
            )
            assert linked.prompt is not None
            assert_fits(linked.prompt, "whatsapp")


@pytest.mark.parametrize("channel", [*CHANNELS, "whatsapp"])
@given(events=st.lists(contents, max_size=25), outcome=st.sampled_from(OUTCOMES))
def test_every_prompt_fits_whatever_a_person_sends(
    channel: ChannelName, events: list[Content], outcome: Registered | NotRegistered
) -> None:
    person = Person(channel, outcome=lambda session: outcome)
    for content in events:
        answered = person.send(content)
        if answered.prompt is not None:
            assert_fits(answered.prompt, channel)
            assert render_body(answered.prompt, answered.session.language)


@given(events=st.lists(contents, max_size=20), channel=st.sampled_from(CHANNELS))
def test_from_every_state_the_commands_work_and_the_form_can_be_finished(
    events: list[Content], channel: ChannelName
) -> None:
    person = Person(channel)
    person.say("halo")
    for content in events:
        person.send(content)
    number = len(person.registered)

    helped = person.say("bantuan")
    assert helped.prompt is not None
    assert "help" in [notice.key for notice in helped.prompt.notices]
    stopped = person.say("berhenti")
    assert [effect.kind for effect in stopped.effects] == ["opt_out"]
    answers = stopped.session.answers
    back = person.say("kembali")
    assert back.prompt is not None
    assert back.session.answers == answers

    asked = person.say("ulang")
    restarted = person.say("ya") if asked.session.detour == RESTART else asked
    assert restarted.session.answers == {}
    person.say("mulai")
    for _ in range(len(GOOD) + 1):
        if len(person.registered) > number:
            break
        answer_good(person)
    assert len(person.registered) == number + 1
    assert_complete(person.registered[-1])


@given(events=st.lists(contents, max_size=20))
def test_the_form_can_be_finished_without_beginning_again(events: list[Content]) -> None:
    person = Person()
    person.say("halo")
    for content in events:
        person.send(content)
    number = len(person.registered)
    person.say("mulai")
    for _ in range(2 * len(GOOD)):
        if len(person.registered) > number:
            break
        answer_good(person)
    assert len(person.registered) == number + 1
    assert_complete(person.registered[-1])


def assert_complete(session: Session) -> None:
    person = Person()
    assert find_question(session, person.context.form) == REVIEW


def test_the_longest_answers_fit_every_channel() -> None:
    for channel in CHANNELS:
        person = Person(channel)
        for _ in range(len(GOOD) + 1):
            if person.prompt is not None:
                assert_fits(person.prompt, channel)
            if person.session is None:
                person.say("halo")
                continue
            question = find_question(person.session, person.context.form)
            person.say(LONGEST.get(question, GOOD.get(question, "kirim")))
        assert len(person.registered) == 1


def test_a_worker_registers_the_same_by_every_channel() -> None:
    registered = []
    for channel in CHANNELS:
        person = Person(channel)
        person.say("halo")
        while not person.registered:
            answer_good(person)
        answers = dict(person.registered[0].answers)
        # How the number was written is the difference: intake reads both alike.
        answers.pop("phone")
        registered.append(answers)
    assert registered == [registered[0]] * len(CHANNELS)
