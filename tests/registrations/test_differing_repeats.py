"""A repeated capture that differs from what is recorded: told to officers, kept, and flagged."""

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.callers import Role
from chalicelib.crypto.hashing import HashKey, KeyedHash
from chalicelib.registrations.captures import IDENTITY_FIELDS, Outcome
from chalicelib.registrations.model import EventType, Flag
from chalicelib.registrations.repeats import (
    MAX_RECORDED_REPEATS,
    PERSON_LOOKUP,
    PHONE_LOOKUP,
    delete_person_lookup,
    find_differences,
    hash_identity,
    read_lookups,
)
from chalicelib.registrations.reported_events import Payment, VerificationResult
from tests.registrations.conftest import CORE_CALLER, RegistrationHarness
from tests.support.builders import NOW, make_caller
from tests.support.concurrent_writer import with_concurrent_writes
from tests.support.registration_builders import (
    FIRST_DAY,
    collect_capture_facts,
    get_worker,
    make_registration,
)

HASHING = KeyedHash(lambda: HashKey(bytes(32)))
OTHER_NAME, OTHER_PHONE, OTHER_BIRTH_DATE = (
    {"name": "Kenanga Larasati"},
    {"phone": "0824-5550-7999"},
    {"birth_date": "1985-04-13"},
)
BOT = make_caller(Role.BOT, client_id="whatsapp")


@pytest.mark.parametrize(
    ("worker", "differs"),
    [
        ({}, ()),
        (OTHER_NAME, ("name",)),
        (OTHER_BIRTH_DATE, ("birth_date",)),
        (OTHER_PHONE, ("phone",)),
        ({**OTHER_PHONE, **OTHER_NAME}, ("name", "phone")),
        ({"name": "Melati K."}, ("name",)),
        ({"email": "lain@pasar.example", "address": "Jalan Lain 9", "postal_code": "10340"}, ()),
    ],
)
def test_an_officer_is_told_which_identity_fields_differ(
    harness: RegistrationHarness, worker: dict[str, str], differs: tuple[str, ...]
) -> None:
    first = harness.submit(1)

    repeat = harness.submit(2, nik_number=1, worker=worker)

    assert (repeat.outcome, repeat.reference) == (Outcome.ALREADY_REGISTERED, first.reference)
    assert repeat.differs == differs
    assert first.differs == ()


@pytest.mark.parametrize(
    "worker",
    [
        {"name": "  MELATI   kusumawati "},
        {"name": "Melati-Kusumawati"},
        {"name": "Melatikusumawati"},
        {"name": "M\u00e9lati Kusumawat\u200bi."},
        {"name": "Mela\u02bcti Kusu\u2019mawati"},
        {"phone": "+62 824 5550 7001"},
        {"phone": "082455507001"},
    ],
)
def test_another_spelling_is_no_difference(harness: RegistrationHarness, worker: dict[str, str]) -> None:
    reference = harness.submit(1).reference

    assert harness.submit(2, nik_number=1, worker=worker).differs == ()
    assert harness.stores.reading.get(reference).lifecycle.version == 1


def test_the_registration_keeps_that_it_happened_and_none_of_the_other_values(
    harness: RegistrationHarness,
) -> None:
    before = harness.register(1)
    harness.advance_days(1)

    harness.submit(
        2, nik_number=1, worker={**OTHER_NAME, **OTHER_PHONE}, caller=make_caller(client_id="van-2")
    )

    after = harness.stores.reading.get(before.reference)
    event = after.lifecycle.history[-1]
    assert (event.event_type, event.status) == (EventType.REPEAT_DIFFERS, before.lifecycle.status)
    assert (event.client_id, event.occurred_at) == ("van-2", harness.clock())
    assert event.detail == {"fields": "name,phone"}
    assert after.flags == (Flag.REPEAT_DIFFERS,)
    assert (after.worker, after.identity) == (before.worker, before.identity)
    assert (after.lifecycle.version, after.lifecycle.status_since) == (2, before.lifecycle.status_since)


def test_the_first_five_differing_repeats_are_in_the_history_and_every_one_is_answered(
    harness: RegistrationHarness,
) -> None:
    reference = harness.submit(1).reference

    repeats = [
        harness.submit(number, nik_number=1, worker=OTHER_NAME)
        for number in range(2, MAX_RECORDED_REPEATS + 5)
    ]

    assert {repeat.differs for repeat in repeats} == {("name",)}
    registration = harness.stores.reading.get(reference)
    assert len(registration.lifecycle.history) == 1 + MAX_RECORDED_REPEATS
    assert registration.flags == (Flag.REPEAT_DIFFERS,)


def test_a_repeat_sent_again_is_noted_once(harness: RegistrationHarness) -> None:
    reference = harness.submit(1).reference

    first, again = (harness.submit(2, nik_number=1, worker=OTHER_NAME) for _ in range(2))

    assert again == first
    assert again.differs == ("name",)
    assert harness.stores.reading.get(reference).lifecycle.version == 2


def test_a_repeat_of_a_mismatched_registration_suggests_a_correction(harness: RegistrationHarness) -> None:
    reference = harness.submit(1).reference
    harness.lifecycle_service.record_verification(
        reference, VerificationResult(result="mismatch"), caller=CORE_CALLER
    )

    same, other = (
        harness.submit(2, nik_number=1),
        harness.submit(3, nik_number=1, worker=OTHER_NAME),
    )

    assert (same.suggestion, other.suggestion) == (None, "correction")
    assert harness.submit(4).suggestion is None


def test_a_worker_who_registers_again_after_an_end_repeats_nothing(harness: RegistrationHarness) -> None:
    harness.cancel(harness.submit(1).reference)

    again = harness.submit(2, nik_number=1, worker=OTHER_NAME)

    assert (again.outcome, again.differs) == (Outcome.REACTIVATED, ())
    assert harness.submit(3, nik_number=1, worker=OTHER_NAME).differs == ()


def test_a_payment_between_read_and_write_is_kept_and_the_repeat_is_noted(
    harness: RegistrationHarness,
) -> None:
    reference = harness.submit(1).reference
    payment = Payment(payment_id="p-1", amount=16_400, months=1, paid_at=NOW)

    def pay() -> object:
        return harness.lifecycle_service.record_payment(reference, payment, caller=CORE_CALLER)

    store = with_concurrent_writes(harness.stores.intake, "add_repeat", pay)
    repeat = harness.submit(2, nik_number=1, worker=OTHER_NAME, intake=harness.make_intake_service(store))

    assert repeat.differs == ("name",)
    registration = harness.stores.reading.get(reference)
    events = [event.event_type for event in registration.lifecycle.history]
    assert events == [EventType.REGISTERED, EventType.PAID, EventType.REPEAT_DIFFERS]
    assert registration.lifecycle.payments == (payment,)


def test_a_registration_of_an_earlier_release_without_hashes_is_compared_for_officers(
    harness: RegistrationHarness,
) -> None:
    reference = harness.submit(1).reference
    harness.remove_attribute("identity_hashes")

    assert harness.submit(2, nik_number=1).differs == ()
    assert harness.submit(3, nik_number=1, worker=OTHER_NAME).differs == ("name",)
    assert harness.stores.reading.get(reference).flags == (Flag.REPEAT_DIFFERS,)
    assert harness.submit(4, nik_number=1, worker=OTHER_NAME, caller=BOT).reference == reference


def test_a_differing_repeat_of_the_public_is_kept_with_its_capture_alone(
    harness: RegistrationHarness,
) -> None:
    before = harness.register(1)

    harness.submit(2, nik_number=1, worker=OTHER_PHONE, caller=BOT)

    assert harness.stores.reading.get(before.reference) == before
    facts = {
        each.client_id: each.differs for each in collect_capture_facts(harness.stores.reading, FIRST_DAY)
    }
    assert facts == {"van-1": (), "whatsapp": ("phone",)}


def test_captures_have_one_size_whatever_differs(harness: RegistrationHarness) -> None:
    harness.submit(1)
    for number, worker in enumerate(({}, OTHER_NAME, {**OTHER_BIRTH_DATE, **OTHER_PHONE}), start=2):
        harness.submit(number, nik_number=1, worker=worker, caller=BOT)
        harness.submit(number + 10, worker=worker, caller=BOT)

    captures = [item for item in harness.scan_items() if item["sk"]["S"] == "CAPTURE"]
    bots = [item for item in captures if item["facts"]["M"]["client_id"]["S"] == "whatsapp"]
    assert len(bots) == 6
    assert len({len(item["facts"]["M"]["differs"]["S"]) for item in bots}) == 1
    assert len({len(item["answer"]["B"]) for item in bots}) == 1


def test_equal_values_of_two_workers_have_different_hashes() -> None:
    worker = get_worker(make_registration())

    one, other = (hash_identity(worker, worker_key=key, hashing=HASHING) for key in ("one", "other"))

    assert not {one[field] for field in IDENTITY_FIELDS} & {other[field] for field in IDENTITY_FIELDS}


def test_a_person_and_a_phone_have_the_same_lookups_under_every_nik() -> None:
    def find_lookups(key: str, **changes: Any) -> Mapping[str, str]:
        worker = get_worker(make_registration(**changes))
        return read_lookups(hash_identity(worker, worker_key=key, hashing=HASHING))

    recorded = find_lookups("one")
    assert set(recorded) == {PHONE_LOOKUP, PERSON_LOOKUP}
    assert find_lookups("other") == recorded
    assert find_lookups("other", name="MELATI  KUSUMAWATI") == recorded
    other_name = find_lookups("other", name="Cempaka Kusumawati")
    assert other_name[PHONE_LOOKUP] == recorded[PHONE_LOOKUP]
    assert other_name[PERSON_LOOKUP] != recorded[PERSON_LOOKUP]
    assert not set(find_lookups("one", phone="+6282455508888").values()) & set(recorded.values())
    assert find_lookups("one", phone=None) == {}


def test_nobody_is_found_by_a_birth_date_that_was_deleted() -> None:
    worker = get_worker(make_registration())
    identity = hash_identity(worker, worker_key="one", hashing=HASHING)

    deleted = delete_person_lookup(identity)

    assert set(read_lookups(deleted)) == {PHONE_LOOKUP}
    assert deleted is not None
    assert {name: len(value) for name, value in deleted.items()} == {
        name: len(value) for name, value in identity.items()
    }


NAMES = st.text(
    st.characters(categories=["L"], max_codepoint=0xFF, include_characters=" .,-'"), min_size=1, max_size=30
)


@given(name=NAMES, change=st.sampled_from([str.upper, str.lower, str.title, str.casefold]))
def test_the_case_and_the_blanks_of_a_name_never_differ(name: str, change: Any) -> None:
    typed, again = (
        hash_identity(get_worker(make_registration(name=each)), worker_key="worker", hashing=HASHING)
        for each in (name, f" {change(name)} ".replace(" ", "  "))
    )

    assert find_differences(typed, again) == ()


def test_a_field_that_the_capture_does_not_have_differs_from_nothing() -> None:
    full = hash_identity(get_worker(make_registration()), worker_key="worker", hashing=HASHING)
    without_phone = {**full, "phone": "-" * 16}

    assert find_differences(full, without_phone) == ()
    assert find_differences(without_phone, full) == ("phone",)
