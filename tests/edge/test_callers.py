"""Who may call what: the authorizer's answers to API Gateway, and the routes' own refusals."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from chalicelib.clients.authorizer import Unauthorized
from chalicelib.clients.schemas import EnrolClient
from tests.edge.conftest import Edge, assert_problem, dump_stored_state
from tests.support.builders import make_campaign_payload, make_capture_id, make_capture_payload

METHOD = "arn:aws:execute-api:ap-southeast-3:000000000000:a1b2c3/api/POST/v1/registrations"


def asked(edge: Edge, authorization: str) -> Any:
    """What the authorizer answers API Gateway."""
    event = {"type": "TOKEN", "authorizationToken": authorization, "methodArn": METHOD}
    return edge.invoke("authorize_caller", event)


def test_a_request_without_a_token_reaches_no_route(edge: Edge) -> None:
    before = dump_stored_state()

    assert edge.send("POST", "/v1/registrations", make_capture_payload(), caller=None).status_code == 401

    assert dump_stored_state() == before


def test_a_token_nobody_holds_is_unauthorized(edge: Edge, subtests: pytest.Subtests) -> None:
    made_up = (
        "Bearer daftar_unknown",
        "Bearer",
        "Bearer ",
        "",
        " ",
        "daftar_unknown",
        "Basic dmFuLTE6",
        "B" * 9000,
    )
    for authorization in made_up:
        # API Gateway answers 401 to an authorizer that fails with just this word.
        with subtests.test(authorization[:20]), pytest.raises(Unauthorized, match=r"^Unauthorized$"):
            asked(edge, authorization)


def test_a_good_token_is_allowed_everywhere_however_the_scheme_is_written(
    edge: Edge, subtests: pytest.Subtests
) -> None:
    for scheme in ("Bearer", "bearer", "BEARER", "  Bearer ", "Bearer   "):
        with subtests.test(scheme):
            answer = asked(edge, f"{scheme} {edge.tokens['kiosk']} ")
            (statement,) = answer["policyDocument"]["Statement"]
            assert statement["Effect"] == "Allow"
            # The gateway keeps this answer for every route, so it must not name just the one asked for.
            assert statement["Resource"] == "arn:aws:execute-api:ap-southeast-3:000000000000:a1b2c3/api/*"


def test_the_api_is_told_who_calls_in_texts_only(edge: Edge) -> None:
    answer = asked(edge, f"Bearer {edge.tokens['kiosk']}")

    assert answer["context"] == {
        "client_id": "van-1",
        "roles": "kiosk",
        "channel": "van",
        "campaigns": "tanah-abang-2024",
    }


def test_a_revoked_token_is_denied_everywhere(edge: Edge) -> None:
    edge.container.clients.revoke("van-1")

    answer = asked(edge, f"Bearer {edge.tokens['kiosk']}")

    (statement,) = answer["policyDocument"]["Statement"]
    assert statement["Effect"] == "Deny"
    assert statement["Resource"].endswith("/api/*")
    assert "context" not in answer


def test_an_expired_token_is_denied_like_a_revoked_one(edge: Edge) -> None:
    yesterday = datetime.now(UTC) - timedelta(days=1)
    command = EnrolClient.model_validate({"client_id": "old", "roles": ["kiosk"], "expires_at": yesterday})
    _, token = edge.container.clients.enrol(command)

    assert asked(edge, f"Bearer {token}")["policyDocument"]["Statement"][0]["Effect"] == "Deny"


def test_a_token_is_good_until_it_expires(edge: Edge) -> None:
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    command = EnrolClient.model_validate({"client_id": "new", "roles": ["kiosk"], "expires_at": tomorrow})
    _, token = edge.container.clients.enrol(command)

    assert asked(edge, f"Bearer {token}")["policyDocument"]["Statement"][0]["Effect"] == "Allow"


def test_a_revoked_device_registers_nobody(edge: Edge) -> None:
    edge.container.clients.revoke("van-1")
    before = dump_stored_state()

    assert (
        edge.register(make_capture_payload()).status_code == 403
    )  # Chalice's own; the template makes it token_revoked.

    assert dump_stored_state() == before


def test_a_device_of_another_campaign_may_not_register_here(edge: Edge) -> None:
    before = dump_stored_state()

    assert_problem(edge.register(make_capture_payload(), caller="kiosk elsewhere"), 403, "campaign_not_yours")

    assert dump_stored_state() == before


def test_a_device_learns_nothing_of_campaigns_that_are_not_its_own(edge: Edge) -> None:
    here = edge.register(make_capture_payload(), caller="kiosk elsewhere")
    nowhere = edge.register(make_capture_payload(campaign_id="never-opened"), caller="kiosk elsewhere")

    assert here.body == nowhere.body


def test_a_device_of_another_campaign_cannot_look_up_a_registration_of_this_one(edge: Edge) -> None:
    reference = edge.register(make_capture_payload()).json_body["reference"]

    known = edge.send("GET", f"/v1/registrations/{reference}", caller="kiosk elsewhere")
    unknown = edge.send("GET", "/v1/registrations/7K4-M2Q-X9P", caller="kiosk elsewhere")

    assert_problem(known, 404, "registration_unknown")
    assert known.body == unknown.body


def test_a_worker_known_through_another_campaign_is_known_here_too(edge: Edge) -> None:
    edge.send("POST", "/v1/campaigns", make_campaign_payload(campaign_id="senen-2024"), caller="manager")
    first = edge.register(make_capture_payload())

    second = edge.register(
        make_capture_payload(campaign_id="senen-2024", capture_id=make_capture_id(2)),
        caller="kiosk elsewhere",
    )

    assert second.json_body["outcome"] == "already_registered"
    assert second.json_body["reference"] == first.json_body["reference"]


@pytest.mark.parametrize("campaign_id", ["senen-2024", "never-opened"])
def test_a_manager_bound_to_one_campaign_learns_nothing_of_another(edge: Edge, campaign_id: str) -> None:
    edge.send("POST", "/v1/campaigns", make_campaign_payload(campaign_id="senen-2024"), caller="manager")

    asked = [("GET", ""), ("PATCH", ""), ("GET", "/summaries/2024-10-09"), ("POST", "/summaries/2024-10-09")]
    for method, path in asked:
        answer = edge.send(method, f"/v1/campaigns/{campaign_id}{path}", caller="manager here")
        assert_problem(answer, 403, "campaign_not_yours")
