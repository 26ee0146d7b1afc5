"""What crosses the border of the registrations package.

`SubmitRegistration` is sent by devices and bots over HTTP. News (`RegistrationReceived` and those below it)
is sent by the relay through the notifications queue and read by `notifications.consumer`; it carries
references only: whoever needs more looks it up.
"""

from datetime import date
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from chalicelib.campaigns.model import CampaignId, Instant
from chalicelib.registrations.model import Consent, Coverage, Work, WorkerAsTyped
from chalicelib.registrations.states import EventType, Status


class SubmitRegistration(BaseModel):
    """One capture: one act of registering, made on a device, perhaps hours before it arrives."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    capture_id: UUID = Field(description="Made by the device at capture (UUIDv7); the idempotency key.")
    campaign_id: CampaignId
    captured_at: Instant
    device_sequence: int | None = Field(
        default=None, ge=1, le=2**31 - 1, description="The device's own count of its captures, from 1."
    )
    officer: str | None = Field(default=None, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,39}$")
    worker: WorkerAsTyped
    work: Work
    coverage: Coverage
    consent: Consent

    def content(self) -> str:
        """What two sends of one capture must share. Fields left empty are left out, so that a field
        added to the contract later does not make an old capture look new."""
        return self.model_dump_json(exclude_none=True)


class ListRegistrations(BaseModel):
    """Ask for registrations: those of a campaign day, or those in a status, or of a day those in a status."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    campaign_id: CampaignId | None = None
    day: date | None = None
    status: Status | None = None
    cursor: str | None = Field(default=None, max_length=400)
    size: int = Field(default=100, ge=1, le=200)


class _DomainEventBase(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")

    version: Literal[1] = 1
    reference: str
    correlation_id: str


class RegistrationReceived(_DomainEventBase):
    """A worker's registration was stored."""

    type: Literal["RegistrationReceived"] = "RegistrationReceived"


class RegistrationChanged(_DomainEventBase):
    """Something happened to a registration that its worker should know.

    `event_version` is the version of its life that this made: no two events share one.
    """

    type: Literal["RegistrationChanged"] = "RegistrationChanged"
    event_type: EventType
    event_version: int


class KnownWorkerMet(_DomainEventBase):
    """A worker with an open registration was met again, by a caller who may know that."""

    type: Literal["KnownWorkerMet"] = "KnownWorkerMet"


DomainEvent = RegistrationReceived | RegistrationChanged | KnownWorkerMet
