"""What any store of captures and registrations promises: each capture once, each worker open once."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.campaigns.model import CampaignDay
from chalicelib.crypto.encryption import FieldCipher
from chalicelib.registrations.errors import RegistrationUnknown
from chalicelib.registrations.intake import (
    CaptureExists,
    PhoneCountExceeded,
    PhoneCountIncrement,
    PriorState,
    WorkerExists,
    WorkerRecord,
    WriteConflict,
)
from chalicelib.registrations.model import Flag, Outcome
from chalicelib.registrations.states import ENDED_STATUSES, Status
from chalicelib.registrations.store import DynamoRegistrations
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

STANDING = WorkerRecord(REFERENCE, Status.RECEIVED, has_ended=False)


@pytest.fixture
def registrations(engine: Engine, cipher: FieldCipher) -> DynamoRegistrations:
    return DynamoRegistrations(engine.client, engine.create_table("RegistrationsTable"), cipher)


def test_a_registration_comes_back_as_it_was_added(registrations: DynamoRegistrations) -> None:
    registrations.add(make_registration(), make_capture(make_capture_metadata()), PHONE_COUNT)

    assert registrations.get(REFERENCE) == make_registration()


def test_a_worker_without_an_e_mail_address_comes_back_without_one(
    registrations: DynamoRegistrations,
) -> None:
    registrations.add(make_registration(email=None), make_capture(make_capture_metadata()), PHONE_COUNT)

    assert registrations.get(REFERENCE).worker.email is None


def test_a_capture_without_an_officer_comes_back_without_one(registrations: DynamoRegistrations) -> None:
    nobody = make_capture_metadata(officer=None)
    registrations.add(make_registration(capture_metadata=nobody), make_capture(nobody), PHONE_COUNT)

    assert registrations.get(REFERENCE).capture_metadata.officer is None


def test_nobody_has_a_reference_that_was_never_given(registrations: DynamoRegistrations) -> None:
    with pytest.raises(RegistrationUnknown):
        registrations.get(REFERENCE)


def test_a_capture_sent_again_finds_what_its_first_send_was_told(registrations: DynamoRegistrations) -> None:
    first = make_capture(make_capture_metadata())
    registrations.add(make_registration(), first, PHONE_COUNT)

    with pytest.raises(CaptureExists) as known:
        registrations.add(
            make_registration(ANOTHER_REFERENCE),
            make_capture(make_capture_metadata(), reference=ANOTHER_REFERENCE),
            PHONE_COUNT,
        )

    assert known.value.capture == first


def test_a_capture_with_the_same_id_stores_no_second_registration(registrations: DynamoRegistrations) -> None:
    registrations.add(make_registration(), make_capture(make_capture_metadata()), PHONE_COUNT)

    with pytest.raises(CaptureExists):
        registrations.add(
            make_registration(ANOTHER_REFERENCE, worker_key="someone else"),
            make_capture(make_capture_metadata()),
            PHONE_COUNT,
        )

    with pytest.raises(RegistrationUnknown):
        registrations.get(ANOTHER_REFERENCE)


def test_a_worker_with_an_open_registration_is_told_its_reference(registrations: DynamoRegistrations) -> None:
    registrations.add(make_registration(), make_capture(make_capture_metadata()), PHONE_COUNT)

    with pytest.raises(WorkerExists) as known:
        registrations.add(
            make_registration(ANOTHER_REFERENCE), make_capture(make_capture_metadata(2)), PHONE_COUNT
        )

    assert (known.value.worker_record.reference, known.value.worker_record.status) == (
        REFERENCE,
        Status.RECEIVED,
    )
    assert not known.value.worker_record.has_ended


def test_a_known_worker_leaves_neither_capture_nor_registration(registrations: DynamoRegistrations) -> None:
    registrations.add(make_registration(), make_capture(make_capture_metadata()), PHONE_COUNT)

    with pytest.raises(WorkerExists):
        registrations.add(
            make_registration(ANOTHER_REFERENCE), make_capture(make_capture_metadata(2)), PHONE_COUNT
        )

    with pytest.raises(RegistrationUnknown):
        registrations.get(ANOTHER_REFERENCE)
    assert len(list(collect_capture_facts(registrations, FIRST_DAY))) == 1


def test_a_reference_that_is_taken_is_a_reason_to_try_another_one(registrations: DynamoRegistrations) -> None:
    registrations.add(make_registration(), make_capture(make_capture_metadata()), PHONE_COUNT)

    with pytest.raises(WriteConflict):
        registrations.add(
            make_registration(worker_key="another"), make_capture(make_capture_metadata(2)), PHONE_COUNT
        )

    assert registrations.get(REFERENCE).capture_metadata == make_capture_metadata()


def test_a_repeat_is_stored_beside_the_registration_it_found(registrations: DynamoRegistrations) -> None:
    registrations.add(make_registration(), make_capture(make_capture_metadata()), PHONE_COUNT)

    repeat = make_capture(make_capture_metadata(2), Outcome.ALREADY_REGISTERED)
    registrations.add_repeat(repeat, worker_key="worker")

    outcomes = sorted(facts.outcome for facts in collect_capture_facts(registrations, FIRST_DAY))
    assert outcomes == [Outcome.ALREADY_REGISTERED, Outcome.CREATED]


def test_a_repeat_sent_again_finds_what_its_first_send_was_told(registrations: DynamoRegistrations) -> None:
    registrations.add(make_registration(), make_capture(make_capture_metadata()), PHONE_COUNT)
    repeat = make_capture(make_capture_metadata(2), Outcome.ALREADY_REGISTERED)
    registrations.add_repeat(repeat, worker_key="worker")

    with pytest.raises(CaptureExists) as known:
        registrations.add_repeat(repeat, worker_key="worker")

    assert known.value.capture == repeat


def test_a_repeat_of_a_registration_that_is_not_the_open_one_is_not_stored(
    registrations: DynamoRegistrations,
) -> None:
    registrations.add(make_registration(), make_capture(make_capture_metadata()), PHONE_COUNT)

    stale = make_capture(make_capture_metadata(2), Outcome.ALREADY_REGISTERED, reference=ANOTHER_REFERENCE)
    with pytest.raises(WriteConflict):
        registrations.add_repeat(stale, worker_key="worker")

    assert len(list(collect_capture_facts(registrations, FIRST_DAY))) == 1


def test_a_repeat_of_a_worker_with_no_open_registration_is_not_stored(
    registrations: DynamoRegistrations,
) -> None:
    with pytest.raises(WriteConflict):
        registrations.add_repeat(
            make_capture(make_capture_metadata(), Outcome.ALREADY_REGISTERED), worker_key="worker"
        )

    assert list(collect_capture_facts(registrations, FIRST_DAY)) == []


def test_a_repeat_that_names_no_registration_is_a_fault_of_ours(registrations: DynamoRegistrations) -> None:
    with pytest.raises(ValueError, match="names a registration"):
        registrations.add_repeat(make_capture(make_capture_metadata(), Outcome.REFUSED), worker_key="worker")


def test_a_refused_capture_is_counted_as_refused(registrations: DynamoRegistrations) -> None:
    registrations.add_refusal(make_capture(make_capture_metadata(), Outcome.REFUSED), on_campaign_day=True)

    assert [facts.outcome for facts in collect_capture_facts(registrations, FIRST_DAY)] == [Outcome.REFUSED]


def test_a_refused_capture_sent_again_is_counted_once(registrations: DynamoRegistrations) -> None:
    for _ in range(2):
        registrations.add_refusal(
            make_capture(make_capture_metadata(), Outcome.REFUSED), on_campaign_day=True
        )

    assert len(list(collect_capture_facts(registrations, FIRST_DAY))) == 1


def test_a_capture_refused_for_its_day_is_known_but_counted_on_no_day(
    registrations: DynamoRegistrations,
) -> None:
    registrations.add_refusal(make_capture(make_capture_metadata(), Outcome.REFUSED), on_campaign_day=False)
    assert list(collect_capture_facts(registrations, FIRST_DAY)) == []

    registrations.add(make_registration(), make_capture(make_capture_metadata()), PHONE_COUNT)
    assert [facts.outcome for facts in collect_capture_facts(registrations, FIRST_DAY)] == [Outcome.CREATED]


def test_a_mended_capture_takes_the_place_of_the_refused_one(registrations: DynamoRegistrations) -> None:
    registrations.add_refusal(
        make_capture(make_capture_metadata(), Outcome.REFUSED, fingerprint="mistyped"), on_campaign_day=True
    )

    registrations.add(
        make_registration(), make_capture(make_capture_metadata(), fingerprint="mended"), PHONE_COUNT
    )

    assert [facts.outcome for facts in collect_capture_facts(registrations, FIRST_DAY)] == [Outcome.CREATED]


def test_a_mended_capture_of_a_known_worker_takes_the_place_of_the_refused_one(
    registrations: DynamoRegistrations,
) -> None:
    registrations.add(make_registration(), make_capture(make_capture_metadata()), PHONE_COUNT)
    registrations.add_refusal(
        make_capture(make_capture_metadata(2), Outcome.REFUSED, fingerprint="mistyped"), on_campaign_day=True
    )

    mended = make_capture(make_capture_metadata(2), Outcome.ALREADY_REGISTERED, fingerprint="mended")
    registrations.add_repeat(mended, worker_key="worker")

    outcomes = sorted(facts.outcome for facts in collect_capture_facts(registrations, FIRST_DAY))
    assert outcomes == [Outcome.ALREADY_REGISTERED, Outcome.CREATED]


def test_a_mended_capture_of_another_day_is_counted_on_that_day_only(
    registrations: DynamoRegistrations,
) -> None:
    registrations.add_refusal(make_capture(make_capture_metadata(), Outcome.REFUSED), on_campaign_day=True)

    moved = make_capture_metadata(
        day=SECOND_DAY.day, captured_at=make_capture_metadata().captured_at + timedelta(days=1)
    )
    registrations.add(make_registration(capture_metadata=moved), make_capture(moved), PHONE_COUNT)

    assert list(collect_capture_facts(registrations, FIRST_DAY)) == []
    assert [facts.outcome for facts in collect_capture_facts(registrations, SECOND_DAY)] == [Outcome.CREATED]


@pytest.mark.parametrize("outcome", [Outcome.CREATED, Outcome.ALREADY_REGISTERED])
def test_an_accepted_capture_is_never_overwritten_by_a_refusal(
    registrations: DynamoRegistrations, outcome: Outcome
) -> None:
    registrations.add(make_registration(), make_capture(make_capture_metadata(9)), PHONE_COUNT)
    accepted = make_capture(make_capture_metadata(), outcome, reference=ANOTHER_REFERENCE)
    if outcome is Outcome.CREATED:
        registrations.add(make_registration(ANOTHER_REFERENCE, worker_key="another"), accepted, PHONE_COUNT)
    else:
        accepted = make_capture(make_capture_metadata(), outcome)
        registrations.add_repeat(accepted, worker_key="worker")

    with pytest.raises(CaptureExists) as known:
        registrations.add_refusal(
            make_capture(make_capture_metadata(), Outcome.REFUSED, fingerprint="refused"),
            on_campaign_day=True,
        )

    assert known.value.capture == accepted
    assert Outcome.REFUSED not in [facts.outcome for facts in collect_capture_facts(registrations, FIRST_DAY)]


def test_a_day_holds_neither_the_next_day_nor_another_campaign(registrations: DynamoRegistrations) -> None:
    elsewhere = make_capture_metadata(2, campaign_id="tanah-abang-2025")
    tomorrow = make_capture_metadata(3, day=SECOND_DAY.day)
    for circumstances in (make_capture_metadata(1), elsewhere, tomorrow):
        registrations.add_refusal(make_capture(circumstances, Outcome.REFUSED), on_campaign_day=True)

    assert len(list(collect_capture_facts(registrations, FIRST_DAY))) == 1
    assert (
        len(list(collect_capture_facts(registrations, CampaignDay("tanah-abang-2025", FIRST_DAY.day)))) == 1
    )


def test_counting_reads_what_was_known_of_each_capture(registrations: DynamoRegistrations) -> None:
    capture = make_capture(make_capture_metadata(), occupations=("porter", "tailor"))
    registrations.add(make_registration(), capture, PHONE_COUNT)

    assert list(collect_capture_facts(registrations, FIRST_DAY)) == [capture.facts]


def phone(below: int, *, key: str = "phone", of: CampaignDay = FIRST_DAY) -> PhoneCountIncrement:
    return PhoneCountIncrement(key, of.day, limit=below)


def test_a_phone_number_is_counted_once_a_registration(registrations: DynamoRegistrations) -> None:
    for number in (1, 2):
        registrations.add(
            make_registration(make_reference(number), worker_key=f"worker {number}"),
            make_capture(make_capture_metadata(number)),
            phone(below=2),
        )

    with pytest.raises(PhoneCountExceeded) as busy:
        registrations.add(make_registration(), make_capture(make_capture_metadata(3)), phone(below=2))

    assert busy.value.phone_count == 2
    assert len(list(collect_capture_facts(registrations, FIRST_DAY))) == 2
    with pytest.raises(RegistrationUnknown):
        registrations.get(REFERENCE)


def test_each_phone_number_and_each_day_is_counted_for_itself(registrations: DynamoRegistrations) -> None:
    counted = [phone(1), phone(1, key="another"), phone(1, of=SECOND_DAY)]
    for number, each in enumerate(counted):
        registrations.add(
            make_registration(make_reference(number), worker_key=f"worker {number}"),
            make_capture(make_capture_metadata(number)),
            each,
        )

    found = [
        registrations.read_prior_state("nobody", phone_key=each.phone_key, day=each.day) for each in counted
    ]
    assert [each.phone_count for each in found] == [1, 1, 1]


def test_a_capture_sent_again_is_answered_even_where_its_phone_number_is_used_up(
    registrations: DynamoRegistrations,
) -> None:
    first = make_capture(make_capture_metadata())
    registrations.add(make_registration(), first, phone(below=1))

    with pytest.raises(CaptureExists) as known:
        registrations.add(
            make_registration(ANOTHER_REFERENCE), make_capture(make_capture_metadata()), phone(below=1)
        )

    assert known.value.capture == first
    assert registrations.read_prior_state("worker", phone_key="phone", day=FIRST_DAY.day).phone_count == 1


def test_a_known_worker_is_known_even_where_the_phone_number_is_used_up(
    registrations: DynamoRegistrations,
) -> None:
    registrations.add(make_registration(), make_capture(make_capture_metadata()), phone(below=1))

    with pytest.raises(WorkerExists):
        registrations.add(
            make_registration(ANOTHER_REFERENCE), make_capture(make_capture_metadata(2)), phone(below=1)
        )


def test_what_is_known_beforehand_is_who_stands_there_and_how_often_a_number_was_given(
    registrations: DynamoRegistrations,
) -> None:
    before = registrations.read_prior_state("worker", phone_key="phone", day=FIRST_DAY.day)
    registrations.add(make_registration(), make_capture(make_capture_metadata()), PHONE_COUNT)

    assert before == PriorState(worker_record=None, phone_count=0)
    after = registrations.read_prior_state("worker", phone_key="phone", day=FIRST_DAY.day)
    assert after == PriorState(worker_record=STANDING, phone_count=1)


def test_flags_come_back_with_a_registration_and_with_what_is_counted(
    registrations: DynamoRegistrations,
) -> None:
    flags = (Flag.CLIENT_BUSY, Flag.PHONE_BUSY)
    capture = make_capture(make_capture_metadata())
    registrations.add(
        replace(make_registration(), flags=flags),
        replace(capture, facts=replace(capture.facts, flags=flags)),
        PHONE_COUNT,
    )

    assert registrations.get(REFERENCE).flags == flags
    assert [facts.flags for facts in collect_capture_facts(registrations, FIRST_DAY)] == [flags]


def test_a_capture_is_found_by_its_id(registrations: DynamoRegistrations) -> None:
    capture = make_capture(make_capture_metadata())
    registrations.add(make_registration(), capture, PHONE_COUNT)

    assert registrations.find_capture(make_capture_metadata().capture_id) == capture
    assert registrations.find_capture(make_capture_metadata(2).capture_id) is None


def test_an_unseen_capture_of_a_new_worker_makes_a_registration(registrations: DynamoRegistrations) -> None:
    registrations.add_public(make_registration(), make_capture(make_capture_metadata()), PHONE_COUNT, None)

    assert registrations.get(REFERENCE) == make_registration()
    assert registrations.read_prior_state("worker", phone_key="phone", day=FIRST_DAY.day) == PriorState(
        STANDING, 1
    )


def test_an_unseen_capture_of_a_known_worker_changes_nothing_but_the_counts(
    registrations: DynamoRegistrations,
) -> None:
    registrations.add(make_registration(), make_capture(make_capture_metadata()), PHONE_COUNT)

    repeat = make_capture(make_capture_metadata(2), Outcome.ALREADY_REGISTERED)
    registrations.add_public(make_registration(ANOTHER_REFERENCE), repeat, PHONE_COUNT, STANDING)

    with pytest.raises(RegistrationUnknown):
        registrations.get(ANOTHER_REFERENCE)
    assert registrations.find_capture(make_capture_metadata(2).capture_id) == repeat
    assert registrations.read_prior_state("worker", phone_key="phone", day=FIRST_DAY.day) == PriorState(
        STANDING, 2
    )


def test_an_unseen_capture_asks_for_as_much_whether_the_worker_is_known_or_not(
    registrations: DynamoRegistrations, engine: Engine
) -> None:
    sent = []
    engine.client.meta.events.register(
        "before-sign.dynamodb.TransactWriteItems",
        lambda request, **_: sent.append(json.loads(request.data)["TransactItems"]),
    )
    registrations.add_public(make_registration(), make_capture(make_capture_metadata()), PHONE_COUNT, None)
    repeat = make_capture(make_capture_metadata(2), Outcome.ALREADY_REGISTERED)
    registrations.add_public(make_registration(ANOTHER_REFERENCE), repeat, PHONE_COUNT, STANDING)

    new, known = sent
    assert (
        [list(each) for each in new]
        == [list(each) for each in known]
        == [["Put"]] * 3 + [["Update"], ["Put"]]
    )
    sizes = [len(json.dumps(each)) for each in sent]
    assert abs(sizes[0] - sizes[1]) < 400  # bytes: the condition on what stands, and the words of the outcome


def said_in(value: dict[str, Any]) -> set[str]:
    """Every character that an attribute value holds."""
    ((kind, inner),) = value.items()
    if kind == "BOOL":
        return set()
    if kind in "LM":
        return set().union(*(said_in(each) for each in (inner if kind == "L" else inner.values())))
    return set(inner.decode() if kind == "B" else str(inner))


def test_what_stands_in_for_a_registration_says_nothing_and_expires(
    registrations: DynamoRegistrations, engine: Engine
) -> None:
    registrations.add(make_registration(), make_capture(make_capture_metadata()), PHONE_COUNT)
    repeat = make_capture(make_capture_metadata(2), Outcome.ALREADY_REGISTERED)
    registrations.add_public(make_registration(ANOTHER_REFERENCE), repeat, PHONE_COUNT, STANDING)

    (blank,) = [item for item in engine.scan_items() if item["sk"] == {"S": "DECOY"}]
    assert "expires_at" in blank
    assert said_in(blank["decoy"]) <= {"-", "0", "\0"}
    indexes = {"day_shard", "status_shard", "due_shard", "client_id"}
    assert not indexes & blank.keys()


@pytest.mark.parametrize("status", [Status.AWAITING_PAYMENT, Status.CANCELLED])
def test_an_unseen_capture_is_not_stored_where_the_worker_has_moved_on(
    registrations: DynamoRegistrations, status: Status
) -> None:
    registrations.add(make_registration(), make_capture(make_capture_metadata()), PHONE_COUNT)
    moved = replace(
        make_registration(), lifecycle=replace(make_registration().lifecycle, status=status, version=2)
    )
    registrations.replace(moved, previous=make_registration())

    repeat = make_capture(make_capture_metadata(2), Outcome.ALREADY_REGISTERED)
    with pytest.raises(WorkerExists) as known:
        registrations.add_public(make_registration(ANOTHER_REFERENCE), repeat, PHONE_COUNT, STANDING)

    assert known.value.worker_record == replace(STANDING, status=status, has_ended=status in ENDED_STATUSES)
    assert registrations.find_capture(make_capture_metadata(2).capture_id) is None


def test_an_unseen_capture_of_a_worker_who_is_gone_is_not_stored(registrations: DynamoRegistrations) -> None:
    repeat = make_capture(make_capture_metadata(2), Outcome.ALREADY_REGISTERED)
    with pytest.raises(WriteConflict):
        registrations.add_public(make_registration(), repeat, PHONE_COUNT, STANDING)

    assert registrations.find_capture(make_capture_metadata(2).capture_id) is None
