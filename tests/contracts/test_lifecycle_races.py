"""Reports that race one another about one registration: every one of them counts, and each of them once.

moto holds no lock across a transaction, so only engines that serve many requests at once can judge these.
"""

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from chalicelib.clients.model import Role
from chalicelib.privacy.encryption import FieldCipher
from chalicelib.refusals import TryAgain
from chalicelib.registrations.casework import Casework
from chalicelib.registrations.dynamodb import DynamoRegistrations
from chalicelib.registrations.errors import Superseded, TransitionNotAllowed
from chalicelib.registrations.lifecycle import Cancellation, Payment, Status
from chalicelib.registrations.reference import new
from chalicelib.registrations.service import Contended, WorkerKnown
from tests.builders import a_caller
from tests.contracts.conftest import Engine
from tests.contracts.lives import BEGUN, a_case, ended, its_capture, paid
from tests.contracts.stored import A_PHONE
from tests.fakes import FixedClock

RACERS = 20
REFERENCE = new(lambda below: 20)
CORE = a_caller(Role.CORE, campaigns=frozenset({"*"}))
_ROUNDS = 200  # Far more than any race needs; one that never ends fails the test instead of hanging it.


def race(run: Callable[[int], str]) -> Counter[str]:
    """Let every racer start at once, and count what they came to."""
    start = Barrier(RACERS)

    def racer(number: int) -> str:
        start.wait()
        for _ in range(_ROUNDS):
            try:
                return run(number)
            except (TryAgain, Contended):
                continue
        raise AssertionError("other writers were in the way for ever")

    with ThreadPoolExecutor(RACERS) as racers:
        return Counter(racers.map(racer, range(RACERS)))


@pytest.fixture
def store(real_engine: Engine, cipher: FieldCipher) -> DynamoRegistrations:
    store = DynamoRegistrations(real_engine.client, real_engine.table("RegistrationsTable"), cipher)
    registration = a_case(reference=REFERENCE)
    store.add(registration, its_capture(registration), A_PHONE)
    return store


@pytest.fixture
def casework(store: DynamoRegistrations) -> Casework:
    return Casework(registrations=store, clock=FixedClock(BEGUN))


def a_payment(number: int) -> Payment:
    return Payment(payment_id=f"p-{number}", amount=16_400, months=1, paid_at=BEGUN)


def test_of_twenty_payments_at_once_none_is_lost(casework: Casework, store: DynamoRegistrations) -> None:
    def pay(number: int) -> str:
        casework.take_payment(REFERENCE, a_payment(number), by=CORE)
        return "taken"

    assert race(pay) == {"taken": RACERS}

    life = store.get(REFERENCE).life
    assert {payment.payment_id for payment in life.payments} == {f"p-{number}" for number in range(RACERS)}
    assert (life.version, life.paid_through) == (RACERS + 1, "2026-05")


def test_one_payment_reported_twenty_times_at_once_counts_once(
    casework: Casework, store: DynamoRegistrations
) -> None:
    told = race(lambda number: str(casework.take_payment(REFERENCE, a_payment(1), by=CORE).life.version))
    assert told == {"2": RACERS}
    assert store.get(REFERENCE).life.paid_through == "2024-10"


def test_a_cancellation_that_races_payments_wins_alone_or_not_at_all(
    casework: Casework, store: DynamoRegistrations
) -> None:
    def report(number: int) -> str:
        try:
            if number == 0:
                casework.cancel(REFERENCE, Cancellation(reason="other"), by=CORE)
                return "cancelled"
            casework.take_payment(REFERENCE, a_payment(number), by=CORE)
        except TransitionNotAllowed:
            return "refused"
        return "paid"

    told = race(report)

    life = store.get(REFERENCE).life
    assert len(life.payments) == told["paid"]
    assert (life.status is Status.CANCELLED) == (told["cancelled"] == 1) == (told["paid"] == 0)


def test_of_twenty_captures_after_an_ended_registration_one_follows_it(store: DynamoRegistrations) -> None:
    registration = store.get(REFERENCE)
    store.replace(ended(registration), was=registration)

    def send(number: int) -> str:
        following = a_case(number + 2, worker=1, follows=REFERENCE)
        try:
            store.add(following, its_capture(following), A_PHONE)
        except WorkerKnown as known:
            return f"known, {known.standing.has_ended}"
        return "followed"

    assert race(send) == {"followed": 1, "known, False": RACERS - 1}


def test_a_late_payment_that_races_a_new_registration_is_taken_or_refused_and_the_worker_has_one(
    store: DynamoRegistrations,
) -> None:
    registration = store.get(REFERENCE)
    lapsed = ended(paid(registration))
    store.replace(lapsed, was=registration)

    def report(number: int) -> str:
        if number % 2:
            following = a_case(number + 2, worker=1, follows=REFERENCE)
            try:
                store.add(following, its_capture(following), A_PHONE)
            except WorkerKnown:
                return "known"
            return "followed"
        try:
            store.replace(paid(lapsed, "late"), was=lapsed)
        except Superseded:
            return "superseded"
        except Contended:
            # The version has moved on: another racer has stored the payment.
            assert store.get(REFERENCE).life.status is Status.ACTIVE
            return "too late"
        return "paid"

    told = race(report)

    assert told["paid"] + told["followed"] == 1
    assert (store.get(REFERENCE).life.status is Status.ACTIVE) == (told["paid"] == 1)
