"""The audit trail over HTTP: every change and every read of a personal record leaves a record of it."""

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from tests.edge.authorisation_matrix import ROUTES, Matrix, iter_cells
from tests.edge.conftest import Edge, LogOutput, assert_problem, dump_stored_state
from tests.support.dynamodb_faults import run_faulty_proxy
from tests.support.moto_snapshots import list_stored_items
from tests.support.payloads import make_capture_id, make_capture_payload, make_nik

# Routes that need no record in the trail, and why.
UNRECORDED = {
    "POST /v1/registrations": "the stored capture names its client, time and correlation id",
    "POST /v1/registrations/batch": "the stored captures do",
    "POST /v1/disclosures": "it is recorded in RequestsTable, before anything is read",
    "POST /v1/erasures": "it is recorded in RequestsTable, before anything is erased",
    "POST /v1/gateways/twilio/receipts": "a gateway's report, which the ledger keeps",
    "POST /v1/channels/telegram/updates": "it is queued; a registration that follows is recorded by intake",
    "POST /v1/channels/whatsapp/webhook": "it is queued, and registers nobody",
    "POST /v1/channels/sms/inbound": "a person about themselves; intake records a registration",
    "POST /v1/channels/ussd": "a person about themselves; intake records a registration",
    "POST /v1/checks": "it stores nothing and reads nobody",
    "POST /v1/quotes": "it stores nothing and reads nobody",
    "GET /v1/audit": "it shows no personal record",
    "GET /v1/device": "a device asks about itself",
    "POST /v1/device/discards": "the discard itself has its device, number, reason and time",
    "GET /v1/campaigns": "campaigns are no personal records of workers",
    "GET /v1/campaigns/{campaign_id}": "campaigns are no personal records of workers",
    "GET /v1/campaigns/{campaign_id}/retention": "figures",
    "GET /v1/campaigns/{campaign_id}/bundle": "the rules of a campaign",
    "GET /v1/campaigns/{campaign_id}/summaries": "figures",
    "GET /v1/campaigns/{campaign_id}/summaries/{day}": "figures",
    "GET /v1/campaigns/{campaign_id}/summaries/{day}/versions": "figures",
    "GET /v1/campaigns/{campaign_id}/rates": "figures",
    "GET /v1/campaigns/{campaign_id}/board": "figures",
    "GET /v1/campaigns/{campaign_id}/held-sms": "figures",
    "GET /v1/caller": "the caller itself",
    "GET /v1/clients": "devices",
    "GET /v1/campaigns/{campaign_id}/devices": "devices",
    "GET /v1/clients/{client_id}": "a device",
    "GET /v1/clients/{client_id}/gaps": "numbers of captures",
}
PAYMENT = {"payment_id": "p-1", "amount": 49_200, "months": 3, "paid_at": "2024-10-10T09:00:00+07:00"}
PERSONAL = (make_nik(), "Melati", "Kusumawati", "82455507001", "Jalan Contoh", "melati@", "2500000")


@pytest.fixture
def matrix(edge: Edge) -> Matrix:
    return Matrix(edge)


def list_records(edge: Edge, query: str) -> list[dict[str, Any]]:
    """Return the records that `GET /v1/audit` has for a query, all pages."""
    records, cursor = [], ""
    while True:
        page = edge.send("GET", f"/v1/audit?{query}&size=2{cursor}", caller="admin").json_body
        records += page["records"]
        if page["cursor"] is None:
            return records
        cursor = f"&cursor={page['cursor']}"


def register(edge: Edge, number: int = 1) -> str:
    capture = make_capture_payload(
        capture_id=make_capture_id(number),
        worker={"nik": make_nik(number), "phone": f"0824-5551-{number:04d}"},
    )
    reference: str = edge.register(capture).json_body["reference"]
    return reference


def list_actions(edge: Edge, query: str) -> list[tuple[str, str]]:
    return [(each["client_id"], each["action"]) for each in list_records(edge, query)]


def test_every_route_that_changes_or_shows_a_record_leaves_a_record_of_the_trail(
    matrix: Matrix, subtests: pytest.Subtests
) -> None:
    allowed = {
        route: (role, word)
        for route, role, word in iter_cells("own", "hidden", "sent", "filtered", "itself", "any")
        if (route, role) != ("GET /v1/captures/{capture_id}", "bot")
    }
    for route, (role, word) in allowed.items():
        with subtests.test(route):
            caller = f"{role} own"
            target = matrix.create_target(caller if word == "sent" else "kiosk", route=route)
            if route == "POST /v1/campaigns":
                # The own campaign exists, so that opening it changes nothing.
                caller, target = "manager", replace(target, campaign_id="pasar-baru-2024")
            before = len(list_stored_items("AuditTable"))
            response = matrix.send(route, target, caller=caller)
            assert response.status_code < 300, response.body
            left_record = len(list_stored_items("AuditTable")) > before
            assert left_record is (route not in UNRECORDED)
    assert set(UNRECORDED) <= set(ROUTES)


def test_a_change_is_recorded_with_its_client_time_and_correlation_id_and_no_values(edge: Edge) -> None:
    reference = register(edge)
    changed = edge.send("POST", f"/v1/registrations/{reference}/payments", PAYMENT, caller="core")

    paid, read = list_records(edge, f"subject=registration:{reference}")

    assert (paid["subject"], paid["action"], paid["client_id"]) == (
        f"registration:{reference}",
        "paid",
        "membership",
    )
    assert paid["correlation_id"] == read["correlation_id"] == changed.headers["X-Correlation-Id"]
    assert paid["occurred_at"] == changed.json_body["history"][-1]["at"]
    assert read["action"] == "read"
    stored = json.dumps(list_stored_items("AuditTable"))
    assert not [value for value in (*PERSONAL, "49200", "p-1") if value in stored]


def test_a_change_that_is_refused_or_repeated_leaves_no_record_of_a_change(edge: Edge) -> None:
    reference = register(edge)
    path = f"/v1/registrations/{reference}/cancellation"
    for _ in range(2):
        edge.send("POST", path, {"reason": "worker_request"}, caller="manager")
    edge.send("POST", f"/v1/registrations/{reference}/payments", PAYMENT, caller="core")

    assert list_actions(edge, f"subject=registration:{reference}") == [
        ("branch-office", "cancelled"),
        ("branch-office", "read"),
        ("branch-office", "read"),
    ]


@pytest.fixture
def unwritable_trail(edge: Edge, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Register a worker, and refuse every write of the trail from then on. Return the reference."""
    reference = register(edge)
    with run_faulty_proxy() as proxy:
        monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", proxy.url)
        edge.restart()
        for operation in ("PutItem", "TransactWriteItems"):
            proxy.add_fault(operation, "ThrottlingException", body_contains="AuditTable")
        yield reference


def test_a_registration_is_not_shown_or_changed_if_that_cannot_be_recorded(
    edge: Edge, unwritable_trail: str, subtests: pytest.Subtests
) -> None:
    before = dump_stored_state()
    registration, day = f"/v1/registrations/{unwritable_trail}", "campaign_id=tanah-abang-2024&day=2024-10-09"

    for method, path, body, caller in (
        ("GET", registration, b"", "manager"),
        ("GET", f"/v1/registrations?{day}", b"", "manager"),
        ("GET", f"/v1/captures/{make_capture_id(1)}", b"", "kiosk"),
        ("POST", f"{registration}/payments", PAYMENT, "core"),
        ("POST", f"{registration}/sms", {"purpose": "received"}, "kiosk"),
        ("POST", "/v1/clients", {"client_id": "van-77", "roles": ["admin"]}, "admin"),
        ("DELETE", "/v1/clients/van-1", b"", "admin"),
        ("PATCH", "/v1/campaigns/tanah-abang-2024", {"target": 9}, "manager"),
    ):
        with subtests.test(f"{method} {path}"):
            response = edge.send(method, path, body, caller=caller)
            assert_problem(response, 503, "try_again")

    assert dump_stored_state() == before


def test_a_page_of_a_list_leaves_one_record_with_what_it_showed(edge: Edge) -> None:
    references = [register(edge, number) for number in range(1, 4)]
    cancelled = register(edge, 4)
    edge.send(
        "POST", f"/v1/registrations/{cancelled}/cancellation", {"reason": "other"}, caller="manager here"
    )
    edge.send(
        "GET",
        "/v1/registrations?campaign_id=tanah-abang-2024&day=2024-10-09&status=received",
        caller="manager",
    )

    (listed,) = list_records(edge, "subject=campaign_day:tanah-abang-2024/2024-10-09")

    assert (listed["action"], listed["client_id"]) == ("listed", "branch-office")
    assert sorted(listed["references"]) == sorted(references)


def test_a_list_that_shows_nobody_leaves_no_record(edge: Edge) -> None:
    edge.send("GET", "/v1/registrations?campaign_id=tanah-abang-2024&day=2024-10-10", caller="manager")
    edge.send("GET", "/v1/registrations?status=active", caller="core")
    assert list_records(edge, "client_id=branch-office") == list_records(edge, "client_id=membership") == []


def test_a_disclosure_says_who_changed_and_who_read_the_record_also_in_lists(edge: Edge) -> None:
    reference, other = register(edge, 1), register(edge, 2)
    edge.send("POST", f"/v1/registrations/{reference}/payments", PAYMENT, caller="core")
    edge.send("GET", f"/v1/registrations/{reference}", caller="kiosk")
    edge.send("GET", "/v1/registrations?status=active", caller="core")
    edge.send("GET", "/v1/registrations?campaign_id=tanah-abang-2024&day=2024-10-09", caller="manager")
    edge.send("GET", f"/v1/registrations/{other}", caller="manager here")

    body = {"request_id": make_capture_id(77), "nik": make_nik(1), "reason": "worker_request"}
    response = edge.send("POST", "/v1/disclosures", body, caller="admin")

    trail = response.json_body["trail"]
    assert [(each["client_id"], each["action"]) for each in trail] == [
        ("membership", "paid"),
        ("membership", "read"),
        ("van-1", "read"),
        ("membership", "listed"),
        ("branch-office", "listed"),
    ]
    assert {each["subject"] for each in trail} == {f"registration:{reference}"}
    assert other not in response.body.decode()


def test_whoever_enrolled_replaced_the_token_of_and_revoked_a_client_is_recorded(edge: Edge) -> None:
    edge.enrol("second admin", {"client_id": "second-office", "roles": ["admin"]})
    new = {"client_id": "van-7", "roles": ["kiosk"], "campaigns": ["tanah-abang-2024"]}
    enrolled = edge.send("POST", "/v1/clients", new, caller="admin")
    edge.send("POST", "/v1/clients/van-7/token", {}, caller="second admin")
    for _ in range(2):
        edge.send("DELETE", "/v1/clients/van-7", caller="admin")

    assert enrolled.json_body["enrolled_by"] == "head-office"
    assert list_actions(edge, "subject=client:van-7") == [
        ("head-office", "enrolled"),
        ("second-office", "rotated"),
        ("head-office", "revoked"),
    ]
    shown = edge.send("GET", "/v1/clients/van-7", caller="admin").json_body
    assert (shown["enrolled_by"], shown["rotated_by"], shown["revoked_by"]) == (
        "head-office",
        "second-office",
        "head-office",
    )
    assert list_actions(edge, "subject=client:second-office") == [("operator", "enrolled")]


def test_changes_of_a_campaign_name_the_fields_and_no_values(edge: Edge) -> None:
    edge.send(
        "PATCH", "/v1/campaigns/tanah-abang-2024", {"target": 777, "name": "Pasar Baru"}, caller="manager"
    )
    edge.send("PATCH", "/v1/campaigns/tanah-abang-2024", {"target": 777}, caller="manager")

    opened, changed = list_records(edge, "subject=campaign:tanah-abang-2024")

    assert (opened["action"], opened["client_id"]) == ("opened", "operator")
    assert (changed["action"], changed["fields"]) == ("changed", ["name", "target"])
    assert "777" not in json.dumps(changed)


def test_the_trail_shows_what_one_client_did(edge: Edge) -> None:
    first, second = register(edge, 1), register(edge, 2)
    for reference in (first, second):
        edge.send("GET", f"/v1/registrations/{reference}", caller="kiosk")
    subjects = [each["subject"] for each in list_records(edge, "client_id=van-1")]
    assert subjects == [f"registration:{first}", f"registration:{second}"]


@pytest.mark.parametrize("query", ["", "?subject=client:van-1&client_id=van-1"])
def test_the_trail_is_asked_for_one_subject_or_one_client(edge: Edge, query: str) -> None:
    response = edge.send("GET", f"/v1/audit{query}", caller="admin")
    problem = assert_problem(response, 422, "rules_broken")
    assert [each["code"] for each in problem["errors"]] == ["subject_or_client"]


@pytest.mark.parametrize(
    "subject", ["van-1", "person:3171075204857001", "registration:7k4-m2q-x9p", "client:"]
)
def test_a_subject_has_one_of_the_forms(edge: Edge, subject: str) -> None:
    response = edge.send("GET", f"/v1/audit?subject={subject}", caller="admin")
    assert_problem(response, 422, "body_invalid")


def test_the_log_line_of_a_change_names_what_was_acted_on(edge: Edge, log_output: LogOutput) -> None:
    reference = register(edge)
    edge.send("GET", f"/v1/registrations/{reference.lower()}", caller="manager")
    edge.send("DELETE", "/v1/clients/van-9", caller="admin")
    edge.send("PATCH", "/v1/campaigns/tanah-abang-2024", {"target": 9}, caller="manager")

    lines = [line for line in log_output.lines if line["message"] == "request answered"]
    read, revoked, changed = lines[-3:]
    assert (read["reference"], read["client_id"]) == (reference, "branch-office")
    assert (revoked["subject_client_id"], revoked["client_id"]) == ("van-9", "head-office")
    assert changed["campaign_id"] == "tanah-abang-2024"


@pytest.mark.parametrize("typed", [make_nik(), "siti-aminah", "081234567890"])
def test_the_log_line_of_a_refusal_does_not_repeat_what_was_typed(
    edge: Edge, log_output: LogOutput, typed: str
) -> None:
    edge.send("GET", f"/v1/registrations/{typed}", caller="manager")
    edge.send("GET", f"/v1/clients/{typed}", caller="admin")
    edge.send("GET", f"/v1/campaigns/{typed}", caller="manager")
    assert typed not in log_output.text.lower()
