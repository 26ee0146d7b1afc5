"""A tap means its own question: an old button edits its field, and never answers another."""

import pytest

from chalicelib.conversations.events import Choice
from tests.support.chat_driver import Person

START = ("halo", "setuju", "3171064504850003", "0812-3456-7890", "Siti", "-", "-", "kuli panggul", "Blok A")


def begin() -> Person:
    person = Person()
    person.say(*START)
    return person


def test_a_button_of_an_earlier_question_edits_its_own_field() -> None:
    person = begin()
    button = person.find_choice_id("Rp2.500.000")
    person.tap("Rp1.000.000")
    before = person.session
    assert before is not None
    answered = person.send(Choice(choice_id=button))
    assert answered.session.answers == {**before.answers, "monthly_income": 2_500_000}
    assert answered.prompt is not None
    assert (answered.prompt.notices[0].key, answered.prompt.field) == ("changed", "employs_others")


def test_the_same_tap_again_changes_nothing() -> None:
    person = begin()
    button = person.find_choice_id("Rp2.500.000")
    first = person.send(Choice(choice_id=button)).session
    assert person.send(Choice(choice_id=button)).session.answers == first.answers


@pytest.mark.parametrize(
    "choice_id",
    [
        "v1:months:3:1",  # not asked yet
        "v1:employs_others:maybe:1",
        "v1:review:send:1",
        "v1:restart:yes:1",
        "v1:nik:3171064504850009:1",
        "v1:monthly_income:1:1",
        "v1:monthly_income:1000000:7",
        "v2:monthly_income:1000000:1",
        "hello",
        "",
    ],
)
def test_a_button_that_is_not_ours_or_not_due_changes_nothing(choice_id: str) -> None:
    person = begin()
    before = person.session
    assert before is not None
    answered = person.send(Choice(choice_id=choice_id))
    assert answered.session.answers == before.answers
    assert answered.effects == ()
    assert answered.prompt is not None
    assert [notice.key for notice in answered.prompt.notices] == ["old_button"]
    assert answered.prompt.field == "monthly_income"


def test_a_button_of_a_finished_registration_begins_and_changes_nothing() -> None:
    person = begin()
    button = person.find_choice_id("Rp2.500.000")
    person.say("2,5 juta", "tidak", "tidak", "3")
    send = person.find_choice_id("Kirim")
    person.send(Choice(choice_id=send))
    assert len(person.registered) == 1
    for old in (button, send):
        answered = person.send(Choice(choice_id=old))
        assert answered.session.answers == {}
        assert answered.effects == ()


def test_a_tap_in_a_chat_without_a_session_greets() -> None:
    answered = Person().send(Choice(choice_id="v1:consent:agree:1"))
    assert answered.session.answers == {}
    assert answered.prompt is not None
    assert answered.prompt.notices[0].key == "greeting"
