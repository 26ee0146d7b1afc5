"""Concurrent events of one registration: each is recorded, and recorded once.

moto holds no lock across a transaction, so only engines that serve many requests at once can judge these.
"""

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest

from chalicelib.callers import Role
from chalicelib.conflicts import WriteConflict
from chalicelib.crypto.encryption import FieldCipher
from chalicelib.crypto.hashing import HashKey, KeyedHash
from chalicelib.refusals import TryAgain
from chalicelib.registrations.errors import RegistrationSuperseded, TransitionNotAllowed
from chalicelib.registrations.lifecycle import LifecycleService
from chalicelib.registrations.model import Status
from chalicelib.registrations.prior_state import WorkerExists
from chalicelib.registrations.reading import ReadingService
from chalicelib.registrations.references import generate
from chalicelib.registrations.reported_events import Cancellation, Payment
from tests.contracts.conftest import Engine
from tests.support.builders import make_caller
from tests.support.fakes.clock import FixedClock
from tests.support.lifecycle_builders import (
    RECEIVED_AT,
    add_payment,
    expire_or_lapse,
    make_matching_capture,
    make_received_registration,
)
from tests.support.registration_builders import PHONE_COUNT
from tests.support.registration_stores import RegistrationStores, open_registration_stores

RACERS = 20
REFERENCE = generate(lambda below: 20)
CORE = make_caller(Role.CORE, campaigns=frozenset({"*"}))
_ROUNDS = 200  # Far more than any race needs: one that never ends fails the test.


def race(run: Callable[[int], str]) -> Counter[str]:
    """Run all racers at once. Return the counts of their results."""
    start = Barrier(RACERS)

    def racer(number: int) -> str:
        start.wait()
        for _ in range(_ROUNDS):
            try:
                return run(number)
            except (TryAgain, WriteConflict):
                continue
        raise AssertionError("other writers came first for ever")

    with ThreadPoolExecutor(RACERS) as racers:
        return Counter(racers.map(racer, range(RACERS)))


@pytest.fixture
def stores(concurrent_engine: Engine, cipher: FieldCipher) -> RegistrationStores:
    stores = open_registration_stores(
        concurrent_engine.client, concurrent_engine.create_table("RegistrationsTable"), cipher
    )
    registration = make_received_registration(reference=REFERENCE)
    stores.intake.add(registration, make_matching_capture(registration), PHONE_COUNT)
    return stores


@pytest.fixture
def lifecycle_service(stores: RegistrationStores) -> LifecycleService:
    return LifecycleService(
        store=stores.lifecycle,
        reading=ReadingService(store=stores.reading, clock=FixedClock(RECEIVED_AT)),
        hashing=KeyedHash(lambda: HashKey(bytes(32))),
        max_payment_difference=25,
        identity_retention=timedelta(days=90),
        clock=FixedClock(RECEIVED_AT),
    )


def make_numbered_payment(number: int) -> Payment:
    return Payment(payment_id=f"p-{number}", amount=16_400, months=1, paid_at=RECEIVED_AT)


def test_of_twenty_concurrent_payments_none_is_lost(
    lifecycle_service: LifecycleService, stores: RegistrationStores
) -> None:
    def pay(number: int) -> str:
        lifecycle_service.record_payment(REFERENCE, make_numbered_payment(number), caller=CORE)
        return "recorded"

    assert race(pay) == {"recorded": RACERS}

    lifecycle = stores.reading.get(REFERENCE).lifecycle
    assert {payment.payment_id for payment in lifecycle.payments} == {
        f"p-{number}" for number in range(RACERS)
    }
    assert (lifecycle.version, lifecycle.paid_through) == (RACERS + 1, "2026-05")


def test_one_payment_reported_twenty_times_at_once_is_recorded_once(
    lifecycle_service: LifecycleService, stores: RegistrationStores
) -> None:
    results = race(
        lambda number: str(
            lifecycle_service.record_payment(
                REFERENCE, make_numbered_payment(1), caller=CORE
            ).lifecycle.version
        )
    )
    assert results == {"2": RACERS}
    assert stores.reading.get(REFERENCE).lifecycle.paid_through == "2024-10"


def test_a_cancellation_that_races_payments_is_recorded_alone_or_refused(
    lifecycle_service: LifecycleService, stores: RegistrationStores
) -> None:
    def report(number: int) -> str:
        try:
            if number == 0:
                lifecycle_service.cancel(REFERENCE, Cancellation(reason="other"), caller=CORE)
                return "cancelled"
            lifecycle_service.record_payment(REFERENCE, make_numbered_payment(number), caller=CORE)
        except TransitionNotAllowed:
            return "refused"
        return "paid"

    results = race(report)

    lifecycle = stores.reading.get(REFERENCE).lifecycle
    assert len(lifecycle.payments) == results["paid"]
    assert (lifecycle.status is Status.CANCELLED) == (results["cancelled"] == 1) == (results["paid"] == 0)


def test_of_twenty_captures_after_an_ended_registration_one_follows_it(stores: RegistrationStores) -> None:
    registration = stores.reading.get(REFERENCE)
    stores.lifecycle.replace(expire_or_lapse(registration), previous=registration)

    def send(number: int) -> str:
        following = make_received_registration(number + 2, worker_number=1, follows=REFERENCE)
        try:
            stores.intake.add(following, make_matching_capture(following), PHONE_COUNT)
        except WorkerExists as known:
            return f"known, {known.worker_record.has_ended}"
        return "followed"

    assert race(send) == {"followed": 1, "known, False": RACERS - 1}


def test_a_late_payment_that_races_a_new_registration_is_recorded_or_refused(
    stores: RegistrationStores,
) -> None:
    registration = stores.reading.get(REFERENCE)
    lapsed = expire_or_lapse(add_payment(registration))
    stores.lifecycle.replace(lapsed, previous=registration)

    def report(number: int) -> str:
        if number % 2:
            following = make_received_registration(number + 2, worker_number=1, follows=REFERENCE)
            try:
                stores.intake.add(following, make_matching_capture(following), PHONE_COUNT)
            except WorkerExists:
                return "known"
            return "followed"
        try:
            stores.lifecycle.replace(add_payment(lapsed, "late"), previous=lapsed)
        except RegistrationSuperseded:
            return "superseded"
        except WriteConflict:
            # The version has moved on: another racer has stored the payment.
            assert stores.reading.get(REFERENCE).lifecycle.status is Status.ACTIVE
            return "too late"
        return "paid"

    results = race(report)

    assert results["paid"] + results["followed"] == 1
    assert (stores.reading.get(REFERENCE).lifecycle.status is Status.ACTIVE) == (results["paid"] == 1)
