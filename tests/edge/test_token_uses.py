"""From where tokens are used, over HTTP: admins see it, and no call fails for it."""

import json
from typing import Any

import pytest

from tests.edge.conftest import Edge, LogOutput
from tests.support.dynamodb_faults import run_faulty_proxy
from tests.support.http_events import make_request_event
from tests.support.moto_snapshots import list_stored_items

CALLER = {"client_id": "van-1", "roles": "kiosk", "channel": "van", "campaigns": "tanah-abang-2024"}
ADDRESS = "198.51.100.7"


def ask_from(edge: Edge, address: str, caller: dict[str, str] = CALLER) -> int:
    """Ask for a list as the kiosk, from an address. Return the status."""
    path = "/v1/clients/{client_id}/gaps"
    event: dict[str, Any] = make_request_event(
        "GET", path, "", caller=caller, path_parameters={"client_id": "van-1"}
    )
    event["requestContext"]["identity"]["sourceIp"] = address
    return int(edge.send_behind_gateway(event)["statusCode"])


def show_client(edge: Edge) -> dict[str, Any]:
    shown: dict[str, Any] = edge.send("GET", "/v1/clients/van-1", caller="admin").json_body
    return shown


def test_admins_see_the_first_use_from_another_network(edge: Edge, log_output: LogOutput) -> None:
    before = show_client(edge)
    assert (before["use_flags"], before["use_flagged_at"]) == ([], None)

    assert ask_from(edge, ADDRESS) == 200

    after = show_client(edge)
    assert after["use_flags"] == ["new_network"]
    assert after["use_flagged_at"] is not None
    assert after["last_network"] != before["last_network"]
    (listed,) = [
        each
        for each in edge.send("GET", "/v1/clients", caller="admin").json_body["clients"]
        if each["client_id"] == "van-1"
    ]
    assert listed == after
    (metric,) = [each for each in log_output.metrics if "UnusualTokenUses" in each]
    assert metric["flag"] == "new_network"


def test_the_uses_of_a_token_in_a_path_are_recorded_too(edge: Edge) -> None:
    path = "/odk/{token}/formList"
    event: dict[str, Any] = make_request_event(
        "GET", path, "", caller=CALLER, path_parameters={"token": edge.tokens["kiosk"]}
    )
    event["requestContext"] |= {"authorizer": None, "identity": {"sourceIp": ADDRESS}}

    assert edge.send_behind_gateway(event)["statusCode"] == 200

    assert show_client(edge)["use_flags"] == ["new_network"]


def test_the_own_phones_of_workers_flag_nothing(edge: Edge) -> None:
    assert ask_from(edge, ADDRESS, {**CALLER, "link_id": "7k4m2q"}) == 200

    assert show_client(edge)["use_flags"] == []


def test_no_address_is_stored_or_logged(edge: Edge, log_output: LogOutput) -> None:
    ask_from(edge, ADDRESS)

    written = json.dumps(list_stored_items("ClientsTable")) + log_output.text
    assert "198.51" not in written


def test_a_use_that_cannot_be_recorded_fails_no_call(edge: Edge, monkeypatch: pytest.MonkeyPatch) -> None:
    with run_faulty_proxy() as proxy:
        monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", proxy.url)
        edge.restart()
        proxy.add_fault("UpdateItem", "ThrottlingException")

        assert ask_from(edge, ADDRESS) == 200

    assert show_client(edge)["use_flags"] == []


def test_a_request_without_a_caller_or_an_address_is_answered_as_before(edge: Edge) -> None:
    assert edge.send("GET", "/healthz", caller=None).status_code == 200
    assert ask_from(edge, "") == 200
