"""What the model predicts for whole days, beside what such days asked of AWS.

`make model` runs it with larger days, and has the figures written into a file.
"""

import json
import os
from pathlib import Path

import pytest

from bench.cost.counts import load_counts
from bench.model.days import DayPlan, predict_day
from bench.model.profile import load_profiles
from ops.fake_sms.server import FakeSmsServer
from tests.edge.conftest import Edge, create_bucket
from tests.edge.cost_harness import CostHarness
from tests.support.aws_events import make_schedule_event
from tests.support.payloads import make_capture_id

TOLERANCE = 0.10
SIZES = [int(size) for size in os.environ.get("DAFTAR_MODEL_SIZES", "4,8,16").split(",")]
RESULTS_DIR = os.environ.get("DAFTAR_MODEL_RESULTS")


def make_plan(size: int) -> DayPlan:
    """Return a day of which two in five registrations come from bots, a tenth is repeated, a tenth known.

    The harness has registered three workers before, and sent one SMS.
    """
    bots, part = size * 2 // 5, max(1, size // 10)
    return DayPlan(
        officers=size - bots,
        bots=bots,
        repeats=part,
        known=part,
        stream_batch=50,
        rows_before=3,
        sms_before=1,
    )


def run_day(costs: CostHarness, plan: DayPlan) -> None:
    """Have a day happen: captures, the stream, SMS, receipts, a count and an export."""
    for number in range(1, plan.created + 1):
        costs.register(number, caller="kiosk" if number <= plan.officers else "bot")
    for number in range(1, plan.repeats + 1):
        assert costs.edge.register(costs.make_capture(number)).status_code == 201
    for number in range(1, plan.known + 1):
        capture = {**costs.make_capture(number), "capture_id": make_capture_id(500_000 + number)}
        assert costs.edge.register(capture).status_code == 200
    created = [make_capture_id(number) for number in range(1, plan.created + 1)]
    for first in range(0, plan.created, plan.stream_batch):
        costs.publish(*created[first : first + plan.stream_batch])
    references = costs.find_references()
    for capture_id in created:
        costs.notify(reference=references[capture_id])
        costs.deliver_receipt()
    costs.edge.invoke("roll_up_due_days", make_schedule_event())
    costs.edge.invoke("export_days", make_schedule_event())


@pytest.mark.parametrize("size", SIZES)
def test_a_day_costs_what_the_model_predicts(edge: Edge, gateway: FakeSmsServer, size: int) -> None:
    costs, plan = CostHarness(edge, gateway), make_plan(size)
    create_bucket("exports")
    with costs.metered():
        run_day(costs, plan)

    predicted = dict(predict_day(plan, load_counts(), load_profiles()))
    if RESULTS_DIR:
        results = {"predicted": predicted, "counted": costs.counted}
        (Path(RESULTS_DIR) / f"{size:09}.json").write_text(json.dumps(results), encoding="utf-8")
        return
    assert predicted.keys() == costs.counted.keys()
    for item, number in costs.counted.items():
        assert predicted[item] == pytest.approx(number, rel=TOLERANCE), item
