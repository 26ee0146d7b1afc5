"""A campaign of its own for a single test, so that no test touches another's data or the example's."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from threading import Barrier
from typing import Any

import httpx

from chalicelib.aws.items import from_item
from chalicelib.sms_purposes import Purpose
from tests.support.payloads import make_campaign_payload, make_capture_id, make_capture_payload, make_nik
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
        """Return the capture of a worker who is not registered yet."""
        number = next(_NUMBERS)
        worker = {"nik": make_nik(number, district_code=_DISTRICT), "phone": f"0824-5551-{number}"}
        own = {"campaign_id": self.campaign_id, "capture_id": make_capture_id(number)}
        return make_capture_payload(**{**own, **changes, "worker": {**worker, **changes.get("worker", {})}})

    def register(self, capture: Any, *, caller: str = "van-1") -> httpx.Response:
        """Send a capture as a device or with the token of a role."""
        return self.stack.send(caller, "POST", "/v1/registrations", capture)

    def get_summary(self, day: str = DAY) -> dict[str, Any]:
        """Return the newest summary of a day, without counting."""
        path = f"/v1/campaigns/{self.campaign_id}/summaries/{day}"
        summary: dict[str, Any] = self.stack.send("manager", "GET", path).json()
        return summary

    def find_sms(self, reference: str) -> list[SmsRecord]:
        """Return the SMS of one registration so far."""
        own_id = find_confirmation(self.stack, reference).get("sms_id")
        return [each for each in self.stack.list_sms() if own_id == each["context"].get("sms_id", "")]

    def await_sms(self, reference: str) -> SmsRecord:
        """Return the SMS of one registration, once it was received."""
        return wait_until(f"the SMS of {reference}", lambda: self.find_sms(reference))[0]


def open_market(stack: RunningStack) -> Market:
    """Return a new campaign without registrations."""
    campaign_id = f"market-{next(_MARKETS)}"
    answer = stack.send("manager", "POST", "/v1/campaigns", make_campaign_payload(campaign_id=campaign_id))
    assert answer.status_code == 201, answer.text
    return Market(stack, campaign_id)


def find_confirmation(stack: RunningStack, reference: str) -> dict[str, Any]:
    """Return the row of the confirmation SMS of a registration; empty if there is none yet."""
    dynamodb, table = stack.aws_client("dynamodb"), stack.description.outputs["SmsLedgerTableName"]
    keys = dynamodb.query(
        TableName=table,
        IndexName="by_reference",
        KeyConditionExpression="#reference = :reference",
        ExpressionAttributeNames={"#reference": "reference"},
        ExpressionAttributeValues={":reference": {"S": reference}},
    )["Items"]
    rows = (
        from_item(dynamodb.get_item(TableName=table, Key={"sms_id": key["sms_id"]}).get("Item", {}))
        for key in keys
    )
    return next((row for row in rows if row.get("purpose") == Purpose.RECEIVED), {})


def call_concurrently(caller_count: int, call: Callable[[int], httpx.Response]) -> list[httpx.Response]:
    """Return the answers to callers who start at the same moment."""
    start = Barrier(caller_count)

    def caller(number: int) -> httpx.Response:
        start.wait()
        return call(number)

    with ThreadPoolExecutor(caller_count) as threads:
        return list(threads.map(caller, range(caller_count)))


def await_pipeline_idle(stack: RunningStack) -> None:
    """Wait until every earlier change was published and every SMS was sent.

    The stream keeps its order: once the SMS of one more worker is there, nothing older is under way.
    """
    last = open_market(stack)
    answer = last.register(last.make_capture_payload())
    last.await_sms(answer.json()["reference"])
    wait_until("the notifications queue to be empty", lambda: stack.local_stack.count_waiting_sms() == 0)
