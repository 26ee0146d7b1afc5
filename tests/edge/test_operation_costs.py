"""What each operation asks of AWS, as the bill counts it: what `bench/cost/counts.json` says for `make cost`.

A change that needs more than 5 per cent more, or less, of anything fails here until the new figures are
written, by `DAFTAR_TEST_WRITE_COSTS=1`, and so are seen by whoever reads the change.
"""

import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from bench.cost.counts import COUNTS_FILE, load_counts
from ops.fake_sms.server import FakeSmsServer
from tests.edge.conftest import Edge, create_bucket
from tests.support.aws_events import (
    make_domain_event,
    make_schedule_event,
    make_sqs_event,
    make_stream_event,
    make_token_event,
)
from tests.support.aws_meter import AwsMeter
from tests.support.payloads import make_capture_id, make_capture_payload, make_expiry_day, make_nik
from tests.support.stage_state import scan_registrations

TOLERANCE = 0.05
IS_WRITING = "DAFTAR_TEST_WRITE_COSTS" in os.environ
ROWS = 20
DAY_PATH = "/v1/campaigns/tanah-abang-2024/summaries/2024-10-09"
CODE = {"code": "EPS-4711", "amount": 98_400, "expires_on": make_expiry_day()}
PAYMENT = {"payment_id": "p-1", "amount": 98_400, "months": 3, "paid_at": "2024-10-12T09:00:00+07:00"}


class CostHarness:
    """A stage whose functions have run before, so that keys and campaigns are at hand."""

    def __init__(self, edge: Edge, gateway: FakeSmsServer) -> None:
        self.edge = edge
        self._gateway = gateway
        self._meter = AwsMeter()
        for number, caller in ((901, "kiosk"), (902, "bot")):
            self.register(number, caller=caller)
        self.notify(reference=self.register(903))
        aws = edge.container.aws
        self._meter.watch(aws.dynamodb, aws.sqs, aws.kms, aws.sms, aws.s3, aws.photos_s3)

    @contextmanager
    def metered(self) -> Iterator[None]:
        """Count what is asked of AWS inside the block, and nothing else."""
        self._meter.counts.clear()
        parts = self._count_parts()
        yield
        self._counted = dict(self._meter.counts)
        if sent := self._count_parts() - parts:
            self._counted["sms.parts"] = sent

    @property
    def counted(self) -> dict[str, float]:
        return dict(sorted(self._counted.items()))

    def make_capture(self, number: int, **changes: Any) -> dict[str, Any]:
        worker = {"nik": make_nik(7_000 + number), "phone": f"0824-5550-{number:04}"}
        return make_capture_payload(capture_id=make_capture_id(number), worker=worker, **changes)

    def register(self, number: int, *, caller: str = "kiosk") -> str:
        """Register a worker. Return the reference, or none to a bot."""
        response = self.edge.register(self.make_capture(number), caller=caller)
        assert response.status_code in {201, 202}, response.body
        return str(response.json_body.get("reference"))

    def publish(self, *, only: str) -> None:
        """Have the stream's function publish the items that have an id or a reference in them."""
        items = [*scan_registrations("APPLICATION"), *scan_registrations("CAPTURE")]
        chosen = [item for item in items if only in str(item)]
        self.edge.invoke("on_registration_changes", make_stream_event(*chosen))

    def notify(self, **event: Any) -> None:
        assert self.edge.invoke("on_notifications", make_sqs_event(make_domain_event(**event))) == {
            "batchItemFailures": []
        }

    def deliver_receipt(self) -> None:
        sms = self._gateway.inbox.list_sms()[-1]
        receipt = {
            "eventType": "TEXT_DELIVERED",
            "eventTimestamp": 1728450123456,
            "messageId": sms.message_id,
            "context": sms.context,
            "totalMessageParts": 1,
            "totalMessagePrice": 0.02,
        }
        assert self.edge.invoke("on_receipts", make_sqs_event(receipt)) == {"batchItemFailures": []}

    def send(self, method: str, path: str, body: Any = b"", *, caller: str = "manager") -> None:
        response = self.edge.send(method, path, body, caller=caller)
        assert response.status_code in {200, 201, 202}, response.body

    def count_day(self, workers: int) -> None:
        """Register workers, and have their day counted."""
        items = [self.make_capture(number) for number in range(1, workers + 1)]
        self.send("POST", "/v1/registrations/batch", {"items": items}, caller="kiosk")
        self.publish(only=make_capture_id(1))
        self.edge.invoke("roll_up_due_days", make_schedule_event())

    def _count_parts(self) -> int:
        return sum(each.parts for each in self._gateway.inbox.list_sms())


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
        costs.publish(only=reference)


def send_a_confirmation(costs: CostHarness) -> None:
    reference = costs.register(1)
    with costs.metered():
        costs.notify(reference=reference)


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
        costs.send("POST", f"/v1/registrations/{reference}/payments", PAYMENT, caller="core")


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
    costs.publish(only=make_capture_id(ROWS + 1))
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
    send_a_confirmation,
    record_a_receipt,
    issue_a_payment_code,
    report_a_payment,
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
    edge.restart()
    return CostHarness(edge, gateway)


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda each: each.__name__)
def test_an_operation_costs_what_is_written(costs: CostHarness, operation: Operation) -> None:
    operation(costs)

    name, counts = operation.__name__, load_counts()
    if IS_WRITING:
        written = {**counts, name: costs.counted}
        order = [each.__name__ for each in OPERATIONS]
        ordered = {each: written[each] for each in order if each in written}
        COUNTS_FILE.write_text(json.dumps(ordered, indent=1) + "\n", encoding="utf-8")
        return
    expected = counts[name]
    assert costs.counted.keys() == expected.keys()
    for item, number in expected.items():
        assert costs.counted[item] == pytest.approx(number, rel=TOLERANCE), item


def test_every_written_operation_is_measured() -> None:
    assert list(load_counts()) == [each.__name__ for each in OPERATIONS]
