"""Events of a registration, its status and its history over HTTP."""

import json
from dataclasses import replace
from typing import Any, NamedTuple

import boto3
import pytest
from chalice.test import HTTPResponse

from chalicelib.registrations.model import MAX_REPORTED_EVENTS
from chalicelib.registrations.references import Reference
from chalicelib.registrations.reported_events import PaymentCode
from tests.edge.conftest import Edge, assert_problem, dump_stored_state
from tests.support.aws_events import make_schedule_event
from tests.support.builders import NOW
from tests.support.payloads import make_capture_id, make_capture_payload, make_expiry_day, make_nik
from tests.support.registration_stores import open_registration_stores

UNKNOWN_REFERENCE = "7K4-M2Q-X9P"
PAYMENT_CODE = {"code": "EPS-4711", "amount": 32_800, "expires_on": make_expiry_day()}
PAYMENT = {"payment_id": "p-1", "amount": 32_800, "months": 1, "paid_at": "2024-10-12T09:00:00+07:00"}


class EventRoute(NamedTuple):
    """A route that reports an event, a role that may call it, and a valid body."""

    method: str
    path: str
    caller: str
    body: dict[str, Any]


EVENT_ROUTES = {
    "payment code": EventRoute("PUT", "payment-code", "core", PAYMENT_CODE),
    "payment": EventRoute("POST", "payments", "core", PAYMENT),
    "verification": EventRoute("POST", "verification", "core", {"result": "matched"}),
    "cancellation": EventRoute("POST", "cancellation", "manager", {"reason": "other"}),
}


def register_worker(edge: Edge, number: int = 1, **changes: Any) -> str:
    """Register a new worker. Return the reference."""
    worker = {"nik": make_nik(7000 + number), **changes.pop("worker", {})}
    response = edge.register(
        make_capture_payload(capture_id=make_capture_id(number), worker=worker, **changes)
    )
    assert response.status_code == 201, response.body
    reference: str = response.json_body["reference"]
    return reference


def report_event(edge: Edge, event: str, reference: str, body: Any = None) -> HTTPResponse:
    """Report an event, by default with a valid body, as a role that may."""
    route = EVENT_ROUTES[event]
    path = f"/v1/registrations/{reference}/{route.path}"
    return edge.send(route.method, path, route.body if body is None else body, caller=route.caller)


@pytest.mark.parametrize("event", EVENT_ROUTES)
def test_an_event_is_answered_with_the_registration_and_a_repeat_changes_nothing(
    edge: Edge, event: str
) -> None:
    reference = register_worker(edge)
    first = report_event(edge, event, reference)
    assert first.status_code == 200, first.body
    before = dump_stored_state(without="AuditTable")

    second = report_event(edge, event, reference)

    assert (second.status_code, second.body) == (200, first.body)
    assert dump_stored_state(without="AuditTable") == before
    assert first.json_body["reference"] == reference
    assert len(first.json_body["history"]) == 2


@pytest.mark.parametrize("event", EVENT_ROUTES)
def test_an_unknown_reference_or_an_invalid_body_is_refused_and_changes_nothing(
    edge: Edge, event: str
) -> None:
    reference = register_worker(edge)
    with_unknown_field = {**EVENT_ROUTES[event].body, "note": "x"}
    before = dump_stored_state()

    assert_problem(report_event(edge, event, UNKNOWN_REFERENCE), 404, "registration_unknown")
    assert_problem(report_event(edge, event, "nonsense"), 404, "registration_unknown")
    assert_problem(report_event(edge, event, reference, b"{"), 400, "json_malformed")
    assert_problem(report_event(edge, event, reference, {}), 422, "body_invalid")
    assert_problem(report_event(edge, event, reference, with_unknown_field), 422, "body_invalid")

    assert dump_stored_state() == before


def test_an_invalid_time_of_payment_is_an_invalid_body(edge: Edge) -> None:
    reference = register_worker(edge)
    for paid_at in ("9999-12-31T23:59:59Z", "0001-01-01T00:00:00+14:00", "2024-10-12T09:00:00", 1728700000):
        response = report_event(edge, "payment", reference, PAYMENT | {"paid_at": paid_at})
        assert assert_problem(response, 422, "body_invalid")["errors"][0]["field"] == "paid_at"


def test_a_payment_id_used_for_another_payment_is_a_conflict(edge: Edge) -> None:
    reference = register_worker(edge)
    report_event(edge, "payment", reference)

    response = report_event(edge, "payment", reference, PAYMENT | {"months": 2})

    assert_problem(response, 409, "payment_reused")


def test_unusual_payments_are_recorded_and_managers_see_them(edge: Edge) -> None:
    references = [register_worker(edge, number) for number in (1, 2)]
    for reference in references:
        report_event(edge, "payment", reference, PAYMENT | {"amount": 1, "months": 12})

    shown = [edge.send("GET", f"/v1/registrations/{each}", caller="manager").json_body for each in references]
    assert [(each["status"], each["flags"]) for each in shown] == [
        ("active", ["payment_differs"]),
        ("active", ["payment_shared", "payment_differs"]),
    ]
    summary_path = "/v1/campaigns/tanah-abang-2024/summaries/2024-10-09"
    summary = edge.send("POST", summary_path, caller="manager").json_body
    assert [(each["pattern"], each["client_id"], each["workers"]) for each in summary["anomalies"]] == [
        ("payment_differs", None, 2),
        ("payment_shared", None, 1),
    ]
    page = edge.send("GET", f"{summary_path}?format=html&language=id", caller="manager").body.decode()
    assert "Pembayaran jauh berbeda dari perkiraan iuran: 2 pekerja" in page
    assert "ID pembayaran sudah dipakai untuk pendaftaran lain: 1 pekerja" in page


def test_an_event_that_the_status_does_not_allow_is_a_conflict_and_changes_nothing(edge: Edge) -> None:
    reference = register_worker(edge)
    report_event(edge, "cancellation", reference)
    before = dump_stored_state()

    for event in ("payment code", "payment", "verification"):
        assert_problem(report_event(edge, event, reference), 409, "transition_not_allowed")

    assert dump_stored_state() == before


def test_the_ageing_function_lapses_a_membership_that_a_new_registration_then_follows(edge: Edge) -> None:
    first = register_worker(edge)
    report_event(edge, "payment", first)
    assert edge.invoke("age_registrations", make_schedule_event()) == {"lapsed": 1}

    capture = make_capture_payload(capture_id=make_capture_id(2), worker={"nik": make_nik(7001)})
    response = edge.register(capture)

    assert (response.status_code, response.json_body["outcome"]) == (201, "reactivated")
    late_payment = PAYMENT | {"payment_id": "p-2"}
    assert_problem(report_event(edge, "payment", first, late_payment), 409, "registration_superseded")
    second = edge.send("GET", f"/v1/registrations/{response.json_body['reference']}").json_body
    assert second["follows"] == first


def test_only_the_core_system_sees_unmasked_fields(edge: Edge) -> None:
    reference = register_worker(edge, 1, worker={"email": "melati@pasar.example"})
    report_event(edge, "payment code", reference)
    path = f"/v1/registrations/{reference}"

    unmasked = edge.send("GET", path, caller="core").json_body

    assert unmasked["worker"]["nik"] == make_nik(7001)
    assert (unmasked["work"]["monthly_income"], unmasked["payment_code"]) == (2_500_000, PAYMENT_CODE)
    # A device that has registered the worker itself is shown the payment code, for the receipt.
    for role in ("kiosk anywhere", "manager"):
        response = edge.send("GET", path, caller=role)
        assert response.json_body["history"] == unmasked["history"]
        for value in (
            make_nik(7001), "Kusumawati", "82455507001", "1985-04-12", "melati@", "Jalan Contoh", "10250",
            "2500000", "EPS-4711",
        ):  # fmt: skip
            assert value not in response.body.decode()


def test_the_history_has_the_client_and_time_of_each_event(edge: Edge) -> None:
    reference = register_worker(edge)
    report_event(edge, "verification", reference)

    registered, matched = edge.send("GET", f"/v1/registrations/{reference}").json_body["history"]

    assert (registered["event"], registered["client_id"], registered["officer"]) == (
        "registered",
        "van-1",
        "ofc-12",
    )
    assert (matched["event"], matched["status"], matched["client_id"]) == (
        "matched",
        "received",
        "membership",
    )
    assert matched["at"] >= registered["at"]


def fill_history(edge: Edge, reference: str, *, leave: int) -> None:
    """Report payment codes to a registration until it takes only `leave` more events, without HTTP."""
    table = edge.container.settings.registrations_table
    stores = open_registration_stores(boto3.client("dynamodb"), table, edge.container.cipher)
    registration = stores.reading.get(Reference(reference))
    lifecycle = registration.lifecycle
    for number in range(MAX_REPORTED_EVENTS - leave):
        code = PaymentCode.model_validate_json(json.dumps({**PAYMENT_CODE, "code": f"EPS-{number}"}))
        lifecycle = lifecycle.with_payment_code(code, occurred_at=NOW, client_id="membership")
    stores.lifecycle.replace(replace(registration, lifecycle=lifecycle), previous=registration)


def test_a_registration_to_which_too_much_was_reported_refuses_more_and_can_be_cancelled(edge: Edge) -> None:
    reference = edge.register(make_capture_payload()).json_body["reference"]
    path = f"/v1/registrations/{reference}"
    fill_history(edge, reference, leave=1)
    last, further = ({**PAYMENT_CODE, "code": code} for code in ("LAST-1", "LAST-2"))

    assert edge.send("PUT", f"{path}/payment-code", last, caller="core").status_code == 200

    for body in (further, further):
        refused = edge.send("PUT", f"{path}/payment-code", body, caller="core")
        assert_problem(refused, 409, "history_full")
    assert edge.send("PUT", f"{path}/payment-code", last, caller="core").status_code == 200
    assert edge.send("GET", path, caller="manager").json_body["flags"] == ["history_full"]
    cancelled = edge.send("POST", f"{path}/cancellation", {"reason": "other"})
    assert (cancelled.status_code, cancelled.json_body["status"]) == (200, "cancelled")


@pytest.mark.parametrize(
    ("event", "change", "code"),
    [
        ("payment", {"paid_at": "2001-01-01T09:00:00+07:00"}, "paid_before_capture"),
        ("payment", {"paid_at": "2024-09-08T09:11:59+07:00"}, "paid_before_capture"),
        ("payment", {"paid_at": "2999-12-31T09:00:00+07:00"}, "paid_in_future"),
        ("payment code", {"expires_on": "2024-10-10"}, "payment_code_expired"),
        ("payment code", {"expires_on": "2999-12-31"}, "payment_code_too_long"),
    ],
)
def test_an_event_at_a_time_that_cannot_be_true_is_refused_and_changes_nothing(
    edge: Edge, event: str, change: dict[str, Any], code: str
) -> None:
    reference = register_worker(edge)
    before = dump_stored_state()

    refused = report_event(edge, event, reference, EVENT_ROUTES[event].body | change)

    problem = assert_problem(refused, 422, "rules_broken")
    assert [(each["field"], each["code"]) for each in problem["errors"]] == [(*change, code)]
    assert dump_stored_state() == before
