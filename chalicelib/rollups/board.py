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
_MIN_CACHE_TTL = timedelta(seconds=20)
# A day that takes long to count is counted less often, be it in vain: at most this part of the time goes
# into counting it.
_TTL_PER_COUNT_TIME = 10


class ReportSource(Protocol):
    """What the board needs of counting."""

    def build_live_report(self, campaign_day: CampaignDay) -> Report:
        """What a count would say of a day at this moment. Raises CountUnfinished of one that is too big."""

    def build_report(self, campaign_day: CampaignDay) -> Report:
        """The newest summary of a day. Raises SummaryUnknown."""


class Campaigns(Protocol):
    """What the board needs of campaigns."""

    def get(self, campaign_id: str) -> Campaign:
        """Raises CampaignUnknown."""


@dataclass(frozen=True)
class _CachedReport:
    """What is shown of a day, if there is anything, until it is counted again."""

    report: Report | None
    expires_at: datetime


class BoardService:
    """Says of each campaign how its day goes. What was counted is kept for some seconds in this container.

    Of a day too big to count while somebody waits, it says what was known of it last.
    """

    def __init__(self, *, reports: ReportSource, campaigns: Campaigns, clock: Clock) -> None:
        self._reports = reports
        self._campaigns = campaigns
        self._clock = clock
        self._cache: dict[CampaignDay, _CachedReport] = {}

    def get_report(self, campaign_id: str) -> Report:
        """Today, or the campaign's day that is nearest to it.

        Raises CampaignUnknown or TryAgain (CountUnfinished of a day of which nothing is known yet).
        """
        campaign, began = self._campaigns.get(campaign_id), self._clock()
        today = campaign.local_day(began)
        of = CampaignDay(campaign_id, min(max(today, campaign.first_day), campaign.last_day))
        shown = self._cache.get(of)
        if shown is None or began >= shown.expires_at:
            report = self._build_report(of, shown)
            took = self._clock() - began
            shown = self._cache[of] = _CachedReport(
                report, expires_at=began + max(_MIN_CACHE_TTL, took * _TTL_PER_COUNT_TIME)
            )
        if shown.report is None:
            wait = shown.expires_at - self._clock()
            raise CountUnfinished(
                f"{of.campaign_id} {of.day}", retry_after_seconds=ceil(wait.total_seconds())
            )
        return shown.report

    def _build_report(self, campaign_day: CampaignDay, cached: _CachedReport | None) -> Report | None:
        try:
            return self._reports.build_live_report(campaign_day)
        except CountUnfinished:
            known = [cached.report] if cached is not None and cached.report is not None else []
        with suppress(SummaryUnknown):
            known.append(self._reports.build_report(campaign_day))
        return max(known, key=lambda report: report.summary.counted_at, default=None)
