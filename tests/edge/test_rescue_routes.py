"""Rescue files over HTTP: taken in by a manager, as if their device had sent them."""

import json
from typing import Any

import pytest
from chalice.test import HTTPResponse

from tests.edge.conftest import Edge, LogOutput, assert_problem, dump_stored_state
from tests.support.moto_snapshots import list_stored_items
from tests.support.payloads import make_capture_id, make_capture_payload, make_nik
from tests.support.rescue_files import make_rescue_file, seal_for

PATH = "/v1/rescues"


def make_capture(number: int, **changes: Any) -> dict[str, Any]:
    worker = {"nik": make_nik(number), "phone": f"0824-5551-{number:04}"}
    return make_capture_payload(
        capture_id=make_capture_id(number), device_sequence=number, worker=worker, **changes
    )


def take_in(edge: Edge, file: Any, *, query: str = "", caller: str = "manager here") -> HTTPResponse:
    return edge.send("POST", f"{PATH}{query}", file, caller=caller)


def show_capture(edge: Edge, number: int, caller: str = "manager") -> dict[str, Any]:
    shown: dict[str, Any] = edge.send(
        "GET", f"/v1/captures/{make_capture_id(number)}", caller=caller
    ).json_body
    return shown


def test_a_file_is_taken_in_as_if_its_device_had_sent_it(edge: Edge) -> None:
    captures = [make_capture(1, officer="ofc-7"), make_capture(2, officer="ofc-8")]

    response = take_in(edge, make_rescue_file(captures))

    assert response.status_code == 200
    answer = response.json_body
    assert (answer["client_id"], answer["captures"], answer.get("next_start")) == ("van-1", 2, None)
    assert [each["outcome"] for each in answer["results"]] == ["created", "created"]
    for number, officer in ((1, "ofc-7"), (2, "ofc-8")):
        shown = show_capture(edge, number)
        begun = shown["registration"]["history"][0]
        assert (begun["client_id"], begun["officer"]) == ("van-1", officer)
        assert shown["registration"]["channel"] == "van"
        assert shown["registration"]["captured_at"] == "2024-10-09T04:12:00.000Z"
        assert shown["device"] == {
            "clock_skew": -4,
            "app_version": "0123456789abcdef",
            "rescued_by": "van-manager",
        }
    assert edge.send("GET", "/v1/clients/van-1/gaps", caller="kiosk").json_body["missing"] == []


def test_a_file_taken_in_twice_doubles_nothing(edge: Edge) -> None:
    file = make_rescue_file([make_capture(1), make_capture(2)])
    first = take_in(edge, file).json_body["results"]
    before = list_stored_items("RegistrationsTable")

    again = take_in(edge, file, caller="manager").json_body["results"]

    assert again == first
    assert list_stored_items("RegistrationsTable") == before


def test_what_the_device_had_sent_already_is_a_replay(edge: Edge) -> None:
    sent = edge.register(make_capture(1)).json_body
    (result,) = take_in(edge, make_rescue_file([make_capture(1)])).json_body["results"]
    assert result["reference"] == sent["reference"]
    assert show_capture(edge, 1).get("device") is None


def test_the_device_may_send_what_was_rescued_before(edge: Edge) -> None:
    (rescued,) = take_in(edge, make_rescue_file([make_capture(1)])).json_body["results"]
    sent = edge.register(make_capture(1))
    assert (sent.status_code, sent.headers["Idempotent-Replayed"]) == (201, "true")
    assert sent.json_body["reference"] == rescued["reference"]


def test_a_revoked_device_still_hands_over_what_it_holds(edge: Edge) -> None:
    edge.send("DELETE", "/v1/clients/van-1", caller="admin")
    (result,) = take_in(edge, make_rescue_file([make_capture(1)])).json_body["results"]
    assert result["outcome"] == "created"


def test_a_bad_capture_spoils_no_other(edge: Edge) -> None:
    captures = [make_capture(1), {"capture_id": make_capture_id(2)}, make_capture(3, officer="!")]
    results = take_in(edge, make_rescue_file(captures)).json_body["results"]
    assert [each["outcome"] for each in results] == ["created", "invalid", "invalid"]


def test_a_long_file_is_taken_in_by_several_requests(edge: Edge) -> None:
    file = make_rescue_file([make_capture(number) for number in range(1, 204)])

    first = take_in(edge, file).json_body
    second = take_in(edge, file, query=f"?start={first['next_start']}").json_body

    assert (first["next_start"], second.get("next_start")) == (200, None)
    ids = [each["capture_id"] for each in [*first["results"], *second["results"]]]
    assert ids == [make_capture_id(number) for number in range(1, 204)]


def test_a_file_without_captures_has_no_results(edge: Edge) -> None:
    answer = take_in(edge, make_rescue_file([])).json_body
    assert (answer["captures"], answer["results"], answer.get("next_start")) == (0, [], None)


def test_captures_are_of_campaigns_of_the_device_and_of_the_manager(edge: Edge) -> None:
    foreign = make_capture(1, campaign_id="senen-2024")
    (result,) = take_in(edge, make_rescue_file([foreign]), caller="manager").json_body["results"]
    assert result["problem"]["code"] == "campaign_not_yours"
    (result,) = take_in(edge, make_rescue_file([foreign], client_id="van-9")).json_body["results"]
    assert result["problem"]["code"] == "campaign_not_yours"


@pytest.mark.parametrize("client_id", ["senen-1", "whatsapp", "membership", "never-enrolled"])
def test_a_file_of_another_client_is_one_of_an_unknown_client(edge: Edge, client_id: str) -> None:
    before = dump_stored_state()
    response = take_in(edge, make_rescue_file([make_capture(1)], client_id=client_id))
    assert_problem(response, 404, "client_unknown")
    assert dump_stored_state() == before


def test_a_device_seals_with_the_key_of_its_bundle(edge: Edge) -> None:
    bundle = edge.send("GET", "/v1/campaigns/tanah-abang-2024/bundle").json_body
    content = {"client_id": "van-1", "exported_at": "2024-10-09T11:00:00Z", "captures": [make_capture(1)]}
    (result,) = take_in(edge, seal_for(bundle["rescue_key"], content)).json_body["results"]
    assert result["outcome"] == "created"


def test_a_file_that_was_altered_or_is_of_another_stage_is_refused(
    edge: Edge, subtests: pytest.Subtests
) -> None:
    file = make_rescue_file([make_capture(1)])
    changes = {
        "key_id": "rescue-elsewhere",
        "nonce": "A" * 16,
        "ciphertext": f"A{file['ciphertext'][1:]}"
        if file["ciphertext"][0] != "A"
        else f"B{file['ciphertext'][1:]}",
        "ephemeral_public_key": "A" * 87,
    }
    before = dump_stored_state()
    for name, value in changes.items():
        with subtests.test(name):
            assert_problem(take_in(edge, {**file, name: value}), 422, "rescue_unreadable")
    assert dump_stored_state() == before


def test_another_content_than_captures_is_refused(edge: Edge, subtests: pytest.Subtests) -> None:
    assert_problem(take_in(edge, make_rescue_file({})), 422, "rescue_unreadable")
    for changes in ({"client_id": ["van-1"]}, {"exported_at": "soon"}, {"more": [1]}):
        with subtests.test(str(changes)):
            file = make_rescue_file([], **changes)
            assert_problem(take_in(edge, file), 422, "rescue_unreadable")


def test_nothing_of_a_file_is_in_a_log(edge: Edge, log_output: LogOutput) -> None:
    capture = make_capture(1)
    take_in(edge, make_rescue_file([capture, {"capture_id": "x", "worker": capture["worker"]}]))
    for value in (capture["worker"]["nik"], capture["worker"]["name"], json.dumps(capture["worker"])):
        assert value not in log_output.text


def test_who_brought_a_file_is_recorded(edge: Edge) -> None:
    take_in(edge, make_rescue_file([make_capture(1)]))
    trail = edge.send("GET", "/v1/audit?subject=client:van-1", caller="admin").json_body["records"]
    assert [(each["action"], each["client_id"]) for each in trail][-1] == ("rescue_taken_in", "van-manager")
