"""The example market day, sent to the stack once for every test that looks at what came of it."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from chalicelib.registrations.phone import parse
from ops.api_client import ApiClient
from ops.project import EXAMPLE_DIR
from ops.submission import DeviceBatch, submit_batches
from tests.support.isolated_campaign import await_pipeline_idle, find_confirmation
from tests.support.running_stack import RunningStack

EXPECTED: dict[str, Any] = json.loads((EXAMPLE_DIR / "expected.json").read_text())
EXPECTED_IN_ORDER = EXPECTED["in_device_order"]
DAYS = list(EXPECTED_IN_ORDER["days"])


class RecordingAPI(ApiClient):
    """The API, with what was sent and answered."""

    def __init__(self, url: str, token: str, exchanges: list[tuple[dict[str, Any], httpx.Response]]) -> None:
        super().__init__(url, token)
        self._exchanges = exchanges

    def send(self, method: str, path: str, body: str | bytes | None = None) -> httpx.Response:
        response = super().send(method, path, body)
        self._exchanges.append((json.loads(body or b"{}"), response))
        return response


@dataclass(frozen=True)
class MarketDay:
    """What the devices were answered, and what the stack held when everything had arrived."""

    outcomes: Counter[str]
    phone_by_reference: Mapping[str, str]
    sms: list[dict[str, Any]]
    summaries: Mapping[str, dict[str, Any]]


def send_example(stack: RunningStack, *device_groups: Iterable[str]) -> MarketDay:
    """Send the example: the devices of a group at once, the groups one after the other."""
    heard: list[tuple[dict[str, Any], httpx.Response]] = []
    total: Counter[str] = Counter()

    def api_for(device: str) -> ApiClient:
        return RecordingAPI(stack.description.api_url, str(stack.description.find_token(device)), heard)

    for devices in device_groups:
        sendings = [DeviceBatch.from_files(device, [EXAMPLE_DIR / f"{device}.jsonl"]) for device in devices]
        outcomes = submit_batches(sendings, make_api=api_for, on_answer=lambda device: None)
        assert outcomes.is_complete
        total += outcomes.total
    await_pipeline_idle(stack)
    stack.fire_schedules()
    path = f"/v1/campaigns/{stack.description.campaign_id}/summaries"
    phones = {
        answer.json()["reference"]: parse(capture["worker"]["phone"])
        for capture, answer in heard
        if answer.status_code == httpx.codes.CREATED
    }
    ours = {find_confirmation(stack, reference)["sms_id"] for reference in phones}
    return MarketDay(
        outcomes=total,
        phone_by_reference=phones,
        sms=[each for each in stack.list_sms() if each["context"]["sms_id"] in ours],
        summaries={day: stack.send("manager", "GET", f"{path}/{day}").json() for day in DAYS},
    )


@pytest.fixture(scope="session")
def market_day(stack: RunningStack) -> MarketDay:
    """The example, one device after the other, as its README counts it."""
    return send_example(stack, *([device] for device in EXPECTED_IN_ORDER["order"]))


@pytest.fixture(scope="session")
def repeated_market_day(stack: RunningStack, market_day: MarketDay) -> MarketDay:
    """The whole example once more, all devices at once."""
    return send_example(stack, EXPECTED_IN_ORDER["order"])
