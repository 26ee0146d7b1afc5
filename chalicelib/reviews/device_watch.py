"""The hourly look for silent devices: one that owes captures on a campaign day becomes a review item."""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from datetime import date
from typing import Protocol

from chalicelib.campaigns.errors import CampaignUnknown
from chalicelib.campaigns.model import Campaign
from chalicelib.clock import Clock
from chalicelib.devices.device_states import DeviceState
from chalicelib.refusals import RecordUnreadable
from chalicelib.reviews.model import Finding, ReviewKind, ReviewSubject
from chalicelib.rollups.model import Anomaly


class ReviewItems(Protocol):
    def open_finding(self, finding: Finding) -> None:
        """Open the item of a finding, once."""


class Campaigns(Protocol):
    def get(self, campaign_id: str) -> Campaign:
        """Return a campaign. Raise CampaignUnknown."""


class Devices(Protocol):
    def iter_silent(self) -> Iterable[DeviceState]:
        """Yield the devices that are silent now, and were seen within a day."""

    def list_silent(self, campaign: Campaign, day: date) -> Sequence[DeviceState]:
        """Return a campaign's devices that are silent now, on a campaign day or the day after it."""


class DeviceWatch:
    """Opens an item for each silent device and campaign day, and names them to the day's count."""

    def __init__(self, *, campaigns: Campaigns, devices: Devices, items: ReviewItems, clock: Clock) -> None:
        self._campaigns = campaigns
        self._devices = devices
        self._items = items
        self._clock = clock

    def list_anomalies(self, campaign: Campaign, day: date) -> Sequence[Anomaly]:
        """Return the anomalies of devices that are silent now, on a campaign day or the day after it."""
        return [
            Anomaly(pattern="device_silent", client_id=each.client.client_id, workers=each.owed)
            for each in self._devices.list_silent(campaign, day)
        ]

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
