"""The load harness and the soak in small, on a stack of their own: what they send, count and judge."""

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from bench.load.campaign import LoadedCampaign
from bench.load.judgement import judge_load
from bench.load.scenarios import LoadPlan, LoadRun
from bench.soak.judgement import judge_soak
from bench.soak.run import Soak, SoakPlan, begin_campaigns, find_carried_rate
from ops.local.stack import LocalStack

pytestmark = pytest.mark.e2e

_SETTLE_SECONDS = 240
# These ratios show nothing in a few seconds beside other tests.
_LATENCY_GATES = ("p99 beside p50", "back to normal after")

_GROWTH_GATES = ("memory", "threads", "descriptors", "connections", "age")


@pytest.fixture(scope="module")
def local_stack(new_stack_location: Callable[[], tuple[int, Path]]) -> Iterator[LocalStack]:
    """A stack of its own: what others send and hold up would be counted."""
    port, directory = new_stack_location()
    local = LocalStack(port=port, directory=directory)
    local.up()
    try:
        yield local
    finally:
        local.down()


@pytest.fixture
def campaign(local_stack: LocalStack, request: pytest.FixtureRequest) -> Iterator[LoadedCampaign]:
    """A campaign with workers of its own."""
    first = {"load": 60_001, "soak": 62_001}[request.param]
    campaign_id = f"{request.param}-in-small"
    workers = range(first, first + 2000)
    with closing(LoadedCampaign(local_stack, campaign_id, vans=3, workers=workers, connections=4)) as loaded:
        yield loaded


@pytest.mark.parametrize("campaign", ["load"], indirect=True)
def test_a_small_load_run_is_answered_without_errors_and_leaves_nothing_open(
    campaign: LoadedCampaign,
) -> None:
    plan = LoadPlan(
        capacity_seconds=0.5,
        market_seconds=2,
        vans=2,
        batch_size=2,
        seconds_before_spike=1,
        spike_seconds=1,
        seconds_after_spike=1,
        status_seconds=1,
        reading_seconds=1,
        connections=4,
        settle_seconds=_SETTLE_SECONDS,
    )
    result = LoadRun(campaign, plan).run()
    failed = [gate for gate in judge_load(result) if not gate.has_passed]
    assert [gate for gate in failed if not gate.name.endswith(_LATENCY_GATES)] == []
    assert all(carried > 0 for carried in result.capacities.values())


@pytest.mark.parametrize("campaign", ["soak"], indirect=True)
def test_a_small_soak_looks_at_every_function_and_leaves_nothing_open(campaign: LoadedCampaign) -> None:
    plan = SoakPlan(registrations=25, seconds=5, batch_size=8, sample_seconds=0.5, hour_seconds=2)
    campaigns = begin_campaigns([campaign])
    assert find_carried_rate(campaign, 5) > 0
    result = Soak(campaigns, plan).run()
    failed = [gate for gate in judge_soak(result) if not gate.has_passed]
    # What functions still load in their first seconds is growth.
    assert [gate for gate in failed if not gate.name.startswith(_GROWTH_GATES)] == []
    looked_at = {name for sample in result.samples for name in sample.processes}
    assert looked_at >= {
        "APIHandler",
        "AuthorizeCaller",
        "OnRegistrationChanges",
        "OnNotifications",
        "OnReceipts",
    }
