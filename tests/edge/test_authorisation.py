"""The table of docs/authorisation.md, cell by cell: every route and role, for own and other campaigns."""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from chalicelib.callers import Role
from chalicelib.clients.authorizer import Unauthorized
from tests.edge.authorisation_matrix import (
    MAKE_BODY,
    OWN_CAMPAIGN,
    ROLES,
    ROUTES,
    TABLE,
    UNKNOWN_REGISTRATION,
    Matrix,
    Target,
    get_code,
    get_method,
    iter_cells,
    make_body,
    make_path,
)
from tests.edge.conftest import Edge, assert_problem, dump_stored_state
from tests.support.http_events import MANAGER, make_request_event
from tests.support.moto_snapshots import Snapshot
from tests.support.polling import wait_until


@pytest.fixture
def matrix(edge: Edge) -> Matrix:
    return Matrix(edge)


def test_the_table_has_a_line_for_every_route_and_no_other() -> None:
    assert sorted(TABLE) == ROUTES
    assert set(MAKE_BODY) <= set(ROUTES)


def test_the_table_has_a_column_for_every_role() -> None:
    assert {tuple(cells) for cells in TABLE.values()} == {tuple(ROLES)}
    words = {"no", "own", "hidden", "sent", "filtered", "itself", "any", "public", "signed", "code"}
    words |= {"path", "refused", "captured"}
    assert {word for cells in TABLE.values() for word in cells.values()} <= words


def test_a_role_without_permission_is_refused_before_the_request_is_read(
    matrix: Matrix, subtests: pytest.Subtests
) -> None:
    before = dump_stored_state()

    for route, role, _ in iter_cells("no"):
        for caller in (f"{role} own", f"{role} other"):
            with subtests.test(route, caller=caller):
                path = make_path(route, UNKNOWN_REGISTRATION)
                response = matrix.edge.send(get_method(route), path, b"not even JSON", caller=caller)
                assert_problem(response, 403, "role_not_allowed")

    assert dump_stored_state() == before


def test_the_function_refuses_what_the_policy_would_let_through(
    matrix: Matrix, subtests: pytest.Subtests
) -> None:
    before = dump_stored_state()

    for route, role, _ in iter_cells("no"):
        method, _, path = route.partition(" ")
        names = re.findall(r"{(\w+)}", path)
        event = make_request_event(
            method,
            path,
            "not even JSON",
            caller={**MANAGER, "roles": role},
            path_parameters=dict.fromkeys(names, "x"),
        )
        with subtests.test(route, role=role):
            response = matrix.edge.send_behind_gateway(event)
            assert (response["statusCode"], json.loads(response["body"])["code"]) == (403, "role_not_allowed")

    assert dump_stored_state() == before


def test_a_role_has_the_permission_of_its_cell_for_its_own_campaigns(
    matrix: Matrix, subtests: pytest.Subtests
) -> None:
    for route, role, word in iter_cells("own", "hidden", "sent", "filtered", "itself", "any"):
        with subtests.test(route, role=role):
            target = matrix.create_target(f"{role} own" if word == "sent" else "kiosk", route=route)
            if word == "itself":
                target = replace(target, client_id=f"{role}-own")
            response = matrix.send(route, target, caller=f"{role} own")
            assert response.status_code < 300, response.body
            assert get_code(response) is None


def test_a_role_has_the_permission_of_its_cell_for_other_campaigns(
    matrix: Matrix, subtests: pytest.Subtests
) -> None:
    # Each cell begins with the same tables: they are compared whole, and would grow by each target.
    tables = Snapshot(("dynamodb",), lambda: None)
    for route, role, word in iter_cells("own", "hidden", "sent", "captured", "filtered", "itself", "any"):
        with subtests.test(route, role=role):
            tables.restore()
            target = matrix.create_target(route=route)
            before = dump_stored_state()
            CHECKS_OF_OTHER_CAMPAIGNS[word](matrix, route, target, f"{role} other")
            assert word == "any" or dump_stored_state() == before


def check_campaign_is_refused(matrix: Matrix, route: str, target: Target, caller: str) -> None:
    response = matrix.send_refused(route, target, caller=caller)
    assert get_code(response) == "campaign_not_yours"


def check_target_is_unknown(matrix: Matrix, route: str, target: Target, caller: str) -> None:
    response = matrix.send_refused(route, target, caller=caller)
    assert response.status_code == 404
    assert get_code(response) in {"registration_unknown", "client_unknown", "capture_unknown"}


def check_list_is_filtered(matrix: Matrix, route: str, target: Target, caller: str) -> None:
    response = matrix.send(route, target, caller=caller)
    assert (response.status_code, OWN_CAMPAIGN in response.body.decode()) == (200, False)


def check_other_client_is_refused(matrix: Matrix, route: str, target: Target, caller: str) -> None:
    response = matrix.send_refused(route, target, caller=caller)
    assert_problem(response, 403, "role_not_allowed")


def check_request_is_allowed(matrix: Matrix, route: str, target: Target, caller: str) -> None:
    response = matrix.send(route, target, caller=caller)
    assert response.status_code < 300, response.body


CHECKS_OF_OTHER_CAMPAIGNS: dict[str, Callable[[Matrix, str, Target, str], None]] = {
    "own": check_campaign_is_refused,
    "hidden": check_target_is_unknown,
    "sent": check_target_is_unknown,
    "captured": check_target_is_unknown,
    "filtered": check_list_is_filtered,
    "itself": check_other_client_is_refused,
    "any": check_request_is_allowed,
}


def test_a_device_is_refused_what_another_device_of_its_campaign_captured(
    matrix: Matrix, subtests: pytest.Subtests
) -> None:
    """`test_correction_routes.py` has the responses to the device that made the capture."""
    for route, role, _ in iter_cells("captured"):
        with subtests.test(route, role=role):
            target = matrix.create_target()
            before = dump_stored_state()
            response = matrix.send(route, target, caller=f"{role} own")
            assert_problem(response, 403, "correction_not_allowed")
            assert dump_stored_state() == before


def test_a_public_route_needs_no_token(edge: Edge, subtests: pytest.Subtests) -> None:
    for route in {route for route, _, _ in iter_cells("public")}:
        with subtests.test(route):
            path, body = make_path(route, UNKNOWN_REGISTRATION), make_body(route, UNKNOWN_REGISTRATION)
            assert edge.send(get_method(route), path, body, caller=None).status_code < 300


def test_a_route_for_codes_refuses_every_role_without_a_code(
    matrix: Matrix, subtests: pytest.Subtests
) -> None:
    """`test_enrolment_routes.py` has the responses to codes that were made."""
    before = dump_stored_state()

    for route, role, _ in iter_cells("code"):
        for caller in (f"{role} own", f"{role} other", None):
            with subtests.test(route, caller=caller):
                response = matrix.send(route, UNKNOWN_REGISTRATION, caller=caller)
                assert_problem(response, 404, "enrolment_code_unknown")

    assert dump_stored_state() == before


def test_a_signed_route_refuses_every_role_without_a_signature(
    matrix: Matrix, subtests: pytest.Subtests
) -> None:
    """`test_twilio_receipts.py` and `test_chat_webhooks.py` have the responses to signed requests."""
    before = dump_stored_state()

    for route, role, _ in iter_cells("signed"):
        for caller in (f"{role} own", f"{role} other", None):
            with subtests.test(route, caller=caller):
                response = matrix.send(route, UNKNOWN_REGISTRATION, caller=caller)
                assert_problem(response, 403, "signature_invalid")

    assert dump_stored_state() == before


def test_every_other_route_refuses_requests_without_a_valid_token(
    matrix: Matrix, subtests: pytest.Subtests
) -> None:
    edge, target = matrix.edge, matrix.create_target()
    soon = datetime.now(UTC) + timedelta(seconds=1)
    every_role = {"roles": list(Role), "campaigns": ["*"]}
    edge.enrol_unchecked("revoked", {"client_id": "revoked-1", **every_role})
    edge.enrol_unchecked("expired", {"client_id": "expired-1", **every_role, "expires_at": soon})
    wait_until("the token to expire", lambda: datetime.now(UTC) > soon)
    edge.container.clients.revoke("revoked-1")
    edge.tokens |= {"unknown": "daftar_unknown-token", "empty": ""}
    before = dump_stored_state()

    for route in {
        route
        for route, _, _ in iter_cells(
            *("no", "own", "hidden", "sent", "captured", "filtered", "itself", "any")
        )
    }:
        with subtests.test(route):
            path = make_path(route, target)
            assert edge.send(get_method(route), path, caller=None).status_code == 401
            for token in ("revoked", "expired"):
                refused = matrix.send_refused(route, target, caller=token)
                assert_problem(refused, 401, "token_revoked")
                assert refused.headers["WWW-Authenticate"] == 'Bearer error="invalid_token"'
            for token in ("unknown", "empty"):
                # API Gateway answers 401 to an authorizer that fails with this error.
                with pytest.raises(Unauthorized):
                    matrix.send(route, target, caller=token)

    assert dump_stored_state() == before
