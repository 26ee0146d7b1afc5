"""A fake of the store of campaigns."""

from collections.abc import Iterator
from datetime import date

from chalicelib.audit.model import AuditRecord
from chalicelib.campaigns.errors import CampaignExists, CampaignUnknown
from chalicelib.campaigns.model import Campaign
from chalicelib.campaigns.service import CampaignWriteConflict


class InMemoryCampaigns:
    """Satisfies `campaigns.service.Campaigns`. `lookup_count` counts the calls of `get`."""

    def __init__(self, *campaigns: Campaign) -> None:
        self._campaigns = {campaign.campaign_id: campaign for campaign in campaigns}
        self.lookup_count = 0
        self.records: list[AuditRecord] = []

    def add(self, campaign: Campaign, *, record: AuditRecord | None = None) -> None:
        """Store a new campaign. Raise CampaignExists."""
        if campaign.campaign_id in self._campaigns:
            raise CampaignExists(campaign.campaign_id)
        self._campaigns[campaign.campaign_id] = campaign
        self.records += filter(None, [record])

    def get(self, campaign_id: str) -> Campaign:
        """Return a campaign. Raise CampaignUnknown."""
        self.lookup_count += 1
        if campaign_id not in self._campaigns:
            raise CampaignUnknown(campaign_id)
        return self._campaigns[campaign_id]

    def replace(self, campaign: Campaign, *, previous: Campaign, record: AuditRecord | None = None) -> None:
        """Store the fields that differ.

        Raise CampaignWriteConflict if the stored days are others, or the sponsors where they change.
        """
        stored = self._campaigns[campaign.campaign_id]
        if _campaign_dates(stored) != _campaign_dates(previous):
            raise CampaignWriteConflict(campaign.campaign_id)
        before = dict(previous)
        differing = {name: value for name, value in campaign if value != before[name]}
        if "sponsors" in differing and stored.sponsors != previous.sponsors:
            raise CampaignWriteConflict(campaign.campaign_id)
        self._campaigns[campaign.campaign_id] = stored.model_copy(update=differing)
        self.records += filter(None, [record])

    def iter_ending_since(self, first_last_day: date) -> Iterator[Campaign]:
        """Yield the campaigns that end on this day or later, by last day."""
        yield from sorted(
            (each for each in self._campaigns.values() if each.last_day >= first_last_day),
            key=lambda campaign: campaign.last_day,
        )

    def iter_ids_ending_since(self, first_last_day: date) -> Iterator[tuple[date, str]]:
        """Yield last day and id of the campaigns that end on this day or later, by last day."""
        for each in self.iter_ending_since(first_last_day):
            yield each.last_day, each.campaign_id


def _campaign_dates(campaign: Campaign) -> tuple[date, date, date]:
    return campaign.first_day, campaign.last_day, campaign.accepts_until
