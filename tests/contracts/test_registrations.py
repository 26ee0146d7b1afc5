"""What any store of captures and registrations promises: each capture once, each worker open once."""

from datetime import timedelta

import pytest

from chalicelib.campaigns.model import CampaignDay
from chalicelib.privacy.encryption import FieldCipher
from chalicelib.registrations.dynamodb import DynamoRegistrations
from chalicelib.registrations.errors import RegistrationUnknown
from chalicelib.registrations.lifecycle import Status
from chalicelib.registrations.model import Outcome
from chalicelib.registrations.service import CaptureKnown, Contended, WorkerKnown
from tests.contracts.conftest import Engine
from tests.contracts.stored import (
    ANOTHER_REFERENCE,
    FIRST_DAY,
    REFERENCE,
    SECOND_DAY,
    a_capture_of,
    a_registration,
    taken,
)


@pytest.fixture
def registrations(engine: Engine, cipher: FieldCipher) -> DynamoRegistrations:
    return DynamoRegistrations(engine.client, engine.table("RegistrationsTable"), cipher)


def test_a_registration_comes_back_as_it_was_added(registrations):
    registrations.add(a_registration(), a_capture_of(taken()))

    assert registrations.get(REFERENCE) == a_registration()


def test_a_worker_without_an_e_mail_address_comes_back_without_one(registrations):
    registrations.add(a_registration(email=None), a_capture_of(taken()))

    assert registrations.get(REFERENCE).worker.email is None


def test_a_capture_without_an_officer_comes_back_without_one(registrations):
    nobody = taken(officer=None)
    registrations.add(a_registration(circumstances=nobody), a_capture_of(nobody))

    assert registrations.get(REFERENCE).taken.officer is None


def test_nobody_has_a_reference_that_was_never_given(registrations):
    with pytest.raises(RegistrationUnknown):
        registrations.get(REFERENCE)


def test_a_capture_sent_again_finds_what_its_first_send_was_told(registrations):
    first = a_capture_of(taken())
    registrations.add(a_registration(), first)

    with pytest.raises(CaptureKnown) as known:
        registrations.add(
            a_registration(ANOTHER_REFERENCE),
            a_capture_of(taken(), reference=ANOTHER_REFERENCE),
        )

    assert known.value.stored == first


def test_a_capture_with_the_same_id_stores_no_second_registration(registrations):
    registrations.add(a_registration(), a_capture_of(taken()))

    with pytest.raises(CaptureKnown):
        registrations.add(a_registration(ANOTHER_REFERENCE, worker_key="someone else"), a_capture_of(taken()))

    with pytest.raises(RegistrationUnknown):
        registrations.get(ANOTHER_REFERENCE)


def test_a_worker_with_an_open_registration_is_told_its_reference(registrations):
    registrations.add(a_registration(), a_capture_of(taken()))

    with pytest.raises(WorkerKnown) as known:
        registrations.add(a_registration(ANOTHER_REFERENCE), a_capture_of(taken(2)))

    assert (known.value.reference, known.value.status) == (REFERENCE, Status.RECEIVED)
    assert not known.value.has_ended


def test_a_known_worker_leaves_neither_capture_nor_registration(registrations):
    registrations.add(a_registration(), a_capture_of(taken()))

    with pytest.raises(WorkerKnown):
        registrations.add(a_registration(ANOTHER_REFERENCE), a_capture_of(taken(2)))

    with pytest.raises(RegistrationUnknown):
        registrations.get(ANOTHER_REFERENCE)
    assert len(list(registrations.captured_on(FIRST_DAY))) == 1


def test_a_reference_that_is_taken_is_a_reason_to_try_another_one(registrations):
    registrations.add(a_registration(), a_capture_of(taken()))

    with pytest.raises(Contended):
        registrations.add(a_registration(worker_key="another"), a_capture_of(taken(2)))

    assert registrations.get(REFERENCE).taken == taken()


def test_a_repeat_is_stored_beside_the_registration_it_found(registrations):
    registrations.add(a_registration(), a_capture_of(taken()))

    repeat = a_capture_of(taken(2), Outcome.ALREADY_REGISTERED)
    registrations.add_repeat(repeat, worker_key="worker")

    outcomes = sorted(facts.outcome for facts in registrations.captured_on(FIRST_DAY))
    assert outcomes == [Outcome.ALREADY_REGISTERED, Outcome.CREATED]


def test_a_repeat_sent_again_finds_what_its_first_send_was_told(registrations):
    registrations.add(a_registration(), a_capture_of(taken()))
    repeat = a_capture_of(taken(2), Outcome.ALREADY_REGISTERED)
    registrations.add_repeat(repeat, worker_key="worker")

    with pytest.raises(CaptureKnown) as known:
        registrations.add_repeat(repeat, worker_key="worker")

    assert known.value.stored == repeat


def test_a_repeat_of_a_registration_that_is_not_the_open_one_is_not_stored(registrations):
    registrations.add(a_registration(), a_capture_of(taken()))

    stale = a_capture_of(taken(2), Outcome.ALREADY_REGISTERED, reference=ANOTHER_REFERENCE)
    with pytest.raises(Contended):
        registrations.add_repeat(stale, worker_key="worker")

    assert len(list(registrations.captured_on(FIRST_DAY))) == 1


def test_a_repeat_of_a_worker_with_no_open_registration_is_not_stored(registrations):
    with pytest.raises(Contended):
        registrations.add_repeat(a_capture_of(taken(), Outcome.ALREADY_REGISTERED), worker_key="worker")

    assert list(registrations.captured_on(FIRST_DAY)) == []


def test_a_repeat_that_names_no_registration_is_a_fault_of_ours(registrations):
    with pytest.raises(ValueError, match="names the registration"):
        registrations.add_repeat(a_capture_of(taken(), Outcome.REFUSED), worker_key="worker")


def test_a_refused_capture_is_counted_as_refused(registrations):
    registrations.add_refusal(a_capture_of(taken(), Outcome.REFUSED), on_campaign_day=True)

    assert [facts.outcome for facts in registrations.captured_on(FIRST_DAY)] == [Outcome.REFUSED]


def test_a_refused_capture_sent_again_is_counted_once(registrations):
    for _ in range(2):
        registrations.add_refusal(a_capture_of(taken(), Outcome.REFUSED), on_campaign_day=True)

    assert len(list(registrations.captured_on(FIRST_DAY))) == 1


def test_a_capture_refused_for_its_day_is_known_but_counted_on_no_day(registrations):
    registrations.add_refusal(a_capture_of(taken(), Outcome.REFUSED), on_campaign_day=False)
    assert list(registrations.captured_on(FIRST_DAY)) == []

    registrations.add(a_registration(), a_capture_of(taken()))
    assert [facts.outcome for facts in registrations.captured_on(FIRST_DAY)] == [Outcome.CREATED]


def test_a_mended_capture_takes_the_place_of_the_refused_one(registrations):
    registrations.add_refusal(
        a_capture_of(taken(), Outcome.REFUSED, fingerprint="mistyped"), on_campaign_day=True
    )

    registrations.add(a_registration(), a_capture_of(taken(), fingerprint="mended"))

    assert [facts.outcome for facts in registrations.captured_on(FIRST_DAY)] == [Outcome.CREATED]


def test_a_mended_capture_of_a_known_worker_takes_the_place_of_the_refused_one(registrations):
    registrations.add(a_registration(), a_capture_of(taken()))
    registrations.add_refusal(
        a_capture_of(taken(2), Outcome.REFUSED, fingerprint="mistyped"), on_campaign_day=True
    )

    mended = a_capture_of(taken(2), Outcome.ALREADY_REGISTERED, fingerprint="mended")
    registrations.add_repeat(mended, worker_key="worker")

    outcomes = sorted(facts.outcome for facts in registrations.captured_on(FIRST_DAY))
    assert outcomes == [Outcome.ALREADY_REGISTERED, Outcome.CREATED]


def test_a_mended_capture_of_another_day_is_counted_on_that_day_only(registrations):
    registrations.add_refusal(a_capture_of(taken(), Outcome.REFUSED), on_campaign_day=True)

    moved = taken(day=SECOND_DAY.day, captured_at=taken().captured_at + timedelta(days=1))
    registrations.add(a_registration(circumstances=moved), a_capture_of(moved))

    assert list(registrations.captured_on(FIRST_DAY)) == []
    assert [facts.outcome for facts in registrations.captured_on(SECOND_DAY)] == [Outcome.CREATED]


@pytest.mark.parametrize("outcome", [Outcome.CREATED, Outcome.ALREADY_REGISTERED])
def test_an_accepted_capture_is_never_overwritten_by_a_refusal(registrations, outcome):
    registrations.add(a_registration(), a_capture_of(taken(9)))
    accepted = a_capture_of(taken(), outcome, reference=ANOTHER_REFERENCE)
    if outcome is Outcome.CREATED:
        registrations.add(a_registration(ANOTHER_REFERENCE, worker_key="another"), accepted)
    else:
        accepted = a_capture_of(taken(), outcome)
        registrations.add_repeat(accepted, worker_key="worker")

    with pytest.raises(CaptureKnown) as known:
        registrations.add_refusal(
            a_capture_of(taken(), Outcome.REFUSED, fingerprint="refused"), on_campaign_day=True
        )

    assert known.value.stored == accepted
    assert Outcome.REFUSED not in [facts.outcome for facts in registrations.captured_on(FIRST_DAY)]


def test_a_day_holds_neither_the_next_day_nor_another_campaign(registrations):
    elsewhere = taken(2, campaign_id="tanah-abang-2025")
    tomorrow = taken(3, day=SECOND_DAY.day)
    for circumstances in (taken(1), elsewhere, tomorrow):
        registrations.add_refusal(a_capture_of(circumstances, Outcome.REFUSED), on_campaign_day=True)

    assert len(list(registrations.captured_on(FIRST_DAY))) == 1
    assert len(list(registrations.captured_on(CampaignDay("tanah-abang-2025", FIRST_DAY.day)))) == 1


def test_counting_reads_what_was_known_of_each_capture(registrations):
    capture = a_capture_of(taken(), occupations=("porter", "tailor"))
    registrations.add(a_registration(), capture)

    assert list(registrations.captured_on(FIRST_DAY)) == [capture.facts]
