"""Erasure of a worker on request, whatever interrupts it; the counts stay."""

from datetime import timedelta
from typing import Any

import pytest

from chalicelib.refusals import TryAgain
from chalicelib.registrations.erasure import CaptureLink, WorkerLinks
from chalicelib.registrations.errors import CaptureErased, RegistrationUnknown
from chalicelib.registrations.references import Reference
from tests.registrations.conftest import CORE_CALLER, RegistrationHarness
from tests.registrations.erasure_steps import (
    count_day,
    count_items,
    erase,
    erase_no_sms,
    make_interrupted_service,
    register_three_times,
    with_write,
)
from tests.support.builders import NOW
from tests.support.lifecycle_events import make_payment


def test_erasure_leaves_the_counts_and_nothing_that_leads_to_the_person(
    harness: RegistrationHarness,
) -> None:
    worker_key, references = register_three_times(harness)
    other = harness.register(99)
    before = count_day(harness)

    erase(harness, worker_key)

    assert count_day(harness) == before
    assert count_items(harness) == {"CAPTURE": 6, "WORKER": 2, "REGISTRATION": 1}
    items = str(harness.scan_items())
    assert worker_key not in items
    assert not [reference for reference in references if reference in items]
    assert harness.stores.reading.get(other.reference) == other


def test_an_erased_capture_keeps_its_id_and_its_device(harness: RegistrationHarness) -> None:
    registration = harness.register()

    erase(harness, registration.worker_key)

    (capture,) = [item for item in harness.scan_items() if item["sk"]["S"] == "CAPTURE"]
    assert capture.keys() == {"pk", "sk", "taken", "forgotten"}
    assert capture["taken"]["M"].keys() == {
        "capture_id",
        "campaign_id",
        "day",
        "client_id",
        "channel",
        "disclosure",
    }


def test_the_counts_are_kept_in_remnants_under_ids_that_lead_nowhere(harness: RegistrationHarness) -> None:
    registration = harness.register()

    erase(harness, registration.worker_key)

    left = [item for item in harness.scan_items() if item["sk"]["S"] == "LEFT"]
    assert len({item["pk"]["S"] for item in left}) == 2
    facts = sorted((sorted(item["facts"]["M"]) for item in left), key=len)
    assert facts == [
        ["client_id", "figures", "officer", "status"],
        [
            *("age", "channel", "client_id", "differs", "hour", "occupations", "officer", "outcome"),
            *("programmes", "received_on", "sex"),
        ],
    ]
    for item in left:
        assert item.keys() == {"pk", "sk", "facts", "day_shard", "day_order"}
        assert registration.capture_metadata.capture_id not in str(item)
        assert registration.reference not in str(item)


def test_an_erased_capture_sent_again_registers_nobody_whatever_its_content(
    harness: RegistrationHarness,
) -> None:
    registration = harness.register(1)
    harness.submit(2, nik_number=1)
    erase(harness, registration.worker_key)

    for number in (1, 2):
        for worker in ({}, {"name": "Mawar"}, {"nik": "31"}):
            with pytest.raises(CaptureErased):
                harness.submit(number, nik_number=1, worker=worker)

    assert count_items(harness) == {"CAPTURE": 2}


def test_an_erased_worker_can_register_as_a_new_worker(harness: RegistrationHarness) -> None:
    registration = harness.register(1)
    erase(harness, registration.worker_key)

    assert harness.submit(2, nik_number=1).outcome == "created"


def test_the_reference_of_an_erased_registration_is_unknown_and_accepts_no_payment(
    harness: RegistrationHarness,
) -> None:
    registration = harness.register()
    erase(harness, registration.worker_key)

    with pytest.raises(RegistrationUnknown):
        harness.stores.reading.get(registration.reference)
    with pytest.raises(RegistrationUnknown):
        harness.lifecycle_service.record_payment(
            registration.reference, make_payment(paid_at=NOW), caller=CORE_CALLER
        )


def test_erasing_an_unknown_worker_or_the_same_one_again_changes_nothing(
    harness: RegistrationHarness,
) -> None:
    registration = harness.register()
    erase(harness, "somebody nobody knows")
    assert harness.stores.reading.get(registration.reference) == registration

    erase(harness, registration.worker_key)
    before = harness.scan_items()
    erase(harness, registration.worker_key)
    assert harness.scan_items() == before


def test_a_cancellation_during_the_erasure_is_counted(harness: RegistrationHarness) -> None:
    registration = harness.register()
    service = with_write(harness, "erase_capture", lambda: harness.cancel(registration.reference))
    erase(harness, registration.worker_key, service)

    tally = count_day(harness)
    assert (tally.counts.registered, tally.by_officer, tally.funnel.cancelled) == (0, {}, 1)


def test_a_registration_whose_capture_is_erased_already_cannot_be_cancelled_any_more(
    harness: RegistrationHarness,
) -> None:
    registration = harness.register()
    service = make_interrupted_service(harness, 1)
    with pytest.raises(KeyboardInterrupt):
        erase(harness, registration.worker_key, service)

    with pytest.raises(TryAgain):
        harness.cancel(registration.reference)

    assert count_day(harness).counts.registered == 1


@pytest.mark.parametrize("at", range(9))
def test_an_erasure_that_stops_halfway_is_finished_by_the_next_one(
    harness: RegistrationHarness, at: int
) -> None:
    worker_key, references = register_three_times(harness)
    before = count_day(harness)
    with pytest.raises(KeyboardInterrupt):
        erase(harness, worker_key, make_interrupted_service(harness, at))

    erase(harness, worker_key)

    assert count_items(harness) == {"CAPTURE": 5}
    assert not [reference for reference in references if reference in str(harness.scan_items())]
    assert count_day(harness) == before


@pytest.mark.parametrize("before", ["erase_capture", "erase_registration", "erase_worker"])
def test_a_repeat_during_the_erasure_of_its_worker_is_erased_too(
    harness: RegistrationHarness, before: str
) -> None:
    registration = harness.register(1)
    service = with_write(harness, before, lambda: harness.submit(2, nik_number=1))

    erase(harness, registration.worker_key, service)

    assert count_items(harness) == {"CAPTURE": 2}
    with pytest.raises(CaptureErased):
        harness.submit(2, nik_number=1)


def test_a_registration_after_the_request_for_erasure_is_kept_and_earlier_ones_are_not(
    harness: RegistrationHarness,
) -> None:
    worker_key, references = register_three_times(harness)
    requested_at = harness.clock()
    harness.cancel(references[-1])
    harness.clock.advance(timedelta(seconds=1))

    new_reference = harness.submit(7, nik_number=1).reference
    harness.erasure_service.erase(worker_key, received_before=requested_at, erase_attached=erase_no_sms)

    assert [each.reference for each in harness.erasure_service.list_applications(worker_key)] == [
        new_reference
    ]
    assert not [reference for reference in references[:-1] if reference in str(harness.scan_items())]
    assert harness.submit(8, nik_number=1).outcome == "already_registered"


def test_a_payment_during_the_erasure_does_not_bring_the_registration_back(
    harness: RegistrationHarness,
) -> None:
    registration = harness.register()

    def pay() -> None:
        harness.lifecycle_service.record_payment(
            registration.reference, make_payment(paid_at=NOW), caller=CORE_CALLER
        )

    erase(harness, registration.worker_key, with_write(harness, "erase_registration", pay))

    assert count_items(harness) == {"CAPTURE": 1}


def test_an_erasure_stops_after_its_time_limit_and_can_be_continued(
    harness: RegistrationHarness,
) -> None:
    registration = harness.register(1)
    harness.submit(2, nik_number=1)
    slow = with_write(harness, "erase_capture", lambda: harness.clock.advance(timedelta(seconds=20)))
    requested_at = harness.clock()

    with pytest.raises(TryAgain):
        slow.erase(registration.worker_key, received_before=requested_at, erase_attached=erase_no_sms)
    erase(harness, registration.worker_key)

    assert count_items(harness) == {"CAPTURE": 2}


def test_an_erasure_ends_even_if_captures_keep_coming_in(
    harness: RegistrationHarness,
) -> None:
    class EndlessStore:
        def get_links(self, worker_key: str) -> WorkerLinks:
            return WorkerLinks(None, (CaptureLink("c", Reference("7K4-M2Q-X9P")),))

        def erase_capture(self, worker_key: str, capture_link: CaptureLink) -> None:
            """Erase nothing."""

    store: Any = EndlessStore()
    with pytest.raises(TryAgain):
        erase(harness, "worker", harness.make_erasure_service(store))
