"""What any store of workers' trails promises: it leads to every record, and forgotten is forgotten."""

from datetime import timedelta

import pytest

from chalicelib.privacy.encryption import FieldCipher
from chalicelib.registrations.dynamodb import DynamoRegistrations, DynamoWorkers
from chalicelib.registrations.erasing import CaptureLink, Trail
from chalicelib.registrations.errors import CaptureForgotten, RegistrationDestroyed, RegistrationUnknown
from chalicelib.registrations.model import Outcome
from chalicelib.wiring import new_write_id
from tests.builders import NOW
from tests.contracts.conftest import Engine
from tests.contracts.stored import (
    A_PHONE,
    ANOTHER_REFERENCE,
    FIRST_DAY,
    REFERENCE,
    a_capture_of,
    a_registration,
    captures_of,
    taken,
)


@pytest.fixture
def table(engine: Engine) -> str:
    return engine.table("RegistrationsTable")


@pytest.fixture
def registrations(engine: Engine, table: str, cipher: FieldCipher) -> DynamoRegistrations:
    return DynamoRegistrations(engine.client, table, cipher)


@pytest.fixture
def workers(engine: Engine, table: str, cipher: FieldCipher) -> DynamoWorkers:
    return DynamoWorkers(engine.client, table, cipher, new_id=new_write_id)


LINKS = tuple(CaptureLink(taken(number).capture_id, REFERENCE) for number in (1, 2))


@pytest.fixture
def known(registrations: DynamoRegistrations) -> None:
    registrations.add(a_registration(), a_capture_of(taken()), A_PHONE)
    registrations.add_repeat(a_capture_of(taken(2), Outcome.ALREADY_REGISTERED), worker_key="worker")


def test_a_trail_leads_to_the_registration_and_to_every_capture(workers: DynamoWorkers, known: None) -> None:
    assert workers.trail("worker") == Trail(REFERENCE, LINKS)
    assert workers.trail("nobody") == Trail(None, ())
    assert workers.capture(LINKS[0].capture_id) == a_capture_of(taken())


def test_a_forgotten_capture_is_counted_and_never_taken_in_again(
    registrations: DynamoRegistrations, workers: DynamoWorkers, known: None
) -> None:
    before = sorted(captures_of(registrations, FIRST_DAY), key=str)
    for _ in range(2):
        workers.forget_capture("worker", LINKS[0])

    assert sorted(captures_of(registrations, FIRST_DAY), key=str) == before
    assert workers.trail("worker") == Trail(REFERENCE, LINKS[1:])
    with pytest.raises(CaptureForgotten):
        workers.capture(LINKS[0].capture_id)
    with pytest.raises(CaptureForgotten):
        registrations.add(
            a_registration(ANOTHER_REFERENCE, worker_key="other"), a_capture_of(taken()), A_PHONE
        )
    with pytest.raises(CaptureForgotten):
        registrations.add_repeat(a_capture_of(taken(), Outcome.ALREADY_REGISTERED), worker_key="worker")
    with pytest.raises(CaptureForgotten):
        registrations.add_refusal(a_capture_of(taken(), Outcome.REFUSED), on_campaign_day=True)


def test_a_worker_is_forgotten_only_while_that_registration_is_the_latest(
    workers: DynamoWorkers, known: None
) -> None:
    workers.forget_worker("worker", ANOTHER_REFERENCE)
    assert workers.trail("worker").latest == REFERENCE

    for _ in range(2):
        workers.forget_worker("worker", REFERENCE)
    assert workers.trail("worker").latest is None


def test_a_registration_that_was_removed_is_unknown(
    registrations: DynamoRegistrations, workers: DynamoWorkers, known: None
) -> None:
    for _ in range(2):
        workers.remove(REFERENCE)

    with pytest.raises(RegistrationUnknown):
        registrations.get(REFERENCE)


def test_a_destroyed_registration_is_known_to_have_been_destroyed_and_listed_nowhere(
    registrations: DynamoRegistrations, workers: DynamoWorkers, known: None
) -> None:
    assert workers.destroy(a_registration(), at=NOW) is True

    with pytest.raises(RegistrationDestroyed):
        registrations.get(REFERENCE)
    assert list(registrations.registered_on(FIRST_DAY, after=None, size=9).rows) == []
    assert list(registrations.due(NOW.date() + timedelta(days=99))) == []
    assert list(workers.ended_by(NOW + timedelta(days=99))) == []


def test_a_registration_that_was_changed_meanwhile_is_not_destroyed(
    registrations: DynamoRegistrations, workers: DynamoWorkers, known: None
) -> None:
    changed = a_registration()
    workers.remove(REFERENCE)

    assert workers.destroy(changed, at=NOW) is False
    with pytest.raises(RegistrationUnknown):
        registrations.get(REFERENCE)
