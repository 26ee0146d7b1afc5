"""How fast a backlog goes out: many senders side by side, in simulated time."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from heapq import heappop, heappush
from itertools import count
from threading import Event, Thread

import pytest

from chalicelib.crypto.hashing import HashKey, KeyedHash
from chalicelib.messaging.gateways import GatewayAcceptance, OutgoingSms
from chalicelib.messaging.rate_limiter import SendRate
from chalicelib.notifications.service import NotificationService
from chalicelib.notifications.templates import Purpose, SmsKind
from chalicelib.registrations.model import Registration
from tests.support.builders import NOW
from tests.support.fakes import (
    InMemoryCampaigns,
    InMemoryOptOutStore,
    InMemoryRegistrations,
    InMemorySendRateLimiter,
    InMemorySmsLedger,
)
from tests.support.notification_harness import CONFIG
from tests.support.registration_builders import make_campaign, make_reference, make_registration, make_sms

# As many as infra lets run at once, each as slow as a gateway far away, and then some.
SENDERS = 5
ANSWERS_AFTER = timedelta(milliseconds=300)
A_SECOND = timedelta(seconds=1)

Job = Callable[[NotificationService], object]


class SimulatedTime:
    """Time that only waiting moves on: of many threads one runs until it waits, then the next to wake."""

    def __init__(self) -> None:
        self.now = NOW
        self._asleep: list[tuple[datetime, int, Event]] = []
        self._naps = count()

    def __call__(self) -> datetime:
        return self.now

    def sleep(self, length: timedelta) -> None:
        """Let others go on meanwhile."""
        awake = self._fall_asleep(self.now + length)
        self._wake_next()
        awake.wait()

    def run(self, *acts: Callable[[], None]) -> None:
        """Do everything side by side, until all is done."""
        threads = [Thread(target=self._act, args=(act, self._fall_asleep(self.now))) for act in acts]
        for thread in threads:
            thread.start()
        self._wake_next()
        for thread in threads:
            thread.join()

    def _act(self, act: Callable[[], None], awake: Event) -> None:
        awake.wait()
        try:
            act()
        finally:
            self._wake_next()

    def _fall_asleep(self, until: datetime) -> Event:
        awake = Event()
        heappush(self._asleep, (until, next(self._naps), awake))
        return awake

    def _wake_next(self) -> None:
        if self._asleep:
            self.now, _, awake = heappop(self._asleep)
            awake.set()


class SlowGateway:
    """A gateway that takes its time, and notes when it was asked for what."""

    name = "slow"

    def __init__(self, time: SimulatedTime) -> None:
        self._time = time
        self.asked: list[tuple[datetime, str]] = []

    def send(self, outgoing: OutgoingSms) -> GatewayAcceptance:
        """Accepted, after a while."""
        self.asked.append((self._time(), outgoing.purpose))
        number = len(self.asked)
        self._time.sleep(ANSWERS_AFTER)
        return GatewayAcceptance(self.name, f"g-{number}")


class Backlog:
    """Senders that share a ledger and a line."""

    def __init__(self, registrations: Sequence[Registration], rate: float) -> None:
        self.registrations = registrations
        self.ledger = InMemorySmsLedger()
        self._time = SimulatedTime()
        self._gateway = SlowGateway(self._time)
        self._sender = NotificationService(
            registrations=InMemoryRegistrations(*registrations),
            campaigns=InMemoryCampaigns(make_campaign(sms_budget=10_000_000_000)),
            ledger=self.ledger,
            opt_outs=InMemoryOptOutStore(),
            rate_limiter=InMemorySendRateLimiter(),
            gateway=self._gateway,
            hashing=KeyedHash(lambda: HashKey(bytes(32))),
            config=replace(CONFIG, rate=SendRate(rate)),
            clock=self._time,
            wait=self._time.sleep,
            random_fraction=lambda: 0.5,
        )

    def drain(self, *queues: Sequence[Job]) -> list[tuple[datetime, str]]:
        """Work through each queue with senders of its own. When the gateway was asked for what, in order."""

        def work(left: Iterator[Job]) -> None:
            for job in left:
                job(self._sender)

        lefts = [iter(queue) for queue in queues]
        self._time.run(*(partial(work, left) for left in lefts for _ in range(SENDERS)))
        return sorted(self._gateway.asked)


def workers(number: int) -> list[Registration]:
    return [
        make_registration(make_reference(each), worker_key=str(each), phone=f"+62824{each:07d}")
        for each in range(number)
    ]


def told(registration: Registration) -> Job:
    return lambda sender: sender.send(Purpose.RECEIVED, registration.reference, correlation_id="c")


@pytest.mark.parametrize(("texts", "rate"), [(10_000, 10), (600, 4)])
def test_a_backlog_of_confirmations_goes_out_at_the_rate_that_is_set(texts: int, rate: float) -> None:
    backlog = Backlog(workers(texts), rate)

    asked = [at for at, _ in backlog.drain([told(each) for each in backlog.registrations])]

    assert len(asked) == texts
    assert (asked[-1] - asked[0]) / A_SECOND == pytest.approx((texts - 1) / rate, rel=0.05)
    seconds = Counter((at - NOW) // A_SECOND for at in asked)
    assert max(seconds.values()) <= rate, "in no second is there more"


def test_confirmations_overtake_reminders_that_were_there_first() -> None:
    people = workers(300)
    backlog = Backlog(people, 10)
    for number, each in enumerate(people[:100]):
        reminder = make_sms(
            number,
            reference=each.reference,
            purpose=Purpose.ALREADY_REGISTERED,
            kind=SmsKind.REMINDER,
            phone_hash=str(number),
        )
        backlog.ledger.get_or_create(reminder)
    reminders: list[Job] = [
        (lambda sender, due=due: sender.resume(due)) for due in list(backlog.ledger.sms_by_id)
    ]

    asked = backlog.drain(reminders, [told(each) for each in people[100:]])

    order = [purpose for _, purpose in asked]
    confirmations_over = len(order) - order[::-1].index("received")
    assert order.count("received") == 200
    assert order[:confirmations_over].count("already_registered") <= 0.02 * confirmations_over
    put_off = [each for each in backlog.ledger.sms_by_id.values() if each.reason == "rate_limited"]
    assert all(each.due_at for each in put_off), "those that gave way come back"
