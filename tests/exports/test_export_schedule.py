"""The hourly export function: no day starves another, and two runs do not overlap."""

from collections.abc import Iterable
from datetime import timedelta

import pytest

from chalicelib.campaigns.model import CampaignDay
from chalicelib.exports.model import ExportFile, Manifest, StoredRows
from chalicelib.exports.schedule import ExportPartialFailure
from chalicelib.rollups.outbox import Consumer
from tests.support.export_harness import TIME_LIMIT, ExportHarness, FunctionKilled
from tests.support.logs import collect_logs
from tests.support.registration_builders import FIRST_DAY, SECOND_DAY
from tests.support.report_builders import A_DAY, FINAL


class RecordingStore:
    """Satisfies `exports.service.ExportStore`: records the order of published days."""

    def __init__(self) -> None:
        self.published: list[CampaignDay] = []

    def put(self, campaign_day: CampaignDay, version: int, rows: Iterable[bytes]) -> StoredRows:
        return StoredRows(files=[ExportFile(key="rows", rows=len(list(rows)), bytes=0, sha256="")])

    def publish(self, manifest: Manifest) -> None:
        self.published.append(CampaignDay(manifest.campaign_id, manifest.day))


@pytest.fixture
def store() -> RecordingStore:
    return RecordingStore()


@pytest.fixture
def harness(store: RecordingStore) -> ExportHarness:
    """Two final days in the outbox, the first one enqueued a minute before the second."""
    harness = ExportHarness(store)
    harness.clock.now = FINAL + A_DAY
    for campaign_day in (FIRST_DAY, SECOND_DAY):
        harness.add_capture(campaign_day)
        harness.run_rollup()
        harness.clock.advance(timedelta(minutes=1))
    return harness


def test_days_are_exported_in_the_order_of_the_outbox(harness: ExportHarness, store: RecordingStore) -> None:
    harness.enqueue(FIRST_DAY)

    assert harness.run_export_function() == {"exported": 2, "open": 0}
    assert store.published == [SECOND_DAY, FIRST_DAY]


def test_a_day_that_failed_comes_last_in_the_next_run(harness: ExportHarness, store: RecordingStore) -> None:
    harness.facts.unreadable_days.add(FIRST_DAY)
    with pytest.raises(ExportPartialFailure):
        harness.run_export_function()
    harness.facts.unreadable_days.clear()
    store.published.clear()
    # After the first day was enqueued, and before it was attempted.
    harness.enqueue(SECOND_DAY, enqueued_at=harness.clock() - timedelta(seconds=30))

    harness.run_export_function()

    assert store.published == [SECOND_DAY, FIRST_DAY]


def test_a_day_that_takes_too_long_fails_and_starves_no_other(
    harness: ExportHarness, store: RecordingStore
) -> None:
    harness.read_times[FIRST_DAY] = TIME_LIMIT
    with collect_logs() as lines, pytest.raises(ExportPartialFailure):
        harness.run_export_function()
    assert [line["day"] for line in lines.with_message("campaign day export timed out")] == ["2024-10-09"]
    assert [
        line["records"]
        for line in lines.with_message("time limit reached, remaining days wait for the next run")
    ] == [1]
    assert store.published == []

    with pytest.raises(ExportPartialFailure):
        harness.run_export_function()

    assert store.published == [SECOND_DAY]


def test_a_day_whose_export_was_killed_comes_last_in_the_next_run(
    harness: ExportHarness, store: RecordingStore
) -> None:
    harness.killed_on = FIRST_DAY
    with pytest.raises(FunctionKilled):
        harness.run_export_function()

    with pytest.raises(FunctionKilled):
        harness.run_export_function()

    assert store.published == [SECOND_DAY]


def test_no_export_begins_in_the_second_half_of_the_time_limit(
    harness: ExportHarness, store: RecordingStore
) -> None:
    harness.read_times[FIRST_DAY] = TIME_LIMIT * 0.6

    with collect_logs() as lines:
        assert harness.run_export_function() == {"exported": 1, "open": 1}
    assert len(lines.with_message("time limit reached, remaining days wait for the next run")) == 1

    assert harness.run_export_function() == {"exported": 1, "open": 0}
    assert store.published == [FIRST_DAY, SECOND_DAY]


def test_a_run_does_nothing_while_another_one_holds_the_lease(
    harness: ExportHarness, store: RecordingStore
) -> None:
    harness.outbox.acquire_lease(Consumer.ANALYSTS, harness.clock(), harness.clock() + TIME_LIMIT)

    assert harness.run_export_function() == {"exported": 0, "open": 0}

    assert store.published == []


def test_the_lease_of_a_killed_run_ends_with_its_time_limit(harness: ExportHarness) -> None:
    harness.outbox.acquire_lease(Consumer.ANALYSTS, harness.clock(), harness.clock() + TIME_LIMIT)
    harness.clock.advance(TIME_LIMIT)

    assert harness.run_export_function() == {"exported": 2, "open": 0}
