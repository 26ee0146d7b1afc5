"""Clients through the edge: a token is shown once and never kept."""

import hashlib
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.edge.conftest import Edge, LogOutput, assert_problem, dump_stored_state
from tests.support.builders import make_capture_id, make_capture_payload, make_nik


def enrolled(edge: Edge, **changes: Any) -> Any:
    body = {"client_id": "van-7", "roles": ["kiosk"], "campaigns": ["tanah-abang-2024"], **changes}
    return edge.send("POST", "/v1/clients", body, caller="admin")


def with_its_own_token(edge: Edge, answer: Any) -> str:
    edge.tokens["enrolled"] = answer.json_body["token"]
    return "enrolled"


def test_a_token_is_shown_once_and_works(edge: Edge) -> None:
    answer = enrolled(edge, channel="van")

    assert answer.status_code == 201
    assert answer.headers["Cache-Control"] == "no-store"
    assert edge.register(make_capture_payload(), caller=with_its_own_token(edge, answer)).status_code == 201
    for path in ("/v1/clients", "/v1/clients/van-7"):
        shown = edge.send("GET", path, caller="admin").body.decode()
        assert "van-7" in shown
        assert answer.json_body["token"] not in shown


def test_only_the_hash_of_a_token_is_kept(edge: Edge, log_output: LogOutput) -> None:
    token = enrolled(edge).json_body["token"]

    kept = dump_stored_state()
    assert token not in kept
    assert token.encode().hex() not in kept
    assert hashlib.sha256(token.encode()).hexdigest() in kept
    assert token not in log_output.text


def test_every_token_is_another(edge: Edge) -> None:
    tokens = {enrolled(edge, client_id=f"van-{number}").json_body["token"] for number in (71, 72, 73)}

    assert len(tokens) == 3


def test_an_id_that_is_taken_gets_no_second_token(edge: Edge) -> None:
    first = enrolled(edge)
    before = dump_stored_state()

    assert_problem(enrolled(edge), 409, "client_exists")

    assert dump_stored_state() == before
    assert edge.register(make_capture_payload(), caller=with_its_own_token(edge, first)).status_code == 201


def test_a_revoked_token_is_refused_and_the_client_remains_listed(edge: Edge) -> None:
    own = with_its_own_token(edge, enrolled(edge))

    revoked = edge.send("DELETE", "/v1/clients/van-7", caller="admin")

    assert (revoked.status_code, revoked.body) == (204, b"")
    assert (
        edge.register(make_capture_payload(), caller=own).status_code == 403
    )  # Chalice's own; the template makes it 401.
    shown = edge.send("GET", "/v1/clients/van-7", caller="admin").json_body
    assert shown["revoked_at"] is not None


def test_revoking_twice_changes_nothing(edge: Edge) -> None:
    enrolled(edge)
    edge.send("DELETE", "/v1/clients/van-7", caller="admin")
    before = dump_stored_state()

    assert edge.send("DELETE", "/v1/clients/van-7", caller="admin").status_code == 204

    assert dump_stored_state() == before


def test_revoking_one_client_leaves_the_others(edge: Edge) -> None:
    edge.send("DELETE", "/v1/clients/whatsapp", caller="admin")

    assert edge.register(make_capture_payload()).status_code == 201


def test_a_client_with_a_past_expiry_is_refused(edge: Edge) -> None:
    past = (datetime.now(UTC) - timedelta(minutes=1)).isoformat()

    own = with_its_own_token(edge, enrolled(edge, expires_at=past))

    assert edge.register(make_capture_payload(), caller=own).status_code == 403


def test_a_client_bound_to_no_campaign_works_for_none(edge: Edge) -> None:
    own = with_its_own_token(edge, enrolled(edge, campaigns=[]))

    assert_problem(edge.register(make_capture_payload(), caller=own), 403, "campaign_not_yours")


@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_a_client_nobody_enrolled_is_unknown(edge: Edge, subtests: pytest.Subtests, method: str) -> None:
    before = dump_stored_state()

    for client_id in ("nobody", "..", "%00", "%F0%9F%8C%BA"):
        with subtests.test(client_id):
            assert_problem(
                edge.send(method, f"/v1/clients/{client_id}", caller="admin"), 404, "client_unknown"
            )

    assert dump_stored_state() == before


INVALID = {
    "no role": ({"roles": []}, "roles", "value_too_short"),
    "a role nobody has": ({"roles": ["kiosk", "king"]}, "roles.1", "value_not_allowed"),
    "roles that are a text": ({"roles": "kiosk"}, "roles", "value_wrong_type"),
    "a channel nobody has": ({"channel": "pigeon"}, "channel", "value_not_allowed"),
    "a bot in a van": ({"roles": ["bot"], "channel": "van"}, "channel", "role_channel_conflict"),
    "an id in capitals": ({"client_id": "Van-7"}, "client_id", "value_malformed"),
    "an id with our own separator": ({"client_id": "van#7"}, "client_id", "value_malformed"),
    "an expiry before any calendar": (
        {"expires_at": "0001-01-01T00:00:00+14:00"},
        "expires_at",
        "value_out_of_range",
    ),
    "an expiry after every calendar": (
        {"expires_at": "9999-12-31T23:59:59-14:00"},
        "expires_at",
        "value_out_of_range",
    ),
    "an expiry without its zone": ({"expires_at": "2030-01-01T00:00:00"}, "expires_at", "value_malformed"),
    "a token of the caller's choice": ({"token": "daftar_mine"}, "token", "field_unknown"),
    "a cap without its flag": ({"daily_cap": 10}, "", "daily_caps_incomplete"),
    "a cap of nothing": ({"daily_flag": 0, "daily_cap": 0}, "daily_cap", "value_out_of_range"),
}


def test_a_client_of_another_shape_is_refused(edge: Edge, subtests: pytest.Subtests) -> None:
    before = dump_stored_state()

    for what, (changes, field, code) in INVALID.items():
        with subtests.test(what):
            problem = assert_problem(enrolled(edge, **changes), 422, "body_invalid")
            assert [(error["field"], error["code"]) for error in problem["errors"]] == [(field, code)]

    assert dump_stored_state() == before


def rotated(edge: Edge, **body: Any) -> Any:
    return edge.send("POST", "/v1/clients/van-1/token", body, caller="admin")


def test_a_new_token_is_shown_once_and_works_beside_the_old_one(edge: Edge) -> None:
    answer = rotated(edge)

    assert answer.status_code == 201
    assert answer.headers["Cache-Control"] == "no-store"
    edge.tokens["new"] = answer.json_body["token"]
    for number, by in enumerate(("kiosk", "new")):
        assert edge.register(
            make_capture_payload(capture_id=make_capture_id(number)), caller=by
        ).status_code in {200, 201}
    assert (
        answer.json_body["token"] not in edge.send("GET", "/v1/clients/van-1", caller="admin").body.decode()
    )
    assert answer.json_body["token"] not in dump_stored_state()


def test_without_an_overlap_the_old_token_is_refused_at_once(edge: Edge) -> None:
    edge.tokens["new"] = rotated(edge, overlap_hours=0).json_body["token"]

    assert (
        edge.register(make_capture_payload()).status_code == 403
    )  # Chalice's own; the template makes it 401.
    assert edge.register(make_capture_payload(), caller="new").status_code == 201


def test_a_revocation_reaches_both_tokens(edge: Edge) -> None:
    edge.tokens["new"] = rotated(edge).json_body["token"]
    edge.send("DELETE", "/v1/clients/van-1", caller="admin")

    for by in ("kiosk", "new"):
        assert edge.register(make_capture_payload(), caller=by).status_code == 403
    assert_problem(rotated(edge), 409, "client_revoked")


def test_when_a_new_token_ends_and_the_old_one_may_be_said(edge: Edge) -> None:
    said = rotated(edge, overlap_hours=1, expires_at="2999-01-01T00:00:00Z").json_body

    assert said["expires_at"] == "2999-01-01T00:00:00Z"
    assert said["rotated_at"] < said["older_tokens_end_at"]


def test_nobody_gets_a_token_for_a_client_that_is_not_there(edge: Edge) -> None:
    answer = edge.send("POST", "/v1/clients/nobody/token", {}, caller="admin")
    assert_problem(answer, 404, "client_unknown")


def test_a_rotation_of_another_shape_is_refused(edge: Edge, subtests: pytest.Subtests) -> None:
    before = dump_stored_state()
    bodies = {
        "an overlap for ever": ({"overlap_hours": 721}, "overlap_hours", "value_out_of_range"),
        "an overlap before now": ({"overlap_hours": -1}, "overlap_hours", "value_out_of_range"),
        "a token of the caller's choice": ({"token": "daftar_mine"}, "token", "field_unknown"),
    }
    for what, (body, field, code) in bodies.items():
        with subtests.test(what):
            problem = assert_problem(rotated(edge, **body), 422, "body_invalid")
            assert [(error["field"], error["code"]) for error in problem["errors"]] == [(field, code)]

    assert dump_stored_state() == before


def test_admins_see_when_a_client_called_last(edge: Edge) -> None:
    own = with_its_own_token(edge, enrolled(edge))
    assert edge.send("GET", "/v1/clients/van-7", caller="admin").json_body["last_seen_at"] is None

    edge.send("POST", "/v1/quotes", b"", caller=own)

    seen = edge.send("GET", "/v1/clients/van-7", caller="admin").json_body["last_seen_at"]
    assert datetime.fromisoformat(seen) > datetime.now(UTC) - timedelta(minutes=5)
    assert seen in edge.send("GET", "/v1/clients", caller="admin").body.decode()


def test_a_client_may_be_enrolled_with_a_cap_of_its_own(edge: Edge) -> None:
    own = with_its_own_token(edge, enrolled(edge, daily_flag=0, daily_cap=1))
    first = edge.register(make_capture_payload(), caller=own)

    second = edge.register(
        make_capture_payload(capture_id=make_capture_id(2), worker={"nik": make_nik(7002)}), caller=own
    )

    assert_problem(second, 429, "client_cap_reached")
    assert 1 <= int(second.headers["Retry-After"]) <= 24 * 3600
    reference = first.json_body["reference"]
    shown = edge.send("GET", f"/v1/registrations/{reference}", caller="manager").json_body
    assert shown["flags"] == ["client_busy"]
    assert edge.register(make_capture_payload(), caller=own).body == first.body


def test_a_phone_given_too_often_is_refused_with_a_code_of_its_own(edge: Edge, low_phone_cap: None) -> None:
    for number in range(3):
        edge.register(
            make_capture_payload(capture_id=make_capture_id(number), worker={"nik": make_nik(7000 + number)})
        )

    refused = edge.register(
        make_capture_payload(capture_id=make_capture_id(99), worker={"nik": make_nik(7099)})
    )

    assert_problem(refused, 429, "phone_cap_reached")
    assert 1 <= int(refused.headers["Retry-After"]) <= 24 * 3600
