"""What each operation asks of AWS, as the bill counts it: what `bench/cost/counts.json` says for `make cost`.

Beside it, what it writes under which key, in `bench/model/profile.json` for `make model`.

A change that needs more than 5 per cent more, or less, of anything fails here until the new figures are
written, by `DAFTAR_TEST_WRITE_COSTS=1`, and so are seen by whoever reads the change.
"""

import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from bench.cost.counts import COUNTS_FILE, load_counts
from bench.model.profile import PROFILE_FILE, load_profiles
from ops.fake_sms.server import FakeSmsServer
from tests.edge.conftest import Edge, create_bucket
from tests.edge.cost_harness import CAMPAIGN, CostHarness, remind
from tests.support.aws_events import make_schedule_event, make_token_event
from tests.support.payloads import make_capture_id, make_capture_payload, make_expiry_day

TOLERANCE = 0.05
IS_WRITING = "DAFTAR_TEST_WRITE_COSTS" in os.environ
ROWS = 20
DAY_PATH = f"/v1/campaigns/{CAMPAIGN}/summaries/2024-10-09"
CODE = {"code": "EPS-4711", "amount": 98_400, "expires_on": make_expiry_day()}


def register_by_an_officer(costs: CostHarness) -> None:
    with costs.metered():
        costs.register(1)


def register_by_a_bot(costs: CostHarness) -> None:
    with costs.metered():
        costs.register(1, caller="bot")


def send_a_capture_again(costs: CostHarness) -> None:
    costs.register(1)
    with costs.metered():
        costs.edge.register(costs.make_capture(1))


def meet_a_known_worker(costs: CostHarness) -> None:
    costs.register(1)
    capture = {**costs.make_capture(1), "capture_id": make_capture_id(2)}
    with costs.metered():
        assert costs.edge.register(capture).status_code == 200


def refuse_a_capture(costs: CostHarness) -> None:
    with costs.metered():
        assert costs.edge.register(make_capture_payload(worker={"nik": "1"})).status_code == 422


def register_a_batch_of_20(costs: CostHarness) -> None:
    items = [costs.make_capture(number) for number in range(1, 21)]
    with costs.metered():
        costs.send("POST", "/v1/registrations/batch", {"items": items}, caller="kiosk")


def authorize_a_caller(costs: CostHarness) -> None:
    token = costs.edge.tokens["kiosk"]
    with costs.metered():
        costs.edge.invoke("authorize_caller", make_token_event(f"Bearer {token}"))


def publish_a_registration(costs: CostHarness) -> None:
    reference = costs.register(1)
    with costs.metered():
        costs.publish(reference)


def publish_20_registrations(costs: CostHarness) -> None:
    references = [costs.register(number) for number in range(1, ROWS + 1)]
    with costs.metered():
        costs.publish(*references)


def send_a_confirmation(costs: CostHarness) -> None:
    reference = costs.register(1)
    with costs.metered():
        costs.notify(reference=reference)


def send_a_reminder(costs: CostHarness) -> None:
    reference = costs.register_and_confirm(1)
    later, version = costs.open_before_lapse(reference)
    with costs.metered():
        remind(later, reference, version)


def record_a_receipt(costs: CostHarness) -> None:
    costs.notify(reference=costs.register(1))
    with costs.metered():
        costs.deliver_receipt()


def issue_a_payment_code(costs: CostHarness) -> None:
    reference = costs.register(1)
    with costs.metered():
        costs.send("PUT", f"/v1/registrations/{reference}/payment-code", CODE, caller="core")


def report_a_payment(costs: CostHarness) -> None:
    reference = costs.register(1)
    with costs.metered():
        costs.pay(reference, paid_at="2024-10-12T09:00:00+07:00")


def expire_a_registration(costs: CostHarness) -> None:
    reference = costs.register_and_confirm(1)
    with costs.metered():
        costs.expire(reference)


def delete_personal_fields(costs: CostHarness) -> None:
    reference = costs.register_and_confirm(1)
    costs.expire(reference)
    with costs.metered():
        costs.delete_personal_fields(reference)


def look_for_due_sms(costs: CostHarness) -> None:
    with costs.metered():
        costs.edge.invoke("queue_due_sms", make_schedule_event())


def roll_up_an_idle_hour(costs: CostHarness) -> None:
    costs.edge.invoke("roll_up_due_days", make_schedule_event())
    with costs.metered():
        costs.edge.invoke("roll_up_due_days", make_schedule_event())


def recount_20_registrations(costs: CostHarness) -> None:
    costs.count_day(ROWS)
    costs.register(ROWS + 1)
    costs.publish(make_capture_id(ROWS + 1))
    with costs.metered():
        costs.edge.invoke("roll_up_due_days", make_schedule_event())


def export_20_registrations(costs: CostHarness) -> None:
    create_bucket("exports")
    costs.count_day(ROWS)
    with costs.metered():
        costs.edge.invoke("export_days", make_schedule_event())


def read_a_summary(costs: CostHarness) -> None:
    costs.count_day(2)
    with costs.metered():
        costs.send("GET", DAY_PATH)


def list_20_registrations(costs: CostHarness) -> None:
    costs.count_day(ROWS)
    with costs.metered():
        costs.send("GET", "/v1/registrations?campaign_id=tanah-abang-2024&day=2024-10-09&size=20")


def ask_for_a_status(costs: CostHarness) -> None:
    reference = costs.register(1)
    body = {"reference": reference, "phone": costs.make_capture(1)["worker"]["phone"]}
    with costs.metered():
        costs.send("POST", "/v1/statuses", body)


Operation = Callable[[CostHarness], None]
OPERATIONS: tuple[Operation, ...] = (
    register_by_an_officer,
    register_by_a_bot,
    send_a_capture_again,
    meet_a_known_worker,
    refuse_a_capture,
    register_a_batch_of_20,
    authorize_a_caller,
    publish_a_registration,
    publish_20_registrations,
    send_a_confirmation,
    send_a_reminder,
    record_a_receipt,
    issue_a_payment_code,
    report_a_payment,
    expire_a_registration,
    delete_personal_fields,
    look_for_due_sms,
    roll_up_an_idle_hour,
    recount_20_registrations,
    export_20_registrations,
    read_a_summary,
    list_20_registrations,
    ask_for_a_status,
)


@pytest.fixture
def costs(edge: Edge, gateway: FakeSmsServer) -> CostHarness:
    return CostHarness(edge, gateway)


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda each: each.__name__)
def test_an_operation_costs_what_is_written(costs: CostHarness, operation: Operation) -> None:
    operation(costs)

    name, counts, profiles = operation.__name__, load_counts(), load_profiles()
    if IS_WRITING:
        _write(COUNTS_FILE, {**counts, name: costs.counted})
        _write(
            PROFILE_FILE, {each: vars(profile) for each, profile in {**profiles, name: costs.profile}.items()}
        )
        return
    _assert_close(costs.counted, counts[name])
    _assert_close(costs.profile.written, profiles[name].written)
    _assert_close(costs.profile.rows, profiles[name].rows)


def _assert_close(counted: Mapping[str, float], expected: Mapping[str, float]) -> None:
    assert counted.keys() == expected.keys()
    for item, number in expected.items():
        assert counted[item] == pytest.approx(number, rel=TOLERANCE), item


def _write(file: Path, by_operation: Mapping[str, Any]) -> None:
    ordered = {
        each.__name__: by_operation[each.__name__] for each in OPERATIONS if each.__name__ in by_operation
    }
    file.write_text(json.dumps(ordered, indent=1) + "\n", encoding="utf-8")


def test_every_written_operation_is_measured() -> None:
    names = [each.__name__ for each in OPERATIONS]
    assert list(load_counts()) == list(load_profiles()) == names
