"""Telling the sender what became of each text, in as bad an order as is asked for.

AWS publishes events to an SNS topic, Twilio calls the URL that came with the message.
"""

import heapq
import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from typing import Any, Literal

import boto3
import httpx
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ops.gateway.faults import Refused, in_words
from ops.gateway.inbox import Text
from ops.gateway.twilio_account import ACCOUNT_SID, signature

Order = Literal["normal", "late", "twice", "reversed", "never"]
State = Literal["sent", "delivered", "failed"]

_SOON_SECONDS = 0.05
_LATE_SECONDS = 5.0
_CALLBACK_SECONDS = 15.0


class Wanted(BaseModel):
    """What is asked of the receipts. What is left out stays as it was.

    `final` is what texts come to in the end. AWS's events need a topic, and the SNS that has it. Callbacks to
    `public_url`, a name that nobody resolves here, go to `api_url`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    order: list[Order] = ["normal"]
    seconds: float = Field(default=_LATE_SECONDS, ge=0, le=3600)
    final: Literal["delivered", "failed"] = "delivered"
    topic_arn: str = ""
    endpoint_url: str = ""
    public_url: str = ""
    api_url: str = ""

    def changed(self, body: bytes) -> "Wanted":
        """These wishes with others in their place. Raises Refused."""
        try:
            changes = json.loads(body)
        except ValueError:
            raise Refused("the body is not JSON") from None
        if not isinstance(changes, dict):
            raise Refused("the body is not an object")
        if isinstance(changes.get("order"), str):
            changes["order"] = [changes["order"]]
        try:
            return Wanted.model_validate({**self.model_dump(), **changes})
        except ValidationError as error:
            raise Refused(in_words(error)) from None

    def plan(self) -> list[tuple[float, State]]:
        """When, in seconds after a text was accepted, it is reported to be what."""
        if "never" in self.order:
            return []
        states: list[State] = ["sent", self.final]
        if "reversed" in self.order:
            states.reverse()
        if "twice" in self.order:
            states = [state for state in states for _ in range(2)]
        first = self.seconds if "late" in self.order else _SOON_SECONDS
        return [(first + nth * _SOON_SECONDS, state) for nth, state in enumerate(states)]


@dataclass(order=True)
class _Due:
    at: float
    number: int
    report: Callable[[], None] = field(compare=False)


class Receipts:
    """Reports on texts from a thread of its own, one report after another."""

    def __init__(self) -> None:
        self._wanted = Wanted()
        self._due: list[_Due] = []
        self._planned = 0
        self._reported = 0
        self._failed = 0
        self._changed = threading.Condition()
        threading.Thread(target=self._work, daemon=True, name="receipts").start()

    def wish(self, body: bytes) -> None:
        """Change how receipts come, for texts accepted from now on. Raises Refused."""
        with self._changed:
            self._wanted = self._wanted.changed(body)

    def follow(self, text: Text, report_to: str) -> None:
        """Report on a text, if there is anywhere to report to."""
        with self._changed:
            wanted, now = self._wanted, time.monotonic()
            if not (report_to and (text.protocol == "twilio" or wanted.topic_arn)):
                return
            for after, state in wanted.plan():
                report = _report(text, state, report_to, wanted)
                heapq.heappush(self._due, _Due(now + after, self._planned, report))
                self._planned += 1
            self._changed.notify()

    def described(self) -> dict[str, Any]:
        """The wishes, and how many reports were taken, refused or are still to come."""
        with self._changed:
            return {
                **self._wanted.model_dump(),
                "reported": self._reported,
                "failed": self._failed,
                "waiting": self._planned - self._reported - self._failed,
            }

    def _work(self) -> None:
        while True:
            due = self._next_due()
            try:
                due.report()
            except (httpx.HTTPError, BotoCoreError, ClientError):
                # Neither service tries again here; that the sender gets on without is its affair.
                self._failed += 1
            else:
                self._reported += 1

    def _next_due(self) -> _Due:
        with self._changed:
            while True:
                wait = self._due[0].at - time.monotonic() if self._due else None
                if wait is not None and wait <= 0:
                    return heapq.heappop(self._due)
                self._changed.wait(wait)


def _report(text: Text, state: State, report_to: str, wanted: Wanted) -> Callable[[], None]:
    if text.protocol == "twilio":
        return lambda: _call_back(text, state, report_to, wanted)
    return lambda: _publish(text, state, wanted)


@cache
def _sns(endpoint_url: str, region: str) -> Any:
    session: Any = boto3.Session("test", "test", region_name=region)
    return session.client("sns", endpoint_url=endpoint_url or None, config=Config(proxies={}))


def _publish(text: Text, state: State, wanted: Wanted) -> None:
    sns = _sns(wanted.endpoint_url, wanted.topic_arn.split(":")[3])
    sns.publish(TopicArn=wanted.topic_arn, Message=json.dumps(aws_event(text, state)))


def aws_event(text: Text, state: State) -> dict[str, Any]:
    """An event as AWS End User Messaging SMS publishes it."""
    kind, description = {
        "sent": ("SENT", "Message has been sent to the carrier"),
        "delivered": ("DELIVERED", "Message has been accepted by phone"),
        "failed": ("UNREACHABLE", "Phone is currently unreachable/unavailable"),
    }[state]
    asked_at = datetime.fromisoformat(text.received_at)
    return {
        "eventType": f"TEXT_{kind}",
        "eventVersion": "1.0",
        "eventTimestamp": _milliseconds(datetime.now(UTC)),
        "isFinal": state != "sent",
        "originationPhoneNumber": text.sender,
        "destinationPhoneNumber": text.to,
        "isoCountryCode": "ID",
        "messageId": text.message_id,
        "messageRequestTimestamp": _milliseconds(asked_at),
        "messageEncoding": text.encoding,
        "messageType": "TRANSACTIONAL",
        "messageStatus": kind,
        "messageStatusDescription": description,
        "context": text.context,
        "totalMessageParts": text.parts,
        "totalMessagePrice": text.price_microusd / 1_000_000,
        "totalCarrierFee": 0.0,
    }


def _milliseconds(at: datetime) -> int:
    return int(at.timestamp() * 1000)


def _call_back(text: Text, state: State, url: str, wanted: Wanted) -> None:
    form = twilio_form(text, state)
    headers = {"X-Twilio-Signature": signature(url, form), "User-Agent": "TwilioProxy/1.1"}
    way = url
    if wanted.public_url and url.startswith(wanted.public_url):
        way = wanted.api_url + url.removeprefix(wanted.public_url)
    httpx.post(way, data=form, headers=headers, timeout=_CALLBACK_SECONDS, trust_env=False).raise_for_status()


def twilio_form(text: Text, state: State) -> dict[str, str]:
    """The parameters of a status callback as Twilio sends them."""
    status = "undelivered" if state == "failed" else state
    form = {
        "AccountSid": ACCOUNT_SID,
        "ApiVersion": "2010-04-01",
        "From": text.sender,
        "MessageSid": text.message_id,
        "MessageStatus": status,
        "SmsSid": text.message_id,
        "SmsStatus": status,
        "To": text.to,
    }
    return {**form, "ErrorCode": "30003"} if state == "failed" else form
