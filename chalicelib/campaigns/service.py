"""Opening campaigns and finding them."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Protocol

from chalicelib.campaigns.errors import CampaignExists
from chalicelib.campaigns.model import Campaign
from chalicelib.clock import Clock

# A campaign changes rarely and every registration needs it: a container asks again after this long.
_KNOWN_FOR = timedelta(seconds=60)


class Campaigns(Protocol):
    """Where campaigns are kept."""

    def add(self, campaign: Campaign) -> None:
        """Store a new campaign. Raises CampaignExists if its id is taken."""

    def get(self, campaign_id: str) -> Campaign:
        """Raises CampaignUnknown."""

    def ending_since(self, day: date) -> Iterator[Campaign]:
        """The campaigns whose last day is this one or later, by last day."""


@dataclass(frozen=True)
class _Known:
    campaign: Campaign
    until: datetime


class CampaignOffice:
    """Opens campaigns and remembers the ones it has lately been asked for."""

    def __init__(self, *, campaigns: Campaigns, clock: Clock) -> None:
        self._campaigns = campaigns
        self._clock = clock
        self._known: dict[str, _Known] = {}

    def open(self, campaign: Campaign) -> bool:
        """Store a campaign;

        False if exactly this one stands already. Raises CampaignExists if another one has its id.
        """
        try:
            self._campaigns.add(campaign)
        except CampaignExists:
            if self._campaigns.get(campaign.campaign_id) == campaign:
                return False
            raise
        return True

    def get(self, campaign_id: str) -> Campaign:
        """The campaign, at most a minute old. Raises CampaignUnknown."""
        now = self._clock()
        known = self._known.get(campaign_id)
        if known is None or known.until <= now:
            known = _Known(campaign=self._campaigns.get(campaign_id), until=now + _KNOWN_FOR)
            self._known[campaign_id] = known
        return known.campaign

    def ending_since(self, day: date) -> Iterator[Campaign]:
        """The campaigns whose last day is this one or later."""
        return self._campaigns.ending_since(day)
