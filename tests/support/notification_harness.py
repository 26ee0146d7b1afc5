"""A notifier with everything around it, to which tests deliver messages, receipts and the minute's round."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from chalicelib.crypto.hashing import HashKey, KeyedHash
from chalicelib.messaging.rate_limiter import SendRate
from chalicelib.notifications.due_sms import DueSmsQueuer
from chalicelib.notifications.hours import QuietHours
from chalicelib.notifications.messages import SmsDue
from chalicelib.notifications.model import Sms, SmsId
from chalicelib.notifications.receipts import Receipt
from chalicelib.notifications.service import (
    LedgerSmsCounter,
    NotificationConfig,
    NotificationDependencies,
    NotificationService,
    SmsTotals,
    release_held_sms,
)
from chalicelib.notifications.templates import Purpose, SmsKind
from chalicelib.registrations.model import Registration
from tests.support.builders import NOW
from tests.support.fakes.campaigns import InMemoryCampaigns
from tests.support.fakes.clock import FixedClock
from tests.support.fakes.gateway import ScriptedGateway
from tests.support.fakes.registrations import InMemoryRegistrations
from tests.support.fakes.sms import InMemorySendRateLimiter, InMemorySmsLedger
from tests.support.registration_builders import FIRST_DAY, REFERENCE, make_campaign, make_registration

CONFIG = NotificationConfig(
    rate=SendRate(10),
    quiet_hours=QuietHours(20, 8),
    price_per_part=350,
    rupiah_per_dollar=16_500,
    sms_per_day=3,
)


class WorkerKilled(Exception):
    """The end of a container in the middle of a send: nobody writes down how it went."""


class NotificationHarness:
    """A notifier, and what it works with. Waiting moves the clock on."""

    def __init__(
        self, *answers: str | Exception, registrations: Sequence[Registration] = (), **campaign_changes: Any
    ) -> None:
        self.clock = FixedClock(NOW)
        self.ledger = InMemorySmsLedger()
        self.rate_limiter = InMemorySendRateLimiter()
        self.gateway = ScriptedGateway(*answers)
        self.registrations = InMemoryRegistrations(*(registrations or [make_registration()]))
        self.queued_sms: list[tuple[SmsKind, SmsId]] = []
        self.config = CONFIG
        self._campaigns = InMemoryCampaigns(make_campaign(**campaign_changes))
        self.service = self.make_service()

    def make_service(self, **config_changes: Any) -> NotificationService:
        """One more sender over the same ledger, on other terms if need be."""
        return NotificationService(
            registrations=self.registrations,
            campaigns=self._campaigns,
            ledger=self.ledger,
            rate_limiter=self.rate_limiter,
            gateway=self.gateway,
            config=replace(self.config, **config_changes),
            dependencies=NotificationDependencies(
                clock=self.clock,
                random_fraction=lambda: 0.5,
                wait=self.clock.advance,
                hashing=KeyedHash(lambda: HashKey(bytes(32))),
            ),
        )

    def consume_event(
        self, purpose: Purpose = Purpose.RECEIVED, *, reference: str = REFERENCE, event_version: int = 1
    ) -> Sms:
        """The queue delivers the news of an event."""
        return self.service.send(purpose, reference, event_version=event_version, correlation_id="c-1")

    def advance(self, duration: timedelta) -> "NotificationHarness":
        """The same stage, that much later."""
        self.clock.advance(duration)
        return self

    def send(self, kind: SmsKind, messages: Sequence[SmsDue]) -> None:
        """Satisfies `requeue.SmsQueues`."""
        self.queued_sms += [(kind, SmsId(each.sms_id)) for each in messages]

    def run_due_round(self) -> list[Sms]:
        """The schedule queues what is due, and senders take it up. What they made of it."""
        before = len(self.queued_sms)
        DueSmsQueuer(
            ledger=self.ledger, rate_limiter=self.rate_limiter, queues=self, clock=self.clock
        ).queue_due()
        return [self.service.resume(each) for _, each in self.queued_sms[before:]]

    def receive_receipt(self, gateway_id: str, state: Any = "delivered", **fields: Any) -> None:
        """A receipt comes for the one text."""
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

    def get_only_sms(self) -> Sms:
        """The one text of the ledger."""
        (row,) = self.ledger.sms_by_id.values()
        return row

    def get_committed_budget(self, day: datetime = NOW) -> int:
        """The campaign's money of a day."""
        return self.ledger.committed[FIRST_DAY.campaign_id, day.date()]

    def release(self, campaign_id: str) -> int:
        """Somebody lets the held texts of a campaign go out."""
        return release_held_sms(self.ledger, campaign_id, now=self.clock())

    def count_sms(self) -> SmsTotals:
        """The texts of the day on which the registrations were taken."""
        return LedgerSmsCounter(self.ledger).count_sms(FIRST_DAY)
