"""What any store promises of who waits for a day, and of what managers were sent."""

from dataclasses import replace
from datetime import timedelta

import pytest

from chalicelib.campaigns.model import CampaignDay
from chalicelib.deliveries.model import Delivery, DeliveryId, DeliveryState, Medium
from chalicelib.deliveries.store import DynamoDeliveries
from chalicelib.messaging.attempts import Outcome, OutcomeType
from chalicelib.rollups.model import SummaryState
from chalicelib.rollups.outbox import Consumer, OutboxEntry
from chalicelib.rollups.store import DynamoOutbox, DynamoSummaries
from tests.contracts.conftest import Engine
from tests.support.builders import NOW
from tests.support.fakes import FixedClock
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


def waiting(outbox: DynamoOutbox, reader: Consumer) -> list[OutboxEntry]:
    return list(outbox.iter_entries(reader))


def test_a_version_is_stored_together_with_who_waits_for_it(
    stores: tuple[DynamoSummaries, DynamoOutbox],
) -> None:
    summaries, outbox = stores
    assert waiting(outbox, Consumer.MANAGERS) == []

    summaries.add(make_summary())

    assert waiting(outbox, Consumer.MANAGERS) == [OutboxEntry(FIRST_DAY, 1, NOW)]
    assert waiting(outbox, Consumer.ANALYSTS) == [], "the day is not final yet"


def test_a_final_version_waits_for_analysts_as_well(stores: tuple[DynamoSummaries, DynamoOutbox]) -> None:
    summaries, outbox = stores

    summaries.add(make_summary().model_copy(update={"state": SummaryState.FINAL}))

    assert waiting(outbox, Consumer.ANALYSTS) == [OutboxEntry(FIRST_DAY, 1, NOW)]


def test_a_later_version_waits_in_the_place_of_the_one_before(
    stores: tuple[DynamoSummaries, DynamoOutbox],
) -> None:
    summaries, outbox = stores
    summaries.add(make_summary())
    summaries.add(make_summary(version=2, counted_at=NOW + A_MINUTE))

    assert waiting(outbox, Consumer.MANAGERS) == [OutboxEntry(FIRST_DAY, 2, NOW + A_MINUTE)]


def test_each_day_of_each_campaign_waits_for_itself(stores: tuple[DynamoSummaries, DynamoOutbox]) -> None:
    summaries, outbox = stores
    days = [FIRST_DAY, SECOND_DAY, CampaignDay("senen-2024", FIRST_DAY.day)]
    for of in days:
        summaries.add(make_summary(of))

    assert {each.campaign_day for each in waiting(outbox, Consumer.MANAGERS)} == set(days)


def test_what_is_done_waits_no_longer(stores: tuple[DynamoSummaries, DynamoOutbox]) -> None:
    summaries, outbox = stores
    summaries.add(make_summary())
    (found,) = outbox.iter_entries(Consumer.MANAGERS)

    for _ in range(2):
        outbox.remove(Consumer.MANAGERS, found)

    assert waiting(outbox, Consumer.MANAGERS) == []


def test_what_is_asked_for_once_more_meanwhile_goes_on_waiting(
    stores: tuple[DynamoSummaries, DynamoOutbox],
) -> None:
    summaries, outbox = stores
    summaries.add(make_summary())
    (found,) = outbox.iter_entries(Consumer.MANAGERS)
    summaries.enqueue(Consumer.MANAGERS, replace(found, enqueued_at=NOW + A_MINUTE))

    outbox.remove(Consumer.MANAGERS, found)

    assert [each.enqueued_at for each in outbox.iter_entries(Consumer.MANAGERS)] == [NOW + A_MINUTE]


def test_what_managers_were_told_is_kept_by_day(stores: tuple[DynamoSummaries, DynamoOutbox]) -> None:
    summaries, outbox = stores
    summaries.add(make_summary())
    assert outbox.find_notified_version(FIRST_DAY) is None

    for version in (1, 3):
        outbox.record_notified_version(FIRST_DAY, version)

    assert (outbox.find_notified_version(FIRST_DAY), outbox.find_notified_version(SECOND_DAY)) == (3, None)
    assert summaries.find_latest(FIRST_DAY) == make_summary()


def a_delivery(**changes: object) -> Delivery:
    return replace(Delivery(delivery_id=DeliveryId("d" * 32), medium=Medium.MAIL), **changes)  # type: ignore[arg-type]


def test_a_delivery_comes_back_as_it_stands(deliveries: DynamoDeliveries) -> None:
    assert deliveries.find(DeliveryId("d" * 32)) is None
    claimed = a_delivery().claim(NOW, version=2, revised_versions={FIRST_DAY.day: 3})

    assert deliveries.save(claimed)

    assert deliveries.find(claimed.delivery_id) == claimed
    assert deliveries.save(claimed.record_unknown_outcome("ReadTimeoutError"))
    assert deliveries.find(claimed.delivery_id) == claimed.record_unknown_outcome("ReadTimeoutError")


def test_of_two_who_claim_a_delivery_one_has_it(deliveries: DynamoDeliveries) -> None:
    claimed = a_delivery().claim(NOW, version=2, revised_versions={})

    assert [deliveries.save(claimed), deliveries.save(claimed)] == [True, False]


def test_of_two_who_move_a_delivery_on_one_does(deliveries: DynamoDeliveries) -> None:
    claimed = a_delivery().claim(NOW, version=2, revised_versions={})
    deliveries.save(claimed)

    assert [
        deliveries.save(claimed.apply_outcome(Outcome(OutcomeType.ACCEPTED))),
        deliveries.save(claimed.apply_outcome(Outcome(OutcomeType.FAILED, "no"))),
    ] == [
        True,
        False,
    ]
    assert deliveries.find(claimed.delivery_id).state is DeliveryState.ACCEPTED


def test_a_delivery_expires_when_its_day_is_no_news_any_more(
    deliveries: DynamoDeliveries, engine: Engine
) -> None:
    deliveries.save(a_delivery().claim(NOW, version=2, revised_versions={}))

    (item,) = engine.scan_items()
    assert int(item["expires_at"]["N"]) == int((NOW + timedelta(days=62)).timestamp())


def test_when_a_day_was_begun_is_kept_until_it_is_asked_for_once_more(
    stores: tuple[DynamoSummaries, DynamoOutbox],
) -> None:
    summaries, outbox = stores
    summaries.enqueue(Consumer.ANALYSTS, OutboxEntry(FIRST_DAY, 1, NOW))
    (found,) = outbox.iter_entries(Consumer.ANALYSTS)

    outbox.record_attempt(Consumer.ANALYSTS, found, NOW + A_MINUTE)
    assert waiting(outbox, Consumer.ANALYSTS) == [replace(found, tried_at=NOW + A_MINUTE)]

    again = replace(found, enqueued_at=NOW + 2 * A_MINUTE)
    summaries.enqueue(Consumer.ANALYSTS, again)
    outbox.record_attempt(Consumer.ANALYSTS, found, NOW + 3 * A_MINUTE)
    assert waiting(outbox, Consumer.ANALYSTS) == [again]


def test_readers_of_a_kind_take_turns(stores: tuple[DynamoSummaries, DynamoOutbox]) -> None:
    _, outbox = stores
    until = NOW + A_MINUTE

    assert outbox.acquire_lease(Consumer.ANALYSTS, NOW, until)
    assert not outbox.acquire_lease(Consumer.ANALYSTS, NOW, until + A_MINUTE)
    outbox.release_lease(Consumer.ANALYSTS, until + A_MINUTE)
    assert not outbox.acquire_lease(Consumer.ANALYSTS, NOW, until + A_MINUTE), "another's turn ends nobody's"

    outbox.release_lease(Consumer.ANALYSTS, until)
    assert outbox.acquire_lease(Consumer.ANALYSTS, NOW, until)
    assert outbox.acquire_lease(Consumer.ANALYSTS, until, until + A_MINUTE), "a turn ends by itself"
