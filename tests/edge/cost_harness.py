"""A stage on moto that counts what is asked of AWS, for tests of what operations and whole days cost."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, time, timedelta
from typing import Any

from bench.model.designs import name_design
from bench.model.profile import OperationProfile
from chalicelib.aws.items import from_item
from chalicelib.clock import utc_now
from chalicelib.container import Container
from chalicelib.notifications.bodies import find_event_version
from chalicelib.registrations.references import Reference
from chalicelib.sms_purposes import Purpose
from ops.fake_sms.server import FakeSmsServer
from tests.edge.conftest import CLIENTS, Edge
from tests.support.aws_events import (
    make_domain_event,
    make_schedule_event,
    make_sqs_event,
    make_stream_event,
)
from tests.support.aws_meter import AwsMeter
from tests.support.fakes.clock import FixedClock
from tests.support.payloads import make_capture_id, make_capture_payload, make_nik
from tests.support.stage_state import scan_registrations

CAMPAIGN = "tanah-abang-2024"
_PAYMENT = {"payment_id": "p-1", "amount": 98_400, "months": 3}
# Midday in Jakarta: no quiet hour.
_MIDDAY = time(5, tzinfo=UTC)


class CostHarness:
    """A stage whose functions have run before, so that keys and campaigns are at hand."""

    def __init__(self, edge: Edge, gateway: FakeSmsServer) -> None:
        edge.restart()
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
        self._meter.clear()
        parts = self._count_parts()
        yield
        self._counted = dict(self._meter.counts)
        self.profile = _name_designs(self._meter)
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

    def publish(self, *only: str) -> None:
        """Have the stream's function publish the items that have one of these ids or references in them."""
        items = [*scan_registrations("APPLICATION"), *scan_registrations("CAPTURE")]
        chosen = [item for item in items if any(each in str(item) for each in only)]
        self.edge.invoke("on_registration_changes", make_stream_event(*chosen))

    def find_references(self) -> dict[str, str]:
        """Return the reference of each registration by the id of its capture."""
        items = map(from_item, scan_registrations("APPLICATION"))
        return {item["taken"]["capture_id"]: item["reference"] for item in items}

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

    def register_and_confirm(self, number: int) -> str:
        """Register a worker who gets an SMS with a receipt. Return the reference."""
        reference = self.register(number)
        self.notify(reference=reference)
        self.deliver_receipt()
        return reference

    def pay(self, reference: str, *, paid_at: str) -> None:
        """Report a payment of contributions."""
        payment = {**_PAYMENT, "paid_at": paid_at}
        self.send("POST", f"/v1/registrations/{reference}/payments", payment, caller="core")

    def open_before_lapse(self, reference: str) -> tuple[Container, int]:
        """Return a stage of a week before a paid membership lapses, and the version of the reminder."""
        self.pay(reference, paid_at=utc_now().isoformat())
        lapses_on = self.edge.container.reading_store.get(Reference(reference)).lifecycle.lapses_on
        assert lapses_on is not None
        later = self._open_at(datetime.combine(lapses_on - timedelta(days=7), _MIDDAY))
        later.lifecycle.age(Reference(reference))
        version = find_event_version(Purpose.LAPSING_SOON, later.reading_store.get(Reference(reference)))
        assert version > 0
        return later, version

    def expire(self, reference: str) -> None:
        """Let the time for a payment end."""
        assert self._open_later(days=31).lifecycle.age(Reference(reference)) == ["expired"]

    def delete_personal_fields(self, reference: str) -> None:
        """Let the retention period end."""
        later = self._open_later(days=31 + 91)
        assert later.erasure.destroy_personal_fields(
            Reference(reference), erase_attached=later.data_requests.erase_attached
        )

    def _open_later(self, days: int) -> Container:
        return self._open_at(utc_now() + timedelta(days=days))

    def _open_at(self, now: datetime) -> Container:
        later = Container(clock=FixedClock(now), aws=self.edge.container.aws)
        # The keys are at hand, as in a function that has run before.
        later.cipher, later.hashing = self.edge.container.cipher, self.edge.container.hashing
        return later

    def send(self, method: str, path: str, body: Any = b"", *, caller: str = "manager") -> None:
        response = self.edge.send(method, path, body, caller=caller)
        assert response.status_code in {200, 201, 202}, response.body

    def count_day(self, workers: int) -> None:
        """Register workers, and have their day counted."""
        items = [self.make_capture(number) for number in range(1, workers + 1)]
        self.send("POST", "/v1/registrations/batch", {"items": items}, caller="kiosk")
        self.publish(make_capture_id(1))
        self.edge.invoke("roll_up_due_days", make_schedule_event())

    def _count_parts(self) -> int:
        return sum(each.parts for each in self._gateway.inbox.list_sms())


def remind(later: Container, reference: str, version: int) -> None:
    """Store the reminder of a membership that lapses soon, and send it as the schedule has it sent."""
    sms = later.notifications.send(Purpose.LAPSING_SOON, reference, event_version=version, correlation_id="-")
    assert later.notifications.resume(sms.sms_id).state == "accepted"


def _name_designs(meter: AwsMeter) -> OperationProfile:
    written: Counter[str] = Counter()
    for partition, units in meter.written.items():
        clients = [client["client_id"] for client in CLIENTS.values()]
        written[name_design(*partition, campaigns=[CAMPAIGN], clients=clients)] += units
    return OperationProfile(dict(sorted(written.items())), dict(meter.rows_read), dict(meter.bytes_read))
