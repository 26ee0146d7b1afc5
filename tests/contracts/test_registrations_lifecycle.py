"""The promises of the lifecycle and reading stores: no change is lost, each row is found once, in order."""

from dataclasses import replace
from datetime import date, timedelta
from functools import partial
from typing import Any

import pytest

from chalicelib.campaigns.model import CampaignDay
from chalicelib.conflicts import WriteConflict
from chalicelib.http.pagination import Page
from chalicelib.registrations.captures import Outcome
from chalicelib.registrations.model import Registration, Status
from chalicelib.registrations.prior_state import WorkerExists
from tests.contracts.conftest import Engine
from tests.support.lifecycle_builders import (
    EXPIRES_ON,
    RECEIVED_AT,
    add_payment,
    cancel,
    expire_or_lapse,
    make_matching_capture,
    make_received_registration,
    make_registration_with_history,
)
from tests.support.payloads import make_capture_id
from tests.support.registration_builders import (
    FIRST_DAY,
    REFUSALS_EXPIRE_ON,
    collect_capture_facts,
    get_worker,
)
from tests.support.registration_stores import RegistrationStores, add, replace_with


def list_references(page: Page[Registration]) -> list[str]:
    return [each.reference for each in page.rows]


def test_a_registration_with_a_history_is_read_as_it_was_stored(stores: RegistrationStores) -> None:
    further = replace_with(
        stores, add(stores, make_received_registration()), make_registration_with_history()
    )
    assert stores.reading.get(further.reference) == further


@pytest.mark.parametrize(
    "changes",
    [
        {"worker": replace(get_worker(make_received_registration()), email=None, checks=())},
        {"capture_metadata": replace(make_received_registration().capture_metadata, officer=None)},
        {"capture_metadata": replace(make_received_registration().capture_metadata, device_sequence=7)},
        {"consent": make_received_registration().consent.model_copy(update={"language": None})},
    ],
    ids=["no e-mail", "no officer", "numbered", "no language of consent"],
)
def test_optional_fields_may_be_missing(stores: RegistrationStores, changes: dict[str, Any]) -> None:
    registration = add(stores, make_received_registration(**changes))
    assert stores.reading.get(registration.reference) == registration


def test_payments_codes_and_card_numbers_are_not_stored_in_the_clear(
    stores: RegistrationStores, engine: Engine
) -> None:
    replace_with(stores, add(stores, make_received_registration()), make_registration_with_history())
    kept = str(engine.scan_items())
    for secret in ("EPS-4711", "32862", "16431", "21012345678", "2513000", "'p-1'"):
        assert secret not in kept


def test_the_record_of_a_worker_says_that_the_registration_has_ended(stores: RegistrationStores) -> None:
    registration = add(stores, make_received_registration())
    replace_with(stores, registration, expire_or_lapse(registration))

    with pytest.raises(WorkerExists) as known:
        add(stores, make_received_registration(2, worker_number=1))

    assert (known.value.worker_record.reference, known.value.worker_record.status) == (
        registration.reference,
        Status.EXPIRED,
    )
    assert known.value.worker_record.has_ended


def test_a_new_registration_becomes_the_latest_after_the_ended_one_it_follows(
    stores: RegistrationStores,
) -> None:
    registration = add(stores, make_received_registration())
    last = replace_with(stores, registration, expire_or_lapse(registration))

    following = add(stores, make_received_registration(2, worker_number=1, follows=registration.reference))

    assert stores.reading.get(following.reference) == following
    assert stores.reading.get(registration.reference) == last
    with pytest.raises(WorkerExists) as known:
        add(stores, make_received_registration(3, worker_number=1))
    assert (known.value.worker_record.reference, known.value.worker_record.has_ended) == (
        following.reference,
        False,
    )


def test_nothing_follows_a_registration_that_is_open_again(stores: RegistrationStores) -> None:
    registration = add(stores, make_received_registration())
    lapsed = replace_with(stores, registration, expire_or_lapse(add_payment(registration)))
    assert lapsed.lifecycle.status is Status.LAPSED
    replace_with(stores, lapsed, add_payment(lapsed, "p-2"))

    with pytest.raises(WorkerExists) as known:
        add(stores, make_received_registration(2, worker_number=1, follows=registration.reference))

    assert (known.value.worker_record.status, known.value.worker_record.has_ended) == (Status.ACTIVE, False)


def test_nothing_follows_a_registration_that_another_one_follows_already(stores: RegistrationStores) -> None:
    registration = add(stores, make_received_registration())
    replace_with(stores, registration, expire_or_lapse(registration))
    second = add(stores, make_received_registration(2, worker_number=1, follows=registration.reference))

    with pytest.raises(WorkerExists) as known:
        add(stores, make_received_registration(3, worker_number=1, follows=registration.reference))

    assert known.value.worker_record.reference == second.reference


def test_a_repeat_of_an_ended_registration_is_not_stored(stores: RegistrationStores) -> None:
    registration = add(stores, make_received_registration())
    replace_with(stores, registration, expire_or_lapse(registration))
    repeat = make_matching_capture(registration, Outcome.ALREADY_REGISTERED, capture_id=make_capture_id(2))

    with pytest.raises(WriteConflict):
        stores.intake.add_repeat(repeat, worker_key=registration.worker_key)


def test_an_ended_registration_is_still_counted_on_its_day(stores: RegistrationStores) -> None:
    registration = add(stores, make_received_registration())
    replace_with(stores, registration, expire_or_lapse(registration))
    add(stores, make_received_registration(2, worker_number=1, follows=registration.reference))

    assert [facts.outcome for facts in collect_capture_facts(stores.reading, FIRST_DAY)] == [
        Outcome.CREATED
    ] * 2
    assert (
        len(list_references(stores.reading.list_by_campaign_day(FIRST_DAY, start_after=None, page_size=10)))
        == 2
    )


def test_due_registrations_are_found_in_every_shard(stores: RegistrationStores) -> None:
    registrations = [
        make_received_registration(number, expires_on=EXPIRES_ON + timedelta(days=number % 4))
        for number in range(1, 25)
    ]
    add(stores, *registrations)

    for days in range(-1, 5):
        by = EXPIRES_ON + timedelta(days=days)
        expected = {each.reference for each in registrations if each.expires_on <= by}
        assert set(stores.lifecycle.iter_due(by)) == expected


def test_an_event_changes_the_day_on_which_a_registration_is_due(stores: RegistrationStores) -> None:
    never_paid, member = make_received_registration(1), make_received_registration(2)
    add(stores, never_paid, member)
    replace_with(stores, never_paid, expire_or_lapse(never_paid))
    until_october = replace_with(stores, member, add_payment(member))
    assert until_october.due_on == date(2025, 1, 18)

    assert list(stores.lifecycle.iter_due(date(2025, 1, 17))) == []
    assert list(stores.lifecycle.iter_due(date(2025, 1, 18))) == [member.reference]
    replace_with(stores, until_october, expire_or_lapse(until_october))
    assert list(stores.lifecycle.iter_due(date(2099, 1, 1))) == []


def test_due_registrations_may_change_while_they_are_iterated(stores: RegistrationStores) -> None:
    registrations = {
        make_received_registration(number).reference: make_received_registration(number)
        for number in range(1, 13)
    }
    add(stores, *registrations.values())

    for reference in stores.lifecycle.iter_due(EXPIRES_ON):
        registration = registrations.pop(reference)
        replace_with(stores, registration, expire_or_lapse(registration))

    assert not registrations
    assert list(stores.lifecycle.iter_due(EXPIRES_ON)) == []


def test_a_page_begins_after_a_position_and_says_if_more_rows_follow(stores: RegistrationStores) -> None:
    registrations = [make_received_registration(number) for number in (4, 2, 5, 1, 3)]
    add(stores, *registrations)
    expected = [
        each.reference for each in sorted(registrations, key=lambda each: each.capture_metadata.captured_at)
    ]

    for read_page in (
        partial(stores.reading.list_by_campaign_day, FIRST_DAY),
        partial(stores.reading.list_by_status, Status.RECEIVED),
    ):
        first = read_page(start_after=None, page_size=2)
        second = read_page(start_after=first.next_position, page_size=2)
        third = read_page(start_after=second.next_position, page_size=2)
        assert list_references(first) + list_references(second) + list_references(third) == expected
        assert [page.has_more for page in (first, second, third)] == [True, True, False]
        assert list_references(read_page(start_after=third.last_position, page_size=2)) == []
        assert not read_page(start_after=None, page_size=5).has_more


def test_a_page_may_be_longer_than_one_read_of_many_items(stores: RegistrationStores) -> None:
    registrations = [make_received_registration(number) for number in range(1, 131)]
    add(stores, *registrations)

    page = stores.reading.list_by_status(Status.RECEIVED, start_after=None, page_size=128)

    assert list_references(page) == [each.reference for each in registrations[:128]]
    assert page.has_more


def test_registrations_of_one_instant_are_ordered_by_their_references(stores: RegistrationStores) -> None:
    add(stores, *[make_received_registration(number, received_at=RECEIVED_AT) for number in range(1, 10)])
    seen: list[str] = []
    page = stores.reading.list_by_campaign_day(FIRST_DAY, start_after=None, page_size=2)
    seen += list_references(page)
    while page.next_position is not None:
        page = stores.reading.list_by_campaign_day(FIRST_DAY, start_after=page.next_position, page_size=2)
        seen += list_references(page)
    assert len(seen) == len(set(seen)) == 9


def test_a_day_lists_no_other_day_or_campaign_and_no_captures(
    stores: RegistrationStores,
) -> None:
    registration = add(stores, make_received_registration(1))
    repeat = make_matching_capture(registration, Outcome.ALREADY_REGISTERED, capture_id=make_capture_id(7))
    stores.intake.add_repeat(repeat, worker_key=registration.worker_key)
    elsewhere = make_received_registration(2)
    add(
        stores,
        replace(
            elsewhere, capture_metadata=replace(elsewhere.capture_metadata, campaign_id="tanah-abang-2025")
        ),
    )
    tomorrow = make_received_registration(3)
    add(
        stores, replace(tomorrow, capture_metadata=replace(tomorrow.capture_metadata, day=date(2024, 10, 10)))
    )

    assert list_references(
        stores.reading.list_by_campaign_day(FIRST_DAY, start_after=None, page_size=10)
    ) == [registration.reference]
    assert (
        len(
            list_references(
                stores.reading.list_by_campaign_day(
                    CampaignDay("tanah-abang-2025", FIRST_DAY.day), start_after=None, page_size=9
                )
            )
        )
        == 1
    )
    assert len(list(collect_capture_facts(stores.reading, FIRST_DAY))) == 2


def test_a_registration_is_listed_under_its_current_status_only(stores: RegistrationStores) -> None:
    registrations = [make_received_registration(number) for number in range(1, 4)]
    add(stores, *registrations)
    replace_with(stores, registrations[1], add_payment(registrations[1]))

    found_in = {
        status: list_references(stores.reading.list_by_status(status, start_after=None, page_size=10))
        for status in Status
    }

    assert found_in[Status.RECEIVED] == [registrations[0].reference, registrations[2].reference]
    assert found_in[Status.ACTIVE] == [registrations[1].reference]
    assert sum(map(len, found_in.values())) == 3


def test_the_sequence_numbers_of_a_device_are_in_order(stores: RegistrationStores) -> None:
    for number, sequence in ((1, 10), (2, 9), (3, 100), (4, None), (5, 1)):
        registration = make_received_registration(number)
        add(
            stores,
            replace(
                registration,
                capture_metadata=replace(registration.capture_metadata, device_sequence=sequence),
            ),
        )
    other = make_matching_capture(
        make_received_registration(6), Outcome.REFUSED, device_sequence=2, client_id="van-2"
    )
    stores.intake.add_refusal(other, is_on_campaign_day=False, expires_on=REFUSALS_EXPIRE_ON)

    assert list(stores.reading.iter_device_sequences("van-1")) == [1, 9, 10, 100]
    assert list(stores.reading.iter_device_sequences("van-1", start_after=9)) == [10, 100]
    assert list(stores.reading.iter_device_sequences("van-2")) == [2]
    assert list(stores.reading.iter_device_sequences("van")) == []


def test_a_corrected_capture_keeps_its_sequence_number_once(stores: RegistrationStores) -> None:
    registration = make_received_registration(1)
    registration = replace(
        registration, capture_metadata=replace(registration.capture_metadata, device_sequence=5)
    )
    stores.intake.add_refusal(
        make_matching_capture(registration, Outcome.REFUSED),
        is_on_campaign_day=True,
        expires_on=REFUSALS_EXPIRE_ON,
    )
    add(stores, registration)
    assert list(stores.reading.iter_device_sequences("van-1")) == [5]


def test_the_latest_registration_of_a_worker_is_found(stores: RegistrationStores) -> None:
    first = add(stores, make_received_registration())
    assert stores.reading.find_latest(first.worker_key) == first.reference
    replace_with(stores, first, cancel(first))
    assert stores.reading.find_latest(first.worker_key) == first.reference

    following = make_received_registration(2)
    again = add(stores, replace(following, worker_key=first.worker_key, follows=first.reference))

    assert stores.reading.find_latest(first.worker_key) == again.reference
    assert stores.reading.find_latest("nobody") is None


def test_a_cancellation_is_known_of_the_capture_too_and_of_no_other(stores: RegistrationStores) -> None:
    registration = add(stores, make_received_registration(1), make_received_registration(2))
    repeat = make_matching_capture(registration, Outcome.ALREADY_REGISTERED, capture_id=make_capture_id(7))
    stores.intake.add_repeat(repeat, worker_key=registration.worker_key)

    replace_with(stores, registration, cancel(registration))

    assert sorted(
        (facts.outcome, facts.is_cancelled) for facts in collect_capture_facts(stores.reading, FIRST_DAY)
    ) == [("already_registered", False), ("created", False), ("created", True)]
