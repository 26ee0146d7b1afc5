"""The authorizer's answers to API Gateway, for real tokens."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from chalicelib.callers import REFUSED_TOKEN_CONTEXT, Caller, Role
from chalicelib.clients.authorizer import Unauthorized
from chalicelib.clients.limits import ROLES_TOGETHER
from chalicelib.http.endpoints import get_contract
from tests.edge.conftest import Edge
from tests.support.aws_events import make_token_event

STAGE = "arn:aws:execute-api:ap-southeast-3:000000000000:alone/api"
# A value of a parameter can hold nothing that API Gateway takes for another part of the path.
PARAMETERS = ["tanah-abang-2024", "7K4-M2Q-X9P", "2024-10-09", "%2F", "..", "a*b"]


def build_policy(edge: Edge, token: str) -> dict[str, Any]:
    answer: dict[str, Any] = edge.invoke("authorize_caller", make_token_event(f"Bearer {token}"))
    return answer


def is_allowed(policy: dict[str, Any], method: str, path: str) -> bool:
    """Judge a request by a policy as API Gateway does: a star stands for any characters, and a Deny wins."""
    effects = set()
    for statement in policy["policyDocument"]["Statement"]:
        assert statement["Action"] == "execute-api:Invoke"
        patterns = (re.escape(each).replace(r"\*", ".*") for each in statement["Resource"])
        if any(re.fullmatch(each, f"{STAGE}/{method}{path}") for each in patterns):
            effects.add(statement["Effect"])
    return effects == {"Allow"}


def iter_protected_routes(edge: Edge) -> Iterator[tuple[str, str, frozenset[Role]]]:
    for path, methods in edge.app.routes.items():
        for method, entry in methods.items():
            if (roles := get_contract(entry.view_function).roles) is not None:
                yield method, path, roles


# The combinations that an enrolment allows, and one of an earlier release that had every role.
ROLE_SETS = [{role} for role in Role] + sorted(map(set, ROLES_TOGETHER), key=sorted) + [set(Role)]


@pytest.mark.parametrize("roles", ROLE_SETS, ids=lambda roles: "+".join(sorted(roles)))
def test_a_policy_allows_the_routes_of_its_roles_whatever_route_was_called_and_no_other(
    edge: Edge, roles: set[Role]
) -> None:
    edge.enrol_unchecked("tested", {"client_id": "tested-1", "roles": tuple(roles), "campaigns": ["*"]})

    policy = build_policy(edge, edge.tokens["tested"])

    wrong = [
        (method, path, parameter)
        for method, path, allowed in iter_protected_routes(edge)
        for parameter in PARAMETERS
        if is_allowed(policy, method, re.sub(r"{\w+}", parameter, path)) != bool(roles & allowed)
    ]
    assert wrong == []
    # API Gateway takes policies of up to 8 KB; the ids of real APIs and accounts are no longer than these.
    assert len(json.dumps(policy["policyDocument"])) < 8 * 1024


def test_a_valid_token_has_its_client_as_context(edge: Edge) -> None:
    assert build_policy(edge, edge.tokens["kiosk"])["context"] == {
        "client_id": "van-1",
        "roles": "kiosk",
        "channel": "van",
        "campaigns": "tanah-abang-2024",
    }


def test_an_unknown_token_is_unauthorized(edge: Edge) -> None:
    # API Gateway answers 401 if the authorizer fails with exactly this message.
    with pytest.raises(Unauthorized, match=r"^Unauthorized$"):
        edge.invoke("authorize_caller", make_token_event("Bearer daftar_unknown"))


def test_a_revoked_token_reaches_the_answer_for_it_and_names_no_caller(edge: Edge) -> None:
    edge.container.clients.revoke("van-1")

    policy = build_policy(edge, edge.tokens["kiosk"])

    assert policy["context"] == {"refused": "token_revoked"}
    assert all(is_allowed(policy, method, path) for method, path, _ in iter_protected_routes(edge))


def test_the_context_of_a_revoked_token_is_no_caller() -> None:
    with pytest.raises(KeyError):
        Caller.from_context(REFUSED_TOKEN_CONTEXT)
