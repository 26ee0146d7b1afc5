"""The events of registrations.

The stream publisher sends `RegistrationReceived` and the events after it to the notifications queue, which
`notifications.consumer` reads; events contain references only.
"""

from typing import Literal

from pydantic import BaseModel, ConfigDict

from chalicelib.registrations.transitions import EventType


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
