"""The request of a worker for the state of a registration, and its answer."""

from datetime import date

from pydantic import BaseModel, Field

from chalicelib.models import StrictModel
from chalicelib.statuses.texts import RegistrationState


class AskForStatus(StrictModel):
    """Ask for the state of a registration; its worker sends it."""

    reference: str = Field(max_length=40, description="As in the SMS, in any case and grouping.")
    phone: str = Field(max_length=40, description="The phone number of the registration, in any usual form.")


class StatusView(BaseModel):
    """The state of a registration in words. `not_found` is the answer to whatever does not match."""

    state: RegistrationState
    text: str
    active_until: date | None = Field(description="The last day that is paid for.")
