"""Lists of registrations, and the missing sequence numbers of devices, over HTTP."""

from typing import Any
from urllib.parse import urlencode

import pytest

from chalicelib.http.pagination import Position, to_cursor
from tests.edge.conftest import Edge, assert_problem
from tests.edge.test_lifecycle_routes import register_worker, report_event
from tests.support.payloads import make_capture_id, make_capture_payload

ONE_DAY = "campaign_id=tanah-abang-2024&day=2024-10-09"


def get_page(edge: Edge, query: str, *, caller: str = "core") -> dict[str, Any]:
    """Return a page of registrations."""
    response = edge.send("GET", f"/v1/registrations?{query}", caller=caller)
    assert response.status_code == 200, response.body
    page: dict[str, Any] = response.json_body
    return page


def list_references(page: dict[str, Any]) -> list[str]:
    """Return the references on a page."""
    return [each["reference"] for each in page["registrations"]]


def test_the_pages_of_a_day_are_linked_by_cursors(edge: Edge) -> None:
    registered = [register_worker(edge, number) for number in range(1, 6)]
    listed, cursor = [], ""

    for _ in range(3):
        page = get_page(edge, f"{ONE_DAY}&size=2{cursor}")
        listed += list_references(page)
        cursor = f"&cursor={page['cursor']}"

    assert page["cursor"] is None
    assert sorted(listed) == sorted(registered)
    assert page["resume"] is None


def test_a_pull_of_a_status_can_be_resumed_and_repeats_the_last_minute(edge: Edge) -> None:
    assert get_page(edge, "status=received") == {"registrations": [], "cursor": None, "resume": None}
    first = register_worker(edge, 1)
    page = get_page(edge, "status=received")
    assert list_references(page) == [first]
    second = register_worker(edge, 2)

    assert list_references(get_page(edge, f"status=received&cursor={page['resume']}")) == [first, second]


def test_a_day_can_be_filtered_by_status(edge: Edge) -> None:
    paid, unpaid = register_worker(edge, 1), register_worker(edge, 2)
    report_event(edge, "payment", paid)
    assert list_references(get_page(edge, f"{ONE_DAY}&status=active")) == [paid]
    assert list_references(get_page(edge, f"{ONE_DAY}&status=received")) == [unpaid]
    assert list_references(get_page(edge, f"{ONE_DAY}&status=lapsed")) == []


def test_managers_see_masked_rows_and_the_core_system_unmasked_rows(edge: Edge) -> None:
    register_worker(edge)
    (masked,) = get_page(edge, ONE_DAY, caller="manager here")["registrations"]
    (unmasked,) = get_page(edge, ONE_DAY, caller="core")["registrations"]
    assert (masked["worker"]["nik"], unmasked["worker"]["nik"]) == ("************7001", "3171075204857001")
    assert set(masked["worker"]) <= {"nik", "name", "phone", "language", "checks"}
    assert "monthly_income" not in masked["work"]


def test_only_a_manager_of_all_campaigns_may_list_a_status(edge: Edge) -> None:
    response = edge.send("GET", "/v1/registrations?status=received", caller="manager here")
    assert_problem(response, 403, "campaign_not_yours")
    assert get_page(edge, "status=received", caller="manager")["registrations"] == []


INVALID_PARAMETERS = [
    ({"status": "paid"}, "status"),
    ({"status": ""}, "status"),
    ({"campaign_id": "Tanah Abang", "day": "2024-10-09"}, "campaign_id"),
    ({"campaign_id": "tanah-abang-2024", "day": "9 Oct"}, "day"),
    ({"campaign_id": "tanah-abang-2024", "day": "2024-10-32"}, "day"),
    ({"status": "active", "size": "0"}, "size"),
    ({"status": "active", "size": "201"}, "size"),
    ({"status": "active", "size": "many"}, "size"),
    ({"status": "active", "cursor": "x" * 401}, "cursor"),
    ({"status": "active", "page": "2"}, "page"),
]


def test_an_invalid_or_unknown_parameter_is_refused_by_name(edge: Edge, subtests: pytest.Subtests) -> None:
    for parameters, field in INVALID_PARAMETERS:
        with subtests.test(str(parameters)[:60]):
            response = edge.send("GET", f"/v1/registrations?{urlencode(parameters)}", caller="core")
            problem = assert_problem(response, 422, "body_invalid")
            assert [error["field"] for error in problem["errors"]] == [field]


INCOMPLETE_QUERIES = [
    "",
    "campaign_id=tanah-abang-2024",
    "day=2024-10-09",
    "campaign_id=tanah-abang-2024&status=active",
    "day=2024-10-09&status=active",
    "size=10",
]


def test_a_list_needs_a_campaign_day_or_a_status(edge: Edge, subtests: pytest.Subtests) -> None:
    for query in INCOMPLETE_QUERIES:
        with subtests.test(query):
            response = edge.send("GET", f"/v1/registrations?{query}", caller="core")
            problem = assert_problem(response, 422, "rules_broken")
            assert [error["code"] for error in problem["errors"]] == ["campaign_day_or_status"]


def test_an_invalid_cursor_is_refused(edge: Edge, subtests: pytest.Subtests) -> None:
    for cursor in ("", "x", "AAAA", "%00", "=", "🙂", "' OR 1=1", "../..", "x" * 400):
        for query in ("status=active", ONE_DAY):
            with subtests.test(cursor[:20], query=query):
                parameters = f"{query}&{urlencode({'cursor': cursor})}"
                response = edge.send("GET", f"/v1/registrations?{parameters}", caller="core")
                assert_problem(response, 400, "cursor_invalid")


def test_a_cursor_of_another_list_is_accepted_as_a_position(edge: Edge) -> None:
    register_worker(edge)
    resume = get_page(edge, "status=received")["resume"]
    assert get_page(edge, f"{ONE_DAY}&cursor={resume}")["registrations"] == []


def test_the_gaps_of_a_device_are_ranges_of_missing_sequence_numbers(edge: Edge) -> None:
    for sequence in (1, 2, 5):
        register_worker(edge, sequence, device_sequence=sequence)
    refused = make_capture_payload(capture_id=make_capture_id(9), device_sequence=9, worker={"nik": "1"})
    assert_problem(edge.register(refused), 422, "rules_broken")

    response = edge.send("GET", "/v1/clients/van-1/gaps")

    assert response.status_code == 200
    assert response.json_body == {
        "client_id": "van-1",
        "missing": [{"first": 3, "last": 4}, {"first": 6, "last": 8}],
    }


def test_the_gaps_of_a_device_are_listed_in_pages(edge: Edge, subtests: pytest.Subtests) -> None:
    for sequence in (2, 4, 6):
        register_worker(edge, sequence, device_sequence=sequence)
    first = edge.send("GET", "/v1/clients/van-1/gaps?size=2").json_body
    second = edge.send("GET", f"/v1/clients/van-1/gaps?size=2&cursor={first['cursor']}").json_body

    assert first["missing"] == [{"first": 1, "last": 1}, {"first": 3, "last": 3}]
    assert second == {"client_id": "van-1", "missing": [{"first": 5, "last": 5}]}
    for query, status, code in (
        ("cursor=%25", 400, "cursor_invalid"),
        (f"cursor={to_cursor(Position('van-1'))}", 400, "cursor_invalid"),
        (f"cursor={to_cursor(Position('9' * 99))}", 400, "cursor_invalid"),
        ("size=201", 422, "body_invalid"),
    ):
        with subtests.test(query):
            assert_problem(edge.send("GET", f"/v1/clients/van-1/gaps?{query}"), status, code)


def test_the_gaps_of_an_unknown_device_are_not_found(edge: Edge, subtests: pytest.Subtests) -> None:
    for client_id in ("van-7", "%C2%84", "a" * 3000):
        with subtests.test(client_id[:10]):
            response = edge.send("GET", f"/v1/clients/{client_id}/gaps", caller="manager")
            assert_problem(response, 404, "client_unknown")


def test_a_device_is_refused_the_gaps_of_any_id_but_its_own(edge: Edge) -> None:
    for client_id in ("van-9", "nobody", "van-1-", "VAN-1", "*"):
        assert_problem(edge.send("GET", f"/v1/clients/{client_id}/gaps"), 403, "role_not_allowed")
