"""The board of a running campaign: its day as it stands now, counted no oftener than a screen has to know."""

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil
from typing import Protocol

from chalicelib.campaigns.model import Campaign, CampaignDay
from chalicelib.clock import Clock
from chalicelib.rollups.errors import CountUnfinished, SummaryUnknown
from chalicelib.rollups.report import Report

# Several screens, and several people with the same page open, are told what was counted for the first.
_KEPT = timedelta(seconds=20)
# A day that takes long to count is counted less often, be it in vain: at most this part of the time goes
# into counting it.
_TIMES_ITS_COUNT = 10


class Days(Protocol):
    """What the board needs of counting."""

    def report_as_of_now(self, of: CampaignDay) -> Report:
        """What a count would say of a day at this moment. Raises CountUnfinished of one that is too big."""

    def report(self, of: CampaignDay) -> Report:
        """The newest summary of a day. Raises SummaryUnknown."""


class Campaigns(Protocol):
    """What the board needs of campaigns."""

    def get(self, campaign_id: str) -> Campaign:
        """Raises CampaignUnknown."""


@dataclass(frozen=True)
class _Shown:
    """What is shown of a day, if there is anything, until it is counted again."""

    report: Report | None
    until: datetime


class Board:
    """Says of each campaign how its day goes. What was counted is kept for some seconds in this container.

    Of a day too big to count while somebody waits, it says what was known of it last.
    """

    def __init__(self, *, days: Days, campaigns: Campaigns, clock: Clock) -> None:
        self._days = days
        self._campaigns = campaigns
        self._clock = clock
        self._shown: dict[CampaignDay, _Shown] = {}

    def show(self, campaign_id: str) -> Report:
        """Today, or the campaign's day that is nearest to it.

        Raises CampaignUnknown or TryAgain (CountUnfinished of a day of which nothing is known yet).
        """
        campaign, began = self._campaigns.get(campaign_id), self._clock()
        today = campaign.local_day(began)
        of = CampaignDay(campaign_id, min(max(today, campaign.first_day), campaign.last_day))
        shown = self._shown.get(of)
        if shown is None or began >= shown.until:
            report = self._looked_at(of, shown)
            took = self._clock() - began
            shown = self._shown[of] = _Shown(report, until=began + max(_KEPT, took * _TIMES_ITS_COUNT))
        if shown.report is None:
            wait = shown.until - self._clock()
            raise CountUnfinished(f"{of.campaign_id} {of.day}", after_seconds=ceil(wait.total_seconds()))
        return shown.report

    def _looked_at(self, of: CampaignDay, shown: _Shown | None) -> Report | None:
        try:
            return self._days.report_as_of_now(of)
        except CountUnfinished:
            known = [shown.report] if shown is not None and shown.report is not None else []
        with suppress(SummaryUnknown):
            known.append(self._days.report(of))
        return max(known, key=lambda report: report.summary.counted_at, default=None)
