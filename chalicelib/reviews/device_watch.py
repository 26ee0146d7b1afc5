"""The hourly look for silent devices: one that owes captures on a campaign day becomes a review item."""

from collections.abc import Iterable
from contextlib import suppress
from typing import Protocol

from chalicelib.campaigns.errors import CampaignUnknown
from chalicelib.campaigns.model import Campaign
from chalicelib.clock import Clock
from chalicelib.devices.device_states import DeviceState
from chalicelib.refusals import RecordUnreadable
from chalicelib.reviews.model import Finding, ReviewKind, ReviewSubject
from chalicelib.reviews.watcher import ReviewItems


class Campaigns(Protocol):
    def get(self, campaign_id: str) -> Campaign:
        """Return a campaign. Raise CampaignUnknown."""


class Devices(Protocol):
    def iter_silent(self) -> Iterable[DeviceState]:
        """Yield the devices that are silent now, and were seen within a day."""


class DeviceWatch:
    """Opens an item for each silent device and campaign day."""

    def __init__(self, *, campaigns: Campaigns, devices: Devices, items: ReviewItems, clock: Clock) -> None:
        self._campaigns = campaigns
        self._devices = devices
        self._items = items
        self._clock = clock

    def review_devices(self) -> None:
        """Open the items of devices that are silent on a day of the campaign that they work for."""
        for state in self._devices.iter_silent():
            # A campaign that cannot be read has its own alarm.
            with suppress(CampaignUnknown, RecordUnreadable):
                self._review(state, self._campaigns.get(state.campaign_id or ""))

    def _review(self, state: DeviceState, campaign: Campaign) -> None:
        today = campaign.local_day(self._clock())
        if campaign.has_day(today):
            subject = ReviewSubject.client_day(state.client.client_id, today)
            figures = {"owed": state.owed}
            self._items.open_finding(
                Finding(campaign.campaign_id, ReviewKind.DEVICE_SILENT, subject, today, figures)
            )
