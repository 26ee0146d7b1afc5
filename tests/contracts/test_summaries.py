"""What any store of summaries and marks promises: versions are never overwritten, marks never lost."""

from datetime import timedelta

import pytest

from chalicelib.campaigns.model import CampaignDay
from chalicelib.http.pagination import Position
from chalicelib.rollups.service import Checkpoint, VersionExists
from chalicelib.rollups.store import DynamoSummaries
from tests.contracts.conftest import Engine
from tests.support.builders import NOW
from tests.support.registration_builders import FIRST_DAY, SECOND_DAY, make_summary


@pytest.fixture
def summaries(engine: Engine) -> DynamoSummaries:
    return DynamoSummaries(engine.client, engine.create_table("SummariesTable"))


def test_a_day_never_counted_has_no_summary(summaries: DynamoSummaries) -> None:
    assert summaries.find_latest(FIRST_DAY) is None


def test_a_summary_comes_back_as_it_was_added(summaries: DynamoSummaries) -> None:
    summaries.add(make_summary())

    assert summaries.find_latest(FIRST_DAY) == make_summary()


def test_the_newest_of_many_versions_is_the_latest(summaries: DynamoSummaries) -> None:
    for version in range(1, 12):
        summaries.add(make_summary(version=version))

    assert summaries.find_latest(FIRST_DAY).version == 11


def test_a_version_written_once_is_not_written_again(summaries: DynamoSummaries) -> None:
    summaries.add(make_summary())

    with pytest.raises(VersionExists):
        summaries.add(make_summary(counted_at=NOW + timedelta(hours=1)))

    assert summaries.find_latest(FIRST_DAY) == make_summary()


def test_every_version_stays_to_be_found(summaries: DynamoSummaries) -> None:
    for version in (1, 2):
        summaries.add(make_summary(version=version))

    assert [summaries.find_version(FIRST_DAY, version) for version in (1, 2, 3)] == [
        make_summary(version=1),
        make_summary(version=2),
        None,
    ]


def test_days_are_listed_in_order_each_by_its_newest_version(summaries: DynamoSummaries) -> None:
    for of, version in ((SECOND_DAY, 1), (FIRST_DAY, 1), (FIRST_DAY, 2)):
        summaries.add(make_summary(of, version))
    summaries.add(make_summary(CampaignDay("tanah-abang-2024-b", FIRST_DAY.day)))

    assert list(summaries.iter_headlines(FIRST_DAY.campaign_id)) == [
        make_summary(FIRST_DAY, 2).headline,
        make_summary(SECOND_DAY).headline,
    ]


def test_each_day_has_its_own_versions(summaries: DynamoSummaries) -> None:
    summaries.add(make_summary(SECOND_DAY, version=2))

    assert summaries.find_latest(FIRST_DAY) is None


def test_a_campaign_whose_id_begins_like_another_has_its_own_summaries(summaries: DynamoSummaries) -> None:
    summaries.add(make_summary(CampaignDay("tanah-abang-2024-b", FIRST_DAY.day)))

    assert summaries.find_latest(FIRST_DAY) is None


def a_count(number: int = 1) -> Checkpoint:
    return Checkpoint(NOW, "3 1 2024-10-09", Position(f"{number}"), '{"figures": {}}')


def test_a_count_is_laid_aside_in_place_of_the_one_before(summaries: DynamoSummaries) -> None:
    assert summaries.find_checkpoint(FIRST_DAY) is None
    for number in (1, 2):
        summaries.save_checkpoint(FIRST_DAY, a_count(number))

    assert summaries.find_checkpoint(FIRST_DAY) == a_count(2)
    assert summaries.find_checkpoint(SECOND_DAY) is None
    assert summaries.find_latest(FIRST_DAY) is None
    assert list(summaries.iter_headlines(FIRST_DAY.campaign_id)) == []

    summaries.save_checkpoint(FIRST_DAY, None)
    assert summaries.find_checkpoint(FIRST_DAY) is None


def test_the_mark_of_one_day_is_found(summaries: DynamoSummaries) -> None:
    assert summaries.find_dirty_day(FIRST_DAY) is None
    summaries.mark_dirty(FIRST_DAY, occurred_at=NOW)

    assert [summaries.find_dirty_day(FIRST_DAY)] == list(summaries.iter_dirty_days())


def test_nothing_is_marked_at_first(summaries: DynamoSummaries) -> None:
    assert list(summaries.iter_dirty_days()) == []


def test_a_marked_day_is_found_with_when_it_was_marked(summaries: DynamoSummaries) -> None:
    summaries.mark_dirty(FIRST_DAY, occurred_at=NOW)

    (mark,) = summaries.iter_dirty_days()
    assert (mark.campaign_day, mark.marked_at) == (FIRST_DAY, NOW)


def test_a_day_marked_twice_is_one_mark_of_the_later_time(summaries: DynamoSummaries) -> None:
    summaries.mark_dirty(FIRST_DAY, occurred_at=NOW)
    summaries.mark_dirty(FIRST_DAY, occurred_at=NOW + timedelta(minutes=5))

    (mark,) = summaries.iter_dirty_days()
    assert mark.marked_at == NOW + timedelta(minutes=5)


def test_the_days_of_two_campaigns_are_marked_apart(summaries: DynamoSummaries) -> None:
    elsewhere = CampaignDay("senen-2024", FIRST_DAY.day)
    for day in (FIRST_DAY, SECOND_DAY, elsewhere):
        summaries.mark_dirty(day, occurred_at=NOW)

    assert {mark.campaign_day for mark in summaries.iter_dirty_days()} == {FIRST_DAY, SECOND_DAY, elsewhere}


def test_a_mark_can_be_taken_away_and_that_again(summaries: DynamoSummaries) -> None:
    summaries.mark_dirty(FIRST_DAY, occurred_at=NOW)
    (mark,) = summaries.iter_dirty_days()

    summaries.clear_dirty(mark)
    summaries.clear_dirty(mark)

    assert list(summaries.iter_dirty_days()) == []


def test_a_day_marked_once_more_since_it_was_read_stays_marked(summaries: DynamoSummaries) -> None:
    summaries.mark_dirty(FIRST_DAY, occurred_at=NOW)
    (read,) = summaries.iter_dirty_days()
    summaries.mark_dirty(FIRST_DAY, occurred_at=NOW + timedelta(minutes=5))

    summaries.clear_dirty(read)

    assert [mark.campaign_day for mark in summaries.iter_dirty_days()] == [FIRST_DAY]
