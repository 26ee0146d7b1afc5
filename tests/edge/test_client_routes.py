"""The routes of clients: enrolment, tokens that are shown once, rotation and revocation."""

import hashlib
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from chalice.test import HTTPResponse

from chalicelib.http.pagination import Position, to_cursor
from tests.edge.conftest import CLIENTS, Edge, LogOutput, assert_problem, dump_stored_state
from tests.support.payloads import make_capture_id, make_capture_payload, make_nik


def enrol(edge: Edge, **changes: Any) -> HTTPResponse:
    body = {"client_id": "van-7", "roles": ["kiosk"], "campaigns": ["tanah-abang-2024"], **changes}
    return edge.send("POST", "/v1/clients", body, caller="admin")


def enrol_caller(edge: Edge, **changes: Any) -> str:
    """Enrol a client; return the caller's name for its token."""
    edge.tokens["enrolled"] = enrol(edge, **changes).json_body["token"]
    return "enrolled"


def rotate(edge: Edge, **body: Any) -> HTTPResponse:
    return edge.send("POST", "/v1/clients/van-1/token", body, caller="admin")


def test_a_token_is_shown_once_and_is_valid(edge: Edge) -> None:
    response = enrol(edge, channel="van")

    assert response.status_code == 201
    assert response.headers["Cache-Control"] == "no-store"
    edge.tokens["enrolled"] = response.json_body["token"]
    assert edge.register(make_capture_payload(), caller="enrolled").status_code == 201
    for path in ("/v1/clients", "/v1/clients/van-7"):
        shown = edge.send("GET", path, caller="admin").body.decode()
        assert "van-7" in shown
        assert response.json_body["token"] not in shown


def test_only_the_hash_of_a_token_is_stored(edge: Edge, log_output: LogOutput) -> None:
    token: str = enrol(edge).json_body["token"]

    stored = dump_stored_state()
    assert token not in stored
    assert token.encode().hex() not in stored
    assert hashlib.sha256(token.encode()).hexdigest() in stored
    assert token not in log_output.text


def test_every_token_is_different(edge: Edge) -> None:
    tokens = {enrol(edge, client_id=f"van-{number}").json_body["token"] for number in (71, 72, 73)}

    assert len(tokens) == 3


def test_an_id_in_use_gets_no_second_token(edge: Edge) -> None:
    caller = enrol_caller(edge)
    before = dump_stored_state()

    assert_problem(enrol(edge), 409, "client_exists")

    assert dump_stored_state() == before
    assert edge.register(make_capture_payload(), caller=caller).status_code == 201


def test_a_revoked_client_is_still_shown_and_a_repeated_revocation_changes_nothing(edge: Edge) -> None:
    caller = enrol_caller(edge)

    revoked = edge.send("DELETE", "/v1/clients/van-7", caller="admin")

    assert (revoked.status_code, revoked.body) == (204, b"")
    assert_problem(edge.register(make_capture_payload(), caller=caller), 401, "token_revoked")
    assert edge.send("GET", "/v1/clients/van-7", caller="admin").json_body["revoked_at"] is not None
    before = dump_stored_state()
    assert edge.send("DELETE", "/v1/clients/van-7", caller="admin").status_code == 204
    assert dump_stored_state() == before


def test_a_token_that_opens_nothing_is_refused_and_does_not_use_up_the_id(edge: Edge) -> None:
    past = (datetime.now(UTC) - timedelta(minutes=1)).isoformat()
    before = dump_stored_state()

    without_campaign = assert_problem(enrol(edge, campaigns=[]), 422, "body_invalid")
    expired = assert_problem(enrol(edge, expires_at=past), 422, "rules_broken")
    rotated = assert_problem(rotate(edge, expires_at=past), 422, "rules_broken")

    assert [error["code"] for error in without_campaign["errors"]] == ["campaign_needed"]
    for problem in (expired, rotated):
        assert [(error["field"], error["code"]) for error in problem["errors"]] == [
            ("expires_at", "expires_in_past")
        ]
    assert dump_stored_state() == before
    assert enrol(edge).status_code == 201


def test_a_token_of_970_years_is_refused_and_does_not_use_up_the_id(edge: Edge) -> None:
    before = dump_stored_state()

    for refused in (
        enrol(edge, expires_at="2994-01-01T00:00:00Z"),
        rotate(edge, expires_at="2994-01-01T00:00:00Z"),
    ):
        problem = assert_problem(refused, 422, "rules_broken")
        assert [(error["field"], error["code"]) for error in problem["errors"]] == [
            ("expires_at", "expires_too_late")
        ]

    assert dump_stored_state() == before
    assert enrol(edge).status_code == 201


@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_an_unknown_client_is_not_found(edge: Edge, subtests: pytest.Subtests, method: str) -> None:
    before = dump_stored_state()

    for client_id in ("unknown", "..", "%00", "%F0%9F%8C%BA"):
        with subtests.test(client_id):
            assert_problem(
                edge.send(method, f"/v1/clients/{client_id}", caller="admin"), 404, "client_unknown"
            )

    assert dump_stored_state() == before


INVALID_ENROLMENTS: dict[str, tuple[dict[str, Any], str, str]] = {
    "no role": ({"roles": []}, "roles", "value_too_short"),
    "an unknown role": ({"roles": ["kiosk", "king"]}, "roles.1", "value_not_allowed"),
    "a manager without a campaign": (
        {"roles": ["manager"], "campaigns": []},
        "campaigns",
        "campaign_needed",
    ),
    "admin, core and kiosk together": ({"roles": ["admin", "core", "kiosk"]}, "roles", "roles_conflict"),
    "a viewer that may do more": ({"roles": ["viewer", "manager"]}, "roles", "roles_conflict"),
    "a bot in a van": ({"roles": ["bot"], "channel": "van"}, "channel", "role_channel_conflict"),
    "an expiry before the calendar": (
        {"expires_at": "0001-01-01T00:00:00+14:00"},
        "expires_at",
        "value_out_of_range",
    ),
    "an expiry after the calendar": (
        {"expires_at": "9999-12-31T23:59:59-14:00"},
        "expires_at",
        "value_out_of_range",
    ),
    "an id with our own separator": ({"client_id": "van#7"}, "client_id", "value_malformed"),
    "a token chosen by the caller": ({"token": "daftar_mine"}, "token", "field_unknown"),
    "a cap without its flag": ({"daily_cap": 10}, "", "daily_caps_incomplete"),
    "a cap of zero": ({"daily_flag": 0, "daily_cap": 0}, "daily_cap", "value_out_of_range"),
}


def test_an_invalid_enrolment_is_refused_with_the_name_of_its_field(
    edge: Edge, subtests: pytest.Subtests
) -> None:
    before = dump_stored_state()

    for name, (changes, field, code) in INVALID_ENROLMENTS.items():
        with subtests.test(name):
            problem = assert_problem(enrol(edge, **changes), 422, "body_invalid")
            assert [(error["field"], error["code"]) for error in problem["errors"]] == [(field, code)]

    assert dump_stored_state() == before


def test_a_new_token_is_shown_once_and_is_valid_beside_the_old_one(edge: Edge) -> None:
    response = rotate(edge)

    assert response.status_code == 201
    assert response.headers["Cache-Control"] == "no-store"
    token: str = response.json_body["token"]
    edge.tokens["new"] = token
    for number, caller in enumerate(("kiosk", "new")):
        capture = make_capture_payload(capture_id=make_capture_id(number))
        assert edge.register(capture, caller=caller).status_code in {200, 201}
    assert token not in edge.send("GET", "/v1/clients/van-1", caller="admin").body.decode()
    assert token not in dump_stored_state()


def test_the_old_token_is_refused_at_once_without_an_overlap(edge: Edge) -> None:
    edge.tokens["new"] = rotate(edge, overlap_hours=0).json_body["token"]

    assert_problem(edge.register(make_capture_payload()), 401, "token_revoked")
    assert edge.register(make_capture_payload(), caller="new").status_code == 201


def test_a_revocation_ends_both_tokens_and_a_revoked_client_gets_no_new_one(edge: Edge) -> None:
    edge.tokens["new"] = rotate(edge).json_body["token"]
    edge.send("DELETE", "/v1/clients/van-1", caller="admin")

    for caller in ("kiosk", "new"):
        assert_problem(edge.register(make_capture_payload(), caller=caller), 401, "token_revoked")
    assert_problem(rotate(edge), 409, "client_revoked")


def test_a_rotation_shows_when_the_new_and_the_old_token_end(edge: Edge) -> None:
    in_a_year = (datetime.now(UTC) + timedelta(days=365)).replace(microsecond=0)

    shown = rotate(edge, overlap_hours=1, expires_at=in_a_year.isoformat()).json_body

    assert datetime.fromisoformat(shown["expires_at"]) == in_a_year
    assert shown["rotated_at"] < shown["older_tokens_end_at"]


def test_an_unknown_client_gets_no_new_token(edge: Edge) -> None:
    response = edge.send("POST", "/v1/clients/unknown/token", {}, caller="admin")
    assert_problem(response, 404, "client_unknown")


INVALID_ROTATIONS: dict[str, tuple[dict[str, Any], str, str]] = {
    "an overlap over a month": ({"overlap_hours": 721}, "overlap_hours", "value_out_of_range"),
    "a negative overlap": ({"overlap_hours": -1}, "overlap_hours", "value_out_of_range"),
    "a token chosen by the caller": ({"token": "daftar_mine"}, "token", "field_unknown"),
}


def test_an_invalid_rotation_is_refused_with_the_name_of_its_field(
    edge: Edge, subtests: pytest.Subtests
) -> None:
    before = dump_stored_state()

    for name, (body, field, code) in INVALID_ROTATIONS.items():
        with subtests.test(name):
            problem = assert_problem(rotate(edge, **body), 422, "body_invalid")
            assert [(error["field"], error["code"]) for error in problem["errors"]] == [(field, code)]

    assert dump_stored_state() == before


def test_the_last_call_of_a_client_is_shown(edge: Edge) -> None:
    caller = enrol_caller(edge)
    assert edge.send("GET", "/v1/clients/van-7", caller="admin").json_body["last_seen_at"] is None

    edge.send("POST", "/v1/quotes", b"", caller=caller)

    last_seen = edge.send("GET", "/v1/clients/van-7", caller="admin").json_body["last_seen_at"]
    assert datetime.fromisoformat(last_seen) > datetime.now(UTC) - timedelta(minutes=5)
    assert last_seen in edge.send("GET", "/v1/clients", caller="admin").body.decode()


def test_a_client_at_its_own_cap_is_refused_until_tomorrow(edge: Edge) -> None:
    caller = enrol_caller(edge, daily_flag=0, daily_cap=1)
    first = edge.register(make_capture_payload(), caller=caller)

    second = edge.register(
        make_capture_payload(capture_id=make_capture_id(2), worker={"nik": make_nik(7002)}), caller=caller
    )

    assert_problem(second, 429, "client_cap_reached")
    assert 1 <= int(second.headers["Retry-After"]) <= 24 * 3600
    reference = first.json_body["reference"]
    shown = edge.send("GET", f"/v1/registrations/{reference}", caller="manager").json_body
    assert shown["flags"] == ["client_busy"]


def test_a_phone_number_at_its_cap_is_refused_until_tomorrow(edge: Edge, low_phone_cap: None) -> None:
    for number in range(3):
        edge.register(
            make_capture_payload(capture_id=make_capture_id(number), worker={"nik": make_nik(7000 + number)})
        )

    refused = edge.register(
        make_capture_payload(capture_id=make_capture_id(99), worker={"nik": make_nik(7099)})
    )

    assert_problem(refused, 429, "phone_cap_reached")
    assert 1 <= int(refused.headers["Retry-After"]) <= 24 * 3600


def test_clients_are_listed_in_pages_by_id(edge: Edge) -> None:
    everybody = edge.send("GET", "/v1/clients", caller="admin").json_body
    for size in (1, 3, len(everybody["clients"])):
        page = edge.send("GET", f"/v1/clients?size={size}", caller="admin").json_body
        listed = page["clients"]
        while page["cursor"] is not None:
            assert len(page["clients"]) == size
            path = f"/v1/clients?size={size}&cursor={page['cursor']}"
            page = edge.send("GET", path, caller="admin").json_body
            listed += page["clients"]
        assert listed == everybody["clients"]
    assert everybody["cursor"] is None
    ids = [each["client_id"] for each in everybody["clients"]]
    assert ids == sorted(ids)
    assert len(ids) == len(CLIENTS)


def test_a_page_of_clients_costs_one_request_however_many_there_are(edge: Edge) -> None:
    edge.send("GET", "/v1/clients/van-1", caller="admin")  # The caller's network is looked at once an hour.
    operations: list[str] = []
    edge.container.aws.dynamodb.meta.events.register(
        "before-call.dynamodb", lambda model, **_: operations.append(model.name)
    )
    page = edge.send("GET", "/v1/clients?size=2", caller="admin").json_body

    assert len(page["clients"]) == 2
    assert operations.count("Query") == 1


def test_an_invalid_page_of_clients_is_refused(edge: Edge, subtests: pytest.Subtests) -> None:
    for query, status, code in (
        ("cursor=%25%25", 400, "cursor_invalid"),
        (f"cursor={to_cursor(Position('2024-10-09 pasar'))}", 400, "cursor_invalid"),
        (f"cursor={to_cursor(Position(''), Position('van-1'))}", 400, "cursor_invalid"),
        ("size=0", 422, "body_invalid"),
        ("size=201", 422, "body_invalid"),
        ("role=kiosk", 422, "body_invalid"),
    ):
        with subtests.test(query):
            assert_problem(edge.send("GET", f"/v1/clients?{query}", caller="admin"), status, code)
