"""Requests about campaigns over HTTP."""

from typing import Any

from pydantic import BaseModel, Field

from chalicelib.campaigns.model import DailyRupiah, Day, Hour, Managers, ShortText, Target
from chalicelib.campaigns.sponsors import Sponsors
from chalicelib.fields import PageSize
from chalicelib.models import StrictModel


class ChangeCampaign(StrictModel):
    """Change some fields of a campaign; those left out, or null, stay as they are.

    The zone and the first day say what day a capture belongs to, so they never change.
    """

    name: ShortText | None = None
    branch: ShortText | None = None
    place: ShortText | None = None
    last_day: Day | None = Field(default=None, description="No earlier than it is.")
    accepts_until: Day | None = Field(
        default=None, description="If earlier than it is, then no earlier than the campaign's today."
    )
    summary_hour: Hour | None = None
    target: Target | None = None
    managers: Managers | None = Field(default=None, description="All of them: the list is replaced.")
    sms_budget: DailyRupiah | None = None
    sponsors: Sponsors | None = Field(
        default=None,
        description="All of them: the list is replaced, but a sponsor in it stays.",
    )

    @property
    def changes(self) -> dict[str, Any]:
        return {name: value for name, value in self if value is not None}


class RetentionView(BaseModel):
    """After how many days data of a campaign's workers is deleted, and how much was deleted by that.

    `ended_days`: after a cancellation or expiry. `paid_identity_days`: NIK, birth date, addresses and income,
    after the first payment. `lapsed_days`: the rest, after the membership lapsed.
    """

    ended_days: int
    paid_identity_days: int
    lapsed_days: int
    deleted_registrations: int
    deleted_identities: int


class ListCampaigns(StrictModel):
    """Ask for a page of campaigns."""

    cursor: str | None = Field(default=None, max_length=400)
    size: PageSize = 100
