"""Corrections in the registrations table: one transaction each, with all that depends on the values."""

from dataclasses import replace
from datetime import timedelta

import pytest

from chalicelib.conflicts import WriteConflict
from chalicelib.corrections.errors import CorrectionsFull, NikRegistered
from chalicelib.corrections.fields import list_values
from chalicelib.refusals import RulesBroken
from chalicelib.registrations.captures import CaptureFacts
from chalicelib.registrations.correction_writes import CorrectionWrite
from chalicelib.registrations.corrections import MAX_CORRECTIONS, Correction, CorrectionState
from chalicelib.registrations.errors import (
    PhoneCapReached,
    RegistrationSuperseded,
    RegistrationUnknown,
    TransitionNotAllowed,
)
from chalicelib.registrations.model import EventType, Flag, Status
from chalicelib.registrations.reported_events import Cancellation
from tests.contracts.conftest import Engine
from tests.contracts.test_item_sizes import (
    fill_with_payments,
    make_largest_registration,
    measure_registration,
)
from tests.contracts.test_stored_plaintext import dump_items, find_personal_values
from tests.support.builders import NOW
from tests.support.correction_stage import CORE, HASHING, CorrectionStage
from tests.support.item_sizes import MAX_ITEM_BYTES
from tests.support.payloads import make_capture_id, make_nik
from tests.support.registration_builders import FIRST_DAY, collect_capture_facts
from tests.support.registration_stores import RegistrationStores

WRONG_NIK, RIGHT_NIK = make_nik(7001), make_nik(7555)
SPONSORS = [
    {"sponsor_id": "koperasi", "name": "Koperasi", "quota": 1},
    {"sponsor_id": "toko", "name": "Toko"},
]


@pytest.fixture
def stage(stores: RegistrationStores) -> CorrectionStage:
    return CorrectionStage(stores, campaign_changes={"sponsors": SPONSORS})


def list_links(stage: CorrectionStage, nik: str) -> list[str]:
    return sorted(
        each for each, _ in stage.stores.corrections.read_worker(HASHING.digest("nik", nik)).captures
    )


def get_facts(stage: CorrectionStage) -> list[CaptureFacts]:
    return collect_capture_facts(stage.stores.reading, FIRST_DAY)


def test_a_stored_correction_is_read_as_it_was_made(stage: CorrectionStage) -> None:
    reference = stage.register().reference

    result = stage.correct(reference, phone=None, months=6, occupations=["ojek_driver"])

    stored = stage.get(reference)
    assert stored == result.registration
    (correction,) = stored.corrections
    assert dict(correction.before) == {
        "worker.phone": "+6282455507001",
        "work.occupations": ["porter"],
        "coverage.months": 3,
    }
    assert (correction.state, correction.reason) == (CorrectionState.APPLIED, "salah ketik")


def test_what_is_counted_of_the_capture_changes_with_it(stage: CorrectionStage) -> None:
    reference = stage.register().reference
    (before,) = get_facts(stage)

    stage.correct(
        reference,
        nik="3171071204650123",
        birth_date="1965-04-12",
        occupations=["ojek_driver"],
        programmes=["JKK", "JKM", "JHT"],
        payer="sponsor",
        sponsor_id="toko",
        phone=None,
    )

    (after,) = get_facts(stage)
    assert after.neighbours != before.neighbours
    assert after == replace(
        before,
        neighbours=after.neighbours,
        sex="male",
        age="50-59",
        occupations=("ojek_driver",),
        programmes=("JHT", "JKK", "JKM"),
        sponsor="toko",
        is_without_phone=True,
    )


def test_a_worker_moves_to_the_right_nik_with_every_capture(stage: CorrectionStage) -> None:
    reference = stage.register().reference
    stage.submit(2, nik=WRONG_NIK)

    stage.correct(reference, nik=RIGHT_NIK)

    assert (stage.find_open(WRONG_NIK), stage.find_open(RIGHT_NIK)) == (None, reference)
    assert (list_links(stage, WRONG_NIK), list_links(stage, RIGHT_NIK)) == (
        [],
        [make_capture_id(1), make_capture_id(2)],
    )
    record = stage.stores.corrections.read_worker(HASHING.digest("nik", RIGHT_NIK)).record
    assert record is not None
    assert (record.captures, record.identity) == (2, stage.get(reference).identity)
    assert stage.pay(reference).lifecycle.status is Status.ACTIVE


def test_it_follows_the_ended_registration_of_the_right_nik(stage: CorrectionStage) -> None:
    ended = stage.register(2, nik=RIGHT_NIK)
    stage.lifecycle.cancel(ended.reference, Cancellation(reason="other"), caller=CORE)
    reference = stage.register().reference

    stage.correct(reference, nik=RIGHT_NIK)

    assert stage.get(reference).follows == ended.reference
    assert stage.find_open(RIGHT_NIK) == reference
    applications = stage.erasure.list_applications(HASHING.digest("nik", RIGHT_NIK))
    assert [each.reference for each in applications] == [reference, ended.reference]


def test_the_earlier_registration_stays_with_the_nik_that_is_left(stage: CorrectionStage) -> None:
    ended = stage.register(2, nik=WRONG_NIK)
    stage.lifecycle.cancel(ended.reference, Cancellation(reason="other"), caller=CORE)
    reference = stage.submit(1, nik=WRONG_NIK).reference
    assert stage.get(reference).follows == ended.reference

    stage.correct(reference, nik=RIGHT_NIK)

    assert stage.get(reference).follows is None
    assert list_links(stage, WRONG_NIK) == [make_capture_id(2)]
    again = stage.submit(3, nik=WRONG_NIK)
    assert (again.outcome, stage.get(again.reference).follows) == ("reactivated", ended.reference)


def test_a_nik_with_an_open_registration_is_refused_and_nothing_changes(
    engine: Engine, stage: CorrectionStage
) -> None:
    reference = stage.register().reference
    stage.register(2, nik=RIGHT_NIK)
    before = sorted(map(str, engine.scan_items()))

    with pytest.raises(NikRegistered):
        stage.correct(reference, nik=RIGHT_NIK)

    assert sorted(map(str, engine.scan_items())) == before


def test_a_membership_that_has_ended_does_not_move(stage: CorrectionStage) -> None:
    reference = stage.register().reference
    stage.pay(reference)
    stage.clock.advance(timedelta(days=400))
    stage.lifecycle.age(reference)
    stage.lifecycle.age(reference)

    with pytest.raises((TransitionNotAllowed, RulesBroken)):
        stage.correct(reference, caller=CORE, nik=RIGHT_NIK)
    assert stage.correct(reference, caller=CORE, phone=None).registration.lifecycle.status is Status.LAPSED


def test_a_superseded_membership_takes_no_correction(stage: CorrectionStage) -> None:
    reference = stage.register().reference
    stage.pay(reference)
    stage.clock.advance(timedelta(days=400))
    for _ in range(2):
        stage.lifecycle.age(reference)
    stage.submit(2, nik=WRONG_NIK)

    with pytest.raises(RegistrationSuperseded):
        stage.correct(reference, caller=CORE, phone=None)


def test_a_sponsors_place_moves_with_a_correction(stage: CorrectionStage) -> None:
    sponsored = {"coverage": {"payer": "sponsor", "sponsor_id": "koperasi"}}
    first = stage.register(1, **sponsored).reference
    second = stage.register(2).reference

    assert stage.correct(second, payer="sponsor", sponsor_id="koperasi").registration.flags == (
        Flag.SPONSOR_OVER_QUOTA,
    )
    stage.correct(first, number=2, payer="self")
    third = stage.register(3).reference
    stage.correct(second, number=3, sponsor_id="toko")

    assert stage.get(first).coverage.sponsor_id is None
    assert stage.get(second).flags == ()
    assert stage.correct(third, number=4, payer="sponsor", sponsor_id="koperasi").registration.flags == ()
    assert [each.sponsor for each in get_facts(stage)] == [None, "toko", "koperasi"]


def test_a_correction_is_no_way_around_the_cap_of_a_phone(stage: CorrectionStage) -> None:
    flags = []
    for number in range(1, 5):
        reference = stage.register(number).reference
        flags.append(stage.correct(reference, number=number, phone="0824-5550-7999").registration.flags)

    fifth = stage.register(5).reference
    with pytest.raises(PhoneCapReached):
        stage.correct(fifth, phone="0824-5550-7999")

    assert flags == [(), (), (Flag.PHONE_BUSY,), (Flag.PHONE_BUSY,)]
    over = stage.correct(fifth, phone="0824-5550-7999", caller=CORE).registration
    assert over.flags == (Flag.PHONE_OVER_CAP,)
    assert "purpose" not in over.lifecycle.history[-1].detail


def test_a_stale_correction_is_not_stored(stage: CorrectionStage) -> None:
    registration = stage.register()
    corrected = stage.correct(registration.reference, name="Mawar").registration

    with pytest.raises(WriteConflict):
        stage.stores.corrections.apply(CorrectionWrite(corrected, registration))


def test_an_erasure_of_either_nik_takes_what_is_of_that_nik_alone(stage: CorrectionStage) -> None:
    reference = stage.register().reference
    stage.correct(reference, nik=RIGHT_NIK)
    erased_sms: list[str] = []

    stage.erasure.erase(
        HASHING.digest("nik", WRONG_NIK),
        received_before=NOW + timedelta(days=1),
        erase_attached=erased_sms.append,
    )
    assert stage.get(reference).worker_key == HASHING.digest("nik", RIGHT_NIK)
    stage.stores.erasure.erase_registration(reference, HASHING.digest("nik", WRONG_NIK))
    assert stage.find_open(RIGHT_NIK) == reference

    stage.erasure.erase(
        HASHING.digest("nik", RIGHT_NIK),
        received_before=NOW + timedelta(days=1),
        erase_attached=erased_sms.append,
    )
    with pytest.raises(RegistrationUnknown):
        stage.get(reference)
    assert list_links(stage, RIGHT_NIK) == []


def test_values_of_corrections_are_sealed(engine: Engine, stage: CorrectionStage) -> None:
    reference = stage.register(
        nik=make_nik(), worker={"address": "Jalan Contoh 7"}, work={"monthly_income": 2_513_000}
    ).reference
    stage.correct(reference, nik=RIGHT_NIK, name="Mawar", phone=None, monthly_income=9_999_999)
    stage.pay(reference)
    stage.correct(reference, number=2, name="Melati Kusumawati", phone="0824-5550-7001", nik=make_nik())

    assert stage.get(reference).open_correction is not None
    # What is counted of a capture has the sex, and nothing that tells whose it is.
    assert find_personal_values(dump_items(engine.scan_items())) == {"sex"}


def test_the_identity_is_deleted_from_corrections_too_and_an_open_request_for_it_withdrawn(
    engine: Engine, stage: CorrectionStage
) -> None:
    reference = stage.register().reference
    stage.correct(reference, nik=RIGHT_NIK, name="Mawar", address="Jalan Lain")
    stage.pay(reference)
    stage.correct(reference, number=2, birth_date="1985-04-13", name="Melur")

    stage.clock.advance(timedelta(days=91))
    assert "identity_deleted" in stage.lifecycle.age(reference)

    first, second = stage.get(reference).corrections
    assert dict(first.before) == {"worker.name": "Melati Kusumawati"}
    assert (second.state, dict(second.wanted)) == (CorrectionState.WITHDRAWN, {})
    assert [each["sk"]["S"] for each in engine.scan_items() if each["sk"]["S"] == "CORRECTION"] == []
    with pytest.raises(RulesBroken):
        stage.correct(reference, number=3, caller=CORE, nik=WRONG_NIK)
    assert stage.correct(reference, number=3, caller=CORE, name="Melur").registration.worker.name == "Melur"


def make_largest_correction(number: int, fields: tuple[str, ...]) -> Correction:
    """Return a correction of every field, with the longest values and reason."""
    longest = {"worker.name": 100, "worker.address": 300, "worker.email": 254, "work.place": 120}
    return Correction(
        correction_id=make_capture_id(number),
        fingerprint="0" * 64,
        state=CorrectionState.CONFIRMED,
        fields=fields,
        reason="\U00020000" * 200,
        client_id="x" * 64,
        occurred_at=NOW,
        before={field: "\U00020000" * longest[field] if field in longest else "x" * 20 for field in fields},
        decided_by="x" * 64,
        decided_at=NOW,
    )


def test_a_registration_with_every_payment_and_every_correction_fits_and_can_end(
    engine: Engine, stage: CorrectionStage
) -> None:
    registration = stage.register()
    fields = tuple(list_values(registration))
    lifecycle = fill_with_payments(registration.lifecycle)
    for _ in range(MAX_CORRECTIONS):
        for event_type in (EventType.CORRECTION_REQUESTED, EventType.CORRECTED):
            lifecycle = lifecycle.with_correction_event(
                event_type, fields, occurred_at=NOW, client_id="x" * 64
            )
    largest = make_largest_registration()
    full = replace(
        registration,
        worker=largest.worker,
        lifecycle=lifecycle,
        corrections=tuple(make_largest_correction(number, fields) for number in range(MAX_CORRECTIONS)),
    )
    stage.stores.lifecycle.replace(full, previous=registration)

    with pytest.raises(CorrectionsFull):
        stage.correct(registration.reference, number=99, caller=CORE, name="Mawar")
    assert 350_000 < measure_registration(engine) < MAX_ITEM_BYTES - 2_000
    ended = stage.lifecycle.cancel(registration.reference, Cancellation(reason="deceased"), caller=CORE)
    assert ended.lifecycle.history[-1].event_type is EventType.DECEASED
    stage.stores.erasure.erase_registration(registration.reference, registration.worker_key)
