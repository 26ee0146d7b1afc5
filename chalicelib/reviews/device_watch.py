"""The hourly look at running campaigns: a device that owes captures and is silent becomes a review item."""

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from typing import Protocol

from chalicelib.campaigns.model import Campaign
from chalicelib.clock import Clock
from chalicelib.devices.device_states import DeviceState
from chalicelib.reviews.model import Finding, ReviewKind, ReviewSubject
from chalicelib.reviews.watcher import ReviewItems

# The day has begun or is still under way in other zones than the clock's.
_ONE_DAY = timedelta(days=1)


class Campaigns(Protocol):
    def iter_ids_ending_since(self, first_last_day: date) -> Iterator[tuple[date, str]]:
        """Yield last day and id of the campaigns with this or a later last day, by last day."""

    def get(self, campaign_id: str) -> Campaign:
        """Return a campaign. Raise CampaignUnknown."""


class Devices(Protocol):
    def list_silent(self, campaign: Campaign, day: date) -> Sequence[DeviceState]:
        """Return a campaign's devices that are silent now, on a campaign day."""


class DeviceWatch:
    """Opens an item for each device and campaign day."""

    def __init__(self, *, campaigns: Campaigns, devices: Devices, items: ReviewItems, clock: Clock) -> None:
        self._campaigns = campaigns
        self._devices = devices
        self._items = items
        self._clock = clock

    def review_devices(self) -> int:
        """Open the items of devices that are silent on a campaign day of now. Return their number."""
        now, number = self._clock(), 0
        for _, campaign_id in self._campaigns.iter_ids_ending_since(now.date() - _ONE_DAY):
            campaign = self._campaigns.get(campaign_id)
            today = campaign.local_day(now)
            for state in self._devices.list_silent(campaign, today):
                subject = ReviewSubject.client_day(state.client.client_id, today)
                figures = {"owed": state.owed}
                self._items.open_finding(
                    Finding(campaign_id, ReviewKind.DEVICE_SILENT, subject, today, figures)
                )
                number += 1
        return number
