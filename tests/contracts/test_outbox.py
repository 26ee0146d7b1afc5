"""The outbox of campaign days, and the store of deliveries."""

from dataclasses import replace
from datetime import timedelta

import pytest

from chalicelib.campaigns.model import CampaignDay
from chalicelib.deliveries.model import Delivery, DeliveryId, Medium
from chalicelib.deliveries.store import DynamoDeliveries
from chalicelib.messaging.attempts import Outcome, OutcomeType
from chalicelib.rollups.model import SummaryState
from chalicelib.rollups.outbox import Consumer, OutboxEntry
from chalicelib.rollups.store_outbox import DynamoOutbox
from chalicelib.rollups.store_summaries import DynamoSummaries
from tests.contracts.conftest import Engine
from tests.support.builders import NOW
from tests.support.fakes.clock import FixedClock
from tests.support.registration_builders import FIRST_DAY, SECOND_DAY, make_summary

A_MINUTE = timedelta(minutes=1)


@pytest.fixture
def stores(engine: Engine) -> tuple[DynamoSummaries, DynamoOutbox]:
    table = engine.client, engine.create_table("SummariesTable")
    return DynamoSummaries(*table), DynamoOutbox(*table)


@pytest.fixture
def deliveries(engine: Engine) -> DynamoDeliveries:
    ids = iter(range(1_000))
    return DynamoDeliveries(
        engine.client,
        engine.create_table("SendingTable"),
        new_write_id=lambda: f"write-{next(ids)}",
        clock=FixedClock(NOW),
        retention=timedelta(days=62),
    )


def list_entries(outbox: DynamoOutbox, reader: Consumer) -> list[OutboxEntry]:
    return list(outbox.iter_entries(reader))


def test_new_version_enqueues_its_day_for_managers(
    stores: tuple[DynamoSummaries, DynamoOutbox],
) -> None:
    summaries, outbox = stores
    assert list_entries(outbox, Consumer.MANAGERS) == []

    summaries.add(make_summary())

    assert list_entries(outbox, Consumer.MANAGERS) == [OutboxEntry(FIRST_DAY, 1, NOW)]
    assert list_entries(outbox, Consumer.ANALYSTS) == [], "the day is not final yet"


def test_final_version_enqueues_its_day_for_analysts(stores: tuple[DynamoSummaries, DynamoOutbox]) -> None:
    summaries, outbox = stores

    summaries.add(make_summary().model_copy(update={"state": SummaryState.FINAL}))

    assert list_entries(outbox, Consumer.ANALYSTS) == [OutboxEntry(FIRST_DAY, 1, NOW)]


def test_later_version_replaces_the_entry(
    stores: tuple[DynamoSummaries, DynamoOutbox],
) -> None:
    summaries, outbox = stores
    summaries.add(make_summary())
    summaries.add(make_summary(version=2, counted_at=NOW + A_MINUTE))

    assert list_entries(outbox, Consumer.MANAGERS) == [OutboxEntry(FIRST_DAY, 2, NOW + A_MINUTE)]


def test_each_day_of_each_campaign_has_an_entry(stores: tuple[DynamoSummaries, DynamoOutbox]) -> None:
    summaries, outbox = stores
    days = [FIRST_DAY, SECOND_DAY, CampaignDay("senen-2024", FIRST_DAY.day)]
    for campaign_day in days:
        summaries.add(make_summary(campaign_day))

    assert {each.campaign_day for each in list_entries(outbox, Consumer.MANAGERS)} == set(days)


def test_removed_entry_is_gone(stores: tuple[DynamoSummaries, DynamoOutbox]) -> None:
    summaries, outbox = stores
    summaries.add(make_summary())
    (entry,) = outbox.iter_entries(Consumer.MANAGERS)

    for _ in range(2):
        outbox.remove(Consumer.MANAGERS, entry)

    assert list_entries(outbox, Consumer.MANAGERS) == []


def test_entry_that_was_enqueued_again_is_not_removed(
    stores: tuple[DynamoSummaries, DynamoOutbox],
) -> None:
    summaries, outbox = stores
    summaries.add(make_summary())
    (entry,) = outbox.iter_entries(Consumer.MANAGERS)
    summaries.enqueue(Consumer.MANAGERS, replace(entry, enqueued_at=NOW + A_MINUTE))

    outbox.remove(Consumer.MANAGERS, entry)

    assert [each.enqueued_at for each in outbox.iter_entries(Consumer.MANAGERS)] == [NOW + A_MINUTE]


def test_notified_version_is_stored_by_day(stores: tuple[DynamoSummaries, DynamoOutbox]) -> None:
    summaries, outbox = stores
    summaries.add(make_summary())
    assert outbox.find_notified_version(FIRST_DAY) is None

    for version in (1, 3):
        outbox.record_notified_version(FIRST_DAY, version)

    assert (outbox.find_notified_version(FIRST_DAY), outbox.find_notified_version(SECOND_DAY)) == (3, None)
    assert summaries.find_latest(FIRST_DAY) == make_summary()


def make_delivery() -> Delivery:
    return Delivery(delivery_id=DeliveryId("d" * 32), medium=Medium.MAIL)


def test_delivery_is_read_as_stored(deliveries: DynamoDeliveries) -> None:
    assert deliveries.find(DeliveryId("d" * 32)) is None
    claimed = make_delivery().claim(NOW, version=2, revised_versions={FIRST_DAY.day: 3})

    assert deliveries.save(claimed)

    assert deliveries.find(claimed.delivery_id) == claimed
    assert deliveries.save(claimed.record_unknown_outcome("ReadTimeoutError"))
    assert deliveries.find(claimed.delivery_id) == claimed.record_unknown_outcome("ReadTimeoutError")


def test_one_of_two_claims_of_a_delivery_succeeds(deliveries: DynamoDeliveries) -> None:
    claimed = make_delivery().claim(NOW, version=2, revised_versions={})

    assert [deliveries.save(claimed), deliveries.save(claimed)] == [True, False]


def test_one_of_two_updates_of_a_delivery_succeeds(deliveries: DynamoDeliveries) -> None:
    claimed = make_delivery().claim(NOW, version=2, revised_versions={})
    deliveries.save(claimed)

    accepted = claimed.apply_outcome(Outcome(OutcomeType.ACCEPTED))
    failed = claimed.apply_outcome(Outcome(OutcomeType.FAILED, "no"))
    assert [deliveries.save(accepted), deliveries.save(failed)] == [True, False]
    assert deliveries.find(claimed.delivery_id) == accepted


def test_delivery_expires_after_its_retention(deliveries: DynamoDeliveries, engine: Engine) -> None:
    deliveries.save(make_delivery().claim(NOW, version=2, revised_versions={}))

    (item,) = engine.scan_items()
    assert int(item["expires_at"]["N"]) == int((NOW + timedelta(days=62)).timestamp())


def test_attempt_time_is_kept_until_the_day_is_enqueued_again(
    stores: tuple[DynamoSummaries, DynamoOutbox],
) -> None:
    summaries, outbox = stores
    summaries.enqueue(Consumer.ANALYSTS, OutboxEntry(FIRST_DAY, 1, NOW))
    (entry,) = outbox.iter_entries(Consumer.ANALYSTS)

    outbox.record_attempt(Consumer.ANALYSTS, entry, NOW + A_MINUTE)
    assert list_entries(outbox, Consumer.ANALYSTS) == [replace(entry, attempted_at=NOW + A_MINUTE)]

    enqueued_again = replace(entry, enqueued_at=NOW + 2 * A_MINUTE)
    summaries.enqueue(Consumer.ANALYSTS, enqueued_again)
    outbox.record_attempt(Consumer.ANALYSTS, entry, NOW + 3 * A_MINUTE)
    assert list_entries(outbox, Consumer.ANALYSTS) == [enqueued_again]


def test_lease_is_held_by_one_reader(stores: tuple[DynamoSummaries, DynamoOutbox]) -> None:
    _, outbox = stores
    expires_at = NOW + A_MINUTE

    assert outbox.acquire_lease(Consumer.ANALYSTS, NOW, expires_at)
    assert not outbox.acquire_lease(Consumer.ANALYSTS, NOW, expires_at + A_MINUTE)
    outbox.release_lease(Consumer.ANALYSTS, expires_at + A_MINUTE)
    assert not outbox.acquire_lease(Consumer.ANALYSTS, NOW, expires_at + A_MINUTE), (
        "a lease is released by its holder alone"
    )

    outbox.release_lease(Consumer.ANALYSTS, expires_at)
    assert outbox.acquire_lease(Consumer.ANALYSTS, NOW, expires_at)
    assert outbox.acquire_lease(Consumer.ANALYSTS, expires_at, expires_at + A_MINUTE), "a lease expires"
