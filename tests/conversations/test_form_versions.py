"""A session of one version of the form goes on under the next one."""

from dataclasses import replace

from chalicelib.conversations import fields
from chalicelib.conversations.fields import Field
from chalicelib.conversations.form import FORMS, Form
from tests.support.chat_driver import Person

FIRST = FORMS["registration"]
# A later version asks for the e-mail address, and no longer for the postal code.
SECOND = Form(
    "registration",
    2,
    (
        *(each for each in FIRST.fields if each.field_id != "postal_code"),
        Field(field_id="email", path="worker.email", read=fields.read_line),
    ),
)


def upgrade(person: Person) -> None:
    person.context = replace(person.context, form=SECOND)


def test_answers_to_questions_that_exist_stay() -> None:
    person = Person()
    person.say("halo", "setuju", "3171064504850003", "0812-3456-7890", "Siti", "Jl. Kebon", "10240")
    upgrade(person)
    answered = person.say("kuli panggul")
    assert answered.session.form_version == 2
    assert answered.session.answers["name"] == "Siti"
    assert "postal_code" not in answered.session.answers
    assert answered.prompt is not None
    assert answered.prompt.field == "place"


def test_an_answer_that_the_rules_no_longer_allow_is_asked_again() -> None:
    person = Person()
    session = person.say("halo", "setuju", "3171064504850003", "0812-3456-7890").session
    person.session = session.model_copy(update={"answers": {**session.answers, "phone": "021-5551234"}})
    upgrade(person)
    answered = person.say("halo")
    assert answered.prompt is not None
    assert answered.prompt.field == "phone"


def test_a_draft_at_its_review_is_asked_the_new_question_and_then_registers() -> None:
    person = Person()
    person.say("halo", "setuju", "3171064504850003", "0812-3456-7890", "Siti", "-", "-", "kuli panggul")
    person.say("Blok A", "2,5 juta", "tidak", "tidak", "3")
    upgrade(person)
    person.say("kirim")
    assert person.registered == []
    person.say("siti@example.com", "kirim")
    assert len(person.registered) == 1
