"""The expected counts of the example agree with an independent count."""

import json
from collections import Counter, defaultdict
from itertools import permutations

import pytest

from ops.local.market_day.files import render_files
from ops.local.market_day.setting import SEED
from tests.examples.capture_lines import (
    DEVICES,
    Body,
    CaptureLine,
    parse_files,
)
from tests.examples.outcome_counts import DayCounts, count_outcomes, iter_orders

OTHER_SEEDS = (1, 2, 3)


@pytest.fixture(scope="module", params=[SEED, *OTHER_SEEDS])
def generated_market(request: pytest.FixtureRequest) -> tuple[dict[str, list[CaptureLine]], Body]:
    texts = render_files(request.param)
    return parse_files(texts), json.loads(texts["expected.json"])


def test_the_counts_in_device_order_agree_with_an_independent_count(
    generated_market: tuple[dict[str, list[CaptureLine]], Body],
) -> None:
    files, expected = generated_market
    order = expected["in_device_order"]["order"]
    assert tuple(order) == DEVICES
    days = count_outcomes([line for device in order for line in files[device]])
    for name, day in expected["in_device_order"]["days"].items():
        counted = days[name]
        assert {count: counted.counts[count] for count in day["counts"]} == day["counts"]
        assert day["by_channel"] == counted.by_channel
        assert day["by_client"] == counted.by_client
        assert day["by_occupation"] == counted.by_occupation


def test_the_counts_for_any_order_hold_in_every_order(
    generated_market: tuple[dict[str, list[CaptureLine]], Body],
) -> None:
    files, expected = generated_market
    for order in iter_orders(files):
        days = count_outcomes(order)
        assert sum(day.counts["created"] for day in days.values()) == expected["workers"] == expected["texts"]
        for total in ("captures", "already_registered", "replays", "conflicts"):
            assert sum(day.counts[total] for day in days.values()) == expected[total]
        assert sum(day.counts["refused"] for day in days.values()) == expected["refused"]["total"]
        assert sum((day.by_occupation for day in days.values()), Counter()) == expected["by_occupation"]
        for name, day in expected["days"].items():
            _assert_day(days[name], day)


def _assert_day(counted: DayCounts, day: Body) -> None:
    assert counted.counts["captures"] == day["captures"]
    assert counted.counts["refused"] == day["refused"]["total"]
    assert counted.reasons == day["refused"]["by_reason"]
    assert counted.counts["replays"] == day["replays"]
    assert counted.counts["conflicts"] == day["conflicts"]
    for outcome in ("created", "already_registered"):
        assert day[outcome]["least"] <= counted.counts[outcome] <= day[outcome]["most"]
    for client, numbers in day["by_client"].items():
        assert counted.captures_by_client[client] == numbers["captures"]
        assert counted.refused_by_client[client] == numbers["refused"]
        assert numbers["created"]["least"] <= counted.by_client[client] <= numbers["created"]["most"]


def test_the_ranges_of_a_device_are_reached(files: dict[str, list[CaptureLine]], expected: Body) -> None:
    """A range that no order reaches would accept a wrong count."""
    found = defaultdict(set)
    for devices in permutations(DEVICES):
        for name, day in count_outcomes([line for device in devices for line in files[device]]).items():
            for client, created in day.by_client.items():
                found[name, client].add(created)
    for name, day in expected["days"].items():
        for client, numbers in day["by_client"].items():
            reached = found[name, client]
            assert (min(reached), max(reached)) == (numbers["created"]["least"], numbers["created"]["most"])
