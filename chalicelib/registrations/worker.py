"""The worker whom a capture registers, with the work, the coverage asked for and the consent. Pure."""

from dataclasses import fields
from datetime import date
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from chalicelib.campaigns.sponsors import SponsorId
from chalicelib.contributions.model import Months, Payer, Programme
from chalicelib.fields import UNIQUE_ITEMS_SCHEMA, StrictDate, StrictInstant
from chalicelib.languages import TaggedWorkerLanguage, WorkerLanguage
from chalicelib.models import StrictModel
from chalicelib.registrations.nik import NIK, Sex
from chalicelib.registrations.phone import Phone
from chalicelib.typed import clean_number
from chalicelib.values import Value


def _clean_if_text(value: object) -> object:
    return clean_number(value) if isinstance(value, str) else value


CLEANED = BeforeValidator(_clean_if_text)
"""For an id or code that a person may have typed or pasted: cleaned before its pattern judges it."""


class Check(StrEnum):
    """A doubt about a worker's data, for a person to look at. It refuses nothing."""

    BIRTH_DATE_DIFFERS = "birth_date_differs_from_nik"
    NIK_PLACE_UNKNOWN = "nik_place_unknown"


Occupations = Annotated[
    tuple[Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{1,39}$")], ...],
    UNIQUE_ITEMS_SCHEMA,
    Field(min_length=1, max_length=2),
]


class WorkerAsTyped(StrictModel):
    """The worker, as typed at capture. All of it is personal data."""

    nik: str = Field(max_length=40, description="16 digits; spaces, dots and dashes are tolerated.")
    name: str = Field(min_length=1, max_length=100)
    birth_date: StrictDate
    phone: str | None = Field(
        max_length=40, description="An Indonesian mobile number in any usual form; null if there is none."
    )
    email: str | None = Field(default=None, max_length=254, pattern=r"^\s*[^@\s]+@[^@\s]+\.[^@\s]+\s*$")
    address: str | None = Field(min_length=1, max_length=300, description="Null if there is none.")
    postal_code: str | None = Field(max_length=10, description="Null if there is none.")
    language: TaggedWorkerLanguage = Field(default="id", description="Of the SMS to the worker.")


class Work(StrictModel):
    """The worker's occupations and income, in rupiah a month."""

    # The order of the fields is in the fingerprints of captures.
    occupations: Occupations
    place: str = Field(min_length=1, max_length=120)
    monthly_income: int = Field(ge=0, le=1_000_000_000)
    employs_others: bool

    def delete_income(self) -> "RetainedWork":
        return RetainedWork(self.occupations, self.place, self.employs_others)


class RetainedWork(Value):
    """The worker's occupations, after the income was deleted."""

    occupations: tuple[str, ...]
    place: str
    employs_others: bool


class Coverage(StrictModel):
    """The coverage that the worker asks for."""

    programmes: Annotated[tuple[Programme, ...], UNIQUE_ITEMS_SCHEMA] = Field(min_length=1, max_length=3)
    months: Months
    payer: Payer
    sponsor_id: SponsorId | None = Field(
        default=None, description="One of the campaign's sponsors, where the payer is `sponsor`."
    )


class Consent(StrictModel):
    """Proof that the worker agreed, and to which text."""

    text_version: str = Field(min_length=1, max_length=40)
    given_at: StrictInstant
    method: Literal["tick", "signature", "voice", "keypad"]
    language: TaggedWorkerLanguage | None = Field(
        default=None, description="The worker's language when left out."
    )


class Recipient(Value, kw_only=True):
    """A registered person as far as SMS need it: what is kept after the identity was deleted."""

    name: str
    sex: Sex
    phone: Phone | None
    postal_code: str | None
    language: WorkerLanguage
    checks: tuple[Check, ...] = ()


class Worker(Recipient, kw_only=True):
    """The registered person, with values that passed the rules. All of it is personal data."""

    nik: NIK
    birth_date: date
    email: str | None
    address: str | None

    def delete_identity(self) -> Recipient:
        """Return the worker without NIK, birth date and addresses."""
        return Recipient(**{each.name: getattr(self, each.name) for each in fields(Recipient)})
