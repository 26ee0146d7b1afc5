"""The OpenAPI document: complete, valid and up to date with the code."""

from typing import Any

import pytest
from schemathesis.specs.openapi.definitions import OPENAPI_31_VALIDATOR

from app import app
from chalicelib.callers import Role
from chalicelib.http.field_texts import FIELD_MESSAGES
from chalicelib.http.problem_texts import PROBLEMS
from chalicelib.http.problems import respond
from ops.openapi.__main__ import render_document
from ops.openapi.codes import load_codes, load_meanings
from ops.openapi.endpoints import iter_endpoints
from ops.openapi.examples import load_examples
from ops.openapi.page import OPENAPI_FILE
from tests.support.openapi import find_schema_errors, list_operations, load_document, resolve_reference

OPERATIONS = list_operations()


def test_the_committed_document_is_up_to_date() -> None:
    assert OPENAPI_FILE.read_text(encoding="utf-8") == render_document(), "make api"


def test_the_document_is_reproducible() -> None:
    assert render_document() == render_document()


def test_the_document_is_valid_openapi_3_1() -> None:
    assert load_document()["openapi"].startswith("3.1.")
    assert [error.message for error in OPENAPI_31_VALIDATOR.iter_errors(load_document())] == []


def test_the_document_has_every_route_and_no_other() -> None:
    routes = {(method, path) for path, methods in app.routes.items() for method in methods}
    assert set(OPERATIONS) == routes


def test_no_two_models_have_one_name() -> None:
    # pydantic then puts the module before both, and generators of clients end with one class for two.
    assert [name for name in load_document()["components"]["schemas"] if "__" in name] == []


def test_each_operation_names_its_roles() -> None:
    for endpoint in iter_endpoints(app):
        roles = [
            role for each in OPERATIONS[endpoint.method, endpoint.path]["security"] for role in each["bearer"]
        ]
        assert set(map(Role, roles)) == (endpoint.contract.roles or set()), endpoint.name


# Words that begin a riddle, or a noun where a verb should be.
_NO_VERBS = {"What", "Whether", "Who", "How", "Which", "Where", "Why", "When", "That", "A", "An", "The"}
_NO_VERBS |= {"All", "Every", "One", "Some", "This", "These", "Its"}


def test_every_operation_says_what_it_does_with_a_verb_first() -> None:
    summaries = [operation["summary"] for operation in OPERATIONS.values()]
    assert [each for each in summaries if each.split()[0] in _NO_VERBS] == []


def test_every_reference_resolves() -> None:
    def check(node: object) -> None:
        if isinstance(node, dict):
            if isinstance(node.get("$ref"), str):
                assert resolve_reference(node) is not None
            for inner in node.values():
                check(inner)
        elif isinstance(node, list):
            for inner in node:
                check(inner)

    check(load_document())


def test_every_problem_code_has_its_status_and_texts_in_both_languages() -> None:
    by_code = {each["code"]: each for each in load_document()["x-problems"]}
    for code, problem in PROBLEMS.items():
        assert by_code[code]["status"] == problem.status
        assert by_code[code]["title"] == {"id": problem.indonesian, "en": problem.english}
    for each in by_code.values():
        assert each["title"]["id"] != each["title"]["en"]
        assert each["meaning"]["id"] != each["meaning"]["en"]
        assert all([*each["title"].values(), *each["meaning"].values()])


def test_every_meaning_belongs_to_a_code() -> None:
    assert set(load_meanings()) == set(load_codes())


def test_every_field_code_is_in_the_document() -> None:
    messages = {each["code"]: each["message"] for each in load_document()["x-field-codes"]}
    assert messages == {
        code: {"id": message.indonesian, "en": message.english} for code, message in FIELD_MESSAGES.items()
    }


def test_every_problem_code_is_an_answer_of_an_operation() -> None:
    # Answers of API Gateway to malformed requests, and of a filter before it.
    gateway_codes = {"request_invalid", "request_refused"}
    codes = {
        code
        for operation in OPERATIONS.values()
        for answer in operation["responses"].values()
        for code in resolve_reference(answer).get("x-codes", ())
    }
    assert codes == set(load_codes()) - gateway_codes


@pytest.mark.parametrize("code", sorted(load_codes()))
def test_the_example_of_a_problem_is_valid(code: str) -> None:
    example = load_document()["components"]["examples"][code]["value"]
    assert find_schema_errors({"$ref": "#/components/schemas/Problem"}, example) == []
    if code in PROBLEMS:
        assert {key: value for key, value in example.items() if key != "errors"} == respond(code, "en").body


def test_every_operation_has_an_example() -> None:
    covered = {example.operation for example in load_examples() if example.is_success}
    static = {"show_description", "show_page"}
    signed = {
        *("take_twilio_receipt", "take_telegram_update", "take_sms", "take_ussd"),
        *("verify_whatsapp_webhook", "take_whatsapp_webhook"),
    }
    pages = {"open_board", "show_board", "open_app", "open_console"}
    # The token of an example is too new for it.
    timed = {"renew_token"}
    # The stream or a count of a market day finds an item, or a person in a chat asks for one.
    found = {"change_review_item", "answer_review_item"}
    # Its client has a random id.
    random = {"make_screen"}
    files = {"load_app_file", "load_console_file", "load_manifest", "load_service_worker"}
    odk = {endpoint.name for endpoint in iter_endpoints(app) if endpoint.path.startswith("/odk/")}
    without = static | pages | files | signed | timed | found | random | odk
    assert covered == {endpoint.name for endpoint in iter_endpoints(app)} - without


@pytest.mark.parametrize("example", load_examples(), ids=lambda each: f"{each.operation}: {each.title}")
def test_an_example_fits_the_schemas(example: Any) -> None:
    (operation,) = (each for each in OPERATIONS.values() if each["operationId"] == example.operation)
    if example.body is not None and example.is_success:
        assert (
            find_schema_errors(
                operation["requestBody"]["content"]["application/json"]["schema"], example.body
            )
            == []
        )
    content = resolve_reference(operation["responses"][str(example.status)]).get("content")
    if content is None:
        assert example.answer is None
    else:
        media_type = next(content[kind] for kind in content if kind.endswith("json"))
        assert find_schema_errors(media_type["schema"], example.answer) == []
