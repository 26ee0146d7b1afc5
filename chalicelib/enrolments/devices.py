"""Devices, with what their web app must know of them."""

from dataclasses import dataclass

from chalicelib.campaigns.model import Campaign
from chalicelib.campaigns.service import CampaignService
from chalicelib.clients.model import Client
from chalicelib.registrations.reading import ReadingService

_MAX_CAMPAIGNS = 50


@dataclass(frozen=True)
class Device:
    """A device as the web app needs to know it."""

    client: Client
    campaigns: tuple[Campaign, ...]
    next_sequence: int


class DeviceReader:
    """Reads what there is to know of a client's device."""

    def __init__(self, *, campaigns: CampaignService, reading: ReadingService) -> None:
        self._campaigns = campaigns
        self._reading = reading

    def read(self, client: Client) -> Device:
        """Return a client as a device, with its latest campaigns."""
        campaigns = list(self._campaigns.iter_accepting(client.caller))
        return Device(
            client=client,
            campaigns=tuple(reversed(campaigns[-_MAX_CAMPAIGNS:])),
            next_sequence=self._reading.find_last_device_sequence(client.client_id) + 1,
        )
