"""What any store of workers' trails promises: it leads to every record, and forgotten is forgotten."""

from datetime import timedelta

import pytest

from chalicelib.crypto.encryption import FieldCipher
from chalicelib.randomness import generate_write_id
from chalicelib.registrations.erasure import CaptureLink, WorkerLinks
from chalicelib.registrations.errors import CaptureErased, RegistrationDestroyed, RegistrationUnknown
from chalicelib.registrations.model import Outcome
from chalicelib.registrations.store import DynamoRegistrations, DynamoWorkers
from tests.contracts.conftest import Engine
from tests.support.builders import NOW
from tests.support.registration_builders import (
    ANOTHER_REFERENCE,
    FIRST_DAY,
    PHONE_COUNT,
    REFERENCE,
    collect_capture_facts,
    make_capture,
    make_capture_metadata,
    make_registration,
)


@pytest.fixture
def table_name(engine: Engine) -> str:
    return engine.create_table("RegistrationsTable")


@pytest.fixture
def registrations(engine: Engine, table_name: str, cipher: FieldCipher) -> DynamoRegistrations:
    return DynamoRegistrations(engine.client, table_name, cipher)


@pytest.fixture
def workers(engine: Engine, table_name: str, cipher: FieldCipher) -> DynamoWorkers:
    return DynamoWorkers(engine.client, table_name, cipher, new_id=generate_write_id)


LINKS = tuple(CaptureLink(make_capture_metadata(number).capture_id, REFERENCE) for number in (1, 2))


@pytest.fixture
def known_worker(registrations: DynamoRegistrations) -> None:
    registrations.add(make_registration(), make_capture(make_capture_metadata()), PHONE_COUNT)
    registrations.add_repeat(
        make_capture(make_capture_metadata(2), Outcome.ALREADY_REGISTERED), worker_key="worker"
    )


def test_a_trail_leads_to_the_registration_and_to_every_capture(
    workers: DynamoWorkers, known_worker: None
) -> None:
    assert workers.get_links("worker") == WorkerLinks(REFERENCE, LINKS)
    assert workers.get_links("nobody") == WorkerLinks(None, ())
    assert workers.get_capture(LINKS[0].capture_id) == make_capture(make_capture_metadata())


def test_a_forgotten_capture_is_counted_and_never_taken_in_again(
    registrations: DynamoRegistrations, workers: DynamoWorkers, known_worker: None
) -> None:
    before = sorted(collect_capture_facts(registrations, FIRST_DAY), key=str)
    for _ in range(2):
        workers.erase_capture("worker", LINKS[0])

    assert sorted(collect_capture_facts(registrations, FIRST_DAY), key=str) == before
    assert workers.get_links("worker") == WorkerLinks(REFERENCE, LINKS[1:])
    with pytest.raises(CaptureErased):
        workers.get_capture(LINKS[0].capture_id)
    with pytest.raises(CaptureErased):
        registrations.add(
            make_registration(ANOTHER_REFERENCE, worker_key="other"),
            make_capture(make_capture_metadata()),
            PHONE_COUNT,
        )
    with pytest.raises(CaptureErased):
        registrations.add_repeat(
            make_capture(make_capture_metadata(), Outcome.ALREADY_REGISTERED), worker_key="worker"
        )
    with pytest.raises(CaptureErased):
        registrations.add_refusal(
            make_capture(make_capture_metadata(), Outcome.REFUSED), on_campaign_day=True
        )


def test_a_worker_is_forgotten_only_while_that_registration_is_the_latest(
    workers: DynamoWorkers, known_worker: None
) -> None:
    workers.erase_worker("worker", ANOTHER_REFERENCE)
    assert workers.get_links("worker").latest_reference == REFERENCE

    for _ in range(2):
        workers.erase_worker("worker", REFERENCE)
    assert workers.get_links("worker").latest_reference is None


def test_a_registration_that_was_removed_is_unknown(
    registrations: DynamoRegistrations, workers: DynamoWorkers, known_worker: None
) -> None:
    for _ in range(2):
        workers.erase_registration(REFERENCE)

    with pytest.raises(RegistrationUnknown):
        registrations.get(REFERENCE)


def test_a_destroyed_registration_is_known_to_have_been_destroyed_and_listed_nowhere(
    registrations: DynamoRegistrations, workers: DynamoWorkers, known_worker: None
) -> None:
    assert workers.destroy_personal_fields(make_registration(), destroyed_at=NOW) is True

    with pytest.raises(RegistrationDestroyed):
        registrations.get(REFERENCE)
    assert list(registrations.list_by_campaign_day(FIRST_DAY, start_after=None, page_size=9).rows) == []
    assert list(registrations.iter_due(NOW.date() + timedelta(days=99))) == []
    assert list(workers.iter_ended_unpaid(NOW + timedelta(days=99))) == []


def test_a_registration_that_was_changed_meanwhile_is_not_destroyed(
    registrations: DynamoRegistrations, workers: DynamoWorkers, known_worker: None
) -> None:
    changed = make_registration()
    workers.erase_registration(REFERENCE)

    assert workers.destroy_personal_fields(changed, destroyed_at=NOW) is False
    with pytest.raises(RegistrationUnknown):
        registrations.get(REFERENCE)
