"""Lists of registrations and what devices still owe: who may see them, and in which pages."""

from typing import Any
from urllib.parse import urlencode

import pytest

from tests.edge.conftest import Edge, assert_problem
from tests.edge.test_intake_http import listed, registered, report
from tests.support.payloads import make_capture_id, make_capture_payload

A_DAY = "campaign_id=tanah-abang-2024&day=2024-10-09"


def references(page: Any) -> list[str]:
    return [each["reference"] for each in page["registrations"]]


def test_a_day_is_walked_by_cursor(edge: Edge) -> None:
    everyone = [registered(edge, number) for number in range(1, 6)]
    seen, cursor = [], ""
    for _ in range(3):
        page = listed(edge, f"{A_DAY}&size=2{cursor}")
        seen += references(page)
        cursor = f"&cursor={page['cursor']}"
    assert page["cursor"] is None
    assert sorted(seen) == sorted(everyone)
    assert page["resume"] is None


def test_a_status_is_walked_and_later_taken_up_again(edge: Edge) -> None:
    first = registered(edge, 1)
    page = listed(edge, "status=received")
    assert references(page) == [first]
    second = registered(edge, 2)
    # What is less than a minute old is shown again.
    assert references(listed(edge, f"status=received&cursor={page['resume']}")) == [first, second]


def test_a_pull_of_nothing_goes_on_where_it_began(edge: Edge) -> None:
    assert listed(edge, "status=active") == {"registrations": [], "cursor": None, "resume": None}


def test_of_a_day_those_in_one_status_can_be_asked_for(edge: Edge) -> None:
    paid, waiting = registered(edge, 1), registered(edge, 2)
    report(edge, "payment", paid)
    assert references(listed(edge, f"{A_DAY}&status=active")) == [paid]
    assert references(listed(edge, f"{A_DAY}&status=received")) == [waiting]
    assert references(listed(edge, f"{A_DAY}&status=lapsed")) == []


def test_managers_see_masked_and_the_core_system_whole_rows(edge: Edge) -> None:
    registered(edge)
    (masked,) = listed(edge, A_DAY, by="manager here")["registrations"]
    (whole,) = listed(edge, A_DAY, by="core")["registrations"]
    assert (masked["worker"]["nik"], whole["worker"]["nik"]) == ("************7001", "3171075204857001")
    assert set(masked["worker"]) <= {"nik", "name", "phone", "language", "checks"}
    assert "monthly_income" not in masked["work"]


def test_others_see_no_lists(edge: Edge) -> None:
    for role in ("kiosk", "bot", "admin"):
        assert_problem(edge.send("GET", f"/v1/registrations?{A_DAY}", caller=role), 403, "role_not_allowed")


def test_a_manager_sees_the_days_of_own_campaigns_only(edge: Edge) -> None:
    elsewhere = A_DAY.replace("tanah-abang", "senen")
    refused = edge.send("GET", f"/v1/registrations?{elsewhere}", caller="manager here")
    assert_problem(refused, 403, "campaign_not_yours")
    by_status = edge.send("GET", "/v1/registrations?status=received", caller="manager here")
    assert_problem(by_status, 403, "campaign_not_yours")
    assert listed(edge, "status=received", by="manager")["registrations"] == []


NONSENSE = [
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


def test_a_question_that_makes_no_sense_is_not_understood(edge: Edge, subtests: pytest.Subtests) -> None:
    for asked, field in NONSENSE:
        with subtests.test(str(asked)[:60]):
            refused = edge.send("GET", f"/v1/registrations?{urlencode(asked)}", caller="core")
            assert [error["field"] for error in assert_problem(refused, 422, "body_invalid")["errors"]] == [
                field
            ]


HALF_ASKED = [
    "",
    "campaign_id=tanah-abang-2024",
    "day=2024-10-09",
    "campaign_id=tanah-abang-2024&status=active",
    "day=2024-10-09&status=active",
    "size=10",
]


def test_a_list_is_of_a_campaign_day_or_of_a_status(edge: Edge, subtests: pytest.Subtests) -> None:
    for query in HALF_ASKED:
        with subtests.test(query):
            refused = edge.send("GET", f"/v1/registrations?{query}", caller="core")
            problem = assert_problem(refused, 422, "rules_broken")
            assert [error["code"] for error in problem["errors"]] == ["campaign_day_or_status"]


def test_a_cursor_that_we_did_not_make_is_refused(edge: Edge, subtests: pytest.Subtests) -> None:
    for cursor in ("", "x", "AAAA", "%00", "=", "🙂", "' OR 1=1", "../..", "x" * 400):
        for query in ("status=active", A_DAY):
            with subtests.test(cursor[:20], of=query):
                asked = f"{query}&{urlencode({'cursor': cursor})}"
                refused = edge.send("GET", f"/v1/registrations?{asked}", caller="core")
                assert_problem(refused, 400, "cursor_invalid")


def test_a_cursor_of_another_list_is_a_position_like_any_other(edge: Edge) -> None:
    registered(edge)
    resume = listed(edge, "status=received")["resume"]
    assert listed(edge, f"{A_DAY}&cursor={resume}")["registrations"] == []


def test_a_device_is_told_what_it_still_owes(edge: Edge) -> None:
    for sequence in (1, 2, 5):
        registered(edge, sequence, device_sequence=sequence)
    refused = make_capture_payload(capture_id=make_capture_id(9), device_sequence=9, worker={"nik": "1"})
    assert_problem(edge.register(refused), 422, "rules_broken")

    for by in ("kiosk", "manager", "manager here", "admin"):
        told = edge.send("GET", "/v1/clients/van-1/gaps", caller=by)
        assert told.status_code == 200
        assert told.json_body == {
            "client_id": "van-1",
            "missing": [{"first": 3, "last": 4}, {"first": 6, "last": 8}],
        }


def test_a_device_without_numbers_owes_nothing(edge: Edge) -> None:
    registered(edge)
    assert edge.send("GET", "/v1/clients/van-1/gaps").json_body["missing"] == []


def test_a_device_that_nobody_enrolled_is_unknown_and_owes_not_nothing(
    edge: Edge, subtests: pytest.Subtests
) -> None:
    for client_id in ("van-7", "%C2%84", "a" * 3000):
        with subtests.test(client_id[:10]):
            asked = edge.send("GET", f"/v1/clients/{client_id}/gaps", caller="manager")
            assert_problem(asked, 404, "client_unknown")


def test_a_device_is_told_of_itself_alone(edge: Edge) -> None:
    for client in ("van-9", "nobody", "van-1-", "VAN-1", "*"):
        assert_problem(edge.send("GET", f"/v1/clients/{client}/gaps"), 403, "role_not_allowed")
    for role in ("bot", "core"):
        assert_problem(edge.send("GET", "/v1/clients/van-1/gaps", caller=role), 403, "role_not_allowed")
