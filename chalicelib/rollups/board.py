"""The board of a running campaign: its day as it stands now, counted no oftener than a screen has to know."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from chalicelib.campaigns.model import Campaign, CampaignDay
from chalicelib.clock import Clock
from chalicelib.rollups.report import Report

# Several screens, and several people with the same page open, are told what was counted for the first.
_KEPT = timedelta(seconds=20)
# A day that takes long to count is counted less often: at most this part of the time goes into counting it.
_TIMES_ITS_COUNT = 10


class Days(Protocol):
    """What the board needs of counting."""

    def report_as_of_now(self, of: CampaignDay) -> Report:
        """What a count would say of a day at this moment."""


class Campaigns(Protocol):
    """What the board needs of campaigns."""

    def get(self, campaign_id: str) -> Campaign:
        """Raises CampaignUnknown."""


@dataclass(frozen=True)
class _Shown:
    report: Report
    until: datetime


class Board:
    """Says of each campaign how its day goes. What was counted is kept for some seconds in this container."""

    def __init__(self, *, days: Days, campaigns: Campaigns, clock: Clock) -> None:
        self._days = days
        self._campaigns = campaigns
        self._clock = clock
        self._shown: dict[CampaignDay, _Shown] = {}

    def show(self, campaign_id: str) -> Report:
        """Today, or the campaign's day that is nearest to it. Raises CampaignUnknown or TryAgain."""
        campaign, began = self._campaigns.get(campaign_id), self._clock()
        today = campaign.local_day(began)
        of = CampaignDay(campaign_id, min(max(today, campaign.first_day), campaign.last_day))
        shown = self._shown.get(of)
        if shown is not None and began < shown.until:
            return shown.report
        report = self._days.report_as_of_now(of)
        took = self._clock() - began
        self._shown[of] = _Shown(report, until=began + max(_KEPT, took * _TIMES_ITS_COUNT))
        return report
