"""A stage under a fault, in process: the real functions on moto's tables and queues, and a fake SMS gateway.

Devices send until they are answered, as ours do. Stream, queues, schedules and receipts are driven here, so
that each can be delayed, repeated, reordered or lost. The clock is the stage's own, so that hours pass in no
time.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import boto3
import httpx
from chalice.local import LambdaContext
from chalice.test import Client, HTTPResponse

from chalicelib.aws.items import from_item
from chalicelib.callers import Role
from chalicelib.campaigns.model import Campaign
from chalicelib.clients.schemas import EnrolClient
from chalicelib.notifications.messages import ReceiptReceived
from ops.fake_sms.inbox import ReceivedSms
from ops.fake_sms.server import FakeSmsServer
from tests.support.app_loader import load_app
from tests.support.aws_events import encode_stream_image, make_schedule_event, make_sqs_event
from tests.support.builders import NOW
from tests.support.fakes.clock import FixedClock
from tests.support.payloads import (
    make_campaign_payload,
    make_capture_id,
    make_capture_payload,
    make_nik,
    make_phone,
)

CAMPAIGN_ID, DAY = "tanah-abang-2024", "2024-10-09"
WORKERS = 8

_MINUTE = timedelta(minutes=1)
_LONGEST = timedelta(hours=12)
_MAX_SENDS = 25
# As the queue's redrive policy.
_MAX_RECEIVES = 5
_SETTLED = frozenset({"accepted", "sent", "delivered"})
_CLIENTS = {"kiosk": Role.KIOSK, "manager": Role.MANAGER, "admin": Role.ADMIN}

DeliverReceipts = Callable[[ReceivedSms, list[ReceiptReceived]], Iterable[ReceiptReceived]]
"""The receipts that are delivered of an SMS, of those that the gateway would send."""


class ProcessKilled(BaseException):
    """A worker process dies: nothing that it runs can catch it."""


@dataclass(frozen=True)
class Outcome:
    """The figures of one fault. `expected_doubles` are those that were said in advance, with the reason."""

    fault: str
    injected: int
    lost: int
    doubled: int
    recovered_after: str
    expected_doubles: int = 0
    remark: str = ""

    @property
    def has_passed(self) -> bool:
        """Return True if nothing was lost, and nothing doubled but what was said in advance."""
        return self.lost == 0 and self.doubled <= self.expected_doubles and self.injected > 0


class Drill:
    """One stage, its devices, and what has become of their captures."""

    def __init__(self, gateway: FakeSmsServer) -> None:
        self.gateway = gateway
        self.clock = FixedClock(NOW)
        self.skew = timedelta()
        self.receipts: DeliverReceipts = lambda _, receipts: receipts
        self.dead_letters: list[str] = []
        self.stream: list[dict[str, Any]] = []
        self.captures: dict[int, dict[str, Any]] = {}
        self._tokens: dict[str, str] = {}
        self._images: dict[tuple[str, str], dict[str, Any]] = {}
        self._receives: Counter[str] = Counter()
        self._reported = 0
        self.restart()
        campaign = make_campaign_payload(accepts_until="2999-12-31")
        self.container.campaigns.open(Campaign.model_validate(campaign))
        for name, role in _CLIENTS.items():
            command = EnrolClient(client_id=f"{name}-1", roles=(role,), campaigns=("*",))
            _, self._tokens[name] = self.container.clients.enrol(command)

    def restart(self) -> None:
        """Replace every container by a new one, which has nothing in memory."""
        self.app, self.container = load_app(clock=lambda: self.clock() + self.skew)
        self._http = Client(self.app).http

    # Devices

    def send(self, method: str, path: str, body: Any = None, *, caller: str = "kiosk") -> HTTPResponse:
        """Send one request, once."""
        headers = {"authorization": f"Bearer {self._tokens[caller]}", "content-type": "application/json"}
        raw = b"" if body is None else json.dumps(body).encode()
        return self._http.request(method, path, headers=headers, body=raw)

    def make_capture(self, number: int, **changes: Any) -> dict[str, Any]:
        """Return the capture of a worker; each number is another worker."""
        worker = {"nik": make_nik(number), "phone": make_phone(number), "name": f"Melati {chr(64 + number)}"}
        return make_capture_payload(
            capture_id=make_capture_id(number), worker=worker, device_sequence=number, **changes
        )

    def register(self, *numbers: int, sends: int = 1, **changes: Any) -> None:
        """Send the captures of workers, each until it is answered, and so many times."""
        for number in numbers:
            capture = self.captures[number] = self.make_capture(number, **changes)
            for _ in range(sends):
                self.send_until_answered("POST", "/v1/registrations", capture)

    def send_until_answered(self, method: str, path: str, body: Any) -> HTTPResponse:
        """Send a request until the answer is neither a failure of ours nor missing."""
        for _ in range(_MAX_SENDS):
            try:
                answer = self.send(method, path, body)
            except Exception:  # noqa: BLE001 - the authorizer failed, which API Gateway answers with 503
                answer = None
            if answer is not None and answer.status_code < 500:
                assert answer.status_code < 300, answer.body
                return answer
            self.clock.advance(timedelta(seconds=2))
        raise AssertionError("never answered")

    # Functions

    def invoke(self, function: str, event: dict[str, Any]) -> Any:
        """Invoke a function; None if it failed as a whole."""
        context = LambdaContext(function, memory_size=512, max_runtime_ms=900_000)
        try:
            return self.app.handler_map[function](event, context)
        except Exception:  # noqa: BLE001 - Lambda repeats it
            return None

    def collect_changes(self) -> list[dict[str, Any]]:
        """Return the stream's records of what was stored since the last call."""
        records: list[dict[str, Any]] = []
        for item in scan("RegistrationsTable"):
            key = (item["pk"]["S"], item["sk"]["S"])
            before = self._images.get(key)
            if item != before:
                self._images[key] = item
                records.append(make_record(item, before, number=len(self.stream) + len(records) + 1))
        self.stream += records
        return records

    def forget_changes(self) -> None:
        """Take what the tables hold now as published: the stream has lost its records."""
        self.collect_changes()

    def publish(self, records: Sequence[dict[str, Any]] | None = None) -> None:
        """Give records to the stream publisher until it has taken all, as Lambda does."""
        waiting = list(self.collect_changes() if records is None else records)
        for _ in range(_MAX_SENDS):
            if not waiting:
                return
            result = self.invoke("on_registration_changes", {"Records": waiting})
            failed = {each["itemIdentifier"] for each in (result or {}).get("batchItemFailures", ())}
            if result is not None and not failed:
                return
            if failed:
                first = min(int(each) for each in failed)
                waiting = [each for each in waiting if int(each["dynamodb"]["SequenceNumber"]) >= first]
            self.clock.advance(timedelta(seconds=1))
        raise AssertionError("the stream is stuck")

    def consume(self, *, copies: int = 1) -> None:
        """Let the senders work until the queue is empty; what fails five times becomes a dead letter."""
        sqs, url = (
            boto3.client("sqs"),
            boto3.client("sqs").get_queue_url(QueueName="notifications")["QueueUrl"],
        )
        while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=0).get(
            "Messages"
        ):
            bodies = [each["Body"] for each in messages]
            try:
                for _ in range(copies):
                    result = self.invoke("on_notifications", make_sqs_event(*bodies))
            except ProcessKilled:
                self.restart()
                result = None
            failures = {each["itemIdentifier"] for each in (result or {}).get("batchItemFailures", ())}
            for number, message in enumerate(messages):
                self._receives[message["MessageId"]] += 1
                is_done = result is not None and f"m-{number}" not in failures
                is_dead = self._receives[message["MessageId"]] >= _MAX_RECEIVES
                if is_dead and not is_done:
                    self.dead_letters.append(message["Body"])
                if is_done or is_dead:
                    sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
            self.report()
            self.clock.advance(timedelta(seconds=5))

    def report(self) -> None:
        """Deliver the gateway's receipts of what it has accepted since the last call."""
        received = self.gateway.inbox.list_sms()
        for sms in received[self._reported :]:
            receipts = [
                ReceiptReceived(
                    sms_id=sms.context["sms_id"],
                    gateway="aws",
                    gateway_id=sms.message_id,
                    state=state,
                    at=self.clock(),
                )
                for state in ("sent", "delivered")
            ]
            for receipt in self.receipts(sms, receipts):
                self.invoke("on_receipts", make_sqs_event(receipt.model_dump_json()))
        self._reported = len(received)

    def redrive(self) -> int:
        """Put the dead letters back into their queue. Return their number."""
        sqs = boto3.client("sqs")
        url, letters = sqs.get_queue_url(QueueName="notifications")["QueueUrl"], self.dead_letters
        self.dead_letters = []
        for body in letters:
            sqs.send_message(QueueUrl=url, MessageBody=body)
        return len(letters)

    def tick(self, duration: timedelta = _MINUTE) -> None:
        """Let time pass, then run what is due every minute."""
        self.clock.advance(duration)
        self.publish()
        self.invoke("queue_due_sms", make_schedule_event(self.clock()))
        self.consume()

    def settle(self) -> str:
        """Run the stage until every worker's SMS is settled. Return how long that took."""
        began = self.clock()
        self.publish()
        self.consume()
        while not self._is_settled():
            if self.clock() - began > _LONGEST:
                return "never"
            self.tick(_MINUTE if self.clock() - began < 30 * _MINUTE else 15 * _MINUTE)
        minutes = (self.clock() - began) / _MINUTE
        return "at once" if minutes < 1 else f"{minutes:.0f} min"

    def _is_settled(self) -> bool:
        rows = [from_item(item) for item in scan("SmsLedgerTable")]
        settled = {row["reference"] for row in rows if row["state"] in _SETTLED}
        return {
            item["reference"]["S"] for item in scan("RegistrationsTable") if is_application(item)
        } <= settled

    # Figures

    def count_up(self) -> dict[str, Any]:
        """Count the campaign day, and return its newest summary."""
        self.invoke("roll_up_due_days", make_schedule_event(self.clock()))
        path = f"/v1/campaigns/{CAMPAIGN_ID}/summaries/{DAY}"
        summary: dict[str, Any] = self.send("POST", path, caller="manager").json_body
        return summary

    def conclude(
        self,
        fault: str,
        *,
        injected: int,
        recovered_after: str,
        expected_doubles: int = 0,
        remark: str = "",
    ) -> Outcome:
        """Return the figures: registrations, SMS and counts, each compared with what the devices sent."""
        workers = len(self.captures)
        registered = Counter(
            from_item(item)["taken"]["capture_id"]
            for item in scan("RegistrationsTable")
            if is_application(item)
        )
        phones = Counter(sms.to for sms in self.gateway.inbox.list_sms())
        counted = self.count_up()["counts"]["created"]
        lost = max(0, workers - len(registered)) + max(0, workers - len(phones)) + max(0, workers - counted)
        doubled = (
            sum(registered.values())
            - len(registered)
            + sum(phones.values())
            - len(phones)
            + max(0, counted - workers)
        )
        return Outcome(fault, injected, lost, doubled, recovered_after, expected_doubles, remark)

    def arm_gateway(self, mode: str, **fields: Any) -> None:
        """Make the gateway fail from now on."""
        httpx.post(
            f"{self.gateway.url}/faults", json={"mode": mode, **fields}, trust_env=False
        ).raise_for_status()

    def count_gateway_faults(self) -> int:
        """Return how often the gateway's faults have hit."""
        return sum(httpx.get(f"{self.gateway.url}/faults", trust_env=False).json()["hits"].values())


def scan(table: str) -> list[dict[str, Any]]:
    """Return the items of a table."""
    pages = boto3.client("dynamodb").get_paginator("scan").paginate(TableName=table)
    return [item for page in pages for item in page["Items"]]


def is_application(item: dict[str, Any]) -> bool:
    """Return True for the item of a registration."""
    return bool(item["sk"]["S"] == "APPLICATION")


def make_record(item: dict[str, Any], before: dict[str, Any] | None, *, number: int) -> dict[str, Any]:
    """Return the stream's record of a stored item."""
    old = {} if before is None else {"OldImage": encode_stream_image(before)}
    return {
        "eventID": f"event-{number}",
        "eventName": "INSERT" if before is None else "MODIFY",
        "eventSource": "aws:dynamodb",
        "eventSourceARN": "arn:aws:dynamodb:ap-southeast-3:000000000000:table/r/stream/now",
        "dynamodb": {
            "SequenceNumber": str(number),
            "Keys": {key: item[key] for key in ("pk", "sk")},
            "NewImage": encode_stream_image(item),
            **old,
        },
    }
