"""Check answers against the committed OpenAPI document."""

import json
import re
from collections.abc import Mapping
from functools import cache
from typing import Any

import jsonschema_rs

from ops.openapi.page import OPENAPI_FILE

SchemaNode = dict[str, Any]

_PROBLEM = "application/problem+json"
DIALECT = "https://json-schema.org/draft/2020-12/schema"


@cache
def load_document() -> SchemaNode:
    """Return the document as it is served."""
    document: SchemaNode = json.loads(OPENAPI_FILE.read_text(encoding="utf-8"))
    return document


def list_operations() -> dict[tuple[str, str], SchemaNode]:
    """Return the operations by method and path."""
    return {
        (method.upper(), path): operation
        for path, methods in load_document()["paths"].items()
        for method, operation in methods.items()
    }


def resolve_reference(node: SchemaNode) -> SchemaNode:
    """Return the node that a reference points at, or the node itself."""
    while "$ref" in node:
        target: Any = load_document()
        for step in node["$ref"].removeprefix("#/").split("/"):
            target = target[step]
        node = target
    return node


def find_schema_errors(schema: SchemaNode, value: Any) -> list[str]:
    """Return the errors of a value against a schema of the document."""
    validator = _validator(json.dumps(schema, sort_keys=True))
    return [f"{error.instance_path}: {error.message}" for error in validator.iter_errors(value)]


@cache
def _validator(schema: str) -> jsonschema_rs.Draft202012Validator:
    # Callers must accept unknown fields and values; our tests do not.
    schemas = {
        name: {"additionalProperties": False, **each} if "properties" in each else each
        for name, each in _close_enums(load_document()["components"]["schemas"]).items()
    }
    standalone = {**_close_enums(json.loads(schema)), "$schema": DIALECT, "components": {"schemas": schemas}}
    return jsonschema_rs.Draft202012Validator(standalone, validate_formats=True)


def _close_enums(node: Any) -> Any:
    """Return schemas in which a field of an answer has no other values than those of its enum."""
    match node:
        case {"anyOf": [{"$ref": _} as enum, {"type": "string" | "integer"}, *others], **rest} if (
            "enum" in resolve_reference(enum)
        ):
            return {"anyOf": [enum, *others], **rest}
        case dict():
            return {name: _close_enums(each) for name, each in node.items()}
        case list():
            return [_close_enums(each) for each in node]
        case _:
            return node


def find_undocumented(
    method: str, path: str, *, status: int, headers: Mapping[str, str], body: bytes
) -> list[str]:
    """Return what the document does not say of an answer. Unknown routes have no errors."""
    operation = _find_operation(method, path.partition("?")[0])
    if operation is None:
        return []
    if str(status) not in operation["responses"]:
        return [f"status {status}"]
    answer = resolve_reference(operation["responses"][str(status)])
    lowercased = {name.lower(): value for name, value in headers.items()}
    return [
        *_check_headers(answer, lowercased),
        *_check_body(answer, lowercased.get("content-type", ""), body),
    ]


def _find_operation(method: str, path: str) -> SchemaNode | None:
    matching = [
        operation
        for (operation_method, template), operation in list_operations().items()
        if operation_method == method and re.fullmatch(re.sub(r"{\w+}", "[^/]+", template), path)
    ]
    # Of several matches, the one with the fewest path parameters applies.
    return min(matching, key=lambda each: len(each.get("parameters", ())), default=None)


def _check_headers(answer: SchemaNode, headers: Mapping[str, str]) -> list[str]:
    errors: list[str] = []
    for name, header in answer.get("headers", {}).items():
        value = headers.get(name.lower())
        if value is None:
            errors += [f"no header {name}"] if resolve_reference(header).get("required") else []
        else:
            schema = resolve_reference(header)["schema"]
            errors += [f"header {name}: {error}" for error in find_schema_errors(schema, value)]
    return errors


def _check_body(answer: SchemaNode, media_type: str, body: bytes) -> list[str]:
    content = answer.get("content", {})
    if not content:
        return ["a body where the document has none"] if body else []
    plain_type = media_type.partition(";")[0]
    if plain_type not in content:
        return [f"media type {media_type!r}"]
    if "schema" not in content[plain_type]:
        return [] if body else [f"no {plain_type} in the body"]
    value: Any = json.loads(body) if plain_type.endswith("json") else body.decode()
    errors = find_schema_errors(content[plain_type]["schema"], value)
    if plain_type == _PROBLEM and value["code"] not in answer["x-codes"]:
        errors.append(f"code {value['code']}")
    return errors
