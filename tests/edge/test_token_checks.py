"""The authorizer's answers to API Gateway, for real tokens."""

import pytest

from chalicelib.clients.authorizer import Unauthorized
from tests.edge.conftest import Edge
from tests.support.aws_events import make_token_event

EVERY_ROUTE = "arn:aws:execute-api:ap-southeast-3:000000000000:alone/api/*"


def test_a_valid_token_is_allowed_on_every_route_with_its_client_as_context(edge: Edge) -> None:
    answer = edge.invoke("authorize_caller", make_token_event(f"Bearer {edge.tokens['kiosk']}"))

    (statement,) = answer["policyDocument"]["Statement"]
    # API Gateway caches the answer for every route, so it names more than the requested one.
    assert (statement["Effect"], statement["Resource"]) == ("Allow", EVERY_ROUTE)
    assert answer["context"] == {
        "client_id": "van-1",
        "roles": "kiosk",
        "channel": "van",
        "campaigns": "tanah-abang-2024",
    }


def test_an_unknown_token_is_unauthorized(edge: Edge) -> None:
    # API Gateway answers 401 if the authorizer fails with exactly this message.
    with pytest.raises(Unauthorized, match=r"^Unauthorized$"):
        edge.invoke("authorize_caller", make_token_event("Bearer daftar_unknown"))


def test_a_revoked_token_is_denied_on_every_route_without_context(edge: Edge) -> None:
    edge.container.clients.revoke("van-1")

    answer = edge.invoke("authorize_caller", make_token_event(f"Bearer {edge.tokens['kiosk']}"))

    (statement,) = answer["policyDocument"]["Statement"]
    assert (statement["Effect"], statement["Resource"]) == ("Deny", EVERY_ROUTE)
    assert "context" not in answer
