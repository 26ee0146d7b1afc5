"""Writers that race one another: the store's conditions alone decide, and they let exactly one through.

moto holds no lock across a transaction, so only engines that serve many requests at once can judge these.
"""

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from botocore.exceptions import ClientError

from chalicelib import wiring
from chalicelib.clients.dynamodb import DynamoClients
from chalicelib.clients.errors import ClientExists
from chalicelib.clients.service import TokenHash
from chalicelib.notifications.dynamodb import DynamoLedger
from chalicelib.notifications.service import Brakes
from chalicelib.privacy.encryption import FieldCipher
from chalicelib.problems import is_passing
from chalicelib.refusals import TryAgain
from chalicelib.registrations.dynamodb import DynamoRegistrations
from chalicelib.registrations.model import Outcome
from chalicelib.registrations.service import CaptureKnown, Contended, PhoneBusy, PhoneCount, WorkerKnown
from chalicelib.rollups.dynamodb import DynamoSummaries
from chalicelib.rollups.service import AlreadyWritten
from tests.builders import NOW
from tests.contracts.conftest import Engine
from tests.contracts.stored import (
    A_PHONE,
    FIRST_DAY,
    a_capture_of,
    a_client,
    a_reference,
    a_registration,
    a_summary,
    a_text,
    captures_of,
    taken,
)

RACERS = 40
LATER = NOW + timedelta(hours=24)
_ROUNDS = (
    100  # Far more than any race needs; a store that never decides fails the test instead of hanging it.
)


def race(run: Callable[[int], str]) -> Counter[str]:
    """Let every racer start at once, and count what they came to."""
    start = Barrier(RACERS)

    def racer(number: int) -> str:
        start.wait()
        return run(number)

    with ThreadPoolExecutor(RACERS) as racers:
        return Counter(racers.map(racer, range(RACERS)))


def until_decided(attempt: Callable[[], str]) -> str:
    """Try again while other writers are in the way, as the service does."""
    for _ in range(_ROUNDS):
        try:
            return attempt()
        except Contended:
            continue
        except ClientError as error:
            if not is_passing(error):
                raise
    raise AssertionError("other writers were in the way for ever")


@pytest.fixture
def registrations(real_engine: Engine, cipher: FieldCipher) -> DynamoRegistrations:
    return DynamoRegistrations(real_engine.client, real_engine.table("RegistrationsTable"), cipher)


def test_of_forty_captures_of_one_worker_one_makes_the_registration(
    registrations: DynamoRegistrations,
) -> None:
    references: set[str] = set()

    def send(number: int) -> str:
        circumstances = taken(number)
        reference = a_reference(number)

        def attempt() -> str:
            try:
                registrations.add(
                    a_registration(reference, circumstances),
                    a_capture_of(circumstances, reference=reference),
                    A_PHONE,
                )
            except WorkerKnown as known:
                references.add(known.standing.reference)
                return "worker known"
            references.add(reference)
            return "created"

        return until_decided(attempt)

    assert race(send) == {"created": 1, "worker known": RACERS - 1}
    (winner,) = references
    assert registrations.get(winner).reference == winner


def test_of_forty_sends_of_one_capture_one_is_stored_and_the_others_find_it(
    registrations: DynamoRegistrations,
) -> None:
    found: set[str] = set()

    def send(number: int) -> str:
        reference = a_reference(number)

        def attempt() -> str:
            try:
                registrations.add(
                    a_registration(reference), a_capture_of(taken(), reference=reference), A_PHONE
                )
            except CaptureKnown as known:
                found.add(known.stored.answer.reference)
                return "capture known"
            found.add(reference)
            return "stored"

        return until_decided(attempt)

    assert race(send) == {"stored": 1, "capture known": RACERS - 1}
    assert len(found) == 1
    assert len(list(captures_of(registrations, FIRST_DAY))) == 1


def test_a_refusal_that_races_the_mended_capture_never_wins_over_it(
    registrations: DynamoRegistrations,
) -> None:
    def send(number: int) -> str:
        def attempt() -> str:
            try:
                if number % 2:
                    registrations.add(a_registration(), a_capture_of(taken()), A_PHONE)
                else:
                    registrations.add_refusal(a_capture_of(taken(), Outcome.REFUSED), on_campaign_day=True)
            except CaptureKnown:
                return "capture known"
            return "refused" if number % 2 == 0 else "created"

        return until_decided(attempt)

    outcomes = race(send)

    assert outcomes["created"] == 1
    assert [facts.outcome for facts in captures_of(registrations, FIRST_DAY)] == [Outcome.CREATED]


def test_of_forty_workers_with_one_phone_exactly_the_cap_is_registered(
    registrations: DynamoRegistrations,
) -> None:
    def send(number: int) -> str:
        def attempt() -> str:
            try:
                registrations.add(
                    a_registration(a_reference(number), worker_key=f"worker {number}"),
                    a_capture_of(taken(number)),
                    PhoneCount("phone", FIRST_DAY.day, below=25),
                )
            except PhoneBusy:
                return "over the cap"
            return "created"

        return until_decided(attempt)

    assert race(send) == {"created": 25, "over the cap": RACERS - 25}
    assert registrations.known("nobody", phone_key="phone", day=FIRST_DAY.day).counted == 25


def test_of_forty_unseen_captures_of_one_worker_one_makes_the_registration(
    registrations: DynamoRegistrations,
) -> None:
    def send(number: int) -> str:
        circumstances = taken(number)

        def attempt() -> str:
            standing = registrations.known("worker", phone_key="phone", day=FIRST_DAY.day).worker
            outcome = Outcome.CREATED if standing is None else Outcome.ALREADY_REGISTERED
            reference = a_reference(number) if standing is None else standing.reference
            capture = a_capture_of(circumstances, outcome, reference=reference)
            try:
                registrations.add_unseen(
                    a_registration(a_reference(number), circumstances), capture, A_PHONE, standing
                )
            except WorkerKnown:
                return attempt()
            return outcome

        return until_decided(attempt)

    assert race(send) == {"created": 1, "already_registered": RACERS - 1}
    assert registrations.known("worker", phone_key="phone", day=FIRST_DAY.day).counted == RACERS
    assert len(list(captures_of(registrations, FIRST_DAY))) == RACERS


def test_of_forty_rotations_at_once_every_one_that_succeeds_leaves_its_token_good(
    real_engine: Engine,
) -> None:
    clients = DynamoClients(real_engine.client, real_engine.table("ClientsTable"))
    clients.add(a_client(expires_at=LATER), TokenHash("f" * 64))
    made: list[int] = []

    def rotate(number: int) -> str:
        def attempt() -> str:
            client = clients.get("van-1").rotated(NOW, expires_at=LATER)
            try:
                clients.rotate(client, TokenHash(f"{number:064x}"), older_end_at=LATER)
            except TryAgain:
                raise Contended from None
            made.append(number)
            return "rotated"

        return until_decided(attempt)

    assert race(rotate) == {"rotated": RACERS}
    clients.revoke(clients.get("van-1").revoked(NOW))
    refused = [clients.holding(TokenHash(f"{number:064x}")).is_revoked(NOW) for number in made]
    assert refused == [True] * RACERS


def test_of_forty_enrolments_under_one_id_one_succeeds(real_engine: Engine) -> None:
    clients = DynamoClients(real_engine.client, real_engine.table("ClientsTable"))

    def enrol(number: int) -> str:
        def attempt() -> str:
            try:
                clients.add(a_client(), TokenHash(f"{number:064x}"))
            except ClientExists:
                return "exists"
            return "enrolled"

        return until_decided(attempt)

    assert race(enrol) == {"enrolled": 1, "exists": RACERS - 1}


def a_ledger(engine: Engine) -> DynamoLedger:
    return DynamoLedger(
        engine.client,
        texts=engine.table("TextsTable"),
        sending=engine.table("SendingTable"),
        new_write_id=wiring.new_write_id,
    )


def test_of_forty_deliveries_of_one_event_one_begins_the_text(real_engine: Engine) -> None:
    ledger = a_ledger(real_engine)

    def begin(number: int) -> str:
        own = a_text(correlation_id=f"c-{number}")
        return "begun" if ledger.begin(own) == own else "standing"

    assert race(begin) == {"begun": 1, "standing": RACERS - 1}


def test_of_forty_senders_that_find_a_claimed_text_one_attempts_it(real_engine: Engine) -> None:
    ledger = a_ledger(real_engine)
    begun = ledger.begin(a_text())
    claimed = begun.claimed(NOW, budget_day=FIRST_DAY.day, phone_day=FIRST_DAY.day)
    brakes = Brakes(texts_a_day=3, budget=None)
    ledger.claim(claimed, was=begun, brakes=brakes)

    moved = race(lambda number: str(ledger.move(claimed.attempt_started(NOW), was=claimed)))

    assert moved == {"True": 1, "False": RACERS - 1}


def test_of_forty_counts_one_writes_the_version(real_engine: Engine) -> None:
    summaries = DynamoSummaries(real_engine.client, real_engine.table("SummariesTable"))

    def write(number: int) -> str:
        try:
            summaries.add(a_summary())
        except AlreadyWritten:
            return "written already"
        return "written"

    assert race(write) == {"written": 1, "written already": RACERS - 1}


def test_forty_marks_of_one_day_are_all_counted(real_engine: Engine) -> None:
    summaries = DynamoSummaries(real_engine.client, real_engine.table("SummariesTable"))

    def mark(number: int) -> str:
        summaries.mark(FIRST_DAY, at=NOW)
        return "marked"

    race(mark)

    (only,) = summaries.marks()
    assert only.marks == RACERS
