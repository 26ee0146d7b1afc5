"""The places of sponsors in the store of registrations, on each engine."""

import json
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date
from threading import Barrier

import pytest
from botocore.exceptions import ClientError

from chalicelib.aws.errors import is_transient
from chalicelib.conflicts import WriteConflict
from chalicelib.crypto.encryption import FieldCipher
from chalicelib.registrations.captures import Outcome
from chalicelib.registrations.errors import RegistrationUnknown
from chalicelib.registrations.model import Registration, Status
from chalicelib.registrations.prior_state import CaptureExists, PriorState, WorkerRecord
from chalicelib.registrations.quotas import CampaignSponsor, QuotaChanged, QuotaState
from chalicelib.registrations.reported_events import Cancellation
from chalicelib.registrations.worker import Coverage
from tests.contracts.conftest import Engine
from tests.support.builders import NOW
from tests.support.lifecycle_builders import add_payment, make_received_registration, with_lifecycle
from tests.support.registration_builders import CAMPAIGN_ID, get_worker, make_capture
from tests.support.registration_stores import RegistrationStores, open_registration_stores

SPONSOR = CampaignSponsor(CAMPAIGN_ID, "yayasan-contoh")
COVERAGE = Coverage(programmes=("JKK", "JKM"), months=3, payer="sponsor", sponsor_id=SPONSOR.sponsor_id)
RACERS = 20


def make_sponsored(number: int = 1) -> Registration:
    return make_received_registration(number, coverage=COVERAGE)


def add(stores: RegistrationStores, number: int = 1, quota_state: QuotaState | None = None) -> Registration:
    registration = make_sponsored(number)
    capture = make_capture(registration.capture_metadata, reference=registration.reference)
    stores.intake.add(registration, capture, None, quota_state)
    return registration


def count_places(stores: RegistrationStores) -> int:
    state = stores.intake.read_prior_state("nobody", phone_key=None, day=date.min, sponsor=SPONSOR)
    return state.places_taken


def test_a_registration_without_phone_address_and_postal_code_is_read_as_it_was_added(
    stores: RegistrationStores,
) -> None:
    registration = make_sponsored()
    worker = replace(get_worker(registration), phone=None, address=None, postal_code=None)
    registration = replace(registration, worker=worker)
    capture = make_capture(registration.capture_metadata, reference=registration.reference)
    facts = replace(capture.facts, is_without_phone=True, sponsor=SPONSOR.sponsor_id)

    stores.intake.add(registration, replace(capture, facts=facts), None)

    assert stores.reading.get(registration.reference) == registration
    found = stores.intake.find_capture(capture.capture_metadata.capture_id)
    assert found is not None
    assert found.facts == facts


def test_each_registration_takes_one_place_whatever_the_quota(stores: RegistrationStores) -> None:
    add(stores, 1)
    add(stores, 2, QuotaState(2, is_full=False))
    add(stores, 3, QuotaState(2, is_full=True))
    add(stores, 4, QuotaState(0, is_full=True))

    assert count_places(stores) == 4


@pytest.mark.parametrize(
    ("taken", "expected"),
    [(2, QuotaState(2, is_full=False)), (1, QuotaState(2, is_full=True)), (0, QuotaState(1, is_full=True))],
)
def test_a_write_that_expects_another_state_stores_nothing_and_learns_it(
    stores: RegistrationStores, taken: int, expected: QuotaState
) -> None:
    for number in range(taken):
        add(stores, number)

    with pytest.raises(QuotaChanged) as changed:
        add(stores, 9, expected)

    assert changed.value.places_taken == count_places(stores) == taken
    with pytest.raises(RegistrationUnknown):
        stores.reading.get(make_sponsored(9).reference)


def test_a_capture_sent_again_takes_no_second_place(stores: RegistrationStores) -> None:
    add(stores, 1, QuotaState(1, is_full=False))

    with pytest.raises(CaptureExists):
        add(stores, 1, QuotaState(1, is_full=False))

    assert count_places(stores) == 1


def test_a_public_capture_takes_a_place_of_a_new_worker_only(stores: RegistrationStores) -> None:
    first, second = make_sponsored(1), make_sponsored(2)
    state = QuotaState(5, is_full=False)
    capture = make_capture(first.capture_metadata, reference=first.reference)
    stores.intake.add_public(first, capture, None, None, state)
    repeat = make_capture(second.capture_metadata, Outcome.ALREADY_REGISTERED, reference=first.reference)
    known = WorkerRecord(first.reference, Status.RECEIVED, has_ended=False, captures=1)

    stores.intake.add_public(replace(second, worker_key=first.worker_key), repeat, None, known, state)

    prior = stores.intake.read_prior_state(first.worker_key, phone_key=None, day=date.min, sponsor=SPONSOR)
    assert prior == PriorState(known, phone_count=0, places_taken=1)


def test_a_public_capture_sends_the_same_request_for_known_and_new_workers(
    stores: RegistrationStores, engine: Engine
) -> None:
    sent: list[list[dict[str, object]]] = []
    engine.client.meta.events.register(
        "before-sign.dynamodb.TransactWriteItems",
        lambda request, **_: sent.append(json.loads(request.data)["TransactItems"]),
    )
    test_a_public_capture_takes_a_place_of_a_new_worker_only(stores)

    new, known = sent
    assert [list(each) for each in new] == [list(each) for each in known]
    (new_sponsor,), (known_sponsor,) = (
        [each for each in map(json.dumps, writes) if "SPONSOR#" in each and "COVERAGE" not in each]
        for writes in sent
    )
    assert new_sponsor.replace('"N": "1"', '"N": "0"') == known_sponsor


def test_a_place_is_given_back_once_when_a_registration_ends_unpaid(stores: RegistrationStores) -> None:
    registration = add(stores)
    lifecycle = registration.lifecycle.with_cancellation(
        Cancellation(reason="other"), occurred_at=NOW, client_id="van-1"
    )
    cancelled = with_lifecycle(registration, lifecycle)

    stores.lifecycle.replace(cancelled, previous=registration)
    with pytest.raises(WriteConflict):
        stores.lifecycle.replace(cancelled, previous=registration)

    assert count_places(stores) == 0
    stores.erasure.destroy_personal_fields(cancelled, destroyed_at=NOW)
    stores.erasure.erase_registration(cancelled.reference, cancelled.worker_key)
    assert count_places(stores) == 0


@pytest.mark.parametrize(("is_paid", "left"), [(False, 0), (True, 1)])
def test_an_erasure_gives_a_place_back_unless_it_was_paid(
    stores: RegistrationStores, is_paid: bool, left: int
) -> None:
    registration = add(stores)
    if is_paid:
        stores.lifecycle.replace(add_payment(registration), previous=registration)

    for _ in range(2):
        stores.erasure.erase_registration(registration.reference, registration.worker_key)

    assert count_places(stores) == left


def test_of_racing_captures_exactly_the_quota_gets_places(
    concurrent_engine: Engine, cipher: FieldCipher
) -> None:
    quota = 7
    stores = open_registration_stores(
        concurrent_engine.client, concurrent_engine.create_table("RegistrationsTable"), cipher
    )
    start = Barrier(RACERS)

    def send(number: int) -> str:
        state = QuotaState(quota, is_full=False)
        start.wait()
        for _ in range(500):
            try:
                add(stores, number, state)
            except QuotaChanged as changed:
                state = QuotaState(quota, is_full=changed.places_taken >= quota)
            except WriteConflict:
                continue
            except ClientError as error:
                if not is_transient(error):
                    raise
            else:
                return "over quota" if state.is_full else "within"
        raise AssertionError("other writers came first for ever")

    with ThreadPoolExecutor(RACERS) as racers:
        outcomes = Counter(racers.map(send, range(RACERS)))

    assert outcomes == {"within": quota, "over quota": RACERS - quota}
    assert count_places(stores) == RACERS
