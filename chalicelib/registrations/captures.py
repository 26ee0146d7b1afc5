"""A capture: one act of registering, its outcome, its answer and the facts that are counted. Pure."""

from datetime import date, datetime
from enum import StrEnum
from typing import Literal, get_args

from chalicelib.campaigns.model import CampaignDay
from chalicelib.contributions.model import Quote
from chalicelib.http.pagination import Position
from chalicelib.registrations.capture_metadata import CaptureMetadata
from chalicelib.registrations.capture_source import CaptureSource
from chalicelib.registrations.model import Flag, RegistrationFacts, Status
from chalicelib.registrations.references import Reference
from chalicelib.values import Value

NO_SPONSOR = "-"
"""Stands for a sponsor who was not named. No sponsor's id begins with it."""
IdentityField = Literal["name", "birth_date", "phone"]
"""A field that tells whether two captures under one NIK are of one person."""

IDENTITY_FIELDS: tuple[IdentityField, ...] = get_args(IdentityField)

Suggestion = Literal["correction"]


class Outcome(StrEnum):
    CREATED = "created"
    ALREADY_REGISTERED = "already_registered"
    REACTIVATED = "reactivated"
    REFUSED = "refused"


class Answer(Value):
    """The answer to the first request with a capture. Every repeated request gets the same bytes."""

    capture_id: str
    outcome: Outcome
    reference: Reference
    status: Status
    received_at: str
    quote: Quote
    differs: tuple[IdentityField, ...] = ()
    """The identity fields that differ from those of the worker's registration; for officers alone."""

    @property
    def suggestion(self) -> Suggestion | None:
        """Return `correction` if the civil registry did not match what is recorded, and this differs."""
        return "correction" if self.differs and self.status is Status.MISMATCH else None


class CaptureFacts(Value):
    """The countable facts of a capture.

    Nothing identifies its worker: `age` is a band of ten years, `hour` is in the campaign's zone. `reasons`
    are the codes of the broken rules of a refused capture. `differs` names the identity fields in which a
    repeat differs from the worker's registration. `sponsor` is the id of the sponsor who pays, or NO_SPONSOR
    if none is named. `neighbours` are short hashes that two NIKs with close serials share; they are removed
    when the worker is erased, the rest is kept. `is_cancelled`: the registration that the capture made was
    cancelled.
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
    is_without_phone: bool = False
    sponsor: str | None = None
    received_on: date | None = None
    reasons: tuple[str, ...] = ()
    neighbours: tuple[str, ...] = ()
    differs: tuple[IdentityField, ...] = ()
    is_cancelled: bool = False


class Capture(Value):
    """A capture as it is stored. `answer` is None if it was refused."""

    capture_metadata: CaptureMetadata
    fingerprint: str
    facts: CaptureFacts
    answer: Answer | None

    @property
    def source(self) -> CaptureSource:
        metadata = self.capture_metadata
        return CaptureSource(metadata.client_id, metadata.campaign_id, metadata.disclosure)


class UnusualClient(Value):
    """A client with unusually many attempts on one local day: known workers, refusals, and caps reached.

    `campaign_day` is the day whose summary shows it.
    """

    client_id: str
    campaign_day: CampaignDay
    received_on: date
    attempts: int


class UnusualClientFacts(Value):
    """The countable facts of an unusual client on one local day."""

    client_id: str
    attempts: int


class UnreadableFacts(Value):
    """The facts of a capture or registration that cannot be read."""


class DayFact(Value):
    """One countable fact of a campaign day, with its position in capture order.

    Facts of erased persons and of unusual clients come last and have no time.
    """

    position: Position
    facts: CaptureFacts | RegistrationFacts | UnusualClientFacts | UnreadableFacts
    captured_at: datetime | None = None
