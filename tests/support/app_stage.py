"""A market with the app, a link that can be cut, and a manager: what the tests of the web app begin with."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from chalicelib.callers import EVERY_CAMPAIGN, Caller, Channel, Role
from chalicelib.campaigns.model import Campaign, CampaignDay
from chalicelib.clients.schemas import EnrolClient
from chalicelib.clock import utc_now
from chalicelib.container import Container
from chalicelib.enrolments.schemas import MakeCode
from chalicelib.registrations.model import Registration
from tests.support.app_loader import load_app
from tests.support.app_server import STAGE, AppServer, run_app_server
from tests.support.link import Link, run_link
from tests.support.payloads import make_campaign_payload

CAMPAIGN = "tanah-abang-2024"
DEVICE = "van-1"

MANAGER = Caller(
    client_id="head-office",
    roles=frozenset({Role.MANAGER}),
    channel=Channel.OFFICE,
    campaigns=frozenset({EVERY_CAMPAIGN}),
)
_WAIT_SECONDS = 15


@dataclass
class ServerClock:
    """The server's clock, which a test can move."""

    ahead: timedelta = timedelta()

    def __call__(self) -> datetime:
        return utc_now() + self.ahead


@dataclass
class AppStage:
    """The app behind a link, with one campaign of these days and one device."""

    container: Container
    server: AppServer
    link: Link
    clock: ServerClock
    manager_token: str
    exit_code: str | None = None

    @property
    def app_url(self) -> str:
        """Return the app's address, as the tablet knows it."""
        return f"http://127.0.0.1:{self.link.port}{STAGE}/app"

    @property
    def blank_url(self) -> str:
        """Return the address of the page without screens."""
        return f"{self.app_url}/blank"

    def add_device(self, client_id: str) -> None:
        """Make a client for another device."""
        _enrol_client(self.container, client_id)

    def make_code(self, client_id: str = DEVICE, mode: str | None = None) -> str:
        """Return a code with which a device enrols as this client."""
        made = self.container.enrolments.make_code(
            client_id, MakeCode.model_validate({"mode": mode}), caller=MANAGER
        )
        self.exit_code = made.exit_code
        return made.code

    def restart(self) -> None:
        """Replace the app by a new one, which reads the environment again."""
        app, self.container = load_app(clock=self.clock)
        self.server.replace_app(app)

    def send_as_manager(self, method: str, path: str, body: bytes = b"") -> tuple[int, Any]:
        """Return status and body of an answer to the campaign's manager."""
        headers = {"authorization": f"Bearer {self.manager_token}", "content-type": "application/json"}
        status, _, content = self.server.answer(method, path, headers, body)
        return status, json.loads(content)

    def list_registrations(self) -> list[Registration]:
        """Return what is registered on the campaign's days, by the time of capture."""
        today = self.clock().date()
        days = (CampaignDay(CAMPAIGN, today + timedelta(days=number)) for number in (-1, 0, 1))
        return [each for day in days for each in self._list_day(day)]

    def _list_day(self, day: CampaignDay) -> Iterator[Registration]:
        position, has_more = None, True
        while has_more:
            page = self.container.reading_store.list_by_campaign_day(day, start_after=position, page_size=200)
            yield from page.rows
            position = page.next_position
            has_more = position is not None

    def list_missing_numbers(self, client_id: str = DEVICE) -> list[tuple[int, int]]:
        """Return the report of gaps of a device."""
        page = self.container.reading.list_gaps(client_id, start_after=None, page_size=200)
        return [(gap.first, gap.last) for gap in page.rows]

    def wait_until(self, is_reached: Callable[[], bool], *, seconds: float = _WAIT_SECONDS) -> None:
        """Wait for something at the server, or at a device."""
        deadline = time.monotonic() + seconds
        while not is_reached():
            assert time.monotonic() < deadline, "not reached"
            time.sleep(0.02)


@contextmanager
def run_app_stage() -> Iterator[AppStage]:
    """Run it inside the block. Its tables must exist."""
    clock = ServerClock()
    app, container = load_app(clock=clock)
    today = clock().date()
    campaign = make_campaign_payload(
        first_day=(today - timedelta(days=1)).isoformat(),
        last_day=(today + timedelta(days=1)).isoformat(),
        accepts_until="2999-12-31",
    )
    container.campaigns.open(Campaign.model_validate(campaign))
    _enrol_client(container, DEVICE)
    _, manager_token = container.clients.enrol(
        EnrolClient(client_id="branch-office", roles=(Role.MANAGER,), campaigns=(CAMPAIGN,))
    )
    with run_app_server(app, clock) as server, run_link(server.server_port) as link:
        yield AppStage(container, server, link, clock, manager_token)


def _enrol_client(container: Container, client_id: str) -> None:
    container.clients.enrol(
        EnrolClient(client_id=client_id, roles=(Role.KIOSK,), channel=Channel.VAN, campaigns=(CAMPAIGN,))
    )
