"""Clients through the edge: a token is shown once and never kept."""

import hashlib
from datetime import UTC, datetime, timedelta

import pytest

from tests.builders import a_capture
from tests.edge.conftest import Edge, everything_stored, the_problem


def enrolled(edge: Edge, **changes):
    body = {"client_id": "van-7", "roles": ["kiosk"], "campaigns": ["tanah-abang-2024"], **changes}
    return edge.send("POST", "/v1/clients", body, by="admin")


def with_its_own_token(edge: Edge, answer) -> str:
    edge.tokens["enrolled"] = answer.json_body["token"]
    return "enrolled"


def test_a_token_is_shown_once_and_works(edge):
    answer = enrolled(edge, channel="van")

    assert answer.status_code == 201
    assert answer.headers["Cache-Control"] == "no-store"
    assert edge.register(a_capture(), by=with_its_own_token(edge, answer)).status_code == 201
    for path in ("/v1/clients", "/v1/clients/van-7"):
        shown = edge.send("GET", path, by="admin").body.decode()
        assert "van-7" in shown
        assert answer.json_body["token"] not in shown


def test_only_the_hash_of_a_token_is_kept(edge, logged):
    token = enrolled(edge).json_body["token"]

    kept = everything_stored()
    assert token not in kept
    assert token.encode().hex() not in kept
    assert hashlib.sha256(token.encode()).hexdigest() in kept
    assert token not in logged.text


def test_every_token_is_another(edge):
    tokens = {enrolled(edge, client_id=f"van-{number}").json_body["token"] for number in (71, 72, 73)}

    assert len(tokens) == 3


def test_an_id_that_is_taken_gets_no_second_token(edge):
    first = enrolled(edge)
    before = everything_stored()

    the_problem(enrolled(edge), 409, "client_exists")

    assert everything_stored() == before
    assert edge.register(a_capture(), by=with_its_own_token(edge, first)).status_code == 201


def test_a_revoked_token_is_refused_and_the_client_remains_listed(edge):
    own = with_its_own_token(edge, enrolled(edge))

    revoked = edge.send("DELETE", "/v1/clients/van-7", by="admin")

    assert (revoked.status_code, revoked.body) == (204, b"")
    assert edge.register(a_capture(), by=own).status_code == 403  # Chalice's own; the template makes it 401.
    shown = edge.send("GET", "/v1/clients/van-7", by="admin").json_body
    assert shown["revoked_at"] is not None


def test_revoking_twice_changes_nothing(edge):
    enrolled(edge)
    edge.send("DELETE", "/v1/clients/van-7", by="admin")
    before = everything_stored()

    assert edge.send("DELETE", "/v1/clients/van-7", by="admin").status_code == 204

    assert everything_stored() == before


def test_revoking_one_client_leaves_the_others(edge):
    edge.send("DELETE", "/v1/clients/whatsapp", by="admin")

    assert edge.register(a_capture()).status_code == 201


def test_a_client_with_a_past_expiry_is_refused(edge):
    past = (datetime.now(UTC) - timedelta(minutes=1)).isoformat()

    own = with_its_own_token(edge, enrolled(edge, expires_at=past))

    assert edge.register(a_capture(), by=own).status_code == 403


def test_a_client_bound_to_no_campaign_works_for_none(edge):
    own = with_its_own_token(edge, enrolled(edge, campaigns=[]))

    the_problem(edge.register(a_capture(), by=own), 403, "campaign_not_yours")


@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_a_client_nobody_enrolled_is_unknown(edge, subtests, method):
    before = everything_stored()

    for client_id in ("nobody", "..", "%00", "%F0%9F%8C%BA"):
        with subtests.test(client_id):
            the_problem(edge.send(method, f"/v1/clients/{client_id}", by="admin"), 404, "client_unknown")

    assert everything_stored() == before


INVALID = {
    "no role": ({"roles": []}, "roles", "value_too_short"),
    "a role nobody has": ({"roles": ["kiosk", "king"]}, "roles.1", "value_not_allowed"),
    "roles that are a text": ({"roles": "kiosk"}, "roles", "value_wrong_type"),
    "a channel nobody has": ({"channel": "pigeon"}, "channel", "value_not_allowed"),
    "an id in capitals": ({"client_id": "Van-7"}, "client_id", "value_malformed"),
    "an id with our own separator": ({"client_id": "van#7"}, "client_id", "value_malformed"),
    "an expiry without its zone": ({"expires_at": "2030-01-01T00:00:00"}, "expires_at", "value_malformed"),
    "a token of the caller's choice": ({"token": "daftar_mine"}, "token", "field_unknown"),
}


def test_a_client_of_another_shape_is_refused(edge, subtests):
    before = everything_stored()

    for what, (changes, field, code) in INVALID.items():
        with subtests.test(what):
            problem = the_problem(enrolled(edge, **changes), 422, "body_invalid")
            assert [(error["field"], error["code"]) for error in problem["errors"]] == [(field, code)]

    assert everything_stored() == before
