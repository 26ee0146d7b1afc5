"""Markets of their own for single tests, so that none of them touches another's, or the example's."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from threading import Barrier
from typing import Any

import httpx

from chalicelib.notifications.model import derive_sms_id
from chalicelib.notifications.templates import get_template
from tests.support.builders import make_campaign_payload, make_capture_id, make_capture_payload, make_nik
from tests.support.polling import wait_until
from tests.support.running_stack import RunningStack

DAY = "2024-10-09"

# Nobody in the example has a NIK of this district, or a phone of this block.
_DISTRICT = "940301"
_NUMBERS = count(1001)
_MARKETS = count(1)

SmsRecord = dict[str, Any]


class Market:
    """A campaign, and the devices of the stack that work for it."""

    def __init__(self, stack: RunningStack, campaign_id: str) -> None:
        self.stack = stack
        self.campaign_id = campaign_id

    def make_capture_payload(self, **changes: Any) -> dict[str, Any]:
        """A capture of a worker whom nobody has registered."""
        number = next(_NUMBERS)
        worker = {"nik": make_nik(number, district_code=_DISTRICT), "phone": f"0824-5551-{number}"}
        own = {"campaign_id": self.campaign_id, "capture_id": make_capture_id(number)}
        return make_capture_payload(**{**own, **changes, "worker": {**worker, **changes.get("worker", {})}})

    def register(self, capture: Any, *, caller: str = "van-1") -> httpx.Response:
        """Send a capture as one of the devices, or with the token of a role."""
        return self.stack.send(caller, "POST", "/v1/registrations", capture)

    def get_summary(self, day: str = DAY) -> dict[str, Any]:
        """The newest summary of a day, without counting."""
        path = f"/v1/campaigns/{self.campaign_id}/summaries/{day}"
        summary: dict[str, Any] = self.stack.send("manager", "GET", path).json()
        return summary

    def find_sms(self, reference: str) -> list[SmsRecord]:
        """The texts that one registration has led to so far."""
        own_id = received_sms_id(reference)
        return [each for each in self.stack.list_sms() if each["context"].get("sms_id") == own_id]

    def await_sms(self, reference: str) -> SmsRecord:
        """The text of one registration, once it is there."""
        return wait_until(f"the text of {reference}", lambda: self.find_sms(reference))[0]


def open_market(stack: RunningStack) -> Market:
    """A campaign that nobody has registered anyone for."""
    campaign_id = f"market-{next(_MARKETS)}"
    answer = stack.send("manager", "POST", "/v1/campaigns", make_campaign_payload(campaign_id=campaign_id))
    assert answer.status_code == 201, answer.text
    return Market(stack, campaign_id)


def received_sms_id(reference: str) -> str:
    """Our own id of the one text that a registration leads to."""
    wording = get_template("received")
    return derive_sms_id(reference, wording.purpose, wording.version)


def call_concurrently(caller_count: int, call: Callable[[int], httpx.Response]) -> list[httpx.Response]:
    """The answers to callers who start at the same moment."""
    start = Barrier(caller_count)

    def caller(number: int) -> httpx.Response:
        start.wait()
        return call(number)

    with ThreadPoolExecutor(caller_count) as threads:
        return list(threads.map(caller, range(caller_count)))


def await_pipeline_idle(stack: RunningStack) -> None:
    """Wait until all that was stored before has been announced and all that was announced has been sent.

    The stream keeps its order: once the text of one more worker is there, nothing older is on its way.
    """
    last = open_market(stack)
    answer = last.register(last.make_capture_payload())
    last.await_sms(answer.json()["reference"])
    wait_until("the notifications queue to be empty", lambda: stack.local_stack.count_waiting_sms() == 0)
