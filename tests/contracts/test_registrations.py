"""The promises of the intake store: each capture once, one open registration for each worker."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.campaigns.model import CampaignDay
from chalicelib.conflicts import WriteConflict
from chalicelib.crypto.encryption import FieldCipher
from chalicelib.registrations.captures import Outcome
from chalicelib.registrations.errors import RegistrationUnknown
from chalicelib.registrations.intake import (
    CaptureExists,
    PriorState,
    WorkerExists,
    WorkerRecord,
)
from chalicelib.registrations.limits import PhoneCountExceeded, PhoneCountIncrement
from chalicelib.registrations.model import ENDED_STATUSES, Flag, Status
from tests.contracts.conftest import Engine
from tests.support.registration_builders import (
    ANOTHER_REFERENCE,
    FIRST_DAY,
    PHONE_COUNT,
    REFERENCE,
    SECOND_DAY,
    collect_capture_facts,
    make_capture,
    make_capture_metadata,
    make_reference,
    make_registration,
)
from tests.support.registration_stores import RegistrationStores, open_registration_stores

WORKER_RECORD = WorkerRecord(REFERENCE, Status.RECEIVED, has_ended=False)


@pytest.fixture
def stores(engine: Engine, cipher: FieldCipher) -> RegistrationStores:
    return open_registration_stores(engine.client, engine.create_table("RegistrationsTable"), cipher)


def test_a_registration_is_read_as_it_was_added(stores: RegistrationStores) -> None:
    stores.intake.add(make_registration(), make_capture(make_capture_metadata()), PHONE_COUNT)

    assert stores.reading.get(REFERENCE) == make_registration()


def test_a_worker_without_an_e_mail_address_is_read_without_one(
    stores: RegistrationStores,
) -> None:
    stores.intake.add(make_registration(email=None), make_capture(make_capture_metadata()), PHONE_COUNT)

    assert stores.reading.get(REFERENCE).worker.email is None


def test_a_capture_without_an_officer_is_read_without_one(stores: RegistrationStores) -> None:
    without_officer = make_capture_metadata(officer=None)
    stores.intake.add(
        make_registration(capture_metadata=without_officer), make_capture(without_officer), PHONE_COUNT
    )

    assert stores.reading.get(REFERENCE).capture_metadata.officer is None


def test_an_unused_reference_is_unknown(stores: RegistrationStores) -> None:
    with pytest.raises(RegistrationUnknown):
        stores.reading.get(REFERENCE)


def test_a_capture_sent_again_finds_its_first_answer(stores: RegistrationStores) -> None:
    first = make_capture(make_capture_metadata())
    stores.intake.add(make_registration(), first, PHONE_COUNT)

    with pytest.raises(CaptureExists) as known:
        stores.intake.add(
            make_registration(ANOTHER_REFERENCE),
            make_capture(make_capture_metadata(), reference=ANOTHER_REFERENCE),
            PHONE_COUNT,
        )

    assert known.value.capture == first


def test_a_capture_with_the_same_id_stores_no_second_registration(stores: RegistrationStores) -> None:
    stores.intake.add(make_registration(), make_capture(make_capture_metadata()), PHONE_COUNT)

    with pytest.raises(CaptureExists):
        stores.intake.add(
            make_registration(ANOTHER_REFERENCE, worker_key="someone else"),
            make_capture(make_capture_metadata()),
            PHONE_COUNT,
        )

    with pytest.raises(RegistrationUnknown):
        stores.reading.get(ANOTHER_REFERENCE)


def test_a_worker_with_an_open_registration_is_reported_with_its_reference(
    stores: RegistrationStores,
) -> None:
    stores.intake.add(make_registration(), make_capture(make_capture_metadata()), PHONE_COUNT)

    with pytest.raises(WorkerExists) as known:
        stores.intake.add(
            make_registration(ANOTHER_REFERENCE), make_capture(make_capture_metadata(2)), PHONE_COUNT
        )

    assert (known.value.worker_record.reference, known.value.worker_record.status) == (
        REFERENCE,
        Status.RECEIVED,
    )
    assert not known.value.worker_record.has_ended


def test_a_known_worker_stores_neither_capture_nor_registration(stores: RegistrationStores) -> None:
    stores.intake.add(make_registration(), make_capture(make_capture_metadata()), PHONE_COUNT)

    with pytest.raises(WorkerExists):
        stores.intake.add(
            make_registration(ANOTHER_REFERENCE), make_capture(make_capture_metadata(2)), PHONE_COUNT
        )

    with pytest.raises(RegistrationUnknown):
        stores.reading.get(ANOTHER_REFERENCE)
    assert len(list(collect_capture_facts(stores.reading, FIRST_DAY))) == 1


def test_a_reference_in_use_is_a_write_conflict(stores: RegistrationStores) -> None:
    stores.intake.add(make_registration(), make_capture(make_capture_metadata()), PHONE_COUNT)

    with pytest.raises(WriteConflict):
        stores.intake.add(
            make_registration(worker_key="another"), make_capture(make_capture_metadata(2)), PHONE_COUNT
        )

    assert stores.reading.get(REFERENCE).capture_metadata == make_capture_metadata()


def test_a_repeat_is_stored_beside_the_registration_it_found(stores: RegistrationStores) -> None:
    stores.intake.add(make_registration(), make_capture(make_capture_metadata()), PHONE_COUNT)

    repeat = make_capture(make_capture_metadata(2), Outcome.ALREADY_REGISTERED)
    stores.intake.add_repeat(repeat, worker_key="worker")

    outcomes = sorted(facts.outcome for facts in collect_capture_facts(stores.reading, FIRST_DAY))
    assert outcomes == [Outcome.ALREADY_REGISTERED, Outcome.CREATED]


def test_a_repeat_sent_again_finds_its_first_answer(stores: RegistrationStores) -> None:
    stores.intake.add(make_registration(), make_capture(make_capture_metadata()), PHONE_COUNT)
    repeat = make_capture(make_capture_metadata(2), Outcome.ALREADY_REGISTERED)
    stores.intake.add_repeat(repeat, worker_key="worker")

    with pytest.raises(CaptureExists) as known:
        stores.intake.add_repeat(repeat, worker_key="worker")

    assert known.value.capture == repeat


def test_a_repeat_of_a_registration_that_is_not_the_open_one_is_not_stored(
    stores: RegistrationStores,
) -> None:
    stores.intake.add(make_registration(), make_capture(make_capture_metadata()), PHONE_COUNT)

    stale = make_capture(make_capture_metadata(2), Outcome.ALREADY_REGISTERED, reference=ANOTHER_REFERENCE)
    with pytest.raises(WriteConflict):
        stores.intake.add_repeat(stale, worker_key="worker")

    assert len(list(collect_capture_facts(stores.reading, FIRST_DAY))) == 1


def test_a_repeat_of_a_worker_with_no_open_registration_is_not_stored(
    stores: RegistrationStores,
) -> None:
    with pytest.raises(WriteConflict):
        stores.intake.add_repeat(
            make_capture(make_capture_metadata(), Outcome.ALREADY_REGISTERED), worker_key="worker"
        )

    assert list(collect_capture_facts(stores.reading, FIRST_DAY)) == []


def test_a_repeat_without_an_answer_is_an_error(stores: RegistrationStores) -> None:
    with pytest.raises(ValueError, match="has no registration"):
        stores.intake.add_repeat(make_capture(make_capture_metadata(), Outcome.REFUSED), worker_key="worker")


def test_a_refused_capture_is_counted_as_refused(stores: RegistrationStores) -> None:
    stores.intake.add_refusal(make_capture(make_capture_metadata(), Outcome.REFUSED), is_on_campaign_day=True)

    assert [facts.outcome for facts in collect_capture_facts(stores.reading, FIRST_DAY)] == [Outcome.REFUSED]


def test_a_refused_capture_sent_again_is_counted_once(stores: RegistrationStores) -> None:
    for _ in range(2):
        stores.intake.add_refusal(
            make_capture(make_capture_metadata(), Outcome.REFUSED), is_on_campaign_day=True
        )

    assert len(list(collect_capture_facts(stores.reading, FIRST_DAY))) == 1


def test_a_capture_refused_for_its_day_is_known_but_counted_on_no_day(
    stores: RegistrationStores,
) -> None:
    stores.intake.add_refusal(
        make_capture(make_capture_metadata(), Outcome.REFUSED), is_on_campaign_day=False
    )
    assert list(collect_capture_facts(stores.reading, FIRST_DAY)) == []

    stores.intake.add(make_registration(), make_capture(make_capture_metadata()), PHONE_COUNT)
    assert [facts.outcome for facts in collect_capture_facts(stores.reading, FIRST_DAY)] == [Outcome.CREATED]


def test_a_corrected_capture_replaces_the_refused_one(stores: RegistrationStores) -> None:
    stores.intake.add_refusal(
        make_capture(make_capture_metadata(), Outcome.REFUSED, fingerprint="mistyped"),
        is_on_campaign_day=True,
    )

    stores.intake.add(
        make_registration(), make_capture(make_capture_metadata(), fingerprint="corrected"), PHONE_COUNT
    )

    assert [facts.outcome for facts in collect_capture_facts(stores.reading, FIRST_DAY)] == [Outcome.CREATED]


def test_a_corrected_capture_of_a_known_worker_replaces_the_refused_one(
    stores: RegistrationStores,
) -> None:
    stores.intake.add(make_registration(), make_capture(make_capture_metadata()), PHONE_COUNT)
    stores.intake.add_refusal(
        make_capture(make_capture_metadata(2), Outcome.REFUSED, fingerprint="mistyped"),
        is_on_campaign_day=True,
    )

    corrected = make_capture(make_capture_metadata(2), Outcome.ALREADY_REGISTERED, fingerprint="corrected")
    stores.intake.add_repeat(corrected, worker_key="worker")

    outcomes = sorted(facts.outcome for facts in collect_capture_facts(stores.reading, FIRST_DAY))
    assert outcomes == [Outcome.ALREADY_REGISTERED, Outcome.CREATED]


def test_a_corrected_capture_of_another_day_is_counted_on_that_day_only(
    stores: RegistrationStores,
) -> None:
    stores.intake.add_refusal(make_capture(make_capture_metadata(), Outcome.REFUSED), is_on_campaign_day=True)

    moved = make_capture_metadata(
        day=SECOND_DAY.day, captured_at=make_capture_metadata().captured_at + timedelta(days=1)
    )
    stores.intake.add(make_registration(capture_metadata=moved), make_capture(moved), PHONE_COUNT)

    assert list(collect_capture_facts(stores.reading, FIRST_DAY)) == []
    assert [facts.outcome for facts in collect_capture_facts(stores.reading, SECOND_DAY)] == [Outcome.CREATED]


@pytest.mark.parametrize("outcome", [Outcome.CREATED, Outcome.ALREADY_REGISTERED])
def test_an_accepted_capture_is_never_overwritten_by_a_refusal(
    stores: RegistrationStores, outcome: Outcome
) -> None:
    stores.intake.add(make_registration(), make_capture(make_capture_metadata(9)), PHONE_COUNT)
    accepted = make_capture(make_capture_metadata(), outcome, reference=ANOTHER_REFERENCE)
    if outcome is Outcome.CREATED:
        stores.intake.add(make_registration(ANOTHER_REFERENCE, worker_key="another"), accepted, PHONE_COUNT)
    else:
        accepted = make_capture(make_capture_metadata(), outcome)
        stores.intake.add_repeat(accepted, worker_key="worker")

    with pytest.raises(CaptureExists) as known:
        stores.intake.add_refusal(
            make_capture(make_capture_metadata(), Outcome.REFUSED, fingerprint="refused"),
            is_on_campaign_day=True,
        )

    assert known.value.capture == accepted
    assert Outcome.REFUSED not in [
        facts.outcome for facts in collect_capture_facts(stores.reading, FIRST_DAY)
    ]


def test_a_day_holds_neither_the_next_day_nor_another_campaign(stores: RegistrationStores) -> None:
    elsewhere = make_capture_metadata(2, campaign_id="tanah-abang-2025")
    tomorrow = make_capture_metadata(3, day=SECOND_DAY.day)
    for metadata in (make_capture_metadata(1), elsewhere, tomorrow):
        stores.intake.add_refusal(make_capture(metadata, Outcome.REFUSED), is_on_campaign_day=True)

    assert len(list(collect_capture_facts(stores.reading, FIRST_DAY))) == 1
    assert (
        len(list(collect_capture_facts(stores.reading, CampaignDay("tanah-abang-2025", FIRST_DAY.day)))) == 1
    )


def test_the_facts_of_a_capture_are_read_as_they_were_stored(stores: RegistrationStores) -> None:
    capture = make_capture(make_capture_metadata(), occupations=("porter", "tailor"))
    stores.intake.add(make_registration(), capture, PHONE_COUNT)

    assert list(collect_capture_facts(stores.reading, FIRST_DAY)) == [capture.facts]


def count_phone(
    limit: int, *, key: str = "phone", campaign_day: CampaignDay = FIRST_DAY
) -> PhoneCountIncrement:
    return PhoneCountIncrement(key, campaign_day.day, limit=limit)


def test_a_phone_number_is_counted_once_a_registration(stores: RegistrationStores) -> None:
    for number in (1, 2):
        stores.intake.add(
            make_registration(make_reference(number), worker_key=f"worker {number}"),
            make_capture(make_capture_metadata(number)),
            count_phone(limit=2),
        )

    with pytest.raises(PhoneCountExceeded) as exceeded:
        stores.intake.add(make_registration(), make_capture(make_capture_metadata(3)), count_phone(limit=2))

    assert exceeded.value.phone_count == 2
    assert len(list(collect_capture_facts(stores.reading, FIRST_DAY))) == 2
    with pytest.raises(RegistrationUnknown):
        stores.reading.get(REFERENCE)


def test_each_phone_number_and_each_day_has_a_count_of_its_own(stores: RegistrationStores) -> None:
    increments = [count_phone(1), count_phone(1, key="another"), count_phone(1, campaign_day=SECOND_DAY)]
    for number, each in enumerate(increments):
        stores.intake.add(
            make_registration(make_reference(number), worker_key=f"worker {number}"),
            make_capture(make_capture_metadata(number)),
            each,
        )

    found = [
        stores.intake.read_prior_state("nobody", phone_key=each.phone_key, day=each.day)
        for each in increments
    ]
    assert [each.phone_count for each in found] == [1, 1, 1]


def test_a_capture_sent_again_is_known_even_if_its_phone_number_is_at_its_limit(
    stores: RegistrationStores,
) -> None:
    first = make_capture(make_capture_metadata())
    stores.intake.add(make_registration(), first, count_phone(limit=1))

    with pytest.raises(CaptureExists) as known:
        stores.intake.add(
            make_registration(ANOTHER_REFERENCE), make_capture(make_capture_metadata()), count_phone(limit=1)
        )

    assert known.value.capture == first
    assert stores.intake.read_prior_state("worker", phone_key="phone", day=FIRST_DAY.day).phone_count == 1


def test_a_known_worker_is_known_even_if_the_phone_number_is_at_its_limit(
    stores: RegistrationStores,
) -> None:
    stores.intake.add(make_registration(), make_capture(make_capture_metadata()), count_phone(limit=1))

    with pytest.raises(WorkerExists):
        stores.intake.add(
            make_registration(ANOTHER_REFERENCE), make_capture(make_capture_metadata(2)), count_phone(limit=1)
        )


def test_the_prior_state_is_the_worker_record_and_the_count_of_the_phone_number(
    stores: RegistrationStores,
) -> None:
    before = stores.intake.read_prior_state("worker", phone_key="phone", day=FIRST_DAY.day)
    stores.intake.add(make_registration(), make_capture(make_capture_metadata()), PHONE_COUNT)

    assert before == PriorState(worker_record=None, phone_count=0)
    after = stores.intake.read_prior_state("worker", phone_key="phone", day=FIRST_DAY.day)
    assert after == PriorState(worker_record=WORKER_RECORD, phone_count=1)


def test_flags_are_read_with_a_registration_and_with_the_facts(
    stores: RegistrationStores,
) -> None:
    flags = (Flag.CLIENT_BUSY, Flag.PHONE_BUSY)
    capture = make_capture(make_capture_metadata())
    stores.intake.add(
        replace(make_registration(), flags=flags),
        replace(capture, facts=replace(capture.facts, flags=flags)),
        PHONE_COUNT,
    )

    assert stores.reading.get(REFERENCE).flags == flags
    assert [facts.flags for facts in collect_capture_facts(stores.reading, FIRST_DAY)] == [flags]


def test_a_capture_is_found_by_its_id(stores: RegistrationStores) -> None:
    capture = make_capture(make_capture_metadata())
    stores.intake.add(make_registration(), capture, PHONE_COUNT)

    assert stores.intake.find_capture(make_capture_metadata().capture_id) == capture
    assert stores.intake.find_capture(make_capture_metadata(2).capture_id) is None


def test_a_public_capture_of_a_new_worker_makes_a_registration(stores: RegistrationStores) -> None:
    stores.intake.add_public(make_registration(), make_capture(make_capture_metadata()), PHONE_COUNT, None)

    assert stores.reading.get(REFERENCE) == make_registration()
    assert stores.intake.read_prior_state("worker", phone_key="phone", day=FIRST_DAY.day) == PriorState(
        WORKER_RECORD, 1
    )


def test_a_public_capture_of_a_known_worker_changes_only_the_counts(
    stores: RegistrationStores,
) -> None:
    stores.intake.add(make_registration(), make_capture(make_capture_metadata()), PHONE_COUNT)

    repeat = make_capture(make_capture_metadata(2), Outcome.ALREADY_REGISTERED)
    stores.intake.add_public(make_registration(ANOTHER_REFERENCE), repeat, PHONE_COUNT, WORKER_RECORD)

    with pytest.raises(RegistrationUnknown):
        stores.reading.get(ANOTHER_REFERENCE)
    assert stores.intake.find_capture(make_capture_metadata(2).capture_id) == repeat
    assert stores.intake.read_prior_state("worker", phone_key="phone", day=FIRST_DAY.day) == PriorState(
        WORKER_RECORD, 2
    )


def test_a_public_capture_sends_the_same_request_for_known_and_new_workers(
    stores: RegistrationStores, engine: Engine
) -> None:
    sent = []
    engine.client.meta.events.register(
        "before-sign.dynamodb.TransactWriteItems",
        lambda request, **_: sent.append(json.loads(request.data)["TransactItems"]),
    )
    stores.intake.add_public(make_registration(), make_capture(make_capture_metadata()), PHONE_COUNT, None)
    repeat = make_capture(make_capture_metadata(2), Outcome.ALREADY_REGISTERED)
    stores.intake.add_public(make_registration(ANOTHER_REFERENCE), repeat, PHONE_COUNT, WORKER_RECORD)

    new, known = sent
    assert (
        [list(each) for each in new]
        == [list(each) for each in known]
        == [["Put"]] * 3 + [["Update"], ["Put"]]
    )
    sizes = [len(json.dumps(each)) for each in sent]
    assert abs(sizes[0] - sizes[1]) < 400  # bytes: the condition on the worker record, and the outcome


def collect_characters(value: dict[str, Any]) -> set[str]:
    """Return every character of an attribute value."""
    ((kind, inner),) = value.items()
    if kind == "BOOL":
        return set()
    if kind in "LM":
        return set().union(*(collect_characters(each) for each in (inner if kind == "L" else inner.values())))
    return set(inner.decode() if kind == "B" else str(inner))


def test_a_decoy_has_no_content_and_expires(stores: RegistrationStores, engine: Engine) -> None:
    stores.intake.add(make_registration(), make_capture(make_capture_metadata()), PHONE_COUNT)
    repeat = make_capture(make_capture_metadata(2), Outcome.ALREADY_REGISTERED)
    stores.intake.add_public(make_registration(ANOTHER_REFERENCE), repeat, PHONE_COUNT, WORKER_RECORD)

    (decoy,) = [item for item in engine.scan_items() if item["sk"] == {"S": "DECOY"}]
    assert "expires_at" in decoy
    assert collect_characters(decoy["decoy"]) <= {"-", "0", "\0"}
    indexes = {"day_shard", "status_shard", "due_shard", "client_id"}
    assert not indexes & decoy.keys()


@pytest.mark.parametrize("status", [Status.AWAITING_PAYMENT, Status.CANCELLED])
def test_a_public_capture_is_not_stored_if_the_worker_record_has_changed(
    stores: RegistrationStores, status: Status
) -> None:
    stores.intake.add(make_registration(), make_capture(make_capture_metadata()), PHONE_COUNT)
    moved = replace(
        make_registration(), lifecycle=replace(make_registration().lifecycle, status=status, version=2)
    )
    stores.lifecycle.replace(moved, previous=make_registration())

    repeat = make_capture(make_capture_metadata(2), Outcome.ALREADY_REGISTERED)
    with pytest.raises(WorkerExists) as known:
        stores.intake.add_public(make_registration(ANOTHER_REFERENCE), repeat, PHONE_COUNT, WORKER_RECORD)

    assert known.value.worker_record == replace(
        WORKER_RECORD, status=status, has_ended=status in ENDED_STATUSES
    )
    assert stores.intake.find_capture(make_capture_metadata(2).capture_id) is None


def test_a_public_capture_of_an_erased_worker_is_not_stored(stores: RegistrationStores) -> None:
    repeat = make_capture(make_capture_metadata(2), Outcome.ALREADY_REGISTERED)
    with pytest.raises(WriteConflict):
        stores.intake.add_public(make_registration(), repeat, PHONE_COUNT, WORKER_RECORD)

    assert stores.intake.find_capture(make_capture_metadata(2).capture_id) is None
