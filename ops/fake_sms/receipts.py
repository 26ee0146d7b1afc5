"""Report to the sender what became of each SMS, in the order and with the delays of the settings."""

import heapq
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httpx
from botocore.exceptions import BotoCoreError, ClientError

from ops.fake_sms.inbox import ReceivedSms
from ops.fake_sms.receipt_events import make_sender
from ops.fake_sms.receipt_settings import ReceiptSettings


@dataclass(order=True)
class _ScheduledReceipt:
    due_at: float
    sequence: int
    send: Callable[[], None] = field(compare=False)


class ReceiptSender:
    """Sends receipts from a thread of its own, one after another."""

    def __init__(self) -> None:
        self._settings = ReceiptSettings()
        self._scheduled: list[_ScheduledReceipt] = []
        self._scheduled_count = 0
        self._sent_count = 0
        self._failed_count = 0
        self._condition = threading.Condition()
        threading.Thread(target=self._run, daemon=True, name="receipts").start()

    def configure(self, body: bytes) -> None:
        """Change the settings for SMS accepted from now on. Raise InvalidSettings."""
        with self._condition:
            self._settings = self._settings.with_changes(body)

    def schedule(self, sms: ReceivedSms, receipt_target: str) -> None:
        """Schedule the receipts of an SMS, if it has a target."""
        with self._condition:
            settings, now = self._settings, time.monotonic()
            if not (receipt_target and (sms.protocol == "twilio" or settings.topic_arn)):
                return
            for delay, state in settings.plan():
                send = make_sender(sms, state, receipt_target, settings)
                heapq.heappush(self._scheduled, _ScheduledReceipt(now + delay, self._scheduled_count, send))
                self._scheduled_count += 1
            self._condition.notify()

    def describe(self) -> dict[str, Any]:
        """Return the settings, and how many receipts were sent, failed and are waiting."""
        with self._condition:
            return {
                **self._settings.model_dump(),
                "reported": self._sent_count,
                "failed": self._failed_count,
                "waiting": self._scheduled_count - self._sent_count - self._failed_count,
            }

    def _run(self) -> None:
        while True:
            receipt = self._await_next()
            try:
                receipt.send()
            except (httpx.HTTPError, BotoCoreError, ClientError):
                # There is no retry: the sender must cope with lost receipts.
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
