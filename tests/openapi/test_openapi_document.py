"""The API's description: whole, true to the tables it comes from, and never behind the code."""

from html.parser import HTMLParser
from typing import Any

import pytest
from schemathesis.specs.openapi.definitions import OPENAPI_31_VALIDATOR

from app import app
from chalicelib.callers import Role
from chalicelib.http.problems import FIELD_MESSAGES, PROBLEMS, respond
from ops.openapi.__main__ import build_files
from ops.openapi.codes import MEANINGS, load_codes
from ops.openapi.endpoints import iter_endpoints
from ops.openapi.examples import load_examples
from ops.project import ROOT
from tests.support.openapi import find_schema_errors, list_operations, load_document, resolve_reference

WRITTEN = {file.relative_to(ROOT).as_posix(): text for file, text in build_files().items()}
OPERATIONS = list_operations()


@pytest.mark.parametrize("file", WRITTEN)
def test_what_is_committed_is_what_the_code_says(file: str) -> None:
    assert (ROOT / file).read_text(encoding="utf-8") == WRITTEN[file], "make api"


def test_writing_it_again_gives_the_same_bytes() -> None:
    assert {file.relative_to(ROOT).as_posix(): text for file, text in build_files().items()} == WRITTEN


def test_it_is_openapi_3_1() -> None:
    assert load_document()["openapi"].startswith("3.1.")
    assert [error.message for error in OPENAPI_31_VALIDATOR.iter_errors(load_document())] == []


def test_it_tells_of_every_route_and_of_no_other() -> None:
    routes = {(method, path) for path, methods in app.routes.items() for method in methods}
    assert set(OPERATIONS) == routes


def test_each_operation_names_the_roles_that_may_call_it() -> None:
    for endpoint in iter_endpoints(app):
        named = [
            role for each in OPERATIONS[endpoint.method, endpoint.path]["security"] for role in each["bearer"]
        ]
        assert set(map(Role, named)) == (endpoint.contract.roles or set()), endpoint.name


def test_nothing_is_referred_to_that_is_not_there() -> None:
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


def test_every_code_is_in_it_with_its_status_and_words_in_both_languages() -> None:
    told = {each["code"]: each for each in load_document()["x-problems"]}
    for code, problem in PROBLEMS.items():
        assert told[code]["status"] == problem.status
        assert told[code]["title"] == {"id": problem.indonesian, "en": problem.english}
    for each in told.values():
        assert each["title"]["id"] != each["title"]["en"]
        assert each["meaning"]["id"] != each["meaning"]["en"]
        assert all([*each["title"].values(), *each["meaning"].values()])


def test_a_meaning_is_the_meaning_of_a_code() -> None:
    assert set(MEANINGS) == set(load_codes())


def test_every_code_of_a_field_is_in_it() -> None:
    told = {each["code"]: each["message"] for each in load_document()["x-field-codes"]}
    assert told == {
        code: {"id": message.indonesian, "en": message.english} for code, message in FIELD_MESSAGES.items()
    }


def test_every_code_can_be_an_operations_answer() -> None:
    # What only a filter in front of the API, or a request that API Gateway cannot read, would be told.
    of_no_operation = {"request_invalid", "request_refused"}
    told = {
        code
        for operation in OPERATIONS.values()
        for answer in operation["responses"].values()
        for code in resolve_reference(answer)
        .get("content", {})
        .get("application/problem+json", {})
        .get("examples", ())
    }
    assert told == set(load_codes()) - of_no_operation


@pytest.mark.parametrize("code", sorted(load_codes()))
def test_the_example_of_a_problem_is_one(code: str) -> None:
    example = load_document()["components"]["examples"][code]["value"]
    assert find_schema_errors({"$ref": "#/components/schemas/Problem"}, example) == []
    if code in PROBLEMS:
        assert {key: value for key, value in example.items() if key != "errors"} == respond(code, "en").body


def test_every_operation_has_an_example_that_is_sent_by_the_tests() -> None:
    told = {example.operation for example in load_examples() if example.is_success}
    files, signed = {"show_description", "show_page"}, {"take_twilio_receipt"}
    pages = {"open_board", "show_board"}
    assert told == {endpoint.name for endpoint in iter_endpoints(app)} - files - pages - signed


@pytest.mark.parametrize("example", load_examples(), ids=lambda each: f"{each.operation}: {each.title}")
def test_an_example_has_the_shape_that_is_told(example: Any) -> None:
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


class _Page(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.ids: list[str] = []
        self.links: set[str] = set()
        self.attributes: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        for name, value in attrs:
            self.attributes.add(name)
            if name == "id":
                self.ids.append(value or "")
            if name in {"href", "src"}:
                self.links.add(value or "")


def test_the_page_needs_nothing_but_itself_and_runs_nothing() -> None:
    page = _Page((ROOT / "chalicelib" / "http" / "page.html").read_text(encoding="utf-8"))
    assert not page.tags & {"script", "link", "img", "iframe", "object", "embed", "form", "base"}
    assert {name for name in page.attributes if name.startswith("on")} == set()
    assert {link for link in page.links if not link.startswith("#")} == {"v1/openapi.json"}


def test_every_link_of_the_page_leads_somewhere() -> None:
    page = _Page((ROOT / "chalicelib" / "http" / "page.html").read_text(encoding="utf-8"))
    assert {link[1:] for link in page.links if link.startswith("#")} <= set(page.ids)
    assert len(page.ids) == len(set(page.ids))


def test_the_page_shows_every_operation_and_every_code() -> None:
    text = (ROOT / "chalicelib" / "http" / "page.html").read_text(encoding="utf-8")
    for method, path in OPERATIONS:
        assert f"{method} {path}" in text
    for code in load_codes():
        assert f">{code}<" in text
