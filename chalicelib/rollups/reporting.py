"""Reading summaries and building the reports that renderings show."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Protocol

from chalicelib.campaigns.model import Campaign, CampaignDay
from chalicelib.clock import to_timestamp
from chalicelib.rollups.errors import SummaryUnknown
from chalicelib.rollups.model import Headline, Summary, SummaryState, with_changes_since
from chalicelib.rollups.report import CurvePoint, Report
from chalicelib.rollups.service import CampaignReader, get_campaign_of_day

_MAX_VERSIONS = 50


class SummaryReader(Protocol):
    """Stored summaries."""

    def find_latest(self, campaign_day: CampaignDay) -> Summary | None:
        """Return the newest version of a day, or None."""

    def find_version(self, campaign_day: CampaignDay, version: int) -> Summary | None:
        """Return one version of a day, or None."""

    def iter_headlines(self, campaign_id: str) -> Iterator[Headline]:
        """Yield the headline of each summarised day of a campaign, by day."""


class SummaryPreviewer(Protocol):
    """Counting a day without storing its summary."""

    def preview(self, campaign_day: CampaignDay, *, previous: Summary | None) -> Summary:
        """Return the provisional summary of a day as of now. Raise CountUnfinished."""


class ReportService:
    """Reads summaries of campaign days and builds reports of them."""

    def __init__(
        self, *, summaries: SummaryReader, campaigns: CampaignReader, previewer: SummaryPreviewer
    ) -> None:
        self._summaries = summaries
        self._campaigns = campaigns
        self._previewer = previewer

    def get_summary(self, campaign_day: CampaignDay, *, version: int | None = None) -> Summary:
        """Return a version of a day's summary, by default the newest.

        Raise CampaignUnknown, DayNotInCampaign or SummaryUnknown.
        """
        get_campaign_of_day(self._campaigns, campaign_day)
        summary = (
            self._summaries.find_latest(campaign_day)
            if version is None
            else self._summaries.find_version(campaign_day, version)
        )
        if summary is None:
            raise SummaryUnknown(f"{campaign_day.campaign_id} {campaign_day.day} {version or ''}")
        return summary

    def list_headlines(self, campaign_id: str) -> list[Headline]:
        """Return the headlines of a campaign's summarised days, by day. Raise CampaignUnknown."""
        self._campaigns.get(campaign_id)
        return list(self._summaries.iter_headlines(campaign_id))

    def list_versions(self, campaign_day: CampaignDay) -> list[Headline]:
        """Return the headlines of a day's newest versions, the newest first.

        Raise CampaignUnknown, DayNotInCampaign or SummaryUnknown.
        """
        newest = self.get_summary(campaign_day)
        older = range(newest.version - 1, max(0, newest.version - _MAX_VERSIONS), -1)
        found = (self._summaries.find_version(campaign_day, version) for version in older)
        return [newest.headline, *(each.headline for each in found if each is not None)]

    def build_report(self, campaign_day: CampaignDay, *, version: int | None = None) -> Report:
        """Return the report of a version of a day, by default the newest.

        Target, curve and revisions are the current ones for every version. Raise as `get_summary` does.
        """
        summary = self.get_summary(campaign_day, version=version)
        campaign = get_campaign_of_day(self._campaigns, campaign_day)
        headlines = [
            each
            for each in self._summaries.iter_headlines(campaign_day.campaign_id)
            if each.day <= campaign_day.day
        ]
        return Report(
            campaign=campaign,
            summary=summary,
            curve=tuple(_iter_curve_points(headlines)),
            revisions=tuple(self._iter_revisions(campaign, summary, headlines)),
        )

    def build_live_report(self, campaign_day: CampaignDay) -> Report:
        """Return the report of a day that is counted for it; of a final day, that of its newest summary.

        Nothing is stored. Raise CampaignUnknown, DayNotInCampaign or TryAgain (CountUnfinished).
        """
        campaign = get_campaign_of_day(self._campaigns, campaign_day)
        latest = self._summaries.find_latest(campaign_day)
        if latest is not None and latest.state is SummaryState.FINAL:
            return self.build_report(campaign_day)
        summary = self._previewer.preview(campaign_day, previous=latest)
        headlines = [
            each
            for each in self._summaries.iter_headlines(campaign_day.campaign_id)
            if each.day < campaign_day.day
        ]
        curve = tuple(_iter_curve_points([*headlines, summary.headline]))
        return Report(campaign=campaign, summary=summary, curve=curve)

    def _iter_revisions(
        self, campaign: Campaign, summary: Summary, headlines: Iterable[Headline]
    ) -> Iterator[Summary]:
        since = to_timestamp(_get_previous_report_due_at(campaign, summary))
        for headline in headlines:
            if headline.day < summary.day and headline.revision and headline.counted_at > since:
                campaign_day = CampaignDay(summary.campaign_id, headline.day)
                yield with_changes_since(
                    self._get_final_version(headline, campaign_day, since),
                    self.get_summary(campaign_day, version=headline.version),
                )

    def _get_final_version(self, headline: Headline, campaign_day: CampaignDay, as_of: str) -> Summary:
        """Return a revised day's newest final version as of a time, or the first one if it is later."""
        versions = range(headline.version - headline.revision, headline.version + 1)
        number = bisect_right(
            versions, as_of, key=lambda version: self.get_summary(campaign_day, version=version).counted_at
        )
        return self.get_summary(campaign_day, version=versions[max(number - 1, 0)])


def _iter_curve_points(headlines: Iterable[Headline]) -> Iterator[CurvePoint]:
    cumulative = 0
    for each in headlines:
        cumulative += each.registered
        yield CurvePoint(each.day, each.created, each.registered, cumulative, each.version, each.state)


def _get_previous_report_due_at(campaign: Campaign, summary: Summary) -> datetime:
    """Return when the previous report was due: in the evening of a day, and as final next morning."""
    if summary.state is SummaryState.FINAL:
        return campaign.summary_due_at(summary.day)
    return campaign.summary_final_at(summary.day - timedelta(days=1))
