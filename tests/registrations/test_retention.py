"""The retention of each state: unpaid ends, paid members and lapsed memberships lose personal fields."""

from datetime import timedelta

import pytest

from chalicelib.aws.items import to_item
from chalicelib.registrations.errors import CaptureErased, RegistrationDestroyed, RegistrationUnknown
from chalicelib.registrations.model import Registration, Status
from chalicelib.registrations.reading import DeletionCounts
from chalicelib.registrations.store_keys import make_registration_key
from tests.registrations.conftest import CORE_CALLER, RegistrationHarness
from tests.registrations.erasure_steps import (
    count_day,
    count_items,
    erase,
    erase_no_sms,
    make_interrupted_service,
)
from tests.support.builders import make_caller
from tests.support.concurrent_writer import with_concurrent_writes
from tests.support.lifecycle_events import make_payment
from tests.support.registration_builders import FIRST_DAY


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
    cancelled = register_and_end(harness)
    again = harness.submit(2, nik_number=1).reference
    harness.lifecycle_service.record_payment(
        again, make_payment(months=12, paid_at=harness.clock()), caller=CORE_CALLER
    )
    harness.advance_days(90)

    assert harness.age_due() == {"destroyed": 1}

    line = harness.erasure_service.list_applications(cancelled.worker_key)
    assert [(each.reference, each.registration is None) for each in line] == [
        (again, False),
        (cancelled.reference, True),
    ]
    assert harness.submit(3, nik_number=1).outcome == "already_registered"
    erase(harness, cancelled.worker_key)
    assert count_items(harness) == {"CAPTURE": 3}


@pytest.mark.parametrize("days_between", [0, 10])
def test_a_worker_all_of_whose_applications_were_destroyed_is_forgotten(
    harness: RegistrationHarness, days_between: int
) -> None:
    paid = register_and_pay(harness, months=1)
    harness.advance_days(200)
    assert harness.age_due() == {"lapsed": 1}
    harness.advance_days(days_between)
    harness.cancel(harness.submit(2, nik_number=1).reference)
    harness.advance_days(90)

    assert harness.age_due() == {"destroyed": 2}

    assert paid.worker_key not in str(harness.scan_items())
    assert harness.submit(3, nik_number=1).outcome == "created"


@pytest.mark.parametrize("at", range(3))
def test_a_run_that_stops_halfway_is_finished_by_the_next_one(harness: RegistrationHarness, at: int) -> None:
    registration = register_and_end(harness)
    harness.advance_days(90)
    service = make_interrupted_service(harness, at)

    try:
        service.destroy_personal_fields(registration.reference, erase_attached=erase_no_sms)
    except KeyboardInterrupt:
        assert harness.age_due() == {"destroyed": 1}

    assert count_items(harness) == {"CAPTURE": 1, "REGISTRATION": 1}


def register_and_pay(harness: RegistrationHarness, number: int = 1, *, months: int = 3) -> Registration:
    registration = harness.register(number)
    payment = make_payment(f"p-{number}", months=months, paid_at=harness.clock())
    harness.lifecycle_service.record_payment(registration.reference, payment, caller=CORE_CALLER)
    return registration


def read_sealed_names(harness: RegistrationHarness, reference: str) -> set[str]:
    (item,) = (each for each in harness.scan_items() if each["pk"]["S"] == f"REGISTRATION#{reference}")
    return set(item["sealed"]["M"])


def test_a_membership_that_lapsed_is_destroyed_ninety_days_later_with_its_sms(
    harness: RegistrationHarness,
) -> None:
    paid = register_and_pay(harness)
    before = count_day(harness)
    harness.advance_days(200)
    assert harness.age_due() == {"lapsed": 1}
    lapsed = count_day(harness)
    harness.clock.advance(timedelta(days=90) - timedelta(seconds=1))
    assert harness.age_due() == {}
    harness.clock.advance(timedelta(seconds=1))

    assert harness.age_due() == {"destroyed": 1}

    assert harness.erased_sms == [paid.reference]
    assert count_day(harness) == lapsed
    assert count_day(harness).money == before.money
    with pytest.raises(RegistrationDestroyed):
        harness.stores.reading.get(paid.reference)
    assert paid.worker_key not in str(harness.scan_items())
    assert harness.submit(2, nik_number=1).outcome == "created"


@pytest.mark.parametrize("status", [Status.CANCELLED, Status.EXPIRED])
def test_the_sms_of_an_application_that_ended_unpaid_end_with_it(
    harness: RegistrationHarness, status: Status
) -> None:
    registration = register_and_end(harness, status=status)
    harness.advance_days(90)
    harness.age_due()
    assert harness.erased_sms == [registration.reference]


def test_the_identity_of_an_active_member_is_deleted_ninety_days_after_the_first_payment(
    harness: RegistrationHarness,
) -> None:
    harness.identity_retention = timedelta(days=90)
    paid = register_and_pay(harness, months=12)
    identity = {"nik", "address", "monthly_income"}
    assert identity <= read_sealed_names(harness, paid.reference)
    before = count_day(harness)
    harness.advance_days(89)
    assert harness.age_due() == {}
    harness.advance_days(1)

    assert harness.age_due() == {"identity_deleted": 1}
    assert harness.age_due() == {}

    assert read_sealed_names(harness, paid.reference) == {"name", "phone", "particulars"}
    kept = harness.stores.reading.get(paid.reference)
    assert (kept.has_identity, kept.lifecycle.status) == (False, Status.ACTIVE)
    assert not hasattr(kept.worker, "birth_date")
    assert (kept.worker.name, kept.worker.phone) == (paid.worker.name, paid.worker.phone)
    event = kept.lifecycle.history[-1]
    assert (event.event_type, event.client_id, event.occurred_at) == (
        "identity_deleted",
        "system",
        harness.clock(),
    )
    assert count_day(harness) == before
    assert harness.erased_sms == []


def test_a_member_whose_identity_was_deleted_pays_is_known_is_reminded_and_lapses_as_before(
    harness: RegistrationHarness,
) -> None:
    harness.identity_retention = timedelta(days=90)
    paid = register_and_pay(harness)
    harness.advance_days(90)
    assert harness.age_due() == {"identity_deleted": 1}

    harness.lifecycle_service.record_payment(
        paid.reference, make_payment("p-9", months=1, paid_at=harness.clock()), caller=CORE_CALLER
    )
    again = harness.submit(2, nik_number=1, worker={"name": "Orang Lain"})
    harness.advance_days(400)

    assert (again.outcome, again.reference) == ("already_registered", paid.reference)
    assert "name" in again.differs
    assert not harness.stores.reading.get(paid.reference).has_identity
    assert harness.age_due() == {"lapsed": 1}


def test_a_membership_that_an_earlier_release_paid_loses_the_identity_with_its_next_time_out(
    harness: RegistrationHarness,
) -> None:
    harness.identity_retention = timedelta(days=90)
    paid = register_and_pay(harness)
    harness.remove_attribute("identity_until")
    harness.advance_days(200)

    assert harness.age_due() == {"identity_deleted": 1, "lapsed": 1}
    assert not harness.stores.reading.get(paid.reference).has_identity


def test_a_payment_in_the_moment_of_the_deletion_is_kept_and_so_is_the_deletion(
    harness: RegistrationHarness,
) -> None:
    harness.identity_retention = timedelta(days=90)
    paid = register_and_pay(harness)
    harness.advance_days(90)
    store = with_concurrent_writes(
        harness.stores.lifecycle,
        "replace",
        lambda: harness.lifecycle_service.record_payment(
            paid.reference, make_payment("p-9", months=1, paid_at=harness.clock()), caller=CORE_CALLER
        ),
    )

    assert harness.make_lifecycle_service(store).age(paid.reference) == ["identity_deleted"]

    kept = harness.stores.reading.get(paid.reference)
    assert [event.event_type for event in kept.lifecycle.history[-2:]] == ["paid", "identity_deleted"]
    assert not kept.has_identity


def test_deletions_are_counted_by_campaign_once_each(harness: RegistrationHarness) -> None:
    harness.identity_retention = timedelta(days=90)
    register_and_end(harness)
    register_and_pay(harness, 2)
    harness.advance_days(90)
    for _ in range(3):
        harness.age_due()

    assert harness.reading_service.count_deletions("tanah-abang-2024") == DeletionCounts(1, 1)
    assert harness.reading_service.count_deletions("senen-2024") == DeletionCounts(0, 0)
