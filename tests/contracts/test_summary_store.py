"""Stores of summaries and of counting state: versions are never overwritten, dirty days never lost."""

import json
from datetime import timedelta

import pytest

from chalicelib.campaigns.model import CampaignDay
from chalicelib.http.pagination import Position
from chalicelib.rollups.model import Arrivals, Counts, Funnel, Summary
from chalicelib.rollups.running_count import Checkpoint
from chalicelib.rollups.service import VersionExists
from chalicelib.rollups.store_counting import DynamoCountingState
from chalicelib.rollups.store_summaries import DynamoSummaries
from tests.contracts.conftest import Engine
from tests.support.builders import NOW
from tests.support.registration_builders import FIRST_DAY, SECOND_DAY, make_summary


@pytest.fixture
def table(engine: Engine) -> str:
    return engine.create_table("SummariesTable")


@pytest.fixture
def summaries(engine: Engine, table: str) -> DynamoSummaries:
    return DynamoSummaries(engine.client, table)


@pytest.fixture
def counting_state(engine: Engine, table: str) -> DynamoCountingState:
    return DynamoCountingState(engine.client, table)


def test_a_day_never_counted_has_no_summary(summaries: DynamoSummaries) -> None:
    assert summaries.find_latest(FIRST_DAY) is None


def test_a_summary_is_read_as_it_was_added(summaries: DynamoSummaries) -> None:
    summaries.add(make_summary())

    assert summaries.find_latest(FIRST_DAY) == make_summary()


def store_as_an_earlier_release(engine: Engine, table: str, summary: Summary) -> None:
    """Store a version and its headline without the figures that were added since."""
    DynamoSummaries(engine.client, table).add(summary)
    for item in engine.scan_items():
        for name in ("summary", "headline"):
            if name in item:
                stored = json.loads(item[name]["S"])
                stored.pop("registered", None)
                stored.get("counts", {}).pop("registered", None)
                for arrivals in stored.get("arrivals", ()):
                    del arrivals["registered"]
                item[name] = {"S": json.dumps(stored)}
                engine.client.put_item(TableName=table, Item=item)


def test_a_summary_of_an_earlier_release_is_read_with_the_registered_workers(
    engine: Engine, table: str, summaries: DynamoSummaries
) -> None:
    counts = Counts(captures=9, created=7, already_registered=1, reactivated=1, refused=0, registered=8)
    arrivals = [Arrivals(client_id="van-1", received_on=FIRST_DAY.day, created=7, registered=7)]
    stored = make_summary().model_copy(
        update={"counts": counts, "funnel": Funnel(received=6, cancelled=2), "arrivals": arrivals}
    )
    store_as_an_earlier_release(engine, table, stored)

    found = summaries.find_latest(FIRST_DAY)

    assert found is not None
    assert (found.counts.created, found.counts.registered) == (7, 6)
    assert [each.registered for each in found.arrivals] == [7]
    assert [each.registered for each in summaries.iter_headlines(FIRST_DAY.campaign_id)] == [6]


def test_the_latest_version_is_the_highest(summaries: DynamoSummaries) -> None:
    for version in range(1, 12):
        summaries.add(make_summary(version=version))

    latest = summaries.find_latest(FIRST_DAY)
    assert latest is not None
    assert latest.version == 11


def test_a_version_is_not_overwritten(summaries: DynamoSummaries) -> None:
    summaries.add(make_summary())

    with pytest.raises(VersionExists):
        summaries.add(make_summary(counted_at=NOW + timedelta(hours=1)))

    assert summaries.find_latest(FIRST_DAY) == make_summary()


def test_every_version_can_be_read(summaries: DynamoSummaries) -> None:
    for version in (1, 2):
        summaries.add(make_summary(version=version))

    assert [summaries.find_version(FIRST_DAY, version) for version in (1, 2, 3)] == [
        make_summary(version=1),
        make_summary(version=2),
        None,
    ]


def test_headlines_are_in_order_of_days_each_of_the_newest_version(summaries: DynamoSummaries) -> None:
    for campaign_day, version in ((SECOND_DAY, 1), (FIRST_DAY, 1), (FIRST_DAY, 2)):
        summaries.add(make_summary(campaign_day, version))
    summaries.add(make_summary(CampaignDay("tanah-abang-2024-b", FIRST_DAY.day)))

    assert list(summaries.iter_headlines(FIRST_DAY.campaign_id)) == [
        make_summary(FIRST_DAY, 2).headline,
        make_summary(SECOND_DAY).headline,
    ]


def test_each_day_has_its_own_versions(summaries: DynamoSummaries) -> None:
    summaries.add(make_summary(SECOND_DAY, version=2))

    assert summaries.find_latest(FIRST_DAY) is None


def test_a_campaign_whose_id_is_a_prefix_of_another_has_its_own_summaries(summaries: DynamoSummaries) -> None:
    summaries.add(make_summary(CampaignDay("tanah-abang-2024-b", FIRST_DAY.day)))

    assert summaries.find_latest(FIRST_DAY) is None


def make_checkpoint(number: int = 1) -> Checkpoint:
    return Checkpoint(NOW, "3 1 2024-10-09", Position(f"{number}"), '{"figures": {}}')


def test_a_checkpoint_replaces_the_one_before(
    counting_state: DynamoCountingState, summaries: DynamoSummaries
) -> None:
    assert counting_state.find_checkpoint(FIRST_DAY) is None
    for number in (1, 2):
        counting_state.save_checkpoint(FIRST_DAY, make_checkpoint(number))

    assert counting_state.find_checkpoint(FIRST_DAY) == make_checkpoint(2)
    assert counting_state.find_checkpoint(SECOND_DAY) is None
    assert summaries.find_latest(FIRST_DAY) is None
    assert list(summaries.iter_headlines(FIRST_DAY.campaign_id)) == []

    counting_state.save_checkpoint(FIRST_DAY, None)
    assert counting_state.find_checkpoint(FIRST_DAY) is None


def test_one_dirty_day_is_found(counting_state: DynamoCountingState) -> None:
    assert counting_state.find_dirty_day(FIRST_DAY) is None
    counting_state.mark_dirty(FIRST_DAY, occurred_at=NOW)

    assert [counting_state.find_dirty_day(FIRST_DAY)] == list(counting_state.iter_dirty_days())


def test_no_day_is_dirty_at_first(counting_state: DynamoCountingState) -> None:
    assert list(counting_state.iter_dirty_days()) == []


def test_a_dirty_day_has_the_time_of_the_change(counting_state: DynamoCountingState) -> None:
    counting_state.mark_dirty(FIRST_DAY, occurred_at=NOW)

    (dirty_day,) = counting_state.iter_dirty_days()
    assert (dirty_day.campaign_day, dirty_day.marked_at) == (FIRST_DAY, NOW)


def test_a_day_that_changed_twice_is_one_dirty_day_with_the_later_time(
    counting_state: DynamoCountingState,
) -> None:
    counting_state.mark_dirty(FIRST_DAY, occurred_at=NOW)
    counting_state.mark_dirty(FIRST_DAY, occurred_at=NOW + timedelta(minutes=5))

    (dirty_day,) = counting_state.iter_dirty_days()
    assert dirty_day.marked_at == NOW + timedelta(minutes=5)


def test_the_days_of_two_campaigns_are_separate_dirty_days(counting_state: DynamoCountingState) -> None:
    other_campaign = CampaignDay("senen-2024", FIRST_DAY.day)
    for day in (FIRST_DAY, SECOND_DAY, other_campaign):
        counting_state.mark_dirty(day, occurred_at=NOW)

    assert {each.campaign_day for each in counting_state.iter_dirty_days()} == {
        FIRST_DAY,
        SECOND_DAY,
        other_campaign,
    }


def test_a_dirty_day_can_be_cleared_twice(counting_state: DynamoCountingState) -> None:
    counting_state.mark_dirty(FIRST_DAY, occurred_at=NOW)
    (dirty_day,) = counting_state.iter_dirty_days()

    counting_state.clear_dirty(dirty_day)
    counting_state.clear_dirty(dirty_day)

    assert list(counting_state.iter_dirty_days()) == []


def test_a_day_that_changed_since_it_was_read_stays_dirty(counting_state: DynamoCountingState) -> None:
    counting_state.mark_dirty(FIRST_DAY, occurred_at=NOW)
    (dirty_day,) = counting_state.iter_dirty_days()
    counting_state.mark_dirty(FIRST_DAY, occurred_at=NOW + timedelta(minutes=5))

    counting_state.clear_dirty(dirty_day)

    assert [each.campaign_day for each in counting_state.iter_dirty_days()] == [FIRST_DAY]
