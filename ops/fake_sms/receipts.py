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

from ops.fake_sms.faults import InvalidSettings, describe_errors
from ops.fake_sms.inbox import ReceivedSms
from ops.fake_sms.twilio_account import ACCOUNT_SID, sign_form

ReceiptOrder = Literal["normal", "late", "twice", "reversed", "never"]
ReceiptState = Literal["sent", "delivered", "failed"]

_DEFAULT_DELAY_SECONDS = 0.05
_LATE_DELAY_SECONDS = 5.0
_CALLBACK_TIMEOUT_SECONDS = 15.0


class ReceiptSettings(BaseModel):
    """What is asked of the receipts. What is left out stays as it was.

    `final` is what texts come to in the end. AWS's events need a topic, and the SNS that has it. Callbacks to
    `public_url`, a name that nobody resolves here, go to `api_url`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    order: list[ReceiptOrder] = ["normal"]
    seconds: float = Field(default=_LATE_DELAY_SECONDS, ge=0, le=3600)
    final: Literal["delivered", "failed"] = "delivered"
    topic_arn: str = ""
    endpoint_url: str = ""
    public_url: str = ""
    api_url: str = ""

    def with_changes(self, body: bytes) -> "ReceiptSettings":
        """These wishes with others in their place. Raises InvalidSettings."""
        try:
            changes = json.loads(body)
        except ValueError:
            raise InvalidSettings("the body is not JSON") from None
        if not isinstance(changes, dict):
            raise InvalidSettings("the body is not an object")
        if isinstance(changes.get("order"), str):
            changes["order"] = [changes["order"]]
        try:
            return ReceiptSettings.model_validate({**self.model_dump(), **changes})
        except ValidationError as error:
            raise InvalidSettings(describe_errors(error)) from None

    def plan(self) -> list[tuple[float, ReceiptState]]:
        """When, in seconds after a text was accepted, it is reported to be what."""
        if "never" in self.order:
            return []
        states: list[ReceiptState] = ["sent", self.final]
        if "reversed" in self.order:
            states.reverse()
        if "twice" in self.order:
            states = [state for state in states for _ in range(2)]
        first = self.seconds if "late" in self.order else _DEFAULT_DELAY_SECONDS
        return [(first + nth * _DEFAULT_DELAY_SECONDS, state) for nth, state in enumerate(states)]


@dataclass(order=True)
class _ScheduledReceipt:
    due_at: float
    sequence: int
    send: Callable[[], None] = field(compare=False)


class ReceiptSender:
    """Reports on texts from a thread of its own, one report after another."""

    def __init__(self) -> None:
        self._settings = ReceiptSettings()
        self._scheduled: list[_ScheduledReceipt] = []
        self._scheduled_count = 0
        self._sent_count = 0
        self._failed_count = 0
        self._condition = threading.Condition()
        threading.Thread(target=self._run, daemon=True, name="receipts").start()

    def configure(self, body: bytes) -> None:
        """Change how receipts come, for texts accepted from now on. Raises InvalidSettings."""
        with self._condition:
            self._settings = self._settings.with_changes(body)

    def schedule(self, sms: ReceivedSms, receipt_target: str) -> None:
        """Report on a text, if there is anywhere to report to."""
        with self._condition:
            wanted, now = self._settings, time.monotonic()
            if not (receipt_target and (sms.protocol == "twilio" or wanted.topic_arn)):
                return
            for after, state in wanted.plan():
                report = _make_sender(sms, state, receipt_target, wanted)
                heapq.heappush(self._scheduled, _ScheduledReceipt(now + after, self._scheduled_count, report))
                self._scheduled_count += 1
            self._condition.notify()

    def describe(self) -> dict[str, Any]:
        """The wishes, and how many reports were taken, refused or are still to come."""
        with self._condition:
            return {
                **self._settings.model_dump(),
                "reported": self._sent_count,
                "failed": self._failed_count,
                "waiting": self._scheduled_count - self._sent_count - self._failed_count,
            }

    def _run(self) -> None:
        while True:
            due = self._await_next()
            try:
                due.send()
            except (httpx.HTTPError, BotoCoreError, ClientError):
                # Neither service tries again here; that the sender gets on without is its affair.
                self._failed_count += 1
            else:
                self._sent_count += 1

    def _await_next(self) -> _ScheduledReceipt:
        with self._condition:
            while True:
                wait = self._scheduled[0].due_at - time.monotonic() if self._scheduled else None
                if wait is not None and wait <= 0:
                    return heapq.heappop(self._scheduled)
                self._condition.wait(wait)


def _make_sender(
    sms: ReceivedSms, state: ReceiptState, receipt_target: str, settings: ReceiptSettings
) -> Callable[[], None]:
    if sms.protocol == "twilio":
        return lambda: _post_callback(sms, state, receipt_target, settings)
    return lambda: _publish_event(sms, state, settings)


@cache
def _make_sns_client(endpoint_url: str, region: str) -> Any:
    session: Any = boto3.Session("test", "test", region_name=region)
    return session.client("sns", endpoint_url=endpoint_url or None, config=Config(proxies={}))


def _publish_event(sms: ReceivedSms, state: ReceiptState, settings: ReceiptSettings) -> None:
    sns = _make_sns_client(settings.endpoint_url, settings.topic_arn.split(":")[3])
    sns.publish(TopicArn=settings.topic_arn, Message=json.dumps(make_aws_event(sms, state)))


def make_aws_event(sms: ReceivedSms, state: ReceiptState) -> dict[str, Any]:
    """An event as AWS End User Messaging SMS publishes it."""
    kind, description = {
        "sent": ("SENT", "Message has been sent to the carrier"),
        "delivered": ("DELIVERED", "Message has been accepted by phone"),
        "failed": ("UNREACHABLE", "Phone is currently unreachable/unavailable"),
    }[state]
    asked_at = datetime.fromisoformat(sms.received_at)
    return {
        "eventType": f"TEXT_{kind}",
        "eventVersion": "1.0",
        "eventTimestamp": _to_milliseconds(datetime.now(UTC)),
        "isFinal": state != "sent",
        "originationPhoneNumber": sms.sender,
        "destinationPhoneNumber": sms.to,
        "isoCountryCode": "ID",
        "messageId": sms.message_id,
        "messageRequestTimestamp": _to_milliseconds(asked_at),
        "messageEncoding": sms.encoding,
        "messageType": "TRANSACTIONAL",
        "messageStatus": kind,
        "messageStatusDescription": description,
        "context": sms.context,
        "totalMessageParts": sms.parts,
        "totalMessagePrice": sms.price_microusd / 1_000_000,
        "totalCarrierFee": 0.0,
    }


def _to_milliseconds(instant: datetime) -> int:
    return int(instant.timestamp() * 1000)


def _post_callback(sms: ReceivedSms, state: ReceiptState, url: str, settings: ReceiptSettings) -> None:
    form = make_twilio_form(sms, state)
    headers = {"X-Twilio-Signature": sign_form(url, form), "User-Agent": "TwilioProxy/1.1"}
    way = url
    if settings.public_url and url.startswith(settings.public_url):
        way = settings.api_url + url.removeprefix(settings.public_url)
    httpx.post(
        way, data=form, headers=headers, timeout=_CALLBACK_TIMEOUT_SECONDS, trust_env=False
    ).raise_for_status()


def make_twilio_form(sms: ReceivedSms, state: ReceiptState) -> dict[str, str]:
    """The parameters of a status callback as Twilio sends them."""
    status = "undelivered" if state == "failed" else state
    form = {
        "AccountSid": ACCOUNT_SID,
        "ApiVersion": "2010-04-01",
        "From": sms.sender,
        "MessageSid": sms.message_id,
        "MessageStatus": status,
        "SmsSid": sms.message_id,
        "SmsStatus": status,
        "To": sms.to,
    }
    return {**form, "ErrorCode": "30003"} if state == "failed" else form
