"""What any store promises of who waits for a day, and of what managers were sent."""

from dataclasses import replace
from datetime import timedelta

import pytest

from chalicelib.campaigns.model import CampaignDay
from chalicelib.deliveries.dynamodb import DynamoDeliveries
from chalicelib.deliveries.model import Delivery, DeliveryId, DeliveryState, Medium
from chalicelib.rollups.dynamodb import DynamoOutbox, DynamoSummaries
from chalicelib.rollups.model import State
from chalicelib.rollups.outbox import Reader, Waiting
from tests.builders import NOW
from tests.contracts.conftest import Engine
from tests.contracts.stored import FIRST_DAY, SECOND_DAY, a_summary
from tests.fakes import FixedClock

A_MINUTE = timedelta(minutes=1)


@pytest.fixture
def stores(engine: Engine) -> tuple[DynamoSummaries, DynamoOutbox]:
    table = engine.client, engine.table("SummariesTable")
    return DynamoSummaries(*table), DynamoOutbox(*table)


@pytest.fixture
def deliveries(engine: Engine) -> DynamoDeliveries:
    ids = iter(range(1_000))
    return DynamoDeliveries(
        engine.client,
        engine.table("SendingTable"),
        new_write_id=lambda: f"write-{next(ids)}",
        clock=FixedClock(NOW),
        kept_for=timedelta(days=62),
    )


def waiting(outbox: DynamoOutbox, reader: Reader) -> list[Waiting]:
    return list(outbox.waiting(reader))


def test_a_version_is_stored_together_with_who_waits_for_it(
    stores: tuple[DynamoSummaries, DynamoOutbox],
) -> None:
    summaries, outbox = stores
    assert waiting(outbox, Reader.MANAGERS) == []

    summaries.add(a_summary())

    assert waiting(outbox, Reader.MANAGERS) == [Waiting(FIRST_DAY, 1, NOW)]
    assert waiting(outbox, Reader.ANALYSTS) == [], "the day is not final yet"


def test_a_final_version_waits_for_analysts_as_well(stores: tuple[DynamoSummaries, DynamoOutbox]) -> None:
    summaries, outbox = stores

    summaries.add(a_summary().model_copy(update={"state": State.FINAL}))

    assert waiting(outbox, Reader.ANALYSTS) == [Waiting(FIRST_DAY, 1, NOW)]


def test_a_later_version_waits_in_the_place_of_the_one_before(
    stores: tuple[DynamoSummaries, DynamoOutbox],
) -> None:
    summaries, outbox = stores
    summaries.add(a_summary())
    summaries.add(a_summary(version=2, at=NOW + A_MINUTE))

    assert waiting(outbox, Reader.MANAGERS) == [Waiting(FIRST_DAY, 2, NOW + A_MINUTE)]


def test_each_day_of_each_campaign_waits_for_itself(stores: tuple[DynamoSummaries, DynamoOutbox]) -> None:
    summaries, outbox = stores
    days = [FIRST_DAY, SECOND_DAY, CampaignDay("senen-2024", FIRST_DAY.day)]
    for of in days:
        summaries.add(a_summary(of))

    assert {each.of for each in waiting(outbox, Reader.MANAGERS)} == set(days)


def test_what_is_done_waits_no_longer(stores: tuple[DynamoSummaries, DynamoOutbox]) -> None:
    summaries, outbox = stores
    summaries.add(a_summary())
    (found,) = outbox.waiting(Reader.MANAGERS)

    for _ in range(2):
        outbox.done(Reader.MANAGERS, found)

    assert waiting(outbox, Reader.MANAGERS) == []


def test_what_is_asked_for_once_more_meanwhile_goes_on_waiting(
    stores: tuple[DynamoSummaries, DynamoOutbox],
) -> None:
    summaries, outbox = stores
    summaries.add(a_summary())
    (found,) = outbox.waiting(Reader.MANAGERS)
    summaries.ask(Reader.MANAGERS, replace(found, asked_at=NOW + A_MINUTE))

    outbox.done(Reader.MANAGERS, found)

    assert [each.asked_at for each in outbox.waiting(Reader.MANAGERS)] == [NOW + A_MINUTE]


def test_what_managers_were_told_is_kept_by_day(stores: tuple[DynamoSummaries, DynamoOutbox]) -> None:
    summaries, outbox = stores
    summaries.add(a_summary())
    assert outbox.told(FIRST_DAY) is None

    for version in (1, 3):
        outbox.note_told(FIRST_DAY, version)

    assert (outbox.told(FIRST_DAY), outbox.told(SECOND_DAY)) == (3, None)
    assert summaries.latest(FIRST_DAY) == a_summary()


def a_delivery(**changes: object) -> Delivery:
    return replace(Delivery(DeliveryId("d" * 32), Medium.MAIL), **changes)  # type: ignore[arg-type]


def test_a_delivery_comes_back_as_it_stands(deliveries: DynamoDeliveries) -> None:
    assert deliveries.get(DeliveryId("d" * 32)) is None
    claimed = a_delivery().claimed(NOW, version=2)

    assert deliveries.move(claimed)

    assert deliveries.get(claimed.delivery_id) == claimed
    assert deliveries.move(claimed.lost_sight_of("ReadTimeoutError"))
    assert deliveries.get(claimed.delivery_id) == claimed.lost_sight_of("ReadTimeoutError")


def test_of_two_who_claim_a_delivery_one_has_it(deliveries: DynamoDeliveries) -> None:
    claimed = a_delivery().claimed(NOW, version=2)

    assert [deliveries.move(claimed), deliveries.move(claimed)] == [True, False]


def test_of_two_who_move_a_delivery_on_one_does(deliveries: DynamoDeliveries) -> None:
    claimed = a_delivery().claimed(NOW, version=2)
    deliveries.move(claimed)

    assert [deliveries.move(claimed.accepted()), deliveries.move(claimed.refused("no"))] == [True, False]
    assert deliveries.get(claimed.delivery_id).state is DeliveryState.ACCEPTED


def test_a_delivery_expires_when_its_day_is_no_news_any_more(
    deliveries: DynamoDeliveries, engine: Engine
) -> None:
    deliveries.move(a_delivery().claimed(NOW, version=2))

    (item,) = engine.raw_items()
    assert int(item["expires_at"]["N"]) == int((NOW + timedelta(days=62)).timestamp())


def test_when_a_day_was_begun_is_kept_until_it_is_asked_for_once_more(
    stores: tuple[DynamoSummaries, DynamoOutbox],
) -> None:
    summaries, outbox = stores
    summaries.ask(Reader.ANALYSTS, Waiting(FIRST_DAY, 1, NOW))
    (found,) = outbox.waiting(Reader.ANALYSTS)

    outbox.begin(Reader.ANALYSTS, found, NOW + A_MINUTE)
    assert waiting(outbox, Reader.ANALYSTS) == [replace(found, tried_at=NOW + A_MINUTE)]

    again = replace(found, asked_at=NOW + 2 * A_MINUTE)
    summaries.ask(Reader.ANALYSTS, again)
    outbox.begin(Reader.ANALYSTS, found, NOW + 3 * A_MINUTE)
    assert waiting(outbox, Reader.ANALYSTS) == [again]


def test_readers_of_a_kind_take_turns(stores: tuple[DynamoSummaries, DynamoOutbox]) -> None:
    _, outbox = stores
    until = NOW + A_MINUTE

    assert outbox.take_turn(Reader.ANALYSTS, NOW, until)
    assert not outbox.take_turn(Reader.ANALYSTS, NOW, until + A_MINUTE)
    outbox.end_turn(Reader.ANALYSTS, until + A_MINUTE)
    assert not outbox.take_turn(Reader.ANALYSTS, NOW, until + A_MINUTE), "another's turn ends nobody's"

    outbox.end_turn(Reader.ANALYSTS, until)
    assert outbox.take_turn(Reader.ANALYSTS, NOW, until)
    assert outbox.take_turn(Reader.ANALYSTS, until, until + A_MINUTE), "a turn ends by itself"
