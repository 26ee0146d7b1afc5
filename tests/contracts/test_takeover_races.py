"""A takeover is one transaction: at once with payments and other officers, it is whole or not at all."""

from collections.abc import Callable

import pytest

from chalicelib.callers import Channel, Disclosure
from chalicelib.conflicts import WriteConflict
from chalicelib.crypto.encryption import FieldCipher
from chalicelib.registrations.captures import CaptureFacts, Outcome
from chalicelib.registrations.model import Registration, Status
from chalicelib.registrations.prior_state import WorkerExists
from chalicelib.registrations.takeovers import find_takeover
from tests.contracts.conftest import Engine
from tests.contracts.test_lifecycle_races import RACERS, race
from tests.support.lifecycle_builders import (
    add_payment,
    cancel,
    make_matching_capture,
    make_received_registration,
)
from tests.support.registration_builders import (
    FIRST_DAY,
    PHONE_COUNT,
    collect_capture_facts,
    make_capture_metadata,
)
from tests.support.registration_stores import RegistrationStores, add, open_registration_stores, replace_with

ELSEWHERE = "senen-2024"


def make_squatted() -> Registration:
    """Return the application of a worker that a bot of another campaign made."""
    metadata = make_capture_metadata(
        campaign_id=ELSEWHERE, channel=Channel.BOT, disclosure=Disclosure.PUBLIC, client_id="telegram"
    )
    return make_received_registration(worker_number=1, capture_metadata=metadata)


def take_over(stores: RegistrationStores, squatted: Registration, number: int) -> str:
    """Try to take the application over, as it was read. Return the result."""
    own = make_received_registration(number + 2, worker_number=1, follows=squatted.reference)
    takeover = find_takeover(squatted, own.capture_metadata)
    assert takeover is not None
    capture = make_matching_capture(own, Outcome.REACTIVATED)
    try:
        stores.intake.add(own, capture, PHONE_COUNT, captures=2, takeover=takeover)
    except WorkerExists as known:
        if known.worker_record.reference == squatted.reference and not known.worker_record.has_ended:
            raise WriteConflict from None
        return "known"
    return "taken over"


def describe(stores: RegistrationStores) -> list[tuple[Status, int]]:
    """Return the status of every registration, with the number of its payments."""
    return sorted(
        (each.lifecycle.status, len(each.lifecycle.payments))
        for status in Status
        for each in stores.reading.list_by_status(status, start_after=None, page_size=100).rows
    )


def read_counted_facts(stores: RegistrationStores) -> list[CaptureFacts]:
    return collect_capture_facts(stores.reading, FIRST_DAY)


CHANGES: dict[str, Callable[[Registration], Registration]] = {"paid": add_payment, "cancelled": cancel}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_an_application_that_changed_since_it_was_read_is_not_taken_over(
    stores: RegistrationStores, change: Callable[[Registration], Registration]
) -> None:
    squatted = add(stores, make_squatted())
    changed = replace_with(stores, squatted, change(squatted))

    if changed.lifecycle.has_ended:
        assert take_over(stores, squatted, 1) == "known"
    else:
        with pytest.raises(WriteConflict):
            take_over(stores, squatted, 1)

    assert describe(stores) == [(changed.lifecycle.status, len(changed.lifecycle.payments))]
    assert read_counted_facts(stores) == []
    assert stores.reading.find_latest(squatted.worker_key) == squatted.reference


def test_a_takeover_ends_one_and_begins_one(stores: RegistrationStores) -> None:
    squatted = add(stores, make_squatted())

    assert take_over(stores, squatted, 1) == "taken over"

    assert describe(stores) == [(Status.CANCELLED, 0), (Status.RECEIVED, 0)]
    assert [each.outcome for each in read_counted_facts(stores)] == [Outcome.REACTIVATED]
    with pytest.raises(WriteConflict):
        replace_with(stores, squatted, add_payment(squatted))


@pytest.fixture
def concurrent_stores(concurrent_engine: Engine, cipher: FieldCipher) -> RegistrationStores:
    return open_registration_stores(
        concurrent_engine.client, concurrent_engine.create_table("RegistrationsTable"), cipher
    )


def test_of_payments_and_takeovers_at_once_one_wins(concurrent_stores: RegistrationStores) -> None:
    squatted = add(concurrent_stores, make_squatted())

    def act(number: int) -> str:
        stored = concurrent_stores.reading.get(squatted.reference)
        if stored.lifecycle.status is not Status.RECEIVED:
            return "too late"
        if number % 2:
            return take_over(concurrent_stores, stored, number)
        replace_with(concurrent_stores, stored, add_payment(stored))
        return "paid"

    results = race(act)

    assert results["taken over"] + results["paid"] == 1
    expected = [(Status.ACTIVE, 1)] if results["paid"] else [(Status.CANCELLED, 0), (Status.RECEIVED, 0)]
    assert describe(concurrent_stores) == expected


def test_of_twenty_officers_at_once_one_takes_over(concurrent_stores: RegistrationStores) -> None:
    squatted = add(concurrent_stores, make_squatted())

    results = race(lambda number: take_over(concurrent_stores, squatted, number))

    assert results == {"taken over": 1, "known": RACERS - 1}
    assert describe(concurrent_stores) == [(Status.CANCELLED, 0), (Status.RECEIVED, 0)]
