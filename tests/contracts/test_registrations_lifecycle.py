"""What any store of registrations promises after intake: no change lost, everything found, in order, once."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from chalicelib.campaigns.model import CampaignDay
from chalicelib.crypto.encryption import FieldCipher
from chalicelib.registrations.errors import RegistrationSuperseded, RegistrationUnknown
from chalicelib.registrations.intake import WorkerExists, WriteConflict
from chalicelib.registrations.model import Outcome, Registration
from chalicelib.registrations.states import Status
from chalicelib.registrations.store import DynamoRegistrations
from tests.contracts.conftest import Engine
from tests.support.builders import make_capture_id
from tests.support.lifecycle_builders import (
    EXPIRES_ON,
    FIRST_DAY,
    RECEIVED_AT,
    add_payment,
    expire_or_lapse,
    make_matching_capture,
    make_received_registration,
    make_registration_with_history,
)
from tests.support.registration_builders import PHONE_COUNT, collect_capture_facts

Store = DynamoRegistrations


@pytest.fixture
def store(engine: Engine, cipher: FieldCipher) -> Store:
    return DynamoRegistrations(engine.client, engine.create_table("RegistrationsTable"), cipher)


def added(store: Store, *registrations: Registration) -> Registration:
    """Put registrations into the store; the last one."""
    for registration in registrations:
        store.add(registration, make_matching_capture(registration), PHONE_COUNT)
    return registrations[-1]


def lived(store: Store, registration: Registration, further: Registration) -> Registration:
    """Bring a registration further on in its life, in the store."""
    store.replace(further, previous=registration)
    return further


def found(page: Any) -> list[str]:
    return [each.reference for each in page.rows]


def test_a_whole_life_comes_back_as_it_was_stored(store: Store) -> None:
    further = lived(store, added(store, make_received_registration()), make_registration_with_history())
    assert store.get(further.reference) == further


@pytest.mark.parametrize(
    "changes",
    [
        {"worker": replace(make_received_registration().worker, email=None, checks=())},
        {"capture_metadata": replace(make_received_registration().capture_metadata, officer=None)},
        {"capture_metadata": replace(make_received_registration().capture_metadata, device_sequence=7)},
        {"consent": make_received_registration().consent.model_copy(update={"language": None})},
    ],
    ids=["no e-mail", "no officer", "numbered", "no language of consent"],
)
def test_what_may_be_missing_may_be_missing(store: Store, changes: dict[str, Any]) -> None:
    registration = added(store, make_received_registration(**changes))
    assert store.get(registration.reference) == registration


def test_what_was_paid_by_which_code_and_card_is_not_kept_in_the_clear(store: Store, engine: Engine) -> None:
    lived(store, added(store, make_received_registration()), make_registration_with_history())
    kept = str(engine.scan_items())
    for secret in ("EPS-4711", "32862", "16431", "21012345678", "2513000", "'p-1'"):
        assert secret not in kept


def test_of_two_changes_to_one_version_the_second_is_not_stored(store: Store) -> None:
    registration = added(store, make_received_registration())
    first = lived(store, registration, add_payment(registration, "p-1"))

    with pytest.raises(WriteConflict):
        store.replace(add_payment(registration, "p-2"), previous=registration)

    assert store.get(registration.reference) == first


def test_a_registration_that_is_not_there_cannot_change(store: Store) -> None:
    with pytest.raises(WriteConflict):
        store.replace(add_payment(make_received_registration()), previous=make_received_registration())
    with pytest.raises(RegistrationUnknown):
        store.get(make_received_registration().reference)


def test_a_worker_whose_registration_has_ended_is_known_as_such(store: Store) -> None:
    registration = added(store, make_received_registration())
    lived(store, registration, expire_or_lapse(registration))

    with pytest.raises(WorkerExists) as known:
        added(store, make_received_registration(2, worker_number=1))

    assert (known.value.worker_record.reference, known.value.worker_record.status) == (
        registration.reference,
        Status.EXPIRED,
    )
    assert known.value.worker_record.has_ended


def test_a_new_registration_takes_the_place_of_the_ended_one_it_follows(store: Store) -> None:
    registration = added(store, make_received_registration())
    last = lived(store, registration, expire_or_lapse(registration))

    following = added(store, make_received_registration(2, worker_number=1, follows=registration.reference))

    assert store.get(following.reference) == following
    assert store.get(registration.reference) == last
    with pytest.raises(WorkerExists) as known:
        added(store, make_received_registration(3, worker_number=1))
    assert (known.value.worker_record.reference, known.value.worker_record.has_ended) == (
        following.reference,
        False,
    )


def test_nothing_follows_a_registration_that_is_open_again(store: Store) -> None:
    registration = added(store, make_received_registration())
    lapsed = lived(store, registration, expire_or_lapse(add_payment(registration)))
    assert lapsed.lifecycle.status is Status.LAPSED
    lived(store, lapsed, add_payment(lapsed, "p-2"))

    with pytest.raises(WorkerExists) as known:
        added(store, make_received_registration(2, worker_number=1, follows=registration.reference))

    assert (known.value.worker_record.status, known.value.worker_record.has_ended) == (Status.ACTIVE, False)


def test_nothing_follows_a_registration_that_another_one_follows_already(store: Store) -> None:
    registration = added(store, make_received_registration())
    lived(store, registration, expire_or_lapse(registration))
    second = added(store, make_received_registration(2, worker_number=1, follows=registration.reference))

    with pytest.raises(WorkerExists) as known:
        added(store, make_received_registration(3, worker_number=1, follows=registration.reference))

    assert known.value.worker_record.reference == second.reference


def test_a_registration_that_another_one_follows_has_ended_for_good(store: Store) -> None:
    registration = added(store, make_received_registration())
    lapsed = lived(store, registration, expire_or_lapse(add_payment(registration)))
    second = added(store, make_received_registration(2, worker_number=1, follows=registration.reference))

    with pytest.raises(RegistrationSuperseded):
        store.replace(add_payment(lapsed, "p-2"), previous=lapsed)

    assert store.get(registration.reference) == lapsed
    lived(store, second, add_payment(second))


def test_a_repeat_of_an_ended_registration_is_not_stored(store: Store) -> None:
    registration = added(store, make_received_registration())
    lived(store, registration, expire_or_lapse(registration))
    repeat = make_matching_capture(registration, Outcome.ALREADY_REGISTERED, capture_id=make_capture_id(2))

    with pytest.raises(WriteConflict):
        store.add_repeat(repeat, worker_key=registration.worker_key)


def test_an_ended_registration_keeps_its_place_in_the_numbers_of_its_day(store: Store) -> None:
    registration = added(store, make_received_registration())
    lived(store, registration, expire_or_lapse(registration))
    added(store, make_received_registration(2, worker_number=1, follows=registration.reference))

    assert [facts.outcome for facts in collect_capture_facts(store, FIRST_DAY)] == [Outcome.CREATED] * 2
    assert len(found(store.list_by_campaign_day(FIRST_DAY, start_after=None, page_size=10))) == 2


def test_what_is_due_by_a_day_is_found_in_every_shard(store: Store) -> None:
    cases = [
        make_received_registration(number, expires_on=EXPIRES_ON + timedelta(days=number % 4))
        for number in range(1, 25)
    ]
    added(store, *cases)

    for days in range(-1, 5):
        by = EXPIRES_ON + timedelta(days=days)
        expected = {each.reference for each in cases if each.expires_on <= by}
        assert set(store.iter_due(by)) == expected


def test_what_becomes_of_a_registration_moves_the_day_it_is_due(store: Store) -> None:
    never_paid, member = make_received_registration(1), make_received_registration(2)
    added(store, never_paid, member)
    lived(store, never_paid, expire_or_lapse(never_paid))
    until_october = lived(store, member, add_payment(member))
    assert until_october.due_on == date(2025, 1, 18)

    assert list(store.iter_due(date(2025, 1, 17))) == []
    assert list(store.iter_due(date(2025, 1, 18))) == [member.reference]
    lived(store, until_october, expire_or_lapse(until_october))
    assert list(store.iter_due(date(2099, 1, 1))) == []


def test_what_is_due_may_change_while_it_is_walked(store: Store) -> None:
    cases = {
        make_received_registration(number).reference: make_received_registration(number)
        for number in range(1, 13)
    }
    added(store, *cases.values())

    for reference in store.iter_due(EXPIRES_ON):
        case = cases.pop(reference)
        lived(store, case, expire_or_lapse(case))

    assert not cases
    assert list(store.iter_due(EXPIRES_ON)) == []


def test_a_page_begins_after_a_position_and_says_whether_more_follow(store: Store) -> None:
    cases = [make_received_registration(number) for number in (4, 2, 5, 1, 3)]
    added(store, *cases)
    expected = [each.reference for each in sorted(cases, key=lambda each: each.capture_metadata.captured_at)]

    for turn in (
        lambda **asked: store.list_by_campaign_day(FIRST_DAY, **asked),
        lambda **asked: store.list_by_status(Status.RECEIVED, **asked),
    ):
        first = turn(start_after=None, page_size=2)
        second = turn(start_after=first.next_position, page_size=2)
        third = turn(start_after=second.next_position, page_size=2)
        assert found(first) + found(second) + found(third) == expected
        assert [page.has_more for page in (first, second, third)] == [True, True, False]
        assert found(turn(start_after=third.last_position, page_size=2)) == []
        assert not turn(start_after=None, page_size=5).has_more


def test_a_page_may_be_longer_than_one_read_of_many_items(store: Store) -> None:
    cases = [make_received_registration(number) for number in range(1, 131)]
    added(store, *cases)

    page = store.list_by_status(Status.RECEIVED, start_after=None, page_size=128)

    assert found(page) == [each.reference for each in cases[:128]]
    assert page.has_more


def test_registrations_of_one_instant_are_told_apart_by_their_references(store: Store) -> None:
    added(store, *[make_received_registration(number, begun=RECEIVED_AT) for number in range(1, 10)])
    seen: list[str] = []
    page = store.list_by_campaign_day(FIRST_DAY, start_after=None, page_size=2)
    seen += found(page)
    while page.next_position is not None:
        page = store.list_by_campaign_day(FIRST_DAY, start_after=page.next_position, page_size=2)
        seen += found(page)
    assert len(seen) == len(set(seen)) == 9


def test_a_day_shows_neither_another_day_nor_another_campaign_nor_mere_captures(store: Store) -> None:
    registration = added(store, make_received_registration(1))
    repeat = make_matching_capture(registration, Outcome.ALREADY_REGISTERED, capture_id=make_capture_id(7))
    store.add_repeat(repeat, worker_key=registration.worker_key)
    elsewhere = make_received_registration(2)
    added(
        store,
        replace(
            elsewhere, capture_metadata=replace(elsewhere.capture_metadata, campaign_id="tanah-abang-2025")
        ),
    )
    tomorrow = make_received_registration(3)
    added(
        store, replace(tomorrow, capture_metadata=replace(tomorrow.capture_metadata, day=date(2024, 10, 10)))
    )

    assert found(store.list_by_campaign_day(FIRST_DAY, start_after=None, page_size=10)) == [
        registration.reference
    ]
    assert (
        len(
            found(
                store.list_by_campaign_day(
                    CampaignDay("tanah-abang-2025", FIRST_DAY.day), start_after=None, page_size=9
                )
            )
        )
        == 1
    )
    assert len(list(collect_capture_facts(store, FIRST_DAY))) == 2


def test_a_status_is_left_for_another(store: Store) -> None:
    cases = [make_received_registration(number) for number in range(1, 4)]
    added(store, *cases)
    lived(store, cases[1], add_payment(cases[1]))

    found_in = {
        status: found(store.list_by_status(status, start_after=None, page_size=10)) for status in Status
    }

    assert found_in[Status.RECEIVED] == [cases[0].reference, cases[2].reference]
    assert found_in[Status.ACTIVE] == [cases[1].reference]
    assert sum(map(len, found_in.values())) == 3


def test_the_numbers_of_a_device_come_in_order_of_number(store: Store) -> None:
    for number, sequence in ((1, 10), (2, 9), (3, 100), (4, None), (5, 1)):
        case = make_received_registration(number)
        added(store, replace(case, capture_metadata=replace(case.capture_metadata, device_sequence=sequence)))
    other = make_matching_capture(
        make_received_registration(6), Outcome.REFUSED, device_sequence=2, client_id="van-2"
    )
    store.add_refusal(other, on_campaign_day=False)

    assert list(store.iter_device_sequences("van-1")) == [1, 9, 10, 100]
    assert list(store.iter_device_sequences("van-2")) == [2]
    assert list(store.iter_device_sequences("van")) == []


def test_a_refused_capture_that_is_mended_keeps_its_number_once(store: Store) -> None:
    case = make_received_registration(1)
    case = replace(case, capture_metadata=replace(case.capture_metadata, device_sequence=5))
    store.add_refusal(make_matching_capture(case, Outcome.REFUSED), on_campaign_day=True)
    added(store, case)
    assert list(store.iter_device_sequences("van-1")) == [5]
