"""Counts of growing days: requests, rows in memory and time grow in a straight line, or not at all.

`python -m bench.recounts` measures CPU and memory on an engine. Here rows come in pages, as of DynamoDB.
"""

import json
from collections import defaultdict
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bench.recount import make_cipher, make_rows
from chalicelib.aws.table import PAGE_SIZE
from chalicelib.registrations.store_reading import DynamoReadingStore
from chalicelib.rollups.counting import AnomalyThresholds, DayCounter
from ops.project import ROOT
from tests.rollups.test_checkpoints import LargeDayHarness
from tests.support.registration_builders import FIRST_DAY
from tests.support.report_builders import AN_HOUR, CREATED

PARTITIONS = 17
SIZES = (100, 500, 2_000)
# DynamoDB ends a page at a megabyte, whatever was asked for.
PAGE_ROWS = 100


class PagingClient:
    """Answers queries of the day index page by page, and notes how many rows were out at once."""

    def __init__(self, workers: int) -> None:
        self.requests = 0
        self.most_rows = 0
        self._rows: dict[str, list[dict[str, Any]]] = defaultdict(list)
        for number in range(workers):
            for row in make_rows(number, workers):
                self._rows[row["day_shard"]["S"]].append(row)
        for rows in self._rows.values():
            rows.sort(key=lambda row: str(row["day_order"]["S"]))
        self._pages: dict[str, int] = {}

    def query(self, **request: Any) -> dict[str, Any]:
        """Return the next page of a partition."""
        self.requests += 1
        shard = request["ExpressionAttributeValues"][":shard"]["S"]
        rows, first = self._rows[shard], request.get("ExclusiveStartKey", 0)
        assert PAGE_ROWS <= request["Limit"] == PAGE_SIZE
        page = rows[first : first + PAGE_ROWS]
        self._pages[shard] = len(page)
        self.most_rows = max(self.most_rows, sum(self._pages.values()))
        following = first + len(page)
        return {"Items": page, **({"LastEvaluatedKey": following} if following < len(rows) else {})}


def count_day(workers: int) -> tuple[PagingClient, DayCounter]:
    client, counter = PagingClient(workers), DayCounter(AnomalyThresholds())
    for fact in DynamoReadingStore(client, "table", make_cipher()).iter_day_facts(FIRST_DAY):
        counter.add(fact)
    return client, counter


@pytest.mark.parametrize("workers", SIZES)
def test_requests_grow_with_the_rows_and_rows_in_memory_do_not(workers: int) -> None:
    client, counter = count_day(workers)

    # Two rows for each worker, over sixteen partitions that are as good as equal; one more for remnants.
    assert client.requests <= PARTITIONS + 2 * workers / PAGE_ROWS
    assert client.most_rows <= min(2 * workers, PARTITIONS * PAGE_ROWS)
    assert counter.to_tally().funnel.received == workers


def test_a_day_that_changes_every_hour_is_counted_in_every_run() -> None:
    # It takes 550 seconds to count, more than a day of a million does.
    harness = LargeDayHarness(11_000)
    harness.facts.on_read = lambda _: harness.clock.advance(timedelta(milliseconds=50))
    harness.clock.advance(AN_HOUR)
    for hour in (1, 2):
        harness.facts.add(FIRST_DAY, replace(CREATED, client_id=f"late-{hour}"), position="0" * hour)
        harness.rollup_service.mark_dirty(FIRST_DAY)

        answer = harness.run_function(minutes=read_minutes())

        assert (answer["written"], answer["unfinished"]) == (1, 0)
        assert harness.is_summary_right()
        harness.clock.advance(AN_HOUR)


def read_minutes() -> int:
    """Return the minutes that the hourly function has."""
    config = json.loads((ROOT / ".chalice" / "config.json").read_text(encoding="utf-8"))
    seconds: int = config["lambda_functions"]["roll_up_due_days"]["lambda_timeout"]
    return seconds // 60
