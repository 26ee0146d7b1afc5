"""The example market day, sent to the stack once for every test that looks at what came of it."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from chalicelib.registrations.phone import parse
from ops.api import API
from ops.registering import Sending, register
from ops.stack import EXAMPLE
from tests.e2e.conftest import RunningStack
from tests.e2e.market import let_everything_arrive, text_id

EXPECTED: dict[str, Any] = json.loads((EXAMPLE / "expected.json").read_text())
IN_ORDER = EXPECTED["in_device_order"]
DAYS = list(IN_ORDER["days"])


class Listening(API):
    """The API, with what was sent and answered."""

    def __init__(self, url: str, token: str, heard: list[tuple[dict[str, Any], httpx.Response]]) -> None:
        super().__init__(url, token)
        self._heard = heard

    def send(self, method: str, path: str, body: str | bytes | None = None) -> httpx.Response:
        response = super().send(method, path, body)
        self._heard.append((json.loads(body or b"{}"), response))
        return response


@dataclass(frozen=True)
class MarketDay:
    """What the devices were answered, and what the stack held when everything had arrived."""

    outcomes: Counter[str]
    phones: Mapping[str, str]
    texts: list[dict[str, Any]]
    summaries: Mapping[str, dict[str, Any]]


def sent(stack: RunningStack, *groups: Iterable[str]) -> MarketDay:
    """Send the example: the devices of a group at once, the groups one after the other."""
    heard: list[tuple[dict[str, Any], httpx.Response]] = []
    total: Counter[str] = Counter()

    def api_for(device: str) -> API:
        return Listening(stack.description.api_url, str(stack.description.token_of(device)), heard)

    for devices in groups:
        sendings = [Sending.of(device, [EXAMPLE / f"{device}.jsonl"]) for device in devices]
        outcomes = register(sendings, api_for=api_for, on_answer=lambda device: None)
        assert outcomes.are_definite
        total += outcomes.total
    let_everything_arrive(stack)
    stack.fire_schedule()
    path = f"/v1/campaigns/{stack.description.campaign_id}/summaries"
    phones = {
        answer.json()["reference"]: parse(capture["worker"]["phone"])
        for capture, answer in heard
        if answer.status_code == httpx.codes.CREATED
    }
    ours = {text_id(reference) for reference in phones}
    return MarketDay(
        outcomes=total,
        phones=phones,
        texts=[each for each in stack.messages() if each["context"]["message_id"] in ours],
        summaries={day: stack.send("manager", "GET", f"{path}/{day}").json() for day in DAYS},
    )


@pytest.fixture(scope="session")
def market_day(stack: RunningStack) -> MarketDay:
    """The example, one device after the other, as its README counts it."""
    return sent(stack, *([device] for device in IN_ORDER["order"]))


@pytest.fixture(scope="session")
def market_day_again(stack: RunningStack, market_day: MarketDay) -> MarketDay:
    """The whole example once more, all devices at once."""
    return sent(stack, IN_ORDER["order"])
