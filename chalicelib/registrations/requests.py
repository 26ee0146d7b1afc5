"""Requests to the registrations package beside captures: what is asked for, and what a device gave up."""

from typing import Annotated

from pydantic import Field

from chalicelib.campaigns.model import CampaignId
from chalicelib.fields import PageSize, StrictDate
from chalicelib.models import StrictModel
from chalicelib.registrations.transitions import Status


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
