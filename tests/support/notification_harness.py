"""A notification service with in-memory stores, to which tests deliver messages, receipts and due runs."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Literal

from chalicelib.crypto.hashing import HashKey, KeyedHash
from chalicelib.messaging.model import SmsId
from chalicelib.messaging.rate_limiter import SendRate
from chalicelib.messaging.receipts import Receipt
from chalicelib.notifications.chats import ChatFirstGateway, ChatTargets
from chalicelib.notifications.counting import LedgerSmsCounter, SmsTotals
from chalicelib.notifications.due_sms import DueSmsQueuer
from chalicelib.notifications.held_sms import release_held_sms
from chalicelib.notifications.hours import QuietHours
from chalicelib.notifications.messages import SmsDue
from chalicelib.notifications.model import Sms
from chalicelib.notifications.service import NotificationConfig, NotificationService
from chalicelib.notifications.templates import SmsKind
from chalicelib.registrations.model import Registration
from chalicelib.sms_purposes import Purpose
from tests.support.builders import NOW
from tests.support.fakes.campaigns import InMemoryCampaigns
from tests.support.fakes.chats import InMemoryChats
from tests.support.fakes.clock import FixedClock
from tests.support.fakes.gateway import ScriptedChatGateway, ScriptedGateway
from tests.support.fakes.registrations import InMemoryRegistrations
from tests.support.fakes.sms import (
    InMemoryOptOutStore,
    InMemoryReceiptFlow,
    InMemorySendRateLimiter,
    InMemorySmsLedger,
)
from tests.support.registration_builders import FIRST_DAY, REFERENCE, make_campaign, make_registration

CONFIG = NotificationConfig(
    rate=SendRate(10),
    quiet_hours=QuietHours(20, 8),
    price_per_part=350,
    rupiah_per_dollar=16_500,
    sms_per_day=3,
)


class WorkerKilled(Exception):
    """The worker process dies during a send."""


class NotificationHarness:
    """A notification service and its fakes. Waiting advances the clock."""

    def __init__(
        self, *answers: str | Exception, registrations: Sequence[Registration] = (), **campaign_changes: Any
    ) -> None:
        self.clock = FixedClock(NOW)
        self.opt_outs = InMemoryOptOutStore()
        self.receipt_flow = InMemoryReceiptFlow()
        self.ledger = InMemorySmsLedger(opt_outs=self.opt_outs)
        self.rate_limiter = InMemorySendRateLimiter()
        self.gateway = ScriptedGateway(*answers)
        self.chats = InMemoryChats()
        self.chat_gateway = ScriptedChatGateway()
        self.refused_by_chat: list[str] = []
        self.registrations = InMemoryRegistrations(*(registrations or [make_registration()]))
        self.queued_sms: list[tuple[SmsKind, SmsId]] = []
        self.config = CONFIG
        self._campaigns = InMemoryCampaigns(make_campaign(**campaign_changes))
        self.service = self.make_service()

    def make_service(self, **config_changes: Any) -> NotificationService:
        """Return another service over the same stores."""
        return NotificationService(
            registrations=self.registrations,
            campaigns=self._campaigns,
            ledger=self.ledger,
            opt_outs=self.opt_outs,
            receipt_flow=self.receipt_flow,
            rate_limiter=self.rate_limiter,
            gateway=ChatFirstGateway(
                self.gateway,
                dict.fromkeys(("telegram", "whatsapp"), self.chat_gateway),
                on_refused=lambda chat, error: self.refused_by_chat.append(error.reason),
            ),
            chats=ChatTargets(self.chats, timeout=self.config.chat_timeout),
            hashing=KeyedHash(lambda: HashKey(bytes(32))),
            config=replace(self.config, **config_changes),
            clock=self.clock,
            wait=self.clock.advance,
            random_fraction=lambda: 0.5,
        )

    def consume_event(
        self, purpose: Purpose = Purpose.RECEIVED, *, reference: str = REFERENCE, event_version: int = 1
    ) -> Sms:
        """Deliver an event from the queue. Return the row of its SMS."""
        return self.service.send(purpose, reference, event_version=event_version, correlation_id="c-1")

    def advance(self, duration: timedelta) -> "NotificationHarness":
        """Advance the clock. Return this harness."""
        self.clock.advance(duration)
        return self

    def send(self, kind: SmsKind, messages: Sequence[SmsDue]) -> None:
        """Satisfy `due_sms.SmsQueues`."""
        self.queued_sms += [(kind, SmsId(each.sms_id)) for each in messages]

    def run_due_sms(self) -> list[Sms]:
        """Queue due SMS and consume their messages. Return the rows."""
        before = len(self.queued_sms)
        DueSmsQueuer(
            ledger=self.ledger, rate_limiter=self.rate_limiter, queues=self, clock=self.clock
        ).queue_due()
        return [self.service.resume(each) for _, each in self.queued_sms[before:]]

    def receive_receipt(
        self, gateway_id: str, state: Literal["sent", "delivered", "failed"] = "delivered", **fields: Any
    ) -> None:
        """Record a receipt for the only SMS."""
        self.service.record_receipt(
            Receipt(
                sms_id=self.get_only_sms().sms_id,
                gateway="scripted",
                gateway_id=gateway_id,
                state=state,
                occurred_at=self.clock(),
                **fields,
            )
        )

    def receive_receipt_of_another_sms(self) -> None:
        """Record that receipts come in."""
        self.receipt_flow.record(self.clock())

    def get_only_sms(self) -> Sms:
        """Return the only SMS of the ledger."""
        (sms,) = self.ledger.sms_by_id.values()
        return sms

    def get_committed_budget(self, day: datetime = NOW) -> int:
        """Return the rupiah committed of the campaign's budget for a day."""
        return self.ledger.committed[FIRST_DAY.campaign_id, day.date()]

    def release(self, campaign_id: str) -> int:
        """Release the held SMS of a campaign."""
        return release_held_sms(self.ledger, campaign_id, clock=self.clock).released

    def count_sms(self) -> SmsTotals:
        """Return the totals of the first campaign day."""
        return LedgerSmsCounter(self.ledger).count_sms(FIRST_DAY)
