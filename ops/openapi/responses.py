"""The responses of endpoints: successes, problems, and their examples."""

import inspect
from collections.abc import Iterator, Sequence
from http import HTTPStatus
from typing import Any

from chalicelib.http.field_texts import FIELD_MESSAGES
from chalicelib.http.headers import SECURITY_HEADERS
from chalicelib.http.problems import CONTENT_TYPE
from ops.openapi.codes import load_codes
from ops.openapi.components import (
    EXAMPLES_PREFIX,
    HEADERS,
    HEADERS_PREFIX,
    OPTIONAL_HEADERS,
    SCHEMAS_PREFIX,
    STATUS_HEADERS,
    Schema,
)
from ops.openapi.endpoints import Endpoint
from ops.openapi.examples import Example
from ops.openapi.schemas import ModelSchemas, unwrap_lines

JSON = "application/json"


def iter_success_responses(
    endpoint: Endpoint, schemas: ModelSchemas, examples: Sequence[Example]
) -> Iterator[tuple[int, dict[str, Any]]]:
    for status, model in sorted(endpoint.contract.responses.items()):
        own_examples = make_examples((each.title, each.answer) for each in examples if each.status == status)
        response: dict[str, Any] = {"description": HTTPStatus(status).phrase, "headers": {}}
        for name in sorted({"X-Correlation-Id", *SECURITY_HEADERS, *endpoint.contract.headers}):
            # A 304 repeats only what caches and every browser need.
            if status != HTTPStatus.NOT_MODIFIED or name in {"X-Correlation-Id", *SECURITY_HEADERS, "ETag"}:
                response["headers"][name] = {**HEADERS[name], "required": name not in OPTIONAL_HEADERS}
        if isinstance(model, str):
            kinds = (model, *endpoint.contract.other_media_types)
            response["content"] = {each: _make_media_type(each) for each in kinds}
        elif model is not None:
            response["description"] = unwrap_lines((inspect.getdoc(model) or "").partition("\n\n")[0])
            response["content"] = {
                JSON: {"schema": schemas.ref(model, "serialization"), **own_examples},
                **{each: _make_media_type(each) for each in endpoint.contract.other_media_types},
            }
        yield status, response


def _make_media_type(media_type: str) -> Schema:
    """Return a media type without a model: JSON is an object, text a string, bytes have no schema."""
    if media_type.endswith("json"):
        return {"schema": {"type": "object"}}
    return {"schema": {"type": "string"}} if media_type.startswith("text/") else {}


def group_problem_codes(endpoint: Endpoint) -> dict[int, tuple[str, ...]]:
    """Return the codes that an endpoint can answer with, by status."""
    by_status: dict[int, tuple[str, ...]] = {}
    for code in sorted(endpoint.list_codes()):
        status = load_codes()[code].status
        by_status[status] = (*by_status.get(status, ()), code)
    return dict(sorted(by_status.items()))


def name_problem_response(endpoint: Endpoint, codes: Sequence[str]) -> str:
    suffix = "" if endpoint.contract.problem_media_type is None else "-as-xml"
    return f"{'-or-'.join(codes)}{suffix}"


def iter_problem_responses(endpoints: Sequence[Endpoint]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield every problem response by its name; endpoints share them."""
    for endpoint in endpoints:
        for status, codes in group_problem_codes(endpoint).items():
            names = [
                "Content-Language",
                "X-Correlation-Id",
                *SECURITY_HEADERS,
                *STATUS_HEADERS.get(status, ()),
            ]
            media_type = endpoint.contract.problem_media_type or CONTENT_TYPE
            content = {
                "schema": {"$ref": f"{SCHEMAS_PREFIX}Problem"},
                "examples": {code: {"$ref": f"{EXAMPLES_PREFIX}{code}"} for code in codes},
            }
            yield (
                name_problem_response(endpoint, codes),
                {
                    "description": " ".join(f"`{code}`: {load_codes()[code].title.en}" for code in codes),
                    "x-codes": list(codes),
                    "headers": {name: {"$ref": f"{HEADERS_PREFIX}{name}"} for name in names},
                    "content": {
                        media_type: content if media_type == CONTENT_TYPE else _make_media_type(media_type)
                    },
                },
            )


_EXAMPLE_ERRORS = {
    "body_invalid": ("worker.name", "field_missing"),
    "rules_broken": ("worker.nik", "nik_length"),
}


def make_problem_example(code: str) -> dict[str, Any]:
    problem = load_codes()[code]
    value = {"type": "about:blank", "code": code, "title": problem.title.en, "status": problem.status}
    if code in {"body_invalid", "rules_broken"}:
        field, field_code = _EXAMPLE_ERRORS[code]
        message = FIELD_MESSAGES[field_code].english
        value["errors"] = [{"field": field, "code": field_code, "message": message}]
    return {"summary": problem.title.en, "value": value}


def make_examples(named_values: Iterator[tuple[str, Any]]) -> dict[str, Any]:
    examples = {name: {"value": value} for name, value in named_values}
    return {"examples": examples} if examples else {}
