"""A notifier with everything around it, to which tests deliver messages, receipts and the minute's round."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from chalicelib.notifications.hours import QuietHours
from chalicelib.notifications.messages import TextDue
from chalicelib.notifications.model import MessageId, Text
from chalicelib.notifications.pace import Rate
from chalicelib.notifications.receipts import Receipt
from chalicelib.notifications.requeue import Requeue
from chalicelib.notifications.service import (
    DayOfTexts,
    Notifier,
    Surroundings,
    Terms,
    TextCounts,
    release_held,
)
from chalicelib.notifications.templates import Kind, Purpose
from chalicelib.privacy.hashing import HashKey, KeyedHash
from chalicelib.registrations.model import Registration
from tests.builders import NOW
from tests.contracts.stored import FIRST_DAY, REFERENCE, a_registration, the_campaign
from tests.fakes import (
    FixedClock,
    InMemoryLedger,
    InMemoryLine,
    KnownCampaigns,
    KnownRegistrations,
    ScriptedGateway,
)

TERMS = Terms(rate=Rate(10), quiet=QuietHours(20, 8), price_a_part=350, rupiah_a_dollar=16_500, texts_a_day=3)


class Stopped(Exception):
    """The end of a container in the middle of a send: nobody writes down how it went."""


class Stage:
    """A notifier, and what it works with. Waiting moves the clock on."""

    def __init__(
        self, *answers: str | Exception, registrations: Sequence[Registration] = (), **campaign: Any
    ) -> None:
        self.clock = FixedClock(NOW)
        self.ledger = InMemoryLedger()
        self.line = InMemoryLine()
        self.gateway = ScriptedGateway(*answers)
        self.registrations = KnownRegistrations(*(registrations or [a_registration()]))
        self.queued: list[tuple[Kind, MessageId]] = []
        self.terms = TERMS
        self._campaigns = KnownCampaigns(the_campaign(**campaign))
        self.notifier = self.a_notifier()

    def a_notifier(self, **terms: Any) -> Notifier:
        """One more sender over the same ledger, on other terms if need be."""
        return Notifier(
            registrations=self.registrations,
            campaigns=self._campaigns,
            ledger=self.ledger,
            line=self.line,
            gateway=self.gateway,
            terms=replace(self.terms, **terms),
            around=Surroundings(
                clock=self.clock,
                chance=lambda: 0.5,
                wait=self.clock.forward,
                hashing=KeyedHash(lambda: HashKey(bytes(32))),
            ),
        )

    def deliver(self, purpose: Purpose = Purpose.RECEIVED, *, of: str = REFERENCE, occasion: int = 1) -> Text:
        """The queue delivers the news of an event."""
        return self.notifier.tell(purpose, of, occasion=occasion, correlation_id="c-1")

    def after(self, length: timedelta) -> "Stage":
        """The same stage, that much later."""
        self.clock.forward(length)
        return self

    def send(self, kind: Kind, due: Sequence[TextDue]) -> None:
        """Satisfies `requeue.Queues`."""
        self.queued += [(kind, MessageId(each.message_id)) for each in due]

    def round(self) -> list[Text]:
        """The schedule queues what is due, and senders take it up. What they made of it."""
        before = len(self.queued)
        Requeue(ledger=self.ledger, line=self.line, queues=self, clock=self.clock).queue_due()
        return [self.notifier.take_up(each) for _, each in self.queued[before:]]

    def reported(self, gateway_id: str, state: Any = "delivered", **more: Any) -> None:
        """A receipt comes for the one text."""
        self.notifier.note(
            Receipt(
                message_id=self.row().message_id,
                gateway="scripted",
                gateway_id=gateway_id,
                state=state,
                at=self.clock(),
                **more,
            )
        )

    def row(self) -> Text:
        """The one text of the ledger."""
        (row,) = self.ledger.texts.values()
        return row

    def committed(self, day: datetime = NOW) -> int:
        """The campaign's money of a day."""
        return self.ledger.committed[FIRST_DAY.campaign_id, day.date()]

    def release(self, campaign_id: str) -> int:
        """Somebody lets the held texts of a campaign go out."""
        return release_held(self.ledger, campaign_id, now=self.clock())

    def counted(self) -> DayOfTexts:
        """The texts of the day on which the registrations were taken."""
        return TextCounts(self.ledger).texts_of(FIRST_DAY)
