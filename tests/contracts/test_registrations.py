"""The promises of the intake store: each capture once, one open registration for each worker."""

from dataclasses import replace

import pytest

from chalicelib.campaigns.model import CampaignDay
from chalicelib.conflicts import WriteConflict
from chalicelib.registrations.captures import Outcome
from chalicelib.registrations.errors import RegistrationUnknown
from chalicelib.registrations.limits import PhoneCountExceeded, PhoneCountIncrement
from chalicelib.registrations.model import Flag, Status
from chalicelib.registrations.prior_state import (
    CaptureExists,
    PriorState,
    WorkerExists,
    WorkerRecord,
)
from tests.support.registration_builders import (
    ANOTHER_REFERENCE,
    FIRST_DAY,
    PHONE_COUNT,
    REFERENCE,
    REFUSALS_EXPIRE_ON,
    SECOND_DAY,
    collect_capture_facts,
    get_worker,
    make_capture,
    make_capture_metadata,
    make_reference,
    make_registration,
)
from tests.support.registration_stores import RegistrationStores

WORKER_RECORD = WorkerRecord(REFERENCE, Status.RECEIVED, has_ended=False, captures=1)


def test_a_registration_is_read_as_it_was_added(stores: RegistrationStores) -> None:
    stores.intake.add(make_registration(), make_capture(make_capture_metadata()), PHONE_COUNT)

    assert stores.reading.get(REFERENCE) == make_registration()


def test_a_worker_without_an_e_mail_address_is_read_without_one(
    stores: RegistrationStores,
) -> None:
    stores.intake.add(make_registration(email=None), make_capture(make_capture_metadata()), PHONE_COUNT)

    assert get_worker(stores.reading.get(REFERENCE)).email is None


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


def test_a_day_holds_neither_the_next_day_nor_another_campaign(stores: RegistrationStores) -> None:
    elsewhere = make_capture_metadata(2, campaign_id="tanah-abang-2025")
    tomorrow = make_capture_metadata(3, day=SECOND_DAY.day)
    for metadata in (make_capture_metadata(1), elsewhere, tomorrow):
        stores.intake.add_refusal(
            make_capture(metadata, Outcome.REFUSED), is_on_campaign_day=True, expires_on=REFUSALS_EXPIRE_ON
        )

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


def test_a_phone_number_at_its_limit_is_reported_whether_the_worker_is_known_or_not(
    stores: RegistrationStores,
) -> None:
    stores.intake.add(make_registration(), make_capture(make_capture_metadata()), count_phone(limit=1))

    for number, worker_key in ((2, "worker"), (3, "another")):
        with pytest.raises(PhoneCountExceeded) as exceeded:
            stores.intake.add(
                make_registration(ANOTHER_REFERENCE, worker_key=worker_key),
                make_capture(make_capture_metadata(number)),
                count_phone(limit=1),
            )
        assert exceeded.value.phone_count == 1


def test_a_repeat_counts_the_phone_number_up_to_the_limit(stores: RegistrationStores) -> None:
    stores.intake.add(make_registration(), make_capture(make_capture_metadata()), count_phone(limit=2))
    for number in (2, 3):
        repeat = make_capture(make_capture_metadata(number), Outcome.ALREADY_REGISTERED)
        if number == 2:
            stores.intake.add_repeat(repeat, worker_key="worker", phone_increment=count_phone(limit=2))
            continue
        with pytest.raises(PhoneCountExceeded):
            stores.intake.add_repeat(repeat, worker_key="worker", phone_increment=count_phone(limit=2))

    assert len(collect_capture_facts(stores.reading, FIRST_DAY)) == 2


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
