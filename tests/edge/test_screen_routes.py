"""Screens on a wall: a viewer that a manager makes, and the code by which the board is paired."""

from typing import Any

import pytest

from tests.edge.conftest import Edge, assert_problem, dump_stored_state

SCREENS = "/v1/campaigns/tanah-abang-2024/screens"


def make_screen(edge: Edge) -> dict[str, Any]:
    made = edge.send("POST", SCREENS, caller="manager here")
    assert made.status_code == 201
    screen: dict[str, Any] = made.json_body
    return screen


def exchange(edge: Edge, code: str, **fields: Any) -> Any:
    return edge.send("POST", "/v1/enrolments", {"code": code, **fields}, caller=None)


def test_a_screen_gets_a_viewers_token_for_its_code_once(edge: Edge) -> None:
    screen = make_screen(edge)
    paired = exchange(edge, screen["code"], for_screen=True)
    assert paired.status_code == 201
    assert (paired.json_body["roles"], paired.json_body["client_id"]) == (["viewer"], screen["client_id"])
    edge.tokens["screen"] = paired.json_body["token"]
    assert edge.send("GET", "/v1/caller", caller="screen").json_body["campaigns"] == ["tanah-abang-2024"]
    assert edge.send("GET", "/v1/campaigns/tanah-abang-2024/summaries", caller="screen").status_code == 200
    assert edge.send("GET", "/v1/campaigns", caller="screen").status_code == 403
    assert_problem(exchange(edge, screen["code"], for_screen=True), 404, "enrolment_code_unknown")


def test_the_address_of_the_board_stands_beside_the_code(edge: Edge) -> None:
    screen = make_screen(edge)
    assert screen["board_url"].endswith("/board")
    assert screen["url"] == f"{screen['board_url']}#pair={screen['code']}"


def test_a_screens_code_is_good_at_no_device_and_a_devices_at_no_screen(edge: Edge) -> None:
    screen = make_screen(edge)
    assert_problem(exchange(edge, screen["code"]), 404, "enrolment_code_unknown")
    assert exchange(edge, screen["code"], for_screen=True).status_code == 201
    device = edge.send("POST", "/v1/clients/van-1/enrolment-codes", caller="manager").json_body
    assert_problem(exchange(edge, device["code"], for_screen=True), 404, "enrolment_code_unknown")
    assert exchange(edge, device["code"]).status_code == 201


def test_a_screen_is_paired_again_by_another_code(edge: Edge) -> None:
    screen = make_screen(edge)
    path = f"/v1/clients/{screen['client_id']}/enrolment-codes"
    made = edge.send("POST", path, caller="manager here").json_body
    assert made["odk_qr"] is None
    assert exchange(edge, made["code"], for_screen=True).json_body["client_id"] == screen["client_id"]
    response = edge.send("POST", path, {"mode": "kiosk"}, caller="manager here")
    assert_problem(response, 422, "rules_broken")


def test_who_made_a_screen_is_in_the_audit_trail(edge: Edge) -> None:
    screen = make_screen(edge)
    path = f"/v1/audit?subject=client:{screen['client_id']}"
    records = edge.send("GET", path, caller="admin").json_body["records"]
    assert [(each["action"], each["client_id"]) for each in records] == [
        ("enrolled", "van-manager"),
        ("enrolment_code_made", "van-manager"),
    ]


@pytest.mark.parametrize(
    ("caller", "code"), [("manager", "campaign_unknown"), ("manager here", "campaign_not_yours")]
)
def test_no_screen_is_made_for_another_campaign(edge: Edge, caller: str, code: str) -> None:
    before = dump_stored_state()
    response = edge.send("POST", "/v1/campaigns/never-opened/screens", caller=caller)
    assert_problem(response, 404 if code == "campaign_unknown" else 403, code)
    assert dump_stored_state() == before
