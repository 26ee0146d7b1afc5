"""A worker's registration, the capture it came from, and what a capture came to."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from chalicelib.clients.model import Channel
from chalicelib.registrations.nik import NIK, Sex
from chalicelib.registrations.phone import Phone
from chalicelib.registrations.reference import Reference


class Status(StrEnum):
    """Where a registration stands. Registered is not yet protected."""

    RECEIVED = "received"


class Outcome(StrEnum):
    """What became of a capture."""

    CREATED = "created"
    ALREADY_REGISTERED = "already_registered"
    REFUSED = "refused"


Programme = Literal["JKK", "JKM", "JHT"]
Payer = Literal["self", "sponsor", "csr", "state_budget"]
Months = Literal[1, 2, 3, 6, 12]
Language = Literal["id", "en"]


class _Fact(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class WorkerAsTyped(_Fact):
    """Who is registered, as it was typed at capture: personal throughout."""

    nik: str = Field(max_length=40, description="16 digits; spaces, dots and dashes are tolerated.")
    name: str = Field(min_length=1, max_length=100)
    birth_date: date
    phone: str = Field(max_length=40, description="An Indonesian mobile number in any usual form.")
    email: str | None = Field(default=None, max_length=254)
    address: str = Field(min_length=1, max_length=300)
    postal_code: str = Field(max_length=10)
    language: Language = "id"


class Work(_Fact):
    """What the worker lives from. The income is rupiah a month."""

    occupations: tuple[Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{1,39}$")], ...] = Field(
        min_length=1, max_length=2
    )
    place: str = Field(min_length=1, max_length=120)
    monthly_income: int = Field(ge=0, le=1_000_000_000)
    employs_others: bool


class Coverage(_Fact):
    """What the worker asks for."""

    programmes: tuple[Programme, ...] = Field(min_length=1, max_length=3)
    months: Months
    payer: Payer


class Consent(_Fact):
    """Proof that the worker agreed, and to which text."""

    text_version: str = Field(min_length=1, max_length=40)
    given_at: AwareDatetime
    method: Literal["tick", "signature", "voice", "keypad"]


@dataclass(frozen=True)
class Worker:
    """Who is registered, with the values that rules have read: personal throughout."""

    nik: NIK
    name: str
    sex: Sex
    birth_date: date
    phone: Phone
    email: str | None
    address: str
    postal_code: str
    language: Language


@dataclass(frozen=True)
class Taken:
    """The circumstances of a capture: when, where, by whom and through what. Nothing of the worker."""

    capture_id: str
    campaign_id: str
    day: date
    captured_at: datetime
    received_at: datetime
    client_id: str
    channel: Channel
    officer: str | None
    correlation_id: str


@dataclass(frozen=True)
class Registration:
    """One worker's application for membership, open until it ends."""

    reference: Reference
    status: Status
    taken: Taken
    worker: Worker
    work: Work
    coverage: Coverage
    consent: Consent


@dataclass(frozen=True)
class Answer:
    """What the first send of a capture was told. Every later send is told the same, byte for byte."""

    capture_id: str
    outcome: Outcome
    reference: Reference
    status: Status
    received_at: str


@dataclass(frozen=True)
class CaptureFacts:
    """What counting needs to know of a capture; nothing personal."""

    outcome: Outcome
    channel: str
    client_id: str
    occupations: tuple[str, ...]
