"""Shares of a scheduled job: together they are all of the work, and each part of it belongs to one."""

import pytest
from chalice.app import CloudWatchEvent
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.registrations.store_keys import list_due_shards
from chalicelib.shares import WHOLE, Share, get_share
from tests.support.aws_events import make_schedule_event, make_share_event

COUNTS = st.integers(1, 20)


@given(record_id=st.text(max_size=64), count=COUNTS)
def test_a_record_belongs_to_one_share(record_id: str, count: int) -> None:
    assert sum(Share(number, count).has(record_id) for number in range(count)) == 1


@given(count=COUNTS)
def test_a_partition_belongs_to_one_share(count: int) -> None:
    chosen = [shard for number in range(count) for shard in Share(number, count).choose(list_due_shards())]
    assert sorted(chosen) == sorted(list_due_shards())


def test_campaigns_spread_over_the_shares() -> None:
    sizes = [sum(Share(number, 8).has(f"market-{each}") for each in range(8_000)) for number in range(8)]
    assert min(sizes) > 900
    assert max(sizes) < 1_100


def test_an_event_without_a_share_is_for_all_of_the_work() -> None:
    assert get_share(CloudWatchEvent(make_schedule_event(), None)) == WHOLE
    assert WHOLE.has("any")
    assert WHOLE.choose(list_due_shards()) == list_due_shards()


def test_an_event_names_its_share() -> None:
    assert get_share(CloudWatchEvent(make_share_event(3, 8), None)) == Share(3, 8)


@pytest.mark.parametrize(("number", "count"), [(8, 8), (-1, 8), (0, 0)])
def test_a_share_that_cannot_be_is_refused(number: int, count: int) -> None:
    with pytest.raises(ValueError, match="no share"):
        Share(number, count)
