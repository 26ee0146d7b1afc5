"""The due list on each engine: found by time, and changed only as it was read."""

from datetime import timedelta

import pytest

from chalicelib.campaigns.model import CampaignDay
from chalicelib.rollups.due import DueEntry, ListProgress
from chalicelib.rollups.service import DirtyDay
from chalicelib.rollups.store_counting import DynamoCountingState
from chalicelib.rollups.store_due import DynamoDueList
from tests.contracts.conftest import Engine
from tests.support.builders import NOW
from tests.support.registration_builders import FIRST_DAY

MINUTE = timedelta(minutes=1)
CAMPAIGN_ID = FIRST_DAY.campaign_id


@pytest.fixture
def table(engine: Engine) -> str:
    return engine.create_table("SummariesTable")


@pytest.fixture
def due_list(engine: Engine, table: str) -> DynamoDueList:
    return DynamoDueList(engine.client, table)


@pytest.fixture
def counting_state(engine: Engine, table: str) -> DynamoCountingState:
    return DynamoCountingState(engine.client, table)


def test_what_is_due_is_found_longest_due_first(
    due_list: DynamoDueList, counting_state: DynamoCountingState
) -> None:
    due_list.add_campaign(CAMPAIGN_ID, NOW - MINUTE)
    counting_state.mark_dirty(FIRST_DAY, occurred_at=NOW - 2 * MINUTE)
    due_list.add_campaign("now", NOW)
    due_list.add_campaign("later", NOW + MINUTE)

    assert list(due_list.iter_due(NOW)) == [
        DueEntry(CAMPAIGN_ID, FIRST_DAY.day, NOW - 2 * MINUTE),
        DueEntry(CAMPAIGN_ID, None, NOW - MINUTE),
        DueEntry("now", None, NOW),
    ]


def test_a_rescheduled_entry_is_due_at_its_new_time(
    due_list: DynamoDueList, counting_state: DynamoCountingState
) -> None:
    due_list.add_campaign(CAMPAIGN_ID, NOW)
    counting_state.mark_dirty(FIRST_DAY, occurred_at=NOW)
    for entry in list(due_list.iter_due(NOW)):
        due_list.reschedule(entry, NOW + MINUTE)

    assert list(due_list.iter_due(NOW)) == []
    assert {each.day for each in due_list.iter_due(NOW + MINUTE)} == {None, FIRST_DAY.day}


def test_a_dirty_day_that_changes_again_keeps_its_next_look(
    due_list: DynamoDueList, counting_state: DynamoCountingState
) -> None:
    counting_state.mark_dirty(FIRST_DAY, occurred_at=NOW)
    (entry,) = due_list.iter_due(NOW)
    due_list.reschedule(entry, NOW + MINUTE)
    counting_state.mark_dirty(FIRST_DAY, occurred_at=NOW)

    assert list(due_list.iter_due(NOW)) == []
    (dirty_day,) = counting_state.iter_dirty_days()
    assert dirty_day == DirtyDay(FIRST_DAY, 2, NOW)


def test_a_campaign_that_changed_since_it_was_read_is_not_rescheduled(due_list: DynamoDueList) -> None:
    due_list.add_campaign(CAMPAIGN_ID, NOW - MINUTE)
    (entry,) = due_list.iter_due(NOW)
    due_list.add_campaign(CAMPAIGN_ID, NOW)
    due_list.reschedule(entry, NOW + MINUTE)
    due_list.reschedule(entry, None)

    assert list(due_list.iter_due(NOW)) == [DueEntry(CAMPAIGN_ID, None, NOW)]


def test_a_repeated_request_stores_nothing_while_the_campaign_is_due(due_list: DynamoDueList) -> None:
    due_list.add_campaign(CAMPAIGN_ID, NOW - MINUTE)
    due_list.add_campaign(CAMPAIGN_ID, NOW, unless_due=True)
    (entry,) = due_list.iter_due(NOW)
    assert entry.due_at == NOW - MINUTE

    due_list.reschedule(entry, NOW + MINUTE)
    due_list.add_campaign(CAMPAIGN_ID, NOW, unless_due=True)
    assert [each.due_at for each in due_list.iter_due(NOW)] == [NOW]


def test_an_ended_campaign_is_not_due_until_it_is_changed(due_list: DynamoDueList) -> None:
    due_list.add_campaign(CAMPAIGN_ID, NOW)
    (entry,) = due_list.iter_due(NOW)
    due_list.reschedule(entry, None)
    assert list(due_list.iter_due(NOW + timedelta(days=999))) == []

    due_list.add_campaign(CAMPAIGN_ID, NOW)
    assert list(due_list.iter_due(NOW)) == [entry]


def test_a_cleared_dirty_day_is_due_no_more_and_is_not_made_anew(
    due_list: DynamoDueList, counting_state: DynamoCountingState
) -> None:
    counting_state.mark_dirty(FIRST_DAY, occurred_at=NOW)
    (entry,) = due_list.iter_due(NOW)
    counting_state.clear_dirty(DirtyDay(FIRST_DAY, 1, NOW))
    due_list.reschedule(entry, NOW)
    due_list.add_missing(entry)

    assert list(due_list.iter_due(NOW)) == []
    assert list(counting_state.iter_dirty_days()) == []


def test_items_of_an_earlier_release_get_an_entry_and_others_keep_theirs(
    engine: Engine, table: str, due_list: DynamoDueList, counting_state: DynamoCountingState
) -> None:
    counting_state.mark_dirty(FIRST_DAY, occurred_at=NOW)
    engine.client.update_item(
        TableName=table,
        Key={"pk": {"S": "DIRTY"}, "sk": {"S": f"{FIRST_DAY.day}#{CAMPAIGN_ID}"}},
        UpdateExpression="REMOVE listing, due_at",
    )
    due_list.add_campaign("scheduled", NOW + MINUTE)
    assert list(due_list.iter_due(NOW)) == []

    for entry in [DueEntry(CAMPAIGN_ID, None, NOW), DueEntry(CAMPAIGN_ID, FIRST_DAY.day, NOW)]:
        due_list.add_missing(entry)
    due_list.add_missing(DueEntry("scheduled", None, NOW))

    due = list(due_list.iter_due(NOW))
    assert {CampaignDay(each.campaign_id, each.day or FIRST_DAY.day) for each in due} == {FIRST_DAY}
    assert len(due) == 2


def test_the_progress_of_completing_the_list_is_kept(due_list: DynamoDueList) -> None:
    assert due_list.find_progress() is None
    for progress in (ListProgress(NOW, FIRST_DAY.day), ListProgress(NOW, is_complete=True)):
        due_list.save_progress(progress)
        assert due_list.find_progress() == progress
