"""Ageing: what is left of a registration and of its SMS, and what the campaign shows."""

from datetime import timedelta

import pytest

from chalicelib.clock import utc_now
from chalicelib.container import Container
from chalicelib.registrations.schedule import age_due_registrations
from ops.fake_sms.server import FakeSmsServer
from tests.edge.conftest import Edge, assert_problem
from tests.support.aws_events import make_domain_event, make_sqs_event
from tests.support.fakes.clock import FixedClock
from tests.support.moto_snapshots import list_stored_items
from tests.support.payloads import make_capture_payload, make_nik
from tests.support.rollup_harness import FakeLambdaContext

PAYMENT = {
    "payment_id": "p-1",
    "amount": 49_200,
    "months": 12,
    "paid_at": f"{utc_now():%Y-%m-%dT%H:%M:%S+00:00}",
}
RETENTION = "/v1/campaigns/tanah-abang-2024/retention"


def age_registrations(days: int) -> dict[str, int]:
    """Run the ageing of a day that is so many days away."""
    clock = FixedClock(utc_now() + timedelta(days=days))
    container = Container(clock=clock)
    return age_due_registrations(
        container.lifecycle,
        container.erasure,
        container.sms_history.erase,
        FakeLambdaContext(clock, timedelta(minutes=15)),
    )


def test_a_campaign_shows_its_periods_and_what_was_deleted(edge: Edge, gateway: FakeSmsServer) -> None:
    reference = edge.register(make_capture_payload()).json_body["reference"]
    edge.invoke("on_notifications", make_sqs_event(make_domain_event(reference=reference)))
    edge.send("POST", f"/v1/registrations/{reference}/cancellation", {"reason": "other"}, caller="manager")
    assert edge.send("GET", RETENTION, caller="manager").json_body == {
        "ended_days": 90,
        "paid_identity_days": 90,
        "lapsed_days": 90,
        "deleted_registrations": 0,
        "deleted_identities": 0,
    }

    assert age_registrations(89) == {}
    assert age_registrations(91) == {"destroyed": 1}

    shown = edge.send("GET", RETENTION, caller="manager").json_body
    assert (shown["deleted_registrations"], shown["deleted_identities"]) == (1, 0)
    gone = edge.send("GET", f"/v1/registrations/{reference}", caller="manager")
    assert_problem(gone, 410, "registration_destroyed")
    (row,) = list_stored_items("SmsLedgerTable")
    assert row.keys() == {"sms_id", "day_shard", "facts"}
    trail = edge.send("GET", f"/v1/audit?subject=registration:{reference}", caller="admin").json_body
    assert [(each["client_id"], each["action"]) for each in trail["records"]][-1] == (
        "system",
        "personal_fields_deleted",
    )


@pytest.mark.parametrize("caller", ["core", "manager", "kiosk"])
def test_the_identity_of_a_paid_worker_is_shown_to_nobody_after_its_period(edge: Edge, caller: str) -> None:
    capture = make_capture_payload()
    reference = edge.register(capture).json_body["reference"]
    edge.send("POST", f"/v1/registrations/{reference}/payments", PAYMENT, caller="core")
    path = f"/v1/registrations/{reference}"
    before = edge.send("GET", path, caller="core").json_body
    assert before["worker"]["nik"] == make_nik()

    assert age_registrations(91)["identity_deleted"] == 1

    response = edge.send("GET", path, caller=caller)
    worker, work = response.json_body["worker"], response.json_body["work"]
    assert not {"nik", "birth_date", "email", "address"} & worker.keys()
    assert "monthly_income" not in work
    assert (response.json_body["status"], response.json_body["history"][-1]["event"]) == (
        "active",
        "identity_deleted",
    )
    renewed = edge.send("POST", f"{path}/payments", {**PAYMENT, "payment_id": "p-2"}, caller="core")
    assert renewed.status_code == 200, renewed.body
