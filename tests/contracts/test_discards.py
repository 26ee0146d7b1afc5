"""The store of captures that devices gave up, on each engine."""

from dataclasses import replace
from datetime import timedelta

import pytest

from chalicelib.crypto.encryption import FieldCipher, FieldKeys
from chalicelib.registrations.discards import Discard
from chalicelib.registrations.store_discards import DynamoDiscards
from chalicelib.registrations.store_reading import DynamoReadingStore
from tests.contracts.conftest import Engine
from tests.support.builders import NOW

DISCARD = Discard(12, "worker_left", NOW)


@pytest.fixture
def table_name(engine: Engine) -> str:
    return engine.create_table("RegistrationsTable")


@pytest.fixture
def discards(engine: Engine, table_name: str) -> DynamoDiscards:
    return DynamoDiscards(engine.client, table_name)


def test_discards_come_back_the_highest_number_first(discards: DynamoDiscards) -> None:
    numbers = [9, 100, 2**31 - 1, 12]
    for number in numbers:
        discards.add("van-1", replace(DISCARD, device_sequence=number))
    discards.add("van-2", DISCARD)

    for page_size in (1, 2, 10):
        found = [each.device_sequence for each in discards.iter_latest("van-1", page_size=page_size)]
        assert found == sorted(numbers, reverse=True)
    assert list(discards.iter_latest("van-2", page_size=10)) == [DISCARD]


def test_the_first_report_of_a_number_is_kept(discards: DynamoDiscards) -> None:
    discards.add("van-1", DISCARD)
    discards.add("van-1", replace(DISCARD, reason="other", reported_at=NOW + timedelta(hours=1)))
    assert list(discards.iter_latest("van-1", page_size=10)) == [DISCARD]


def test_a_discarded_number_counts_as_one_that_has_arrived(
    discards: DynamoDiscards, engine: Engine, table_name: str
) -> None:
    discards.add("van-1", DISCARD)
    reading = DynamoReadingStore(
        engine.client, table_name, FieldCipher(lambda: FieldKeys("k", {"k": bytes(32)}))
    )
    assert list(reading.iter_device_sequences("van-1")) == [12]
    assert reading.find_last_device_sequence("van-1") == 12
    assert reading.find_last_device_sequence("van-2") is None
