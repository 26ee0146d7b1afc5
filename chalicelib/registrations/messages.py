"""Requests to the registrations package, and its events.

Devices and bots send `SubmitRegistration` over HTTP. The stream publisher sends `RegistrationReceived` and
the events after it to the notifications queue, which `notifications.consumer` reads; events contain
references only.
"""

import json
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from chalicelib.campaigns.model import CampaignId, Instant
from chalicelib.models import StrictModel
from chalicelib.registrations import nik, phone
from chalicelib.registrations.errors import InvalidValue
from chalicelib.registrations.model import EventType, Status
from chalicelib.registrations.worker import CLEANED, Consent, Coverage, Work, WorkerAsTyped
from chalicelib.typed import clean_number, clean_text

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class SubmitRegistration(StrictModel):
    """One capture: one act of registering, made on a device, perhaps hours before it arrives."""

    capture_id: UUID = Field(description="Made by the device at capture (UUIDv7); the idempotency key.")
    campaign_id: CampaignId
    captured_at: Instant
    device_sequence: int | None = Field(
        default=None, ge=1, le=2**31 - 1, description="The device's own count of its captures, from 1."
    )
    officer: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,39}$"), CLEANED] | None = None
    worker: WorkerAsTyped
    work: Work
    coverage: Coverage
    consent: Consent

    def clean(self) -> "SubmitRegistration":
        """Return this capture with its free texts and numbers cleaned. They may still break rules."""
        worker, work, consent = self.worker, self.work, self.consent
        cleaned_worker = {
            "nik": clean_number(worker.nik),
            "name": clean_text(worker.name),
            "phone": None if worker.phone is None else clean_number(worker.phone),
            "email": None if worker.email is None else clean_text(worker.email),
            "address": None if worker.address is None else clean_text(worker.address),
            "postal_code": None if worker.postal_code is None else clean_number(worker.postal_code),
        }
        return self.model_copy(
            update={
                "worker": worker.model_copy(update=cleaned_worker),
                "work": work.model_copy(update={"place": clean_text(work.place)}),
                "consent": consent.model_copy(update={"text_version": clean_text(consent.text_version)}),
            }
        )

    def serialize_content(self) -> str:
        """Return the content that two requests with one capture must share, however it is spelled.

        Instants are equal in every zone, programmes in every order, NIKs and phones in every grouping. Empty
        fields are left out, so that a field added to the contract later does not make an old capture look
        new.
        """
        content = self.clean().model_dump(mode="json", exclude_none=True)
        worker = content["worker"]
        worker["nik"] = _parse_nik(self.worker.nik, self.captured_at.date()) or worker["nik"]
        if self.worker.phone is not None:
            worker["phone"] = _parse_phone(self.worker.phone) or worker["phone"]
        content["coverage"]["programmes"] = sorted(self.coverage.programmes)
        content["captured_at"] = _count_microseconds(self.captured_at)
        content["consent"]["given_at"] = _count_microseconds(self.consent.given_at)
        return json.dumps(content, sort_keys=True)

    def serialize_content_as_sent(self) -> str:
        """Return the content as releases before 2026-11-29 compared it: by its spelling."""
        return self.model_dump_json(exclude_none=True)


def _parse_nik(typed: str, capture_day: date) -> str | None:
    try:
        return nik.parse(typed, capture_day=capture_day)[0]
    except InvalidValue:
        return None


def _parse_phone(typed: str) -> str | None:
    try:
        return phone.parse(typed)
    except InvalidValue:
        return None


def _count_microseconds(instant: datetime) -> int:
    # Unlike a conversion to UTC it works for every instant, also in the years 1 and 9999.
    return (instant - _EPOCH) // timedelta(microseconds=1)


class ListRegistrations(StrictModel):
    """Ask for registrations: those of a campaign day, or those in a status, or of a day those in a status."""

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
