"""A market day of one tablet on the packaged stack: no network, and a browser that is killed."""

import json
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from ops.api_client import ApiClient
from ops.local.description import StackDescription
from tests.browser.offline.device_page import OFFICER, DevicePage, enrol_device, make_content, reopen
from tests.support.chromium import Chromium
from tests.support.link import Link, run_link
from tests.support.payloads import make_campaign_payload, make_nik

NEXT_OFFICER = "ofc-13"
# Nobody else on a shared stack has a NIK of this district, or a phone of this block.
_DISTRICT, _PHONE_BLOCK = "940302", "0824-5552"
_WAIT_SECONDS = 180


@dataclass(frozen=True)
class ArrivedCapture:
    """A registration at the server, with the number that the tablet has for it."""

    number: int
    officer: str
    reference: str


@dataclass(frozen=True)
class MarketDay:
    """The captures of the day. `arrived` is in the order of the times of capture."""

    saved: int
    handed_over_at: int
    arrived: list[ArrivedCapture]
    missing_numbers: list[Any]
    kills: int
    seconds: float


class LinkedStack:
    """The stack behind a link that can be cut, with a campaign of these days and one tablet."""

    def __init__(self, description: StackDescription, link: Link, name: str) -> None:
        self.description = description
        self.link = link
        self.campaign_id, self.client_id = f"market-{name}", f"tablet-{name}"
        today = datetime.now(UTC).date()
        self._days = [today + timedelta(days=number) for number in (-1, 0, 1)]
        campaign = make_campaign_payload(
            campaign_id=self.campaign_id,
            first_day=self._days[0].isoformat(),
            last_day=self._days[-1].isoformat(),
            accepts_until="2999-12-31",
        )
        client = {"client_id": self.client_id, "roles": ["kiosk"], "campaigns": [self.campaign_id]}
        self.send("manager", "POST", "/v1/campaigns", campaign)
        self.send("admin", "POST", "/v1/clients", client)

    @property
    def blank_url(self) -> str:
        """Return the address of the page without screens, as the tablet knows it."""
        app_url = urlsplit(self.description.app_url)
        return f"{app_url._replace(netloc=f'127.0.0.1:{self.link.port}').geturl()}/blank"

    def make_code(self) -> str:
        """Return a code with which the tablet enrols."""
        made = self.send("admin", "POST", f"/v1/clients/{self.client_id}/enrolment-codes", {})
        code: str = made["code"]
        return code

    def send(self, role: str, method: str, path: str, body: Any = None) -> Any:
        """Return the answer to a role, past the link."""
        content = None if body is None else json.dumps(body).encode()
        with closing(ApiClient(self.description.api_url, self.description.tokens[role])) as api:
            return api.send(method, path, content).raise_for_status().json()

    def list_registrations(self) -> list[dict[str, Any]]:
        """Return what is registered, by the time of capture."""
        return [row for day in self._days for row in self._iter_day(day.isoformat())]

    def _iter_day(self, day: str) -> Iterator[dict[str, Any]]:
        cursor = ""
        while True:
            path = f"/v1/registrations?campaign_id={self.campaign_id}&day={day}&size=100{cursor}"
            page = self.send("manager", "GET", path)
            yield from page["registrations"]
            if page.get("cursor") is None:
                return
            cursor = f"&cursor={page['cursor']}"

    def list_missing_numbers(self) -> list[Any]:
        """Return the report of gaps of the tablet."""
        gaps: list[Any] = self.send("admin", "GET", f"/v1/clients/{self.client_id}/gaps")["missing"]
        return gaps

    def wait_for_registrations(self, number: int) -> None:
        """Wait until so many are registered, whether or not the tablet knows of it."""
        deadline = time.monotonic() + _WAIT_SECONDS
        while len(self.list_registrations()) < number:
            assert time.monotonic() < deadline, "the captures do not arrive"
            time.sleep(0.2)


@contextmanager
def run_linked_stack(description: StackDescription, name: str) -> Iterator[LinkedStack]:
    """Put a link before a stack inside the block."""
    with run_link(urlsplit(description.api_url).port or 80) as link:
        yield LinkedStack(description, link, name)


def run_market_day(stack: LinkedStack, chromium: Chromium, *, captures: int) -> MarketDay:
    """Register workers of one day: half before a kill while captures are saved, half by the next officer.

    The browser is killed while it saves, while a batch is on its way, and between the server's answer and its
    arrival. Then the link is whole, and the tablet sends what it has.
    """
    began_at, kills = time.monotonic(), 0
    contents = [_make_content(number) for number in range(1, captures + 20)]
    device = enrol_device(chromium, stack)
    stack.link.cut()
    device.call("device.sender.start()")
    half = captures // 2
    device.save(*contents[:half])
    device.begin_saving(*contents[half : half + 5])
    device, kills = reopen(chromium, stack), kills + 1
    handed_over_at = len(device.list())
    assert handed_over_at >= half, "what was said to be saved is gone"
    device.sign_on(NEXT_OFFICER)
    # Those that may or may not have been saved when the browser died are not entered again.
    device.save(*contents[half + 5 :][: captures - handed_over_at])

    stack.link.restore()
    stack.link.loses_answers = True
    device.page.evaluate("() => { device.sender.start() }")
    stack.wait_for_registrations(1)
    device, kills = reopen(chromium, stack), kills + 1
    assert device.count()["accepted"] == 0, "a capture was ticked without an answer"
    device.page.evaluate("() => { device.sender.start() }")
    stack.wait_for_registrations(min(captures, 10))
    device, kills = reopen(chromium, stack), kills + 1

    stack.link.restore()
    device.page.evaluate("() => { device.sender.start() }")
    _wait_until_sent(device)
    return MarketDay(
        saved=sum(len(device.call("device.outbox.listRecords([argument])", each)) for each in _STATES),
        handed_over_at=handed_over_at,
        arrived=_list_arrived(stack, device),
        missing_numbers=stack.list_missing_numbers(),
        kills=kills,
        seconds=time.monotonic() - began_at,
    )


_STATES = ("draft", "waiting", "sending", "accepted", "needs_fix", "discarded")


def check_market_day(day: MarketDay, *, captures: int) -> None:
    """Check that every capture arrived once, in order, with its officer and its number."""
    assert day.saved == captures
    assert [each.number for each in day.arrived] == list(range(1, captures + 1))
    officers = [OFFICER] * day.handed_over_at + [NEXT_OFFICER] * (captures - day.handed_over_at)
    assert [each.officer for each in day.arrived] == officers
    assert len({each.reference for each in day.arrived}) == captures
    assert day.missing_numbers == []


def _make_content(number: int) -> dict[str, Any]:
    nik = make_nik(number, district_code=_DISTRICT)
    worker = {"nik": nik, "phone": f"{_PHONE_BLOCK}-{number:04d}"}
    return make_content(number, worker=worker)


def _wait_until_sent(device: DevicePage) -> None:
    deadline = time.monotonic() + _WAIT_SECONDS
    while (numbers := device.count())["unsent"]:
        assert numbers["needs_fix"] == 0, device.list()
        assert time.monotonic() < deadline, numbers
        time.sleep(0.2)


def _list_arrived(stack: LinkedStack, device: DevicePage) -> list[ArrivedCapture]:
    accepted = device.call("device.outbox.listRecords(['accepted'])")
    numbers = {each["reference"]: each["sequence"] for each in accepted}
    rows = sorted(stack.list_registrations(), key=lambda row: row["captured_at"])
    return [
        ArrivedCapture(numbers[row["reference"]], row["history"][0]["officer"], row["reference"])
        for row in rows
    ]
