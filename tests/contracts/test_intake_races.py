"""Concurrent writers: the conditions of the stores let exactly one through.

moto holds no lock across a transaction, so only engines that serve many requests at once can judge these.
"""

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from botocore.exceptions import ClientError

from chalicelib.aws.errors import is_transient
from chalicelib.clients.errors import ClientExists
from chalicelib.clients.service import TokenHash
from chalicelib.conflicts import WriteConflict
from chalicelib.crypto.encryption import FieldCipher
from chalicelib.notifications.model import SendLimits
from chalicelib.notifications.store_ledger import DynamoSmsLedger
from chalicelib.randomness import generate_write_id
from chalicelib.refusals import TryAgain
from chalicelib.registrations.captures import Outcome
from chalicelib.registrations.limits import PhoneCountExceeded, PhoneCountIncrement
from chalicelib.registrations.prior_state import CaptureExists, WorkerExists
from chalicelib.registrations.references import Reference
from chalicelib.rollups.service import VersionExists
from chalicelib.rollups.store_counting import DynamoCountingState
from chalicelib.rollups.store_summaries import DynamoSummaries
from tests.contracts.conftest import Engine
from tests.support.builders import NOW
from tests.support.client_stores import open_clients
from tests.support.registration_builders import (
    FIRST_DAY,
    PHONE_COUNT,
    REFUSALS_EXPIRE_ON,
    collect_capture_facts,
    make_capture,
    make_capture_metadata,
    make_client,
    make_reference,
    make_registration,
    make_sms,
    make_summary,
)
from tests.support.registration_stores import RegistrationStores, open_registration_stores

RACERS = 40
LATER = NOW + timedelta(hours=24)
_ROUNDS = 100  # Far more than any race needs: a store that never decides fails the test.


def race(run: Callable[[int], str]) -> Counter[str]:
    """Run all racers at once. Return the counts of their results."""
    start = Barrier(RACERS)

    def racer(number: int) -> str:
        start.wait()
        return run(number)

    with ThreadPoolExecutor(RACERS) as racers:
        return Counter(racers.map(racer, range(RACERS)))


def retry_until_decided(attempt: Callable[[], str]) -> str:
    """Retry while other writers come first, as the service does."""
    for _ in range(_ROUNDS):
        try:
            return attempt()
        except WriteConflict:
            continue
        except ClientError as error:
            if not is_transient(error):
                raise
    raise AssertionError("other writers came first for ever")


@pytest.fixture
def stores(concurrent_engine: Engine, cipher: FieldCipher) -> RegistrationStores:
    return open_registration_stores(
        concurrent_engine.client, concurrent_engine.create_table("RegistrationsTable"), cipher
    )


def test_of_forty_captures_of_one_worker_one_makes_the_registration(
    stores: RegistrationStores,
) -> None:
    references: set[str] = set()

    def send(number: int) -> str:
        metadata = make_capture_metadata(number)
        reference = make_reference(number)

        def attempt() -> str:
            try:
                stores.intake.add(
                    make_registration(reference, metadata),
                    make_capture(metadata, reference=reference),
                    PHONE_COUNT,
                )
            except WorkerExists as known:
                references.add(known.worker_record.reference)
                return "worker known"
            references.add(reference)
            return "created"

        return retry_until_decided(attempt)

    assert race(send) == {"created": 1, "worker known": RACERS - 1}
    (winner,) = references
    assert stores.reading.get(Reference(winner)).reference == winner


def test_of_forty_requests_with_one_capture_one_is_stored_and_the_others_find_it(
    stores: RegistrationStores,
) -> None:
    found: set[str] = set()

    def send(number: int) -> str:
        reference = make_reference(number)

        def attempt() -> str:
            try:
                stores.intake.add(
                    make_registration(reference),
                    make_capture(make_capture_metadata(), reference=reference),
                    PHONE_COUNT,
                )
            except CaptureExists as known:
                if known.capture.answer is not None:
                    found.add(known.capture.answer.reference)
                return "capture known"
            found.add(reference)
            return "stored"

        return retry_until_decided(attempt)

    assert race(send) == {"stored": 1, "capture known": RACERS - 1}
    assert len(found) == 1
    assert len(list(collect_capture_facts(stores.reading, FIRST_DAY))) == 1


def test_a_refusal_never_replaces_a_corrected_capture_in_a_race(
    stores: RegistrationStores,
) -> None:
    def send(number: int) -> str:
        def attempt() -> str:
            try:
                if number % 2:
                    stores.intake.add(make_registration(), make_capture(make_capture_metadata()), PHONE_COUNT)
                else:
                    stores.intake.add_refusal(
                        make_capture(make_capture_metadata(), Outcome.REFUSED),
                        is_on_campaign_day=True,
                        expires_on=REFUSALS_EXPIRE_ON,
                    )
            except CaptureExists:
                return "capture known"
            return "refused" if number % 2 == 0 else "created"

        return retry_until_decided(attempt)

    outcomes = race(send)

    assert outcomes["created"] == 1
    assert [facts.outcome for facts in collect_capture_facts(stores.reading, FIRST_DAY)] == [Outcome.CREATED]


def test_of_forty_workers_with_one_phone_number_exactly_the_cap_is_registered(
    stores: RegistrationStores,
) -> None:
    def send(number: int) -> str:
        def attempt() -> str:
            try:
                stores.intake.add(
                    make_registration(make_reference(number), worker_key=f"worker {number}"),
                    make_capture(make_capture_metadata(number)),
                    PhoneCountIncrement("phone", FIRST_DAY.day, limit=25),
                )
            except PhoneCountExceeded:
                return "over the cap"
            return "created"

        return retry_until_decided(attempt)

    assert race(send) == {"created": 25, "over the cap": RACERS - 25}
    assert stores.intake.read_prior_state("nobody", phone_key="phone", day=FIRST_DAY.day).phone_count == 25


def test_of_forty_public_captures_of_one_worker_one_makes_the_registration(
    stores: RegistrationStores,
) -> None:
    def send(number: int) -> str:
        metadata = make_capture_metadata(number)

        def attempt() -> str:
            worker_record = stores.intake.read_prior_state(
                "worker", phone_key="phone", day=FIRST_DAY.day
            ).worker_record
            outcome = Outcome.CREATED if worker_record is None else Outcome.ALREADY_REGISTERED
            reference = make_reference(number) if worker_record is None else worker_record.reference
            capture = make_capture(metadata, outcome, reference=reference)
            try:
                stores.intake.add_public(
                    make_registration(make_reference(number), metadata), capture, PHONE_COUNT, worker_record
                )
            except WorkerExists:
                return attempt()
            return outcome

        return retry_until_decided(attempt)

    assert race(send) == {"created": 1, "already_registered": RACERS - 1}
    assert (
        stores.intake.read_prior_state("worker", phone_key="phone", day=FIRST_DAY.day).phone_count == RACERS
    )
    assert len(list(collect_capture_facts(stores.reading, FIRST_DAY))) == RACERS


def test_of_forty_concurrent_rotations_each_that_succeeds_leaves_its_token_valid(
    concurrent_engine: Engine,
) -> None:
    clients = open_clients(
        concurrent_engine.client, *map(concurrent_engine.create_table, ("ClientsTable", "AuditTable"))
    )
    clients.add(make_client(expires_at=LATER), TokenHash("f" * 64))
    made: list[int] = []

    def rotate(number: int) -> str:
        def attempt() -> str:
            client = clients.get("van-1").rotate(NOW, expires_at=LATER)
            try:
                clients.rotate(client, TokenHash(f"{number:064x}"), older_tokens_end_at=LATER)
            except TryAgain:
                raise WriteConflict from None
            made.append(number)
            return "rotated"

        return retry_until_decided(attempt)

    assert race(rotate) == {"rotated": RACERS}
    clients.revoke(clients.get("van-1").revoke(NOW))
    refused = [clients.get_by_token(TokenHash(f"{number:064x}")).is_revoked(NOW) for number in made]
    assert refused == [True] * RACERS


def test_of_forty_enrolments_under_one_id_one_succeeds(concurrent_engine: Engine) -> None:
    clients = open_clients(
        concurrent_engine.client, *map(concurrent_engine.create_table, ("ClientsTable", "AuditTable"))
    )

    def enrol(number: int) -> str:
        def attempt() -> str:
            try:
                clients.add(make_client(), TokenHash(f"{number:064x}"))
            except ClientExists:
                return "exists"
            except TryAgain:
                raise WriteConflict from None
            return "enrolled"

        return retry_until_decided(attempt)

    assert race(enrol) == {"enrolled": 1, "exists": RACERS - 1}


def a_ledger(engine: Engine) -> DynamoSmsLedger:
    return DynamoSmsLedger(
        engine.client,
        sms_table=engine.create_table("SmsLedgerTable"),
        sending_table=engine.create_table("SendingTable"),
        new_write_id=generate_write_id,
    )


def test_of_forty_deliveries_of_one_event_one_creates_the_sms(concurrent_engine: Engine) -> None:
    ledger = a_ledger(concurrent_engine)

    def begin(number: int) -> str:
        own = make_sms(correlation_id=f"c-{number}")
        return "created" if ledger.get_or_create(own) == own else "found"

    assert race(begin) == {"created": 1, "found": RACERS - 1}


def test_of_forty_senders_that_find_a_claimed_sms_one_attempts_it(concurrent_engine: Engine) -> None:
    ledger = a_ledger(concurrent_engine)
    begun = ledger.get_or_create(make_sms())
    claimed = begun.claim(NOW, budget_day=FIRST_DAY.day, phone_day=FIRST_DAY.day)
    limits = SendLimits(sms_per_day=3, budget=None)
    ledger.claim(claimed, previous=begun, limits=limits)

    moved = race(lambda number: str(ledger.update(claimed.start_attempt(NOW), previous=claimed)))

    assert moved == {"True": 1, "False": RACERS - 1}


def test_of_forty_counts_one_writes_the_version(concurrent_engine: Engine) -> None:
    summaries = DynamoSummaries(concurrent_engine.client, concurrent_engine.create_table("SummariesTable"))

    def write(number: int) -> str:
        try:
            summaries.add(make_summary())
        except VersionExists:
            return "written already"
        return "written"

    assert race(write) == {"written": 1, "written already": RACERS - 1}


def test_all_of_forty_marks_of_one_dirty_day_are_counted(concurrent_engine: Engine) -> None:
    counting_state = DynamoCountingState(
        concurrent_engine.client, concurrent_engine.create_table("SummariesTable")
    )

    def mark_dirty(number: int) -> str:
        counting_state.mark_dirty(FIRST_DAY, occurred_at=NOW)
        return "marked"

    race(mark_dirty)

    (only,) = counting_state.iter_dirty_days()
    assert only.generation == RACERS
