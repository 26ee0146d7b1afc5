"""Answers held against the description that is served: the document as it is committed."""

import json
import re
from collections.abc import Mapping
from functools import cache
from typing import Any

import jsonschema_rs

from ops.local.emulator import ROOT

SchemaNode = dict[str, Any]

_PROBLEM = "application/problem+json"
DIALECT = "https://json-schema.org/draft/2020-12/schema"


@cache
def load_document() -> SchemaNode:
    """The description, as it is served."""
    read: SchemaNode = json.loads((ROOT / "chalicelib" / "http" / "openapi.json").read_text(encoding="utf-8"))
    return read


def list_operations() -> dict[tuple[str, str], SchemaNode]:
    """Every operation, by method and path."""
    return {
        (method.upper(), path): operation
        for path, methods in load_document()["paths"].items()
        for method, operation in methods.items()
    }


def resolve_reference(node: SchemaNode) -> SchemaNode:
    """What a reference points at, or the node itself."""
    while "$ref" in node:
        found: Any = load_document()
        for step in node["$ref"].removeprefix("#/").split("/"):
            found = found[step]
        node = found
    return node


def find_schema_errors(schema: SchemaNode, value: Any) -> list[str]:
    """Where a value breaks a schema of the document."""
    validator = _validator(json.dumps(schema, sort_keys=True))
    return [f"{error.instance_path}: {error.message}" for error in validator.iter_errors(value)]


@cache
def _validator(schema: str) -> jsonschema_rs.Draft202012Validator:
    # Callers are told to expect more fields than these; our own tests are not.
    schemas = {
        name: {"additionalProperties": False, **each} if "properties" in each else each
        for name, each in load_document()["components"]["schemas"].items()
    }
    own = {**json.loads(schema), "$schema": DIALECT, "components": {"schemas": schemas}}
    return jsonschema_rs.Draft202012Validator(own, validate_formats=True)


def find_undocumented(
    method: str, path: str, *, status: int, headers: Mapping[str, str], body: bytes
) -> list[str]:
    """What of an answer the description does not say. Nothing is said of routes that are not there."""
    operation = _find_operation(method, path.partition("?")[0])
    if operation is None:
        return []
    if str(status) not in operation["responses"]:
        return [f"status {status}"]
    answer = resolve_reference(operation["responses"][str(status)])
    lower = {name.lower(): value for name, value in headers.items()}
    return [*_check_headers(answer, lower), *_check_body(answer, lower.get("content-type", ""), body)]


def _find_operation(method: str, path: str) -> SchemaNode | None:
    matching = [
        operation
        for (its_method, template), operation in list_operations().items()
        if its_method == method and re.fullmatch(re.sub(r"{\w+}", "[^/]+", template), path)
    ]
    # Of two, the one with the fewest parameters is the one that is meant.
    return min(matching, key=lambda each: len(each.get("parameters", ())), default=None)


def _check_headers(answer: SchemaNode, headers: Mapping[str, str]) -> list[str]:
    found = []
    for name, told in answer.get("headers", {}).items():
        value = headers.get(name.lower())
        if value is None:
            found += [f"no header {name}"] if resolve_reference(told).get("required") else []
        else:
            found += [
                f"header {name}: {fault}"
                for fault in find_schema_errors(resolve_reference(told)["schema"], value)
            ]
    return found


def _check_body(answer: SchemaNode, media_type: str, body: bytes) -> list[str]:
    content = answer.get("content", {})
    if not content:
        return ["a body where none is told of"] if body else []
    kind = media_type.partition(";")[0]
    if kind not in content:
        return [f"media type {media_type!r}"]
    if "schema" not in content[kind]:
        return [] if body else [f"no {kind} in the body"]
    read = json.loads(body) if kind.endswith("json") else body.decode()
    return find_schema_errors(content[kind]["schema"], read)
