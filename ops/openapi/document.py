"""The OpenAPI 3.1 document, made from the routes, their contracts and models, and the table of problems."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from chalice.app import Chalice
from pydantic import BaseModel

from chalicelib.callers import Role
from chalicelib.http.field_texts import FIELD_MESSAGES
from chalicelib.models import FrozenModel
from ops.openapi.codes import load_codes
from ops.openapi.components import ACCEPT_LANGUAGE, HEADERS, PARAMETERS_PREFIX, PATH_PARAMETERS
from ops.openapi.endpoints import Endpoint, iter_endpoints
from ops.openapi.examples import Example, load_examples
from ops.openapi.responses import (
    JSON,
    group_problem_codes,
    iter_problem_responses,
    iter_success_responses,
    make_examples,
    make_problem_example,
    name_problem_response,
)
from ops.openapi.schemas import ModelSchemas, unwrap_lines

_RESPONSES_PREFIX = "#/components/responses/"

_INTRODUCTION = Path(__file__).with_name("introduction.md")


def build_document(app: Chalice) -> dict[str, Any]:
    """Return the document. Raise KeyError for a path parameter, header or code without a description."""
    endpoints = sorted(iter_endpoints(app), key=lambda each: (_find_tag(each.path), each.path, each.method))
    examples = load_examples()
    schemas = ModelSchemas(endpoints)
    paths: dict[str, dict[str, Any]] = defaultdict(dict)
    for endpoint in endpoints:
        own = [example for example in examples if example.operation == endpoint.name]
        paths[endpoint.path][endpoint.method.lower()] = _describe_operation(endpoint, schemas, own)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Daftar",
            "version": "1.0.0",
            "description": unwrap_lines(_INTRODUCTION.read_text(encoding="utf-8").strip()),
        },
        # Relative to this document, which is served at v1/openapi.json.
        "servers": [{"url": "..", "description": "Where this document comes from."}],
        "security": [],
        "tags": [{"name": name} for name in sorted({_find_tag(each.path) for each in endpoints})],
        "paths": dict(paths),
        "components": {
            "securitySchemes": {
                "bearer": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "A token for one device, bot or person. Its roles: "
                    + ", ".join(sorted(Role)),
                }
            },
            "schemas": dict(sorted(schemas.by_name.items())),
            "parameters": {"Accept-Language": ACCEPT_LANGUAGE},
            "responses": dict(sorted(iter_problem_responses(endpoints))),
            "headers": HEADERS,
            "examples": {code: make_problem_example(code) for code in load_codes()},
        },
        "x-problems": [
            {
                "code": each.code,
                "status": each.status,
                "title": vars(each.title),
                "meaning": vars(each.meaning),
            }
            for each in load_codes().values()
        ],
        "x-field-codes": [
            {"code": code, "message": {"id": message.indonesian, "en": message.english}}
            for code, message in sorted(FIELD_MESSAGES.items())
        ],
    }


def _describe_operation(
    endpoint: Endpoint, schemas: ModelSchemas, examples: Sequence[Example]
) -> dict[str, Any]:
    summary, _, more = endpoint.docstring.partition("\n\n")
    roles = endpoint.contract.roles
    parameters: list[dict[str, Any]] = [
        {"name": name, "in": "path", "required": True, **PATH_PARAMETERS[name]}
        for name in endpoint.parameters
    ]
    if endpoint.contract.query_model is not None:
        parameters += _add_examples(schemas.iter_query_parameters(endpoint.contract.query_model), examples)
    parameters.append({"$ref": f"{PARAMETERS_PREFIX}Accept-Language"})
    operation: dict[str, Any] = {
        "operationId": endpoint.name,
        "summary": unwrap_lines(summary),
        "tags": [_find_tag(endpoint.path)],
    }
    if more:
        operation["description"] = unwrap_lines(more)
    operation["parameters"] = parameters
    if endpoint.contract.body_model is not None:
        operation["requestBody"] = {
            "required": not _may_be_left_out(endpoint.contract.body_model),
            "content": {
                JSON: {
                    "schema": schemas.ref(endpoint.contract.body_model, "validation"),
                    **make_examples(_iter_request_bodies(examples)),
                }
            },
        }
    elif endpoint.contract.body_media_type is not None:
        media_type = endpoint.contract.body_media_type
        operation["requestBody"] = {"required": True, "content": {media_type: {"schema": {"type": "object"}}}}
    operation["responses"] = {
        **{str(status): answer for status, answer in iter_success_responses(endpoint, schemas, examples)},
        **{
            str(status): {"$ref": f"{_RESPONSES_PREFIX}{name_problem_response(endpoint, codes)}"}
            for status, codes in group_problem_codes(endpoint).items()
        },
    }
    # One role is enough: each is an alternative of its own.
    operation["security"] = [] if roles is None else [{"bearer": [role]} for role in sorted(roles)]
    return operation


def _add_examples(
    parameters: Iterator[dict[str, Any]], examples: Sequence[Example]
) -> Iterator[dict[str, Any]]:
    """Yield the parameters, those of the first successful example with its values."""
    query = next((example.query for example in examples if example.is_success), {})
    for parameter in parameters:
        if (value := query.get(parameter["name"])) is not None:
            is_number = parameter["schema"].get("type") == "integer"
            parameter["example"] = int(value) if is_number else value
        yield parameter


def _iter_request_bodies(examples: Sequence[Example]) -> Iterator[tuple[str, Any]]:
    """Yield the bodies of successful examples, each once."""
    seen: list[Any] = []
    for example in examples:
        if example.is_success and example.body not in seen:
            seen.append(example.body)
            yield example.title, example.body


def _may_be_left_out(body_model: type[BaseModel]) -> bool:
    return issubclass(body_model, FrozenModel) and body_model.may_be_left_out


def _find_tag(path: str) -> str:
    parts = path.strip("/").split("/")
    return parts[1] if parts[0] == "v1" and parts[1] != "openapi.json" else "this API"
