"""A repeat and the next version of its registration are stored together, or not at all."""

from contextlib import suppress
from dataclasses import replace

import pytest

from chalicelib.conflicts import WriteConflict
from chalicelib.crypto.encryption import FieldCipher
from chalicelib.registrations.captures import Capture, Outcome
from chalicelib.registrations.model import Registration
from chalicelib.registrations.prior_state import CaptureExists
from tests.contracts.conftest import Engine
from tests.support.builders import NOW
from tests.support.lifecycle_builders import add_payment
from tests.support.registration_builders import (
    FIRST_DAY,
    PHONE_COUNT,
    REFERENCE,
    collect_capture_facts,
    make_capture,
    make_capture_metadata,
    make_registration,
)
from tests.support.registration_stores import RegistrationStores, open_registration_stores

IDENTITY = {"name": "a" * 16, "birth_date": "b" * 16, "phone": "c" * 16}


@pytest.fixture
def stores(engine: Engine, cipher: FieldCipher) -> RegistrationStores:
    stores = open_registration_stores(engine.client, engine.create_table("RegistrationsTable"), cipher)
    registration = replace(make_registration(), identity=IDENTITY)
    stores.intake.add(registration, make_capture(make_capture_metadata()), PHONE_COUNT)
    return stores


def make_repeat() -> Capture:
    repeat = make_capture(make_capture_metadata(2), Outcome.ALREADY_REGISTERED)
    assert repeat.answer is not None
    return replace(
        repeat,
        facts=replace(repeat.facts, differs=("name", "phone")),
        answer=replace(repeat.answer, differs=("name", "phone")),
    )


def add_repeat_event(registration: Registration) -> Registration:
    lifecycle = registration.lifecycle.with_differing_repeat(["name"], occurred_at=NOW, client_id="van-2")
    return replace(registration, lifecycle=lifecycle)


def test_a_repeat_and_the_note_of_it_are_read_back(stores: RegistrationStores) -> None:
    changed = add_repeat_event(stores.reading.get(REFERENCE))

    stores.intake.add_repeat(make_repeat(), worker_key="worker", changed=changed)

    assert stores.reading.get(REFERENCE) == changed
    assert stores.intake.find_registration(REFERENCE) == changed
    assert stores.intake.find_capture(make_capture_metadata(2).capture_id) == make_repeat()


def test_a_repeat_is_not_stored_if_its_registration_changed_in_between(stores: RegistrationStores) -> None:
    registration = stores.reading.get(REFERENCE)
    paid = add_payment(registration)
    stores.lifecycle.replace(paid, previous=registration)

    with pytest.raises(WriteConflict):
        stores.intake.add_repeat(make_repeat(), worker_key="worker", changed=add_repeat_event(registration))

    assert stores.reading.get(REFERENCE) == paid
    assert len(collect_capture_facts(stores.reading, FIRST_DAY)) == 1


def test_a_repeat_that_is_stored_already_notes_nothing(stores: RegistrationStores) -> None:
    registration = stores.reading.get(REFERENCE)
    stores.intake.add_repeat(make_repeat(), worker_key="worker")

    with pytest.raises(CaptureExists):
        stores.intake.add_repeat(make_repeat(), worker_key="worker", changed=add_repeat_event(registration))

    assert stores.reading.get(REFERENCE) == registration


def test_the_hashes_of_the_worker_follow_the_registration(stores: RegistrationStores) -> None:
    registration = stores.reading.get(REFERENCE)
    assert registration.identity == IDENTITY
    corrected = replace(add_repeat_event(registration), identity={**IDENTITY, "name": "d" * 16})

    stores.lifecycle.replace(corrected, previous=registration)

    prior_state = stores.intake.read_prior_state("worker", phone_key="phone", day=FIRST_DAY.day)
    assert prior_state.worker_record is not None
    assert prior_state.worker_record.identity == corrected.identity
    assert stores.reading.get(REFERENCE) == corrected


def test_each_capture_of_the_worker_is_counted(stores: RegistrationStores) -> None:
    for _ in range(2):
        with suppress(CaptureExists):
            stores.intake.add_repeat(make_repeat(), worker_key="worker")

    prior_state = stores.intake.read_prior_state("worker", phone_key="phone", day=FIRST_DAY.day)
    assert prior_state.worker_record is not None
    assert prior_state.worker_record.captures == 2
