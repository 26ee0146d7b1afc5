"""Devices, with what their web app must know of them."""

from collections.abc import Iterator
from dataclasses import dataclass

from chalicelib.callers import Caller
from chalicelib.campaigns.model import Campaign
from chalicelib.campaigns.service import CampaignService
from chalicelib.clients.model import Client
from chalicelib.clock import Clock
from chalicelib.registrations.reading import ReadingService

_MAX_CAMPAIGNS = 50
_CAMPAIGN_PAGE_SIZE = 200


@dataclass(frozen=True)
class Device:
    """A device as the web app needs to know it."""

    client: Client
    campaigns: tuple[Campaign, ...]
    next_sequence: int


class DeviceReader:
    """Reads what there is to know of a client's device."""

    def __init__(self, *, campaigns: CampaignService, reading: ReadingService, clock: Clock) -> None:
        self._campaigns = campaigns
        self._reading = reading
        self._clock = clock

    def read(self, client: Client) -> Device:
        """Return a client as a device, with its latest campaigns."""
        campaigns = sorted(self._iter_open_campaigns(client.caller), key=lambda each: each.last_day)
        return Device(
            client=client,
            campaigns=tuple(reversed(campaigns[-_MAX_CAMPAIGNS:])),
            next_sequence=self._reading.find_last_device_sequence(client.client_id) + 1,
        )

    def _iter_open_campaigns(self, caller: Caller) -> Iterator[Campaign]:
        """Yield the campaigns of a client that still accept captures."""
        start_after, has_more = None, True
        while has_more:
            page = self._campaigns.list_for_caller(
                caller=caller, start_after=start_after, page_size=_CAMPAIGN_PAGE_SIZE
            )
            for campaign in page.rows:
                if campaign.is_accepting(self._clock()):
                    yield campaign
            start_after, has_more = page.last_position, page.has_more
