"""The states of the devices of a campaign: when each was seen, what it runs, and what it owes."""

from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Protocol

from chalicelib.callers import EVERY_CAMPAIGN, Role
from chalicelib.campaigns.model import Campaign
from chalicelib.clients.model import Client
from chalicelib.clock import Clock
from chalicelib.http.pagination import Page, Position, cut_page
from chalicelib.registrations.latest_capture import LatestCapture

SILENCE = timedelta(hours=1)
"""From this time without a call a device that owes captures is silent. Calls are recorded to ten minutes."""

_REGISTERING_ROLES = frozenset({Role.KIOSK, Role.BOT})
# Screens on a wall are listed, too: a manager pairs them and revokes a lost one. They owe nothing.
_LISTED_ROLES = _REGISTERING_ROLES | {Role.VIEWER}
_CLIENT_PAGE_SIZE = 200
_ONE_DAY = timedelta(days=1)

# A device that was lost for good is in the queue once, and not every day of a long campaign.
_LONGEST_SILENCE = timedelta(days=1)


@dataclass(frozen=True)
class DeviceState:
    """A client that registers workers, with its latest numbered capture, or a screen on a wall.

    `owed` is how many numbers below its highest one have not arrived. `silent_since` is when it was seen
    last, if it owes captures and was not seen for an hour.
    """

    client: Client
    owed: int = 0
    latest_capture: LatestCapture | None = None
    silent_since: datetime | None = None

    @property
    def campaign_id(self) -> str | None:
        """Return the campaign of its latest capture, None if there is no capture."""
        return None if self.latest_capture is None else self.latest_capture.campaign_id


class Clients(Protocol):
    """The clients, by id."""

    def list_page(self, *, start_after: Position | None, page_size: int) -> Page[Client]:
        """Return a page of all clients, revoked ones too, by id. Raise CursorInvalid."""


class DeviceCaptures(Protocol):
    """The numbered captures of devices."""

    def count_owed(self, client_id: str) -> int:
        """Return how many numbers of a device have not arrived, below the highest that has."""

    def find_latest_capture(self, client_id: str) -> LatestCapture | None:
        """Return a device's numbered capture with the highest number, or None."""


class DeviceStateService:
    """Reads the states of devices."""

    def __init__(self, *, clients: Clients, captures: DeviceCaptures, clock: Clock) -> None:
        self._clients = clients
        self._captures = captures
        self._clock = clock

    def list_page(
        self, campaign: Campaign, *, start_after: Position | None, page_size: int
    ) -> Page[DeviceState]:
        """Return a page of a campaign's devices, revoked ones too, by id. Raise CursorInvalid."""
        found = self._iter_devices(campaign, start_after)
        page = cut_page(
            found, page_size, start_after=start_after, get_position=lambda client: client.client_id
        )
        return Page(list(map(self._read, page.rows)), page.last_position, page.has_more)

    def iter_silent(self) -> Iterator[DeviceState]:
        """Yield the devices that are silent now, and were seen within a day.

        Each works for the campaign of its latest capture. One query finds them, however many campaigns run.
        """
        for client in self._iter_clients(None, _REGISTERING_ROLES):
            if self._is_out_of_sight(client, longest=_LONGEST_SILENCE):
                state = self._read(client)
                if state.silent_since is not None:
                    yield state

    def list_silent(self, campaign: Campaign, day: date) -> Sequence[DeviceState]:
        """Return a campaign's devices that are silent now, on a campaign day or the day after it."""
        today = campaign.local_day(self._clock())
        if not (campaign.has_day(day) and day <= today <= day + _ONE_DAY):
            return []
        return [each for each in self.iter_silent() if each.campaign_id == campaign.campaign_id]

    def _iter_devices(self, campaign: Campaign, start_after: Position | None) -> Iterator[Client]:
        for client in self._iter_clients(start_after, _LISTED_ROLES):
            if {EVERY_CAMPAIGN, campaign.campaign_id} & client.campaigns:
                yield client

    def _iter_clients(self, start_after: Position | None, roles: Set[Role]) -> Iterator[Client]:
        """Yield the clients that have one of some roles, by id."""
        has_more = True
        while has_more:
            page = self._clients.list_page(start_after=start_after, page_size=_CLIENT_PAGE_SIZE)
            yield from (each for each in page.rows if each.roles & roles)
            start_after, has_more = page.last_position, page.has_more

    def _read(self, client: Client) -> DeviceState:
        if not client.roles & _REGISTERING_ROLES:
            return DeviceState(client)
        owed = self._captures.count_owed(client.client_id)
        latest = self._captures.find_latest_capture(client.client_id)
        is_silent = owed > 0 and self._is_out_of_sight(client)
        return DeviceState(client, owed, latest, client.last_seen_at if is_silent else None)

    def _is_out_of_sight(self, client: Client, *, longest: timedelta = timedelta.max) -> bool:
        now, seen_at = self._clock(), client.last_seen_at
        return seen_at is not None and SILENCE <= now - seen_at <= longest and not client.is_revoked(now)
