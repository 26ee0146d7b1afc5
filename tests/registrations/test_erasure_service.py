"""Erasure: of a worker on request, of one application after its retention period; the counts stay."""

from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.aws.items import to_item
from chalicelib.refusals import TryAgain
from chalicelib.registrations.erasure import CaptureLink, ErasureService, WorkerLinks
from chalicelib.registrations.errors import CaptureErased, RegistrationDestroyed, RegistrationUnknown
from chalicelib.registrations.model import Registration, Status
from chalicelib.registrations.references import Reference
from chalicelib.registrations.store_keys import make_registration_key
from chalicelib.rollups.counting import AnomalyThresholds
from chalicelib.rollups.model import Tally
from tests.registrations.conftest import CORE_CALLER, RegistrationHarness
from tests.support.builders import NOW, make_caller
from tests.support.concurrent_writer import with_concurrent_writes
from tests.support.day_tally import count_facts
from tests.support.lifecycle_events import make_payment
from tests.support.registration_builders import FIRST_DAY


def erase_no_sms(reference: Reference) -> None:
    """There are none."""


def erase(harness: RegistrationHarness, worker_key: str, service: ErasureService | None = None) -> None:
    (service or harness.erasure_service).erase(
        worker_key, received_before=harness.clock(), erase_sms=erase_no_sms
    )


def count_day(harness: RegistrationHarness) -> Tally:
    return count_facts(harness.stores.reading.iter_day_facts(FIRST_DAY), AnomalyThresholds())


def count_items(harness: RegistrationHarness) -> Counter[str]:
    """Return the number of items of each kind, without remnants."""
    counts = Counter(item["pk"]["S"].partition("#")[0] for item in harness.scan_items())
    del counts["LEFT"]
    return counts


def register_three_times(harness: RegistrationHarness) -> tuple[str, list[Reference]]:
    """Return the key and the references of a worker who registered three times, with repeats in between."""
    first = harness.register(1)
    references = [first.reference]
    for number in (2, 3):
        harness.submit(10 + number, nik_number=1)
        harness.cancel(references[-1])
        harness.advance_days(1)
        references.append(harness.submit(number, nik_number=1).reference)
    return first.worker_key, references


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
        ["figures", "status"],
        [
            *("age", "channel", "client_id", "hour", "occupations", "officer", "outcome", "programmes"),
            *("received_on", "sex"),
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


class InterruptedStore:
    """An erasure store on which the process ends at the nth erasure."""

    def __init__(self, harness: RegistrationHarness, at: int) -> None:
        self._store = harness.stores.erasure
        self._left = at

    def __getattr__(self, name: str) -> Any:
        if name in {"erase_capture", "erase_worker", "erase_registration"}:
            self._left -= 1
            if self._left < 0:
                raise KeyboardInterrupt
        return getattr(self._store, name)


def make_interrupted_service(harness: RegistrationHarness, at: int) -> ErasureService:
    store: Any = InterruptedStore(harness, at)
    return harness.make_erasure_service(store)


def with_write(harness: RegistrationHarness, method: str, write: Callable[[], object]) -> ErasureService:
    """Return a service in which `write` happens right before the store's `method`, once."""
    store = with_concurrent_writes(harness.stores.erasure, method, write)
    return harness.make_erasure_service(store)


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
    harness.erasure_service.erase(worker_key, received_before=requested_at, erase_sms=erase_no_sms)

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
        slow.erase(registration.worker_key, received_before=requested_at, erase_sms=erase_no_sms)
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


def register_and_end(harness: RegistrationHarness, status: Status = Status.CANCELLED) -> Registration:
    registration = harness.register()
    if status is Status.CANCELLED:
        harness.cancel(registration.reference)
    else:
        harness.advance_days(30)
        harness.age_due()
    return registration


@pytest.mark.parametrize("status", [Status.CANCELLED, Status.EXPIRED])
def test_personal_fields_are_destroyed_ninety_days_after_an_unpaid_end(
    harness: RegistrationHarness, status: Status
) -> None:
    registration = register_and_end(harness, status=status)
    before = count_day(harness)
    harness.clock.advance(timedelta(days=90) - timedelta(seconds=1))
    assert harness.age_due() == {}
    harness.clock.advance(timedelta(seconds=1))

    assert harness.age_due() == {"destroyed": 1}

    assert count_day(harness) == before
    items = {item["pk"]["S"].partition("#")[0]: item for item in harness.scan_items()}
    assert items.keys() == {"CAPTURE", "REGISTRATION", "LEFT"}
    left = items["REGISTRATION"]
    assert left["status"]["S"] == status
    assert [event["M"]["event_type"]["S"] for event in left["history"]["L"]] == ["registered", status]
    assert not left.keys() & {
        "sealed",
        "money",
        "facts",
        "worker_key",
        "day_shard",
        "status_shard",
        "due_shard",
    }
    assert registration.worker_key not in str(harness.scan_items())


def test_a_destroyed_application_is_unknown_to_callers_of_other_campaigns(
    harness: RegistrationHarness,
) -> None:
    registration = register_and_end(harness)
    harness.advance_days(90)
    harness.age_due()

    with pytest.raises(RegistrationDestroyed):
        harness.reading_service.look_up(registration.reference, caller=make_caller())
    elsewhere = make_caller(campaigns=frozenset({"senen-2024"}))
    with pytest.raises(RegistrationUnknown) as unknown:
        harness.reading_service.look_up(registration.reference, caller=elsewhere)
    assert unknown.type is RegistrationUnknown
    assert (
        list(harness.stores.reading.list_by_campaign_day(FIRST_DAY, start_after=None, page_size=9).rows) == []
    )
    with pytest.raises(CaptureErased):
        harness.submit(1)


def test_an_application_of_the_release_before_is_destroyed_too(harness: RegistrationHarness) -> None:
    registration = harness.register()
    harness.cancel(registration.reference)
    harness.dynamodb.update_item(
        TableName="RegistrationsTable",
        Key=to_item(make_registration_key(registration.reference)),
        UpdateExpression="REMOVE facts",
    )
    harness.advance_days(90)

    assert harness.age_due() == {"destroyed": 1}
    with pytest.raises(RegistrationDestroyed):
        harness.stores.reading.get(registration.reference)
    assert harness.age_due() == {}


def test_a_run_that_comes_twice_destroys_nothing_more(harness: RegistrationHarness) -> None:
    register_and_end(harness)
    harness.advance_days(90)
    harness.age_due()
    before = harness.scan_items()

    assert harness.age_due() == {}

    assert harness.scan_items() == before


def test_a_worker_whose_application_was_destroyed_registers_as_a_new_worker(
    harness: RegistrationHarness,
) -> None:
    register_and_end(harness)
    harness.advance_days(90)
    harness.age_due()

    assert harness.submit(2, nik_number=1).outcome == "created"


def test_a_worker_who_has_another_application_stays_known(harness: RegistrationHarness) -> None:
    paid = harness.register(1)
    harness.lifecycle_service.record_payment(
        paid.reference, make_payment(paid_at=harness.clock()), caller=CORE_CALLER
    )
    harness.advance_days(200)
    harness.age_due()
    again = harness.submit(2, nik_number=1).reference
    harness.cancel(again)
    harness.advance_days(90)

    assert harness.age_due() == {"destroyed": 1}

    line = harness.erasure_service.list_applications(paid.worker_key)
    assert [(each.reference, each.registration is None) for each in line] == [
        (again, True),
        (paid.reference, False),
    ]
    assert harness.submit(3, nik_number=1).outcome == "reactivated"
    erase(harness, paid.worker_key)
    assert count_items(harness) == {"CAPTURE": 3}


@pytest.mark.parametrize("at", range(3))
def test_a_run_that_stops_halfway_is_finished_by_the_next_one(harness: RegistrationHarness, at: int) -> None:
    registration = register_and_end(harness)
    harness.advance_days(90)
    service = make_interrupted_service(harness, at)

    try:
        service.destroy_personal_fields(registration.reference)
    except KeyboardInterrupt:
        assert harness.age_due() == {"destroyed": 1}

    assert count_items(harness) == {"CAPTURE": 1, "REGISTRATION": 1}


def test_memberships_that_lapsed_are_not_destroyed(harness: RegistrationHarness) -> None:
    paid = harness.register()
    harness.lifecycle_service.record_payment(
        paid.reference, make_payment(paid_at=harness.clock()), caller=CORE_CALLER
    )
    harness.advance_days(900)

    assert harness.age_due() == {"lapsed": 1}
    assert harness.age_due() == {}
