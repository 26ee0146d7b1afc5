"""Entry points: handlers that Lambda can find, and routes that declare who may call them."""

import ast
import inspect
from textwrap import dedent
from typing import Any

import pytest

from app import app
from chalicelib.callers import Role
from chalicelib.http.endpoints import get_contract
from tests.support.public_routes import PUBLIC_ROUTES
from tests.support.source_tree import iter_calls

# The roles of every route, as the API's contract has them.
ROLES: dict[tuple[str, str], set[Role] | None] = {
    **dict.fromkeys(PUBLIC_ROUTES),
    ("POST", "/v1/registrations"): {Role.KIOSK, Role.BOT},
    ("POST", "/v1/registrations/batch"): {Role.KIOSK},
    ("GET", "/v1/registrations"): {Role.MANAGER, Role.CORE},
    ("GET", "/v1/registrations/{reference}"): {Role.KIOSK, Role.MANAGER, Role.CORE},
    ("PUT", "/v1/registrations/{reference}/payment-code"): {Role.CORE},
    ("POST", "/v1/registrations/{reference}/payments"): {Role.CORE},
    ("POST", "/v1/registrations/{reference}/verification"): {Role.CORE},
    ("POST", "/v1/registrations/{reference}/cancellation"): {Role.KIOSK, Role.MANAGER, Role.CORE},
    ("POST", "/v1/registrations/{reference}/corrections"): {Role.KIOSK, Role.MANAGER, Role.CORE},
    ("GET", "/v1/registrations/{reference}/corrections"): {Role.MANAGER, Role.CORE},
    ("POST", "/v1/registrations/{reference}/corrections/{correction_id}/decision"): {Role.CORE},
    ("GET", "/v1/corrections"): {Role.CORE},
    ("GET", "/v1/captures/{capture_id}"): {Role.KIOSK, Role.BOT, Role.MANAGER},
    ("POST", "/v1/checks"): set(Role) - {Role.VIEWER},
    ("GET", "/v1/campaigns/{campaign_id}/bundle"): {Role.KIOSK, Role.BOT, Role.MANAGER},
    ("POST", "/v1/registrations/{reference}/sms"): {Role.KIOSK, Role.MANAGER},
    ("GET", "/v1/registrations/{reference}/sms"): {Role.MANAGER, Role.CORE},
    ("GET", "/v1/caller"): set(Role),
    ("GET", "/v1/campaigns/{campaign_id}/held-sms"): {Role.MANAGER},
    ("POST", "/v1/campaigns/{campaign_id}/held-sms"): {Role.MANAGER},
    ("POST", "/v1/quotes"): set(Role) - {Role.VIEWER},
    ("POST", "/v1/campaigns"): {Role.MANAGER},
    ("GET", "/v1/campaigns"): {Role.MANAGER},
    ("GET", "/v1/campaigns/{campaign_id}"): {Role.MANAGER},
    ("PATCH", "/v1/campaigns/{campaign_id}"): {Role.MANAGER},
    ("GET", "/v1/campaigns/{campaign_id}/summaries"): {Role.MANAGER, Role.VIEWER},
    ("GET", "/v1/campaigns/{campaign_id}/summaries/{day}"): {Role.MANAGER, Role.VIEWER},
    ("POST", "/v1/campaigns/{campaign_id}/summaries/{day}"): {Role.MANAGER},
    ("POST", "/v1/campaigns/{campaign_id}/screens"): {Role.MANAGER},
    ("GET", "/v1/campaigns/{campaign_id}/summaries/{day}/versions"): {Role.MANAGER, Role.VIEWER},
    ("GET", "/v1/campaigns/{campaign_id}/rates"): {Role.MANAGER},
    ("GET", "/v1/campaigns/{campaign_id}/devices"): {Role.MANAGER},
    ("POST", "/v1/campaigns/{campaign_id}/devices"): {Role.MANAGER},
    ("POST", "/v1/searches"): {Role.MANAGER, Role.CORE, Role.ADMIN},
    ("GET", "/v1/campaigns/{campaign_id}/review-items"): {Role.MANAGER},
    ("PATCH", "/v1/campaigns/{campaign_id}/review-items/{item_id}"): {Role.MANAGER},
    ("POST", "/v1/campaigns/{campaign_id}/review-items/{item_id}/answer"): {Role.MANAGER},
    ("GET", "/v1/campaigns/{campaign_id}/board"): {Role.MANAGER, Role.VIEWER},
    ("POST", "/v1/clients"): {Role.ADMIN},
    ("GET", "/v1/clients"): {Role.ADMIN},
    ("GET", "/v1/clients/{client_id}"): {Role.ADMIN},
    ("POST", "/v1/clients/{client_id}/token"): {Role.ADMIN},
    ("DELETE", "/v1/clients/{client_id}"): {Role.ADMIN, Role.MANAGER},
    ("POST", "/v1/clients/{client_id}/enrolment-codes"): {Role.ADMIN, Role.MANAGER},
    ("GET", "/v1/device"): {Role.KIOSK, Role.BOT},
    ("POST", "/v1/device/discards"): {Role.KIOSK},
    ("POST", "/v1/device/token"): {Role.KIOSK, Role.BOT},
    ("POST", "/v1/rescues"): {Role.MANAGER},
    ("POST", "/v1/disclosures"): {Role.ADMIN},
    ("POST", "/v1/erasures"): {Role.ADMIN},
    ("GET", "/v1/audit"): {Role.ADMIN},
    ("GET", "/v1/campaigns/{campaign_id}/retention"): {Role.MANAGER},
    ("GET", "/v1/clients/{client_id}/gaps"): {Role.KIOSK, Role.MANAGER, Role.ADMIN},
}

ROUTES = {(method, path): entry for path, methods in app.routes.items() for method, entry in methods.items()}


def handler_strings() -> dict[str, str]:
    """Return what Lambda imports for each function but the API's, by the function's name."""
    functions: list[Any] = [*app.event_sources, *app.pure_lambda_functions, *app.builtin_auth_handlers]
    return {function.name: function.handler_string for function in functions}


def test_there_is_a_handler_for_each_event_source() -> None:
    assert set(handler_strings()) == {
        "on_registration_changes",
        "on_notifications",
        "on_receipts",
        "on_chat_events",
        "on_chat_outbox",
        "queue_due_sms",
        "roll_up_due_days",
        "deliver_reports",
        "export_days",
        "age_registrations",
        "authorize_caller",
    }


@pytest.mark.parametrize("function", handler_strings())
def test_a_handler_is_defined_in_app(function: str) -> None:
    """Lambda imports only the module of the handler: from another one, `app.py` would never run."""
    assert handler_strings()[function] == f"app.{function}"


@pytest.mark.parametrize("route", ROUTES, ids=" ".join)
def test_a_route_is_behind_the_authorizer_unless_it_is_public(route: tuple[str, str]) -> None:
    assert (ROUTES[route].authorizer is None) is (route in PUBLIC_ROUTES)


@pytest.mark.parametrize("route", sorted(ROUTES.keys() - PUBLIC_ROUTES | ROLES.keys()), ids=" ".join)
def test_a_route_may_be_called_by_the_roles_of_the_contract(route: tuple[str, str]) -> None:
    assert route in ROUTES, "the contract names a route that is not there"
    assert route in ROLES, "the contract does not name this route"
    assert get_contract(ROUTES[route].view_function).roles == ROLES[route]


@pytest.mark.parametrize("route", ROUTES, ids=" ".join)
def test_a_view_parses_the_models_that_its_contract_declares(route: tuple[str, str]) -> None:
    """The API's description is generated from the contract, but the view does the parsing."""
    view = inspect.unwrap(ROUTES[route].view_function)
    contract = get_contract(ROUTES[route].view_function)
    parsed = {
        call: ast.unparse(node.args[0]).rpartition(".")[2]
        for call, node in iter_calls(ast.parse(dedent(inspect.getsource(view))))
        if call in {"parse_body", "parse_batch", "parse_query"}
    }
    declared = {
        "parse_query": contract.query_model and contract.query_model.__name__,
        "parse_body" if "parse_body" in parsed else "parse_batch": contract.body_model
        and contract.body_model.__name__,
    }
    assert parsed == {call: name for call, name in declared.items() if name}


@pytest.mark.parametrize("route", ROUTES, ids=" ".join)
def test_a_route_leaves_the_media_type_to_the_endpoint(route: tuple[str, str]) -> None:
    """Chalice would refuse other media types with an answer of its own, even of a GET."""
    assert ROUTES[route].content_types == []


def test_answers_show_no_stack_traces() -> None:
    assert app.debug is False
