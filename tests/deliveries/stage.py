"""A campaign whose days are counted, and whose managers are told of them."""

from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta

from chalicelib.campaigns.model import Campaign, CampaignDay, Manager
from chalicelib.deliveries.model import Delivery, Medium
from chalicelib.deliveries.service import Deliverer, Sending, Surroundings, Terms
from chalicelib.privacy.hashing import HashKey, KeyedHash
from chalicelib.rollups.counting import Unusual
from chalicelib.rollups.model import State
from chalicelib.rollups.report import Report
from chalicelib.rollups.service import RollUp
from tests.contracts.stored import the_campaign
from tests.fakes import (
    FixedClock,
    InMemoryDeliveries,
    InMemorySummaries,
    KnownCampaigns,
    KnownFacts,
    KnownTexts,
)
from tests.rollups.test_service import CREATED, FIRST_DAY, SUMMARY_HOUR

ONE = {"name": "Manajer Satu", "email": "satu@example.com", "phone": "+6282455507801"}
TWO = {"name": "Manajer Dua", "email": "dua@example.org", "phone": "+6282455507802"}
HASHING = KeyedHash(lambda: HashKey(b"k" * 32))


class ScriptedWay:
    """Satisfies `service.Way`: answers each sending with the next of its answers, raising exceptions."""

    def __init__(self, reached_at: Callable[[Manager], str | None]) -> None:
        self.address = reached_at
        self.answers: list[Exception | None] = []
        self.sent: list[Sending] = []

    def send(self, sending: Sending) -> None:
        """The next answer; without one it is taken."""
        self.sent.append(sending)
        answer = self.answers.pop(0) if self.answers else None
        if answer is not None:
            raise answer

    @property
    def told(self) -> Counter[str]:
        """How often each manager was told."""
        return Counter(each.manager.name for each in self.sent)

    @property
    def reports(self) -> list[Report]:
        """What they were told, in order."""
        return [each.report for each in self.sent]


class Stage:
    """What counts and tells, with the clock between them."""

    def __init__(self, at: datetime = SUMMARY_HOUR, campaign: Campaign | None = None) -> None:
        self.clock = FixedClock(at)
        self.facts = KnownFacts()
        self.summaries = InMemorySummaries()
        self.deliveries = InMemoryDeliveries()
        self.mail = ScriptedWay(lambda manager: manager.email)
        self.text = ScriptedWay(lambda manager: manager.phone)
        self.failures: list[Exception] = []
        self.campaigns = KnownCampaigns(campaign or the_campaign(managers=[ONE, TWO]))
        self.rollup = RollUp(
            facts=self.facts,
            campaigns=self.campaigns,
            summaries=self.summaries,
            texts=KnownTexts(),
            unusual=Unusual(),
            clock=self.clock,
        )
        self.deliverer = self.a_deliverer()

    def a_deliverer(self, *media: Medium, texted: tuple[State, ...] = (State.PROVISIONAL,)) -> Deliverer:
        """One that reaches managers by some media only."""
        ways = {Medium.MAIL: self.mail, Medium.TEXT: self.text}
        return Deliverer(
            outbox=self.summaries.outbox,
            reports=self.rollup,
            campaigns=self.campaigns,
            deliveries=self.deliveries,
            ways={medium: ways[medium] for medium in media or ways},
            terms=Terms(texted=texted, news_for=timedelta(days=31)),
            around=Surroundings(self.clock, HASHING, self.failures.append),
        )

    def capture(self, of: CampaignDay = FIRST_DAY, *, times: int = 1) -> None:
        """As the stream has it: captures are in the table, then their day is marked."""
        for _ in range(times):
            self.facts.add(of, CREATED)
        self.rollup.mark(of)

    def count(self) -> None:
        """The hourly tick."""
        for due in self.rollup.due():
            self.rollup.count_due(due)

    def deliver(self, deliverer: Deliverer | None = None) -> list[Delivery]:
        """One round; the deliveries that moved in it."""
        round_ = deliverer or self.deliverer
        return [
            moved
            for campaign_id, waiting in round_.waiting()
            for due in round_.due(campaign_id, waiting)
            for moved in round_.tell(due).moved
        ]

    def tick(self) -> list[Delivery]:
        """An hour as it should be: counted, then told."""
        self.count()
        return self.deliver()
