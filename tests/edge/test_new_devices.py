"""A manager enrols a new device for a campaign: the client, its code, and what the device may then do."""

from typing import Any

import pytest

from tests.edge.conftest import Edge, assert_problem, dump_stored_state

DEVICES = "/v1/campaigns/tanah-abang-2024/devices"
TABLET = {"client_id": "van-12", "channel": "van"}


def make_device(edge: Edge, **fields: Any) -> dict[str, Any]:
    made = edge.send("POST", DEVICES, {**TABLET, **fields}, caller="manager here")
    assert made.status_code == 201, made.body
    device: dict[str, Any] = made.json_body
    return device


def test_a_new_device_gets_its_token_by_the_code_and_works_for_this_campaign_alone(edge: Edge) -> None:
    made = make_device(edge)
    assert made["url"] == f"{made['app_url']}#enrol={made['code']}"
    assert made["odk_qr"]
    device = edge.send("POST", "/v1/enrolments", {"code": made["code"]}, caller=None)
    assert device.status_code == 201
    edge.tokens["new van"] = device.json_body["token"]
    caller = edge.send("GET", "/v1/caller", caller="new van").json_body
    assert (caller["client_id"], caller["roles"]) == ("van-12", ["kiosk"])
    assert caller["campaigns"] == ["tanah-abang-2024"]


def test_an_unattended_kiosk_gets_its_mode_and_the_manager_its_exit_code(edge: Edge) -> None:
    made = make_device(edge, channel="kiosk", mode="kiosk")
    device = edge.send("POST", "/v1/enrolments", {"code": made["code"]}, caller=None).json_body
    assert (device["channel"], device["mode"]) == ("kiosk", "kiosk")
    assert made["exit_code"].isdecimal()


def test_a_lost_answer_is_made_good_by_another_code_and_not_by_a_second_device(edge: Edge) -> None:
    make_device(edge)
    assert_problem(edge.send("POST", DEVICES, TABLET, caller="manager here"), 409, "client_exists")
    code = edge.send("POST", "/v1/clients/van-12/enrolment-codes", caller="manager here").json_body["code"]
    assert edge.send("POST", "/v1/enrolments", {"code": code}, caller=None).status_code == 201


def test_who_enrolled_a_device_is_in_the_audit_trail(edge: Edge) -> None:
    make_device(edge)
    records = edge.send("GET", "/v1/audit?subject=client:van-12", caller="admin").json_body["records"]
    assert [(each["action"], each["client_id"]) for each in records] == [
        ("enrolled", "van-manager"),
        ("enrolment_code_made", "van-manager"),
    ]


@pytest.mark.parametrize(
    "body",
    [
        {**TABLET, "channel": "telegram"},
        {**TABLET, "mode": "self"},
        {**TABLET, "client_id": "Van 12"},
        {**TABLET, "client_id": "0824-5550-7001"},
        {**TABLET, "roles": ["admin"]},
        {**TABLET, "campaigns": ["*"]},
        {},
    ],
)
def test_what_a_device_cannot_be_is_refused_and_nothing_stored(edge: Edge, body: dict[str, Any]) -> None:
    before = dump_stored_state()
    assert_problem(edge.send("POST", DEVICES, body, caller="manager here"), 422, "body_invalid")
    assert dump_stored_state() == before


@pytest.mark.parametrize(
    ("caller", "status", "code"),
    [("manager", 404, "campaign_unknown"), ("manager here", 403, "campaign_not_yours")],
)
def test_no_device_is_enrolled_for_another_campaign(edge: Edge, caller: str, status: int, code: str) -> None:
    before = dump_stored_state()
    refused = edge.send("POST", "/v1/campaigns/never-opened/devices", TABLET, caller=caller)
    assert_problem(refused, status, code)
    assert dump_stored_state() == before
