"""The page at `GET /docs`: complete, self-contained, with a command for each operation."""

import json
import shlex
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urlsplit

import pytest

from ops.openapi.codes import load_codes
from ops.openapi.page import build_page, render_page
from ops.openapi.page_content import Operation, build_content
from tests.support.openapi import find_schema_errors, list_operations, load_document

OPERATIONS = list_operations()
CONTENT = build_content(load_document())
FROM_FILE = object()
SHOWN = [operation for _, operations in CONTENT.tags for operation in operations]


class _PageParser(HTMLParser):
    """Collects the tags, ids, links and attribute names of the page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.ids: list[str] = []
        self.links: set[str] = set()
        self.attributes: set[str] = set()
        self.headings: list[str] = []
        self._tag = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._tag = tag
        self.tags.add(tag)
        for name, value in attrs:
            self.attributes.add(name)
            if name == "id":
                self.ids.append(value or "")
            if name in {"href", "src"}:
                self.links.add(value or "")

    def handle_data(self, data: str) -> None:
        if self._tag in {"h1", "h2"} and data.strip():
            self.headings.append(data.strip())


def test_the_page_loads_nothing() -> None:
    page = _PageParser(build_page())
    assert not page.tags & {"link", "img", "iframe", "object", "embed", "form", "base"}
    assert "src" not in page.attributes
    assert {name for name in page.attributes if name.startswith("on")} == set()
    assert {link for link in page.links if not link.startswith("#")} == {"v1/openapi.json"}


def test_every_link_of_the_page_has_a_target() -> None:
    page = _PageParser(build_page())
    assert {link[1:] for link in page.links if link.startswith("#")} <= set(page.ids)
    assert len(page.ids) == len(set(page.ids))


def test_the_page_shows_every_operation_and_every_code() -> None:
    text = build_page()
    assert {(operation.method, operation.path) for operation in SHOWN} == set(OPERATIONS)
    for operation in SHOWN:
        assert f'id="{operation.id}"' in text
    for code in load_codes():
        assert f">{code}<" in text


def test_the_page_begins_with_registering_a_worker() -> None:
    page = _PageParser(build_page())
    assert page.headings[:2] == ["Daftar API", "Register your first worker"]
    assert '"reference"' in CONTENT.first_worker.created.text
    assert '"nik_length"' in CONTENT.first_worker.refused.text


def test_texts_of_the_document_are_shown_as_text() -> None:
    document = json.loads(json.dumps(load_document()))
    operation = document["paths"]["/v1/registrations"]["post"]
    hostile = "<img src=x onerror=alert(1)>"
    operation["summary"] = operation["description"] = hostile
    document["components"]["schemas"]["Work"]["description"] = hostile

    page = render_page(document)

    assert page.count("&lt;img src=x onerror=alert(1)&gt;") >= 3
    assert "<img" not in page


def parse_curl(command: str) -> dict[str, Any]:
    """Return the request that a command sends, with the variables of the shell by their names."""
    program, *words = shlex.split(command.replace("\\\n", ""))
    assert program == "curl"
    request: dict[str, Any] = {"method": "GET", "headers": {}, "body": None}
    remaining = iter(words)
    for word in remaining:
        match word:
            case "--head":
                request["method"] = "HEAD"
            case "--form":
                request["headers"]["Content-Type"] = "multipart/form-data"
                request["body"] = dict([next(remaining).split("=", 1)])
            case "--request":
                request["method"] = next(remaining)
            case "--header":
                name, _, value = next(remaining).partition(": ")
                request["headers"][name] = value
            case "--data":
                value = next(remaining)
                request["body"] = FROM_FILE if value.startswith("@") else json.loads(value)
            case url:
                assert "url" not in request
                request["url"] = url
    return request


@pytest.mark.parametrize("operation", SHOWN, ids=lambda each: each.id)
def test_every_operation_has_a_command_that_sends_a_valid_request(operation: Operation) -> None:
    described = OPERATIONS[operation.method, operation.path]

    request = parse_curl(operation.curl)

    address, _, path = request["url"].partition("/")
    assert (request["method"], address) == (operation.method, "$DAFTAR_URL")
    assert "{" not in path
    assert len(urlsplit(path).path.split("/")) == len(operation.path.split("/")) - 1
    assert request["headers"].get("Authorization") == ("Bearer $DAFTAR_TOKEN" if operation.roles else None)
    if body := described.get("requestBody"):
        schema = body["content"][request["headers"]["Content-Type"]]["schema"]
        assert request["body"] == FROM_FILE or find_schema_errors(schema, request["body"]) == []
    else:
        assert request["body"] is None
    required = {each["name"] for each in described["parameters"] if each.get("required")}
    given = {pair.partition("=")[0] for pair in urlsplit(path).query.split("&")}
    in_query = {each["name"] for each in described["parameters"] if each.get("in") == "query"}
    assert required & in_query <= given
    assert given - {""} <= in_query


def test_a_quote_in_a_body_does_not_end_the_command() -> None:
    document = json.loads(json.dumps(load_document()))
    content = document["paths"]["/v1/registrations"]["post"]["requestBody"]["content"]["application/json"]
    capture = next(iter(content["examples"].values()))["value"]
    capture["worker"]["name"] = "Nur 'Aini $(id) `id`"

    command = build_content(document).first_worker.register

    assert parse_curl(command)["body"]["worker"]["name"] == "Nur 'Aini $(id) `id`"
