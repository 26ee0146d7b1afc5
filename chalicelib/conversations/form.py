"""The forms of conversations: their questions in order, and the capture that the answers make. Pure.

A change that asks more or other questions is a new version. Sessions of earlier versions go on under it:
answers to questions that exist stay, and the others are asked.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from chalicelib.conversations import fields
from chalicelib.conversations.fields import Field, make_choices
from chalicelib.conversations.model import Answers, Option, TextRef
from chalicelib.rupiah import format_rupiah

CONSENT = "consent"
AGREE, DISAGREE, LANGUAGE = "agree", "disagree", "language"

# The usual ones in a market. Whoever has another one types it.
_USUAL_OCCUPATIONS = (
    *("porter", "market_trader", "street_vendor", "food_vendor"),
    *("ojek_driver", "courier", "construction_labourer", "domestic_worker"),
)
# Rupiah a month. Contributions follow bands, so that a rough income is enough.
_USUAL_INCOMES = (1_000_000, 1_500_000, 2_000_000, 2_500_000, 3_000_000, 4_000_000)
_MONTHS = (1, 2, 3, 6, 12)

_PROGRAMMES, _JHT = ["JKK", "JKM"], "JHT"


@dataclass(frozen=True)
class Form:
    """Some questions in order. `completion` is what follows when all are answered."""

    form_id: str
    version: int
    fields: tuple[Field, ...]
    completion: Literal["review", "make_link"] = "review"

    def find_field(self, field_id: str) -> Field | None:
        return next((each for each in self.fields if each.field_id == field_id), None)

    def iter_applicable(self, answers: Answers) -> Iterator[Field]:
        """Yield the questions to be asked, given the answers so far."""
        return (each for each in self.fields if each.is_applicable(answers))

    def find_missing(self, answers: Answers) -> Field | None:
        """Return the first question without an answer."""
        return next((each for each in self.iter_applicable(answers) if each.field_id not in answers), None)


class _Occupation(Field):
    def accepts(self, value: str) -> bool:
        return fields.is_occupation(value)


_CONSENT_FIELD = Field(
    field_id=CONSENT,
    path="consent.text_version",
    choices=make_choices(AGREE, DISAGREE, LANGUAGE),
)

_FIELDS = (
    _CONSENT_FIELD,
    Field(field_id="nik", path="worker.nik", read=fields.read_line),
    Field(field_id="birth_date", path="worker.birth_date", read=fields.read_date, is_derived=True),
    Field(
        field_id="phone",
        path="worker.phone",
        choices=make_choices(fields.NONE),
        read=fields.read_line,
        has_none=True,
        asks_contact=True,
    ),
    # After the phone: a message that takes Telegram's button for the contact away has no other buttons.
    Field(field_id="name", path="worker.name", read=fields.read_line),
    Field(
        field_id="address",
        path="worker.address",
        choices=make_choices(fields.NONE),
        read=fields.read_line,
        has_none=True,
    ),
    Field(
        field_id="postal_code",
        path="worker.postal_code",
        choices=make_choices(fields.NONE),
        read=fields.read_line,
        has_none=True,
    ),
    _Occupation(
        field_id="occupation",
        path="work.occupations",
        choices=tuple(fields.make_option(each, number) for number, each in enumerate(_USUAL_OCCUPATIONS, 1)),
        read=fields.read_occupation,
    ),
    Field(field_id="place", path="work.place", read=fields.read_line),
    Field(
        field_id="monthly_income",
        path="work.monthly_income",
        choices=tuple(
            Option(
                value=str(amount),
                label=TextRef(key="plain", args={"text": format_rupiah(amount)}),
                token=str(number),
            )
            for number, amount in enumerate(_USUAL_INCOMES, 1)
        ),
        read=fields.read_amount,
        to_value=int,
    ),
    Field(
        field_id="employs_others",
        path="work.employs_others",
        choices=make_choices("yes", "no"),
        to_value=lambda value: value == "yes",
    ),
    Field(
        field_id="jht",
        path="coverage.programmes",
        choices=make_choices("yes", "no"),
        to_value=lambda value: value == "yes",
        # Whoever employs others must take it.
        is_applicable=lambda answers: not answers.get("employs_others"),
    ),
    Field(
        field_id="months",
        path="coverage.months",
        # Typed as what they mean: "6" is six months and not the sixth option.
        choices=tuple(
            Option(
                value=str(months),
                label=TextRef(key="months", args={"count": str(months)}),
                token=str(months),
            )
            for months in _MONTHS
        ),
        to_value=int,
    ),
)

FORMS: Mapping[str, Form] = {
    "registration": Form("registration", 1, _FIELDS),
    # For a channel in which nobody may be asked for identity numbers.
    "door": Form("door", 1, (_CONSENT_FIELD,), completion="make_link"),
}


def build_capture_fields(answers: Answers, form: Form) -> dict[str, Any]:
    """Return the answers as fields of a capture, in their groups; what was not answered is left out."""
    document: dict[str, dict[str, Any]] = {}
    for each in form.fields:
        if each.field_id in answers and each.field_id != CONSENT:
            group, name = each.path.split(".")
            document.setdefault(group, {})[name] = answers[each.field_id]
    if "occupation" in answers:
        document["work"]["occupations"] = [answers["occupation"]]
    takes_jht = answers.get("employs_others") or answers.get("jht")
    if "jht" in answers or answers.get("employs_others"):
        coverage = document.setdefault("coverage", {})
        coverage["programmes"] = [*_PROGRAMMES, _JHT] if takes_jht else list(_PROGRAMMES)
    if "coverage" in document:
        document["coverage"]["payer"] = "self"
    return dict(document)
