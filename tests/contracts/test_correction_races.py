"""Corrections at once with one another, with payments, and with captures of the NIK that they move to.

moto holds no lock across a transaction, so only engines that serve many requests at once can judge these.
"""

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from chalicelib.corrections.errors import CorrectionPending, NikRegistered
from chalicelib.crypto.encryption import FieldCipher
from chalicelib.registrations.corrections import CorrectionState
from chalicelib.registrations.errors import TransitionNotAllowed
from chalicelib.registrations.model import EventType, Registration, Status
from chalicelib.registrations.reported_events import Cancellation
from tests.contracts.conftest import Engine
from tests.contracts.test_lifecycle_races import RACERS, race
from tests.support.correction_stage import CORE, HASHING, CorrectionStage
from tests.support.payloads import make_nik
from tests.support.registration_stores import open_registration_stores

WRONG_NIK, RIGHT_NIK = make_nik(7001), make_nik(7555)


@pytest.fixture
def stage(concurrent_engine: Engine, cipher: FieldCipher) -> CorrectionStage:
    table = concurrent_engine.create_table("RegistrationsTable")
    return CorrectionStage(open_registration_stores(concurrent_engine.client, table, cipher))


def iter_registrations(stage: CorrectionStage) -> Iterator[Registration]:
    for status in Status:
        yield from stage.stores.reading.list_by_status(status, start_after=None, page_size=100).rows


def assert_consistent(stage: CorrectionStage) -> None:
    """Fail unless each worker has one open registration at most, and finds it and its captures."""
    registrations = list(iter_registrations(stage))
    is_open = Counter(each.worker_key for each in registrations if not each.lifecycle.has_ended)
    assert set(is_open.values()) <= {1}
    for each in registrations:
        known = stage.stores.corrections.read_worker(each.worker_key)
        assert known.record is not None
        if not each.lifecycle.has_ended:
            assert (known.record.reference, known.record.has_ended) == (each.reference, False)
            assert known.record.captures == len(known.captures)
        assert (each.capture_metadata.capture_id, each.reference) in known.captures


def test_of_corrections_of_different_fields_at_once_none_is_lost(stage: CorrectionStage) -> None:
    reference = stage.register().reference
    fields: list[dict[str, Any]] = [
        {"name": "Mawar"},
        {"months": 6},
        {"address": "Jalan Lain"},
        {"place": "Blok B"},
        {"phone": None},
    ]

    def correct(number: int) -> str:
        stage.correct(reference, number=number % len(fields), **fields[number % len(fields)])
        return "made"

    assert race(correct) == {"made": RACERS}

    corrected = stage.get(reference)
    assert (corrected.worker.name, corrected.worker.phone, corrected.work.place) == ("Mawar", None, "Blok B")
    assert (corrected.coverage.months, len(corrected.corrections)) == (6, len(fields))
    assert corrected.lifecycle.version == 1 + len(fields)
    assert_consistent(stage)


def test_of_two_values_for_one_field_the_last_stays_and_each_keeps_the_one_before(
    stage: CorrectionStage,
) -> None:
    reference = stage.register().reference
    names = [f"Mawar {letter}" for letter in "ABCDEFGHIJ"]

    def correct(number: int) -> str:
        stage.correct(reference, number=number % len(names), name=names[number % len(names)])
        return "made"

    race(correct)

    corrected = stage.get(reference)
    chain = [each.before["worker.name"] for each in corrected.corrections] + [corrected.worker.name]
    assert (chain[0], sorted(map(str, chain[1:]))) == ("Melati Kusumawati", sorted(names))


def test_a_correction_that_races_a_payment_is_made_before_it_or_requested_after_it(
    stage: CorrectionStage,
) -> None:
    reference = stage.register().reference

    def act(number: int) -> str:
        if number % 2:
            stage.pay(reference)
            return "paid"
        try:
            result = stage.correct(reference, number=number, months=[6, 12][number // 2 % 2])
        except CorrectionPending:
            return "pending"
        return str(result.correction.state) if result.correction else "unchanged"

    results = race(act)

    registration = stage.get(reference)
    assert (registration.lifecycle.status, len(registration.lifecycle.payments)) == (Status.ACTIVE, 1)
    states = Counter(each.state for each in registration.corrections)
    assert states[CorrectionState.APPLIED] == results["applied"]
    assert states[CorrectionState.REQUESTED] == results["requested"] <= 1
    paid_at = [each.event_type for each in registration.lifecycle.history].index(EventType.PAID)
    assert EventType.CORRECTED not in [each.event_type for each in registration.lifecycle.history[paid_at:]]
    # The price is that of the months that stay recorded.
    assert len(registration.quote.months) == registration.coverage.months
    assert_consistent(stage)


def test_a_nik_that_is_moved_onto_one_being_registered_gives_one_open_registration(
    stage: CorrectionStage,
) -> None:
    reference = stage.register().reference

    def act(number: int) -> str:
        if number % 2:
            return str(stage.submit(100 + number, nik=RIGHT_NIK).outcome)
        try:
            stage.correct(reference, nik=RIGHT_NIK)
        except NikRegistered:
            return "refused"
        return "moved"

    results = race(act)

    assert (results["moved"] > 0) is (results["created"] == 0)
    assert results["created"] + results["already_registered"] == RACERS // 2
    assert stage.find_open(WRONG_NIK) == (None if results["moved"] else reference)
    assert_consistent(stage)


def test_captures_of_the_wrong_nik_that_race_the_move_are_found_with_it_or_register_anew(
    stage: CorrectionStage,
) -> None:
    reference = stage.register().reference

    def act(number: int) -> str:
        if number % 4:
            return str(stage.submit(100 + number, nik=WRONG_NIK).outcome)
        stage.correct(reference, nik=RIGHT_NIK)
        return "moved"

    results = race(act)

    assert results["created"] <= 1
    assert results["created"] + results["already_registered"] == RACERS * 3 // 4
    assert stage.find_open(RIGHT_NIK) == reference
    assert_consistent(stage)
    found = [
        stage.stores.corrections.read_worker(HASHING.digest("nik", nik)).captures
        for nik in (WRONG_NIK, RIGHT_NIK)
    ]
    assert sum(map(len, found)) == 1 + RACERS * 3 // 4


def test_two_registrations_that_move_to_one_nik_at_once_become_one_worker_once(
    stage: CorrectionStage,
) -> None:
    references = [stage.register(1).reference, stage.register(2).reference]

    def act(number: int) -> str:
        try:
            stage.correct(references[number % 2], nik=RIGHT_NIK)
        except NikRegistered:
            return "refused"
        return f"moved {number % 2}"

    results = race(act)

    assert sorted(results.values()) == [RACERS // 2, RACERS // 2]
    assert_consistent(stage)


def test_a_correction_that_races_an_end_is_made_before_it_or_refused(stage: CorrectionStage) -> None:
    reference = stage.register().reference

    def act(number: int) -> str:
        try:
            if number == 0:
                stage.lifecycle.cancel(reference, Cancellation(reason="deceased"), caller=CORE)
                return "ended"
            stage.correct(reference, number=number % 5, place=f"Blok {number % 5}")
        except TransitionNotAllowed:
            return "refused"
        return "made"

    race(act)

    lifecycle = stage.get(reference).lifecycle
    assert (lifecycle.status, lifecycle.history[-1].event_type) == (Status.DECEASED, EventType.DECEASED)
