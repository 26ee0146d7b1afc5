"""The board of a running campaign: a report of today, counted on request and cached."""

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil
from typing import Protocol

from chalicelib.campaigns.model import CampaignDay
from chalicelib.clock import Clock
from chalicelib.rollups.errors import CountUnfinished, SummaryUnknown
from chalicelib.rollups.report import Report
from chalicelib.rollups.service import CampaignReader

# Requests of several screens share one count.
_MIN_CACHE_TTL = timedelta(seconds=20)
# A day that takes long to count, successfully or not, is counted less often: counting takes at most one part
# in so many of the time.
_TTL_PER_COUNT_TIME = 10


class ReportSource(Protocol):
    """Reports, as the board uses them."""

    def build_live_report(self, campaign_day: CampaignDay) -> Report:
        """Return the report of a day that is counted for it. Raise CountUnfinished."""

    def build_report(self, campaign_day: CampaignDay) -> Report:
        """Return the report of a day's newest summary. Raise SummaryUnknown."""


@dataclass(frozen=True)
class _CachedReport:
    """The report of a day, if there is any, and when the day is counted again."""

    report: Report | None
    expires_at: datetime


class BoardService:
    """Builds the board's report of each campaign and caches it for some seconds in this container.

    For a day that is too big to count within a request it returns the newest known report.
    """

    def __init__(self, *, reports: ReportSource, campaigns: CampaignReader, clock: Clock) -> None:
        self._reports = reports
        self._campaigns = campaigns
        self._clock = clock
        self._cache: dict[CampaignDay, _CachedReport] = {}

    def get_report(self, campaign_id: str) -> Report:
        """Return the report of today, or of the campaign day nearest to it.

        Raise CampaignUnknown or TryAgain (CountUnfinished, if there is no known report either).
        """
        campaign, started_at = self._campaigns.get(campaign_id), self._clock()
        today = campaign.local_day(started_at)
        campaign_day = CampaignDay(campaign_id, min(max(today, campaign.first_day), campaign.last_day))
        cached = self._cache.get(campaign_day)
        if cached is None or started_at >= cached.expires_at:
            report = self._build_report(campaign_day, cached)
            ttl = max(_MIN_CACHE_TTL, (self._clock() - started_at) * _TTL_PER_COUNT_TIME)
            cached = self._cache[campaign_day] = _CachedReport(report, expires_at=started_at + ttl)
        if cached.report is None:
            wait = cached.expires_at - self._clock()
            raise CountUnfinished(
                f"{campaign_id} {campaign_day.day}", retry_after_seconds=ceil(wait.total_seconds())
            )
        return cached.report

    def _build_report(self, campaign_day: CampaignDay, cached: _CachedReport | None) -> Report | None:
        try:
            return self._reports.build_live_report(campaign_day)
        except CountUnfinished:
            reports = [cached.report] if cached is not None and cached.report is not None else []
        with suppress(SummaryUnknown):
            reports.append(self._reports.build_report(campaign_day))
        return max(reports, key=lambda report: report.summary.counted_at, default=None)
