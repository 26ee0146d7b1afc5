"""Reports that race one another about one registration: every one of them counts, and each of them once.

moto holds no lock across a transaction, so only engines that serve many requests at once can judge these.
"""

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from chalicelib.callers import Role
from chalicelib.crypto.encryption import FieldCipher
from chalicelib.refusals import TryAgain
from chalicelib.registrations.errors import RegistrationSuperseded, TransitionNotAllowed
from chalicelib.registrations.intake import WorkerExists, WriteConflict
from chalicelib.registrations.lifecycle import LifecycleService
from chalicelib.registrations.references import generate
from chalicelib.registrations.states import Cancellation, Payment, Status
from chalicelib.registrations.store import DynamoRegistrations
from tests.contracts.conftest import Engine
from tests.support.builders import make_caller
from tests.support.fakes import FixedClock
from tests.support.lifecycle_builders import (
    RECEIVED_AT,
    add_payment,
    expire_or_lapse,
    make_matching_capture,
    make_received_registration,
)
from tests.support.registration_builders import PHONE_COUNT

RACERS = 20
REFERENCE = generate(lambda below: 20)
CORE = make_caller(Role.CORE, campaigns=frozenset({"*"}))
_ROUNDS = 200  # Far more than any race needs; one that never ends fails the test instead of hanging it.


def race(run: Callable[[int], str]) -> Counter[str]:
    """Let every racer start at once, and count what they came to."""
    start = Barrier(RACERS)

    def racer(number: int) -> str:
        start.wait()
        for _ in range(_ROUNDS):
            try:
                return run(number)
            except (TryAgain, WriteConflict):
                continue
        raise AssertionError("other writers were in the way for ever")

    with ThreadPoolExecutor(RACERS) as racers:
        return Counter(racers.map(racer, range(RACERS)))


@pytest.fixture
def store(concurrent_engine: Engine, cipher: FieldCipher) -> DynamoRegistrations:
    store = DynamoRegistrations(
        concurrent_engine.client, concurrent_engine.create_table("RegistrationsTable"), cipher
    )
    registration = make_received_registration(reference=REFERENCE)
    store.add(registration, make_matching_capture(registration), PHONE_COUNT)
    return store


@pytest.fixture
def lifecycle_service(store: DynamoRegistrations) -> LifecycleService:
    return LifecycleService(registrations=store, clock=FixedClock(RECEIVED_AT))


def a_payment(number: int) -> Payment:
    return Payment(payment_id=f"p-{number}", amount=16_400, months=1, paid_at=RECEIVED_AT)


def test_of_twenty_payments_at_once_none_is_lost(
    lifecycle_service: LifecycleService, store: DynamoRegistrations
) -> None:
    def pay(number: int) -> str:
        lifecycle_service.record_payment(REFERENCE, a_payment(number), caller=CORE)
        return "taken"

    assert race(pay) == {"taken": RACERS}

    life = store.get(REFERENCE).lifecycle
    assert {payment.payment_id for payment in life.payments} == {f"p-{number}" for number in range(RACERS)}
    assert (life.version, life.paid_through) == (RACERS + 1, "2026-05")


def test_one_payment_reported_twenty_times_at_once_counts_once(
    lifecycle_service: LifecycleService, store: DynamoRegistrations
) -> None:
    told = race(
        lambda number: str(
            lifecycle_service.record_payment(REFERENCE, a_payment(1), caller=CORE).lifecycle.version
        )
    )
    assert told == {"2": RACERS}
    assert store.get(REFERENCE).lifecycle.paid_through == "2024-10"


def test_a_cancellation_that_races_payments_wins_alone_or_not_at_all(
    lifecycle_service: LifecycleService, store: DynamoRegistrations
) -> None:
    def report(number: int) -> str:
        try:
            if number == 0:
                lifecycle_service.cancel(REFERENCE, Cancellation(reason="other"), caller=CORE)
                return "cancelled"
            lifecycle_service.record_payment(REFERENCE, a_payment(number), caller=CORE)
        except TransitionNotAllowed:
            return "refused"
        return "paid"

    told = race(report)

    life = store.get(REFERENCE).lifecycle
    assert len(life.payments) == told["paid"]
    assert (life.status is Status.CANCELLED) == (told["cancelled"] == 1) == (told["paid"] == 0)


def test_of_twenty_captures_after_an_ended_registration_one_follows_it(store: DynamoRegistrations) -> None:
    registration = store.get(REFERENCE)
    store.replace(expire_or_lapse(registration), previous=registration)

    def send(number: int) -> str:
        following = make_received_registration(number + 2, worker_number=1, follows=REFERENCE)
        try:
            store.add(following, make_matching_capture(following), PHONE_COUNT)
        except WorkerExists as known:
            return f"known, {known.worker_record.has_ended}"
        return "followed"

    assert race(send) == {"followed": 1, "known, False": RACERS - 1}


def test_a_late_payment_that_races_a_new_registration_is_taken_or_refused_and_the_worker_has_one(
    store: DynamoRegistrations,
) -> None:
    registration = store.get(REFERENCE)
    lapsed = expire_or_lapse(add_payment(registration))
    store.replace(lapsed, previous=registration)

    def report(number: int) -> str:
        if number % 2:
            following = make_received_registration(number + 2, worker_number=1, follows=REFERENCE)
            try:
                store.add(following, make_matching_capture(following), PHONE_COUNT)
            except WorkerExists:
                return "known"
            return "followed"
        try:
            store.replace(add_payment(lapsed, "late"), previous=lapsed)
        except RegistrationSuperseded:
            return "superseded"
        except WriteConflict:
            # The version has moved on: another racer has stored the payment.
            assert store.get(REFERENCE).lifecycle.status is Status.ACTIVE
            return "too late"
        return "paid"

    told = race(report)

    assert told["paid"] + told["followed"] == 1
    assert (store.get(REFERENCE).lifecycle.status is Status.ACTIVE) == (told["paid"] == 1)
