"""Requests to the registrations package, and its events.

Devices and bots send `SubmitRegistration` over HTTP. The stream publisher sends `RegistrationReceived` and
the events after it to the notifications queue, which `notifications.consumer` reads; events contain
references only.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from chalicelib.campaigns.model import CampaignId, Instant
from chalicelib.fields import IMPERSONAL, PageSize, StrictDate, StrictUUID
from chalicelib.models import StrictModel
from chalicelib.registrations.model import EventType, Status
from chalicelib.registrations.worker import CLEANED, Consent, Coverage, Work, WorkerAsTyped


class SubmitRegistration(StrictModel):
    """One capture: one act of registering, made on a device, perhaps hours before it arrives."""

    capture_id: StrictUUID = Field(description="Made by the device at capture (UUIDv7); the idempotency key.")
    campaign_id: CampaignId
    captured_at: Instant
    device_sequence: int | None = Field(
        default=None, ge=1, le=2**31 - 1, description="The device's own count of its captures, from 1."
    )
    officer: (
        Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,39}$"), IMPERSONAL, CLEANED] | None
    ) = None
    worker: WorkerAsTyped
    work: Work
    coverage: Coverage
    consent: Consent

    def serialize_content_as_sent(self) -> str:
        """Return the content as releases before 2026-11-29 compared it: by its spelling."""
        return self.model_dump_json(exclude_none=True)


class DiscardedCapture(StrictModel):
    """A capture that its device gave up."""

    device_sequence: int = Field(ge=1, le=2**31 - 1)
    reason: Annotated[str, Field(pattern=r"^[a-z][a-z_]{0,39}$")] = Field(
        description="A code, such as `worker_left`: nothing that somebody typed."
    )


class ReportDiscards(StrictModel):
    """Report captures that a device gave up; the device sends it."""

    discards: list[DiscardedCapture] = Field(min_length=1, max_length=50)


class ListRegistrations(StrictModel):
    """Ask for registrations: those of a campaign day, or those in a status, or of a day those in a status."""

    campaign_id: CampaignId | None = None
    day: StrictDate | None = None
    status: Status | None = None
    cursor: str | None = Field(default=None, max_length=400)
    size: PageSize = 100


class ListGaps(StrictModel):
    """Ask for a page of the captures that a device has not sent yet."""

    cursor: str | None = Field(default=None, max_length=400)
    size: PageSize = 200


class _DomainEventBase(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")

    version: Literal[1] = 1
    reference: str
    correlation_id: str


class RegistrationReceived(_DomainEventBase):
    """A worker's registration was stored."""

    type: Literal["RegistrationReceived"] = "RegistrationReceived"


class RegistrationChanged(_DomainEventBase):
    """A registration had an event that its worker gets an SMS for.

    `event_version` is the version of the registration that the event made: no two events share one.
    """

    type: Literal["RegistrationChanged"] = "RegistrationChanged"
    event_type: EventType
    event_version: int


class KnownWorkerMet(_DomainEventBase):
    """An officer captured a worker who has an open registration."""

    type: Literal["KnownWorkerMet"] = "KnownWorkerMet"


class SmsRequested(_DomainEventBase):
    """An officer or a manager asked for an SMS to be sent once more.

    `event_version` is the version of the registration that the request made.
    """

    type: Literal["SmsRequested"] = "SmsRequested"
    purpose: str
    event_version: int


DomainEvent = RegistrationReceived | RegistrationChanged | KnownWorkerMet | SmsRequested
