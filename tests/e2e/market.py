"""Markets of their own for single tests, so that none of them touches another's, or the example's."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from threading import Barrier
from typing import Any

import httpx

from chalicelib.notifications.model import message_id
from chalicelib.notifications.templates import template
from tests.builders import a_campaign, a_capture, a_capture_id, a_nik
from tests.e2e.conftest import RunningStack
from tests.e2e.waiting import until

DAY = "2024-10-09"

# Nobody in the example has a NIK of this district, or a phone of this block.
_DISTRICT = "940301"
_NUMBERS = count(1001)
_MARKETS = count(1)

Message = dict[str, Any]


class Market:
    """A campaign, and the devices of the stack that work for it."""

    def __init__(self, stack: RunningStack, campaign_id: str) -> None:
        self.stack = stack
        self.campaign_id = campaign_id

    def capture(self, **changes: Any) -> dict[str, Any]:
        """A capture of a worker whom nobody has registered."""
        number = next(_NUMBERS)
        worker = {"nik": a_nik(number, place=_DISTRICT), "phone": f"0824-5551-{number}"}
        own = {"campaign_id": self.campaign_id, "capture_id": a_capture_id(number)}
        return a_capture(**{**own, **changes, "worker": {**worker, **changes.get("worker", {})}})

    def register(self, capture: Any, *, by: str = "van-1") -> httpx.Response:
        """Send a capture as one of the devices, or with the token of a role."""
        return self.stack.send(by, "POST", "/v1/registrations", capture)

    def counted(self, day: str = DAY) -> dict[str, Any]:
        """The newest summary of a day, without counting."""
        path = f"/v1/campaigns/{self.campaign_id}/summaries/{day}"
        summary: dict[str, Any] = self.stack.send("manager", "GET", path).json()
        return summary

    def texts_of(self, reference: str) -> list[Message]:
        """The texts that one registration has led to so far."""
        own_id = text_id(reference)
        return [each for each in self.stack.messages() if each["context"].get("message_id") == own_id]

    def await_text_of(self, reference: str) -> Message:
        """The text of one registration, once it is there."""
        return until(f"the text of {reference}", lambda: self.texts_of(reference))[0]


def a_market(stack: RunningStack) -> Market:
    """A campaign that nobody has registered anyone for."""
    campaign_id = f"market-{next(_MARKETS)}"
    answer = stack.send("manager", "POST", "/v1/campaigns", a_campaign(campaign_id=campaign_id))
    assert answer.status_code == 201, answer.text
    return Market(stack, campaign_id)


def text_id(reference: str) -> str:
    """Our own id of the one text that a registration leads to."""
    wording = template("received")
    return message_id(reference, wording.purpose, wording.version)


def all_at_once(callers: int, call: Callable[[int], httpx.Response]) -> list[httpx.Response]:
    """The answers to callers who start at the same moment."""
    start = Barrier(callers)

    def caller(number: int) -> httpx.Response:
        start.wait()
        return call(number)

    with ThreadPoolExecutor(callers) as threads:
        return list(threads.map(caller, range(callers)))


def let_everything_arrive(stack: RunningStack) -> None:
    """Wait until all that was stored before has been announced and all that was announced has been sent.

    The stream keeps its order: once the text of one more worker is there, nothing older is on its way.
    """
    last = a_market(stack)
    answer = last.register(last.capture())
    last.await_text_of(answer.json()["reference"])
    until("the notifications queue to be empty", lambda: stack.local.texts_waiting() == 0)
