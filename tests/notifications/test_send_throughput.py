"""The rate at which concurrent processes send a backlog, in simulated time."""

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
from chalicelib.messaging.model import SmsId
from chalicelib.messaging.rate_limiter import SendRate
from chalicelib.notifications.chats import ChatTargets
from chalicelib.notifications.service import NotificationService
from chalicelib.notifications.templates import SmsKind
from chalicelib.registrations.model import Registration
from chalicelib.sms_purposes import Purpose
from tests.support.builders import NOW
from tests.support.fakes.campaigns import InMemoryCampaigns
from tests.support.fakes.chats import InMemoryChats
from tests.support.fakes.registrations import InMemoryRegistrations
from tests.support.fakes.sms import (
    InMemoryOptOutStore,
    InMemoryReceiptFlow,
    InMemorySendRateLimiter,
    InMemorySmsLedger,
)
from tests.support.notification_harness import CONFIG
from tests.support.registration_builders import make_campaign, make_reference, make_registration, make_sms

# The reserved concurrency in infra/, and a slow gateway.
WORKERS = 5
ANSWERS_AFTER = timedelta(milliseconds=300)
A_SECOND = timedelta(seconds=1)

Job = Callable[[NotificationService], object]


class SimulatedTime:
    """A clock that advances only by sleeping. One thread runs until it sleeps, then the next one to wake."""

    def __init__(self) -> None:
        self.now = NOW
        self._asleep: list[tuple[datetime, int, Event]] = []
        self._naps = count()

    def __call__(self) -> datetime:
        return self.now

    def sleep(self, length: timedelta) -> None:
        """Let other threads run until `length` has passed."""
        awake = self._fall_asleep(self.now + length)
        self._wake_next()
        awake.wait()

    def run(self, *actions: Callable[[], None]) -> None:
        """Run all actions concurrently until they are done."""
        threads = [
            Thread(target=self._run_action, args=(action, self._fall_asleep(self.now))) for action in actions
        ]
        for thread in threads:
            thread.start()
        self._wake_next()
        for thread in threads:
            thread.join()

    def _run_action(self, action: Callable[[], None], awake: Event) -> None:
        awake.wait()
        try:
            action()
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
    """A gateway that answers after 300 ms and records its requests."""

    name = "slow"

    def __init__(self, time: SimulatedTime) -> None:
        self._time = time
        self.requests: list[tuple[datetime, str]] = []

    def send(self, outgoing: OutgoingSms) -> GatewayAcceptance:
        """Accept an SMS after a delay."""
        self.requests.append((self._time(), outgoing.purpose))
        number = len(self.requests)
        self._time.sleep(ANSWERS_AFTER)
        return GatewayAcceptance(self.name, f"g-{number}")


class Backlog:
    """Concurrent workers that share a ledger and a rate limiter."""

    def __init__(self, registrations: Sequence[Registration], rate: float) -> None:
        self.registrations = registrations
        self.ledger = InMemorySmsLedger()
        self._time = SimulatedTime()
        self._gateway = SlowGateway(self._time)
        self._service = NotificationService(
            registrations=InMemoryRegistrations(*registrations),
            campaigns=InMemoryCampaigns(make_campaign(sms_budget=10_000_000_000)),
            ledger=self.ledger,
            opt_outs=InMemoryOptOutStore(),
            receipt_flow=InMemoryReceiptFlow(),
            rate_limiter=InMemorySendRateLimiter(),
            gateway=self._gateway,
            chats=ChatTargets(InMemoryChats(), timeout=CONFIG.chat_timeout),
            hashing=KeyedHash(lambda: HashKey(bytes(32))),
            config=replace(CONFIG, rate=SendRate(rate)),
            clock=self._time,
            wait=self._time.sleep,
            random_fraction=lambda: 0.5,
        )

    def drain(self, *queues: Sequence[Job]) -> list[tuple[datetime, str]]:
        """Consume each queue with its own workers. Return the times and purposes of requests, in order."""

        def consume(jobs: Iterator[Job]) -> None:
            for job in jobs:
                job(self._service)

        job_iterators = [iter(queue) for queue in queues]
        self._time.run(*(partial(consume, jobs) for jobs in job_iterators for _ in range(WORKERS)))
        return sorted(self._gateway.requests)


def make_workers(number: int) -> list[Registration]:
    return [
        make_registration(make_reference(each), worker_key=str(each), phone=f"+62824{each:07d}")
        for each in range(number)
    ]


def resume(sms_id: SmsId) -> Job:
    return lambda service: service.resume(sms_id)


def send_to(registration: Registration) -> Job:
    return lambda service: service.send(Purpose.RECEIVED, registration.reference, correlation_id="c")


@pytest.mark.parametrize(("sms_count", "rate"), [(10_000, 10), (600, 4)])
def test_backlog_of_confirmations_is_sent_at_the_configured_rate(sms_count: int, rate: float) -> None:
    backlog = Backlog(make_workers(sms_count), rate)

    requests = [at for at, _ in backlog.drain([send_to(each) for each in backlog.registrations])]

    assert len(requests) == sms_count
    assert (requests[-1] - requests[0]) / A_SECOND == pytest.approx((sms_count - 1) / rate, rel=0.05)
    seconds = Counter((at - NOW) // A_SECOND for at in requests)
    assert max(seconds.values()) <= rate, "no second has more"


def test_confirmations_are_sent_before_older_reminders() -> None:
    workers = make_workers(300)
    backlog = Backlog(workers, 10)
    for number, each in enumerate(workers[:100]):
        reminder = make_sms(
            number,
            reference=each.reference,
            purpose=Purpose.ALREADY_REGISTERED,
            kind=SmsKind.REMINDER,
            phone_hash=str(number),
        )
        backlog.ledger.get_or_create(reminder)
    reminders = [resume(SmsId(each)) for each in backlog.ledger.sms_by_id]

    requests = backlog.drain(reminders, [send_to(each) for each in workers[100:]])

    order = [purpose for _, purpose in requests]
    confirmations_over = len(order) - order[::-1].index("received")
    assert order.count("received") == 200
    assert order[:confirmations_over].count("already_registered") <= 0.02 * confirmations_over
    deferred = [each for each in backlog.ledger.sms_by_id.values() if each.reason == "rate_limited"]
    assert all(each.due_at for each in deferred), "deferred reminders are due again"
