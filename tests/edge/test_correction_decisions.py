"""Corrections that the core system decides, and registrations that end by a death, over HTTP."""

import json

import pytest
from chalice.test import HTTPResponse

from tests.edge.conftest import Edge, assert_problem
from tests.edge.test_correction_routes import OTHER_PHONE, correct, disclose, list_events, show
from tests.edge.test_lifecycle_routes import PAYMENT, register_worker, report_event
from tests.support.moto_snapshots import list_stored_items
from tests.support.payloads import make_capture_id, make_nik


def decide(edge: Edge, reference: str, decision: str, *, number: int = 1) -> HTTPResponse:
    path = f"/v1/registrations/{reference}/corrections/{make_capture_id(number)}/decision"
    return edge.send("POST", path, {"decision": decision}, caller="core")


def test_after_payment_a_manager_requests_and_the_core_system_decides(edge: Edge) -> None:
    reference = register_worker(edge)
    report_event(edge, "payment", reference)

    requested = correct(edge, reference, {"name": "Mawar Kusumawati", "months": 6})

    assert requested.status_code == 202
    assert requested.json_body["correction"]["state"] == "requested"
    assert "wanted" not in requested.json_body["correction"]
    unchanged = show(edge, reference)
    assert (unchanged["worker"]["name"], unchanged["flags"]) == ("Melati Kusumawati", ["correction_open"])
    (waiting,) = edge.send("GET", "/v1/corrections", caller="core").json_body["corrections"]
    assert (waiting["reference"], waiting["wanted"]) == (
        reference,
        {"worker.name": "Mawar Kusumawati", "coverage.months": 6},
    )
    assert_problem(correct(edge, reference, {"months": 12}, number=2), 409, "correction_pending")

    confirmed = decide(edge, reference, "confirmed").json_body

    assert confirmed["correction"]["state"] == "confirmed"
    assert (confirmed["worker"]["name"], confirmed["coverage"]["months"]) == ("Mawar Kusumawati", 6)
    assert confirmed["quote"] == unchanged["quote"]
    assert confirmed["status"] == "active"
    assert edge.send("GET", "/v1/corrections", caller="core").json_body["corrections"] == []
    assert decide(edge, reference, "confirmed").headers["Idempotent-Replayed"] == "true"
    assert_problem(decide(edge, reference, "declined"), 409, "correction_decided")
    assert_problem(decide(edge, reference, "declined", number=9), 404, "correction_unknown")


def test_a_declined_correction_changes_nothing_and_its_values_are_dropped(edge: Edge) -> None:
    reference = register_worker(edge)
    report_event(edge, "payment", reference)
    before = show(edge, reference)
    correct(edge, reference, {"phone": OTHER_PHONE})

    declined = decide(edge, reference, "declined").json_body

    assert declined["correction"]["state"] == "declined"
    assert declined["worker"] == before["worker"]
    assert list_events(declined)[-2:] == ["correction_requested", "correction_declined"]
    assert "82455507999" not in json.dumps(disclose(edge, make_nik(7001)))


def test_the_core_system_corrects_a_paid_registration_at_once(edge: Edge) -> None:
    reference = register_worker(edge)
    report_event(edge, "payment", reference)

    answer = correct(edge, reference, {"address": "Jalan Lain 8"}, caller="core")

    assert (answer.status_code, answer.json_body["correction"]["state"]) == (200, "applied")
    assert answer.json_body["worker"]["address"] == "Jalan Lain 8"


def test_an_erasure_leaves_nothing_of_corrections_and_requests(edge: Edge) -> None:
    reference = register_worker(edge)
    correct(edge, reference, {"name": "Mawar"})
    report_event(edge, "payment", reference)
    correct(edge, reference, {"phone": OTHER_PHONE}, number=2)

    body = {"request_id": make_capture_id(800), "nik": make_nik(7001)}
    assert edge.send("POST", "/v1/erasures", body, caller="admin").status_code == 200

    items = list_stored_items("RegistrationsTable")
    assert [each["sk"]["S"] for each in items if each["pk"]["S"].startswith("REGISTRATION#")] == []
    assert edge.send("GET", "/v1/corrections", caller="core").json_body["corrections"] == []


def test_a_registration_takes_ten_corrections_and_a_cancellation(edge: Edge) -> None:
    reference = register_worker(edge)
    for number in range(1, 11):
        place = f"Blok {number}"
        assert correct(edge, reference, {"place": place}, number=number, caller="core").status_code == 200

    assert_problem(correct(edge, reference, {"place": "Blok Z"}, number=11), 409, "corrections_full")
    assert report_event(edge, "cancellation", reference).json_body["status"] == "cancelled"


@pytest.mark.parametrize("event", ["none", "payment code", "payment"])
def test_the_core_system_reports_a_death_at_any_time(edge: Edge, event: str) -> None:
    reference = register_worker(edge)
    if event != "none":
        report_event(edge, event, reference)
    path = f"/v1/registrations/{reference}/cancellation"

    assert_problem(edge.send("POST", path, {"reason": "deceased"}, caller="manager"), 403, "role_not_allowed")
    ended = edge.send("POST", path, {"reason": "deceased"}, caller="core")
    again = edge.send("POST", path, {"reason": "deceased"}, caller="core")

    assert ended.json_body["status"] == "deceased"
    assert again.json_body == ended.json_body
    assert list_events(ended.json_body)[-1] == "deceased"
    assert_problem(correct(edge, reference, {"name": "Mawar"}), 409, "transition_not_allowed")
    for purpose in ("received", "payment_code", "active"):
        sms = edge.send("POST", f"/v1/registrations/{reference}/sms", {"purpose": purpose})
        assert_problem(sms, 409, "sms_not_applicable")


def test_a_death_withdraws_the_open_request(edge: Edge) -> None:
    reference = register_worker(edge)
    report_event(edge, "payment", reference)
    correct(edge, reference, {"name": "Mawar"})

    path = f"/v1/registrations/{reference}"
    edge.send("POST", f"{path}/cancellation", {"reason": "deceased"}, caller="core")

    (correction,) = edge.send("GET", f"{path}/corrections", caller="core").json_body["corrections"]
    assert correction["state"] == "withdrawn"
    assert edge.send("GET", "/v1/corrections", caller="core").json_body["corrections"] == []


def test_open_requests_are_listed_page_by_page_the_longest_waiting_first(edge: Edge) -> None:
    references = []
    for number in (1, 2, 3):
        references.append(register_worker(edge, number))
        report_event(edge, "payment", references[-1], {**PAYMENT, "payment_id": f"p-{number}"})
        correct(edge, references[-1], {"name": "Mawar"})

    listed, cursor = [], ""
    while True:
        page = edge.send("GET", f"/v1/corrections?size=2{cursor}", caller="core").json_body
        listed += [each["reference"] for each in page["corrections"]]
        if page["cursor"] is None:
            break
        cursor = f"&cursor={page['cursor']}"

    assert listed == references
