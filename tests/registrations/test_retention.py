"""Applications that ended unpaid: their personal fields are destroyed after the retention period."""

from datetime import timedelta

import pytest

from chalicelib.aws.items import to_item
from chalicelib.registrations.errors import CaptureErased, RegistrationDestroyed, RegistrationUnknown
from chalicelib.registrations.model import Registration, Status
from chalicelib.registrations.store_keys import make_registration_key
from tests.registrations.conftest import CORE_CALLER, RegistrationHarness
from tests.registrations.erasure_steps import count_day, count_items, erase, make_interrupted_service
from tests.support.builders import make_caller
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
