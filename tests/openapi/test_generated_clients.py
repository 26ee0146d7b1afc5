"""What the document gives to generators of clients: few types, each with a name, open to new values."""

import importlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ops.openapi.page import OPENAPI_FILE
from tests.support.generated_clients import NODE_MODULES, PROGRAMS, PYTHON_CLIENT, generate_python_client
from tests.support.openapi import find_schema_errors, list_operations, load_document, resolve_reference

# 561 when each problem of each operation had a type of its own.
MAX_MODELS = 200


@pytest.fixture(scope="module")
def python_client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Yield the directory of a generated Python client that can be imported."""
    directory = tmp_path_factory.mktemp("client")
    package = generate_python_client(OPENAPI_FILE, directory)
    with pytest.MonkeyPatch.context() as patching:
        patching.syspath_prepend(str(directory))
        yield package
    for name in [name for name in sys.modules if name.partition(".")[0] == PYTHON_CLIENT]:
        del sys.modules[name]


def parse(model: str, answer: dict[str, Any]) -> Any:
    """Return an answer as the generated client reads it."""
    return getattr(importlib.import_module(f"{PYTHON_CLIENT}.models"), model).from_dict(answer)


def iter_nodes(node: Any) -> Iterator[dict[str, Any]]:
    """Yield every object of the document, examples and tables of codes left out."""
    if isinstance(node, list):
        for each in node:
            yield from iter_nodes(each)
    if isinstance(node, dict):
        yield node
        for name, each in node.items():
            if name not in {"example", "examples", "x-problems", "x-field-codes"}:
                yield from iter_nodes(each)


def test_a_generated_client_has_few_models_and_one_of_them_for_problems(python_client: Path) -> None:
    models = [path.stem for path in (python_client / "models").glob("*.py") if path.stem != "__init__"]

    assert "problem" in models
    assert [name for name in models if "response_4" in name or "response_5" in name] == []
    assert len(models) <= MAX_MODELS


def test_a_generated_client_imports_every_operation(python_client: Path) -> None:
    modules = [
        f"{PYTHON_CLIENT}.api.{path.parent.name}.{path.stem}" for path in python_client.glob("api/*/*.py")
    ]
    operations = {operation["operationId"] for operation in list_operations().values()}

    for module in modules:
        importlib.import_module(module)
    assert operations <= {module.rpartition(".")[2] for module in modules}


def test_a_client_of_today_reads_values_that_are_added_later(python_client: Path) -> None:
    problem = {"type": "about:blank", "code": "new", "title": "New.", "status": 409}
    error = {"field": "worker.nik", "code": "new_rule", "message": "New."}
    event = {
        "event": "new",
        "status": "new",
        "at": "2027-01-01T00:00:00Z",
        "client_id": "van-1",
        "detail": {},
    }

    parsed = parse("Problem", {**problem, "errors": [error]})

    assert (parsed.code, parsed.errors[0].code) == ("new", "new_rule")
    assert parse("EventView", event).status == "new"


def test_our_own_tests_accept_only_the_values_of_today() -> None:
    schema = {"$ref": "#/components/schemas/EventView"}
    event = {
        "event": "paid",
        "status": "new",
        "at": "2027-01-01T00:00:00Z",
        "client_id": "van-1",
        "detail": {},
    }

    assert find_schema_errors(schema, event | {"status": "active"}) == []
    assert find_schema_errors(schema, event) != []


def test_every_list_of_values_has_a_name() -> None:
    document = load_document()
    named = {id(schema) for schema in document["components"]["schemas"].values()}
    headers = {id(header["schema"]) for header in document["components"]["headers"].values()}

    unnamed = [
        node["enum"]
        for node in iter_nodes(document)
        if isinstance(node.get("enum"), list) and id(node) not in named | headers
    ]

    assert unnamed == []
    assert {
        *("Channel", "CsvDialect", "FieldCode", "Months", "OccupationId", "Payer", "ProblemCode"),
        *("Programme", "Status", "SummaryFormat", "Zone"),
    } <= {name for name, schema in document["components"]["schemas"].items() if "enum" in schema}


def test_a_request_takes_the_ids_of_occupations() -> None:
    schemas = load_document()["components"]["schemas"]

    for model in ("Work", "AskForQuote"):
        items = schemas[model]["properties"]["occupations"]["items"]
        assert "porter" in resolve_reference(items)["enum"]


def test_a_field_that_may_be_left_out_has_no_default_of_null() -> None:
    """Generators take a field with a default for one that is always sent."""
    assert [node for node in iter_nodes(load_document()) if node.get("default", "") in (None, [])] == []


def test_every_operation_takes_the_language() -> None:
    for (method, path), operation in list_operations().items():
        headers = [
            parameter["name"]
            for parameter in map(resolve_reference, operation["parameters"])
            if parameter["in"] == "header"
        ]
        assert headers == ["Accept-Language"], f"{method} {path}"


def test_every_problem_is_the_same_type_and_each_operation_states_its_codes() -> None:
    for (method, path), operation in list_operations().items():
        for status, answer in operation["responses"].items():
            if status < "400":
                continue
            response = resolve_reference(answer)
            [(media_type, content)] = response["content"].items()
            # ODK Collect gets XML, which no generated client reads.
            is_odk = path.startswith("/odk/")
            schema = {"type": "string"} if is_odk else {"$ref": "#/components/schemas/Problem"}
            assert media_type == ("text/xml" if is_odk else "application/problem+json")
            assert content["schema"] == schema, f"{method} {path} {status}"
            assert is_odk or response["x-codes"] == list(content["examples"]), f"{method} {path} {status}"
            assert all(f"`{code}`" in response["description"] for code in response["x-codes"])


def test_the_packages_of_the_typescript_client_have_exact_versions() -> None:
    if not NODE_MODULES.exists():
        pytest.skip("no packages of Node are installed: the TypeScript client needs npm")
    installed = {
        package["name"]: package["version"]
        for pattern in ("[!@.]*/package.json", "@*/*/package.json")
        for package in (json.loads(file.read_text()) for file in NODE_MODULES.glob(pattern))
    }

    assert installed == json.loads((PROGRAMS / "package.json").read_text())["dependencies"]
    assert list(NODE_MODULES.glob("**/node_modules")) == []
