"""Unusual clients in the registrations table: counted with their day, and gone after a while."""

from dataclasses import replace
from datetime import UTC, datetime

from chalicelib.registrations.captures import CaptureFacts, UnusualClient, UnusualClientFacts
from chalicelib.registrations.model import RegistrationFacts
from tests.contracts.conftest import Engine
from tests.support.registration_builders import (
    FIRST_DAY,
    PHONE_COUNT,
    SECOND_DAY,
    make_capture,
    make_capture_metadata,
    make_registration,
)
from tests.support.registration_stores import RegistrationStores

UNUSUAL = UnusualClient("van-1", FIRST_DAY, received_on=FIRST_DAY.day, attempts=50)


def collect_unusual(stores: RegistrationStores, *, start_after: int = 0) -> list[UnusualClientFacts]:
    facts = [each.facts for each in stores.reading.iter_day_facts(FIRST_DAY)]
    return [each for each in facts if isinstance(each, UnusualClientFacts)]


def test_a_day_has_the_highest_number_of_a_client_for_each_day_that_it_sent_on(
    stores: RegistrationStores,
) -> None:
    for attempts in (50, 150, 100):
        stores.unusual_clients.record(replace(UNUSUAL, attempts=attempts))
    stores.unusual_clients.record(replace(UNUSUAL, received_on=SECOND_DAY.day))
    stores.unusual_clients.record(replace(UNUSUAL, client_id="van-2"))
    stores.unusual_clients.record(replace(UNUSUAL, campaign_day=SECOND_DAY))

    assert collect_unusual(stores) == [
        UnusualClientFacts("van-1", 150),
        UnusualClientFacts("van-1", 50),
        UnusualClientFacts("van-2", 50),
    ]


def test_unusual_clients_come_last_and_a_count_can_be_continued_after_any_of_them(
    stores: RegistrationStores,
) -> None:
    stores.unusual_clients.record(UNUSUAL)
    stores.unusual_clients.record(replace(UNUSUAL, client_id="van-2"))
    stores.intake.add(make_registration(), make_capture(make_capture_metadata()), PHONE_COUNT)

    whole = list(stores.reading.iter_day_facts(FIRST_DAY))

    kinds = [type(each.facts) for each in whole]
    assert kinds == [CaptureFacts, RegistrationFacts, UnusualClientFacts, UnusualClientFacts]
    for number, fact in enumerate(whole, start=1):
        assert list(stores.reading.iter_day_facts(FIRST_DAY, start_after=fact.position)) == whole[number:]


def test_an_unusual_client_is_no_capture_that_is_exported(stores: RegistrationStores) -> None:
    stores.unusual_clients.record(UNUSUAL)

    assert list(stores.reading.iter_capture_facts(FIRST_DAY)) == []


def test_an_unusual_client_expires_ninety_days_after_the_day(
    stores: RegistrationStores, engine: Engine
) -> None:
    stores.unusual_clients.record(UNUSUAL)

    (item,) = engine.scan_items()
    assert datetime.fromtimestamp(int(item["expires_at"]["N"]), UTC) == datetime(2025, 1, 7, tzinfo=UTC)
