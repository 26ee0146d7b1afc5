"""A worker's registration, the capture it came from, and what a capture came to."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from chalicelib.callers import Channel
from chalicelib.contributions.model import Months, Payer, Programme, Quote
from chalicelib.http.pagination import Position
from chalicelib.registrations.nik import NIK, Sex
from chalicelib.registrations.phone import Phone
from chalicelib.registrations.references import Reference
from chalicelib.registrations.states import OPEN_UNPAID_STATUSES, LifecycleState, Status


class Outcome(StrEnum):
    """What became of a capture."""

    CREATED = "created"
    ALREADY_REGISTERED = "already_registered"
    REACTIVATED = "reactivated"
    REFUSED = "refused"


class Check(StrEnum):
    """What a person should look at; it stops nothing."""

    BIRTH_DATE_DIFFERS = "birth_date_differs_from_nik"
    NIK_PLACE_UNKNOWN = "nik_place_unknown"


class Flag(StrEnum):
    """What was out of the ordinary about how a registration came in, for a person to look at."""

    CLIENT_BUSY = "client_busy"
    PHONE_BUSY = "phone_busy"
    PHONE_OVER_CAP = "phone_over_cap"


Language = Literal["id", "en"]


class _FrozenModel(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class WorkerAsTyped(_FrozenModel):
    """Who is registered, as it was typed at capture: personal throughout."""

    nik: str = Field(max_length=40, description="16 digits; spaces, dots and dashes are tolerated.")
    name: str = Field(min_length=1, max_length=100)
    birth_date: date
    phone: str = Field(max_length=40, description="An Indonesian mobile number in any usual form.")
    email: str | None = Field(default=None, max_length=254, pattern=r"^[^@\s]+@[^@\s]+\.[^@\s]+$")
    address: str = Field(min_length=1, max_length=300)
    postal_code: str = Field(max_length=10)
    language: Language = "id"


class Work(_FrozenModel):
    """What the worker lives from. The income is rupiah a month."""

    occupations: tuple[Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{1,39}$")], ...] = Field(
        min_length=1, max_length=2
    )
    place: str = Field(min_length=1, max_length=120)
    monthly_income: int = Field(ge=0, le=1_000_000_000)
    employs_others: bool


class Coverage(_FrozenModel):
    """What the worker asks for."""

    programmes: tuple[Programme, ...] = Field(min_length=1, max_length=3)
    months: Months
    payer: Payer


class Consent(_FrozenModel):
    """Proof that the worker agreed, and to which text."""

    text_version: str = Field(min_length=1, max_length=40)
    given_at: AwareDatetime
    method: Literal["tick", "signature", "voice", "keypad"]
    language: Language | None = Field(default=None, description="The worker's language when left out.")


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
    checks: tuple[Check, ...] = ()


@dataclass(frozen=True)
class CaptureMetadata:
    """The circumstances of a capture: when, where, by whom and through what.

    Nothing of the worker.
    """

    capture_id: str
    campaign_id: str
    day: date
    captured_at: datetime
    received_at: datetime
    client_id: str
    channel: Channel
    officer: str | None
    correlation_id: str
    device_sequence: int | None = None


@dataclass(frozen=True)
class Registration:
    """One worker's application for membership, open until it ends.

    `worker_key` is the keyed hash that the worker is recognised by; `follows` is the ended application it
    comes after.
    """

    reference: Reference
    worker_key: str
    lifecycle: LifecycleState
    capture_metadata: CaptureMetadata
    worker: Worker
    work: Work
    coverage: Coverage
    consent: Consent
    quote: Quote
    expires_on: date
    follows: Reference | None = None
    flags: tuple[Flag, ...] = ()

    @property
    def facts(self) -> "RegistrationFacts":
        """What counting needs to know of it."""
        paid = sum(payment.amount for payment in self.lifecycle.payments)
        return RegistrationFacts(self.lifecycle.status, quoted=self.quote.total, paid=paid)

    @property
    def due_on(self) -> date | None:
        """The local day on which time alone will change it, if nothing else happens."""
        if self.lifecycle.status in OPEN_UNPAID_STATUSES:
            return self.expires_on
        return self.lifecycle.next_ageing_on


@dataclass(frozen=True)
class Answer:
    """What the first send of a capture was told.

    Every later send is told the same, byte for byte.
    """

    capture_id: str
    outcome: Outcome
    reference: Reference
    status: Status
    received_at: str
    quote: Quote


@dataclass(frozen=True)
class CaptureFacts:
    """What counting needs to know of a capture.

    Nothing that leads to its worker: the age is a band of ten years, the time an hour of the campaign's zone.
    `reasons` says why it was refused. `neighbours` tell whether two NIKs stand close to one another, and
    nothing else; they go when the worker is forgotten, the rest stays.
    """

    outcome: Outcome
    channel: str
    client_id: str
    occupations: tuple[str, ...]
    flags: tuple[Flag, ...] = ()
    officer: str | None = None
    programmes: tuple[str, ...] = ()
    sex: str | None = None
    age: str | None = None
    hour: str | None = None
    received_on: date | None = None
    reasons: tuple[str, ...] = ()
    neighbours: tuple[str, ...] = ()


@dataclass(frozen=True)
class RegistrationFacts:
    """What counting needs to know of a registration as it stands; rupiah quoted, and paid so far."""

    status: Status
    quoted: int
    paid: int


@dataclass(frozen=True)
class DayFact:
    """One thing that counts for a campaign day, and its position in the order in which a day is read.

    It is the order of capture; what is left of somebody who was forgotten comes last, at no time.
    """

    position: Position
    facts: CaptureFacts | RegistrationFacts
    captured_at: datetime | None = None
