"""The OpenAPI 3.1 document, made from the route table, the contracts of its endpoints, their models and the
tables of problems.
"""

import inspect
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any, Literal

from chalice.app import Chalice
from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, models_json_schema

from chalicelib.callers import Role
from chalicelib.http.endpoints import Contract, get_contract
from chalicelib.http.problems import CONTENT_TYPE, FIELD_MESSAGES
from chalicelib.languages import LANGUAGES
from ops.openapi.codes import load_codes
from ops.openapi.examples import Example, load_examples

Schema = dict[str, Any]
Mode = Literal["validation", "serialization"]

_SCHEMAS_PREFIX = "#/components/schemas/"
_RESPONSES_PREFIX = "#/components/responses/"
_EXAMPLES_PREFIX = "#/components/examples/"
_HEADERS_PREFIX = "#/components/headers/"
_JSON = "application/json"

_INTRODUCTION = Path(__file__).with_name("introduction.md")

# What every path parameter looks like and means. A route with another one cannot be described.
_PATH_PARAMETERS: Mapping[str, Schema] = {
    "campaign_id": {
        "description": "The campaign's id.",
        "schema": {"type": "string", "pattern": "^[a-z0-9][a-z0-9-]{1,62}[a-z0-9]$"},
        "example": "pasar-contoh-2024",
    },
    "client_id": {
        "description": "The client's id.",
        "schema": {"type": "string", "pattern": "^[a-z0-9][a-z0-9-]{0,62}[a-z0-9]$"},
        "example": "tablet-7",
    },
    "day": {
        "description": "A day of the campaign, in its zone.",
        "schema": {"type": "string", "format": "date"},
        "example": "2024-10-09",
    },
    "reference": {
        "description": "The worker's reference. Lower case, and other grouping, are understood.",
        "schema": {"type": "string", "pattern": "^[2-9A-HJKMNP-TV-Z]{3}(-[2-9A-HJKMNP-TV-Z]{3}){2}$"},
        "example": "7K4-M2Q-X9F",
    },
}

_HEADERS: Mapping[str, Schema] = {
    "Cache-Control": {"description": "How long the answer may be kept.", "schema": {"type": "string"}},
    "Content-Language": {
        "description": "The language of `title` and of each `message`.",
        "schema": {"type": "string", "enum": [*LANGUAGES, ", ".join(LANGUAGES)]},
    },
    "Content-Disposition": {
        "description": "With a file, the name to keep it under.",
        "schema": {"type": "string"},
    },
    "Content-Security-Policy": {
        "description": "What the page may load: nothing, or itself anew.",
        "schema": {"type": "string"},
    },
    "ETag": {
        "description": "The version of what was sent; `If-None-Match` asks whether there is another.",
        "schema": {"type": "string"},
    },
    "Idempotent-Replayed": {
        "description": "`true` where this was sent before: the answer is the first one, byte for byte.",
        "schema": {"type": "string", "const": "true"},
    },
    "Referrer-Policy": {"description": "No address is passed on.", "schema": {"type": "string"}},
    "Retry-After": {
        "description": "Seconds to wait before sending the same request again.",
        "schema": {"type": "string", "pattern": "^[0-9]+$"},
    },
    "Vary": {"description": "What of the request chose this form.", "schema": {"type": "string"}},
    "WWW-Authenticate": {"description": "How to say who is calling.", "schema": {"type": "string"}},
    "X-Content-Type-Options": {"description": "The type is what it says.", "schema": {"type": "string"}},
    "X-Correlation-Id": {
        "description": "The request's id, which every log line it led to carries. API Gateway's own answers "
        "have it as `request_id` in the body.",
        "schema": {"type": "string"},
    },
}
# Left out where there is nothing to say; all others that an endpoint names come with each good answer.
_OPTIONAL_HEADERS = {"Content-Disposition", "Idempotent-Replayed"}
_STATUS_HEADERS: Mapping[int, tuple[str, ...]] = {
    401: ("WWW-Authenticate",),
    429: ("Retry-After",),
    503: ("Retry-After",),
}

_BODY_CODES = ("json_malformed", "body_invalid", "body_too_large", "media_type_unsupported")
_TOKEN_CODES = ("token_missing_or_unknown", "token_revoked")
_COMMON_CODES = ("internal_error", "try_again", "too_many_requests")

_PROBLEM: Schema = {
    "title": "Problem",
    "description": "A refusal (RFC 9457). `code` is stable; `title` is for people.",
    "type": "object",
    "required": ["type", "code", "title", "status"],
    "additionalProperties": False,
    "properties": {
        "type": {"type": "string", "const": "about:blank"},
        "code": {"type": "string"},
        "title": {"type": "string", "description": "In the caller's language, or in both."},
        "status": {"type": "integer"},
        "errors": {
            "type": "array",
            "description": "Every field at fault, all at once.",
            "items": {"$ref": f"{_SCHEMAS_PREFIX}FieldError"},
        },
        "request_id": {"type": "string", "description": "Where API Gateway itself has answered."},
    },
}
_FIELD_ERROR: Schema = {
    "title": "FieldError",
    "description": "One field at fault. What was sent in it is not repeated.",
    "type": "object",
    "required": ["field", "code", "message"],
    "additionalProperties": False,
    "properties": {
        "field": {"type": "string", "description": "A dotted path; empty for the whole."},
        "code": {"type": "string", "enum": sorted(FIELD_MESSAGES)},
        "message": {"type": "string", "description": "For the person who typed it."},
    },
}


@dataclass(frozen=True)
class Endpoint:
    """One route and what it promises."""

    method: str
    path: str
    name: str
    docstring: str
    contract: Contract

    @property
    def parameters(self) -> list[str]:
        """The names in its path."""
        return re.findall(r"{(\w+)}", self.path)

    @property
    def responses(self) -> dict[int, type[BaseModel] | str | None]:
        """What its good answers hold; models that no cold start should build are built here."""
        return {
            status: given if given is None or isinstance(given, (type, str)) else given()
            for status, given in self.contract.responses.items()
        }

    def list_codes(self) -> set[str]:
        """Every code that it can answer with, API Gateway's included."""
        contract = self.contract
        found = {*_COMMON_CODES, *(refusal.code for refusal in contract.refusals)}
        if contract.roles is not None:
            found.update(_TOKEN_CODES)
            if contract.roles != frozenset(Role):
                found.add("role_not_allowed")
        if contract.body_model is not None:
            found.update(_BODY_CODES)
        if contract.query_model is not None:
            found.add("body_invalid")
        if self.parameters:
            # A parameter with a slash in it, or with nothing, is another path.
            found.add("route_unknown")
        return found


class _UntitledJsonSchema(GenerateJsonSchema):
    """Schemas without a title for every field: they say the field's name once more."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False


def build_document(app: Chalice) -> dict[str, Any]:
    """The whole document. Raises KeyError for a path parameter, header or code that nobody has described."""
    endpoints = sorted(iter_endpoints(app), key=lambda each: (_find_tag(each.path), each.path, each.method))
    examples = load_examples()
    schemas = _ModelSchemas(endpoints)
    paths: dict[str, dict[str, Any]] = defaultdict(dict)
    for endpoint in endpoints:
        told = [example for example in examples if example.operation == endpoint.name]
        paths[endpoint.path][endpoint.method.lower()] = _describe_operation(endpoint, schemas, told)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Daftar",
            "version": "1.0.0",
            "description": _unwrap(_INTRODUCTION.read_text(encoding="utf-8").strip()),
        },
        # Relative to this document, which is served at v1/openapi.json: right whatever stands before it.
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
            "schemas": {"FieldError": _FIELD_ERROR, "Problem": _PROBLEM, **schemas.by_name},
            "responses": dict(sorted(_iter_problem_responses(endpoints))),
            "headers": _HEADERS,
            "examples": {code: _make_problem_example(code) for code in load_codes()},
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


def iter_endpoints(app: Chalice) -> Iterator[Endpoint]:
    """Every route of the application."""
    for path, methods in app.routes.items():
        for method, entry in methods.items():
            view = entry.view_function
            yield Endpoint(method, path, view.__name__, inspect.getdoc(view) or "", get_contract(view))


# Names of components that generated clients of v1 know, where the class has another name in the code.
_PUBLISHED_NAMES = {
    "Anomaly": "Oddity",
    "CurvePointView": "DayOfCurveView",
    "DataRequestView": "RequestView",
    "SmsCounts": "Texts",
    "SmsView": "TextView",
    "SubmitDataRequest": "AskAboutPerson",
    "SummaryState": "State",
}


def _publish_names(value: Any) -> Any:
    """Return `value` with each reference to a component under its published name."""
    if isinstance(value, dict):
        return {key: _publish_names(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_publish_names(inner) for inner in value]
    if isinstance(value, str) and value.startswith(_SCHEMAS_PREFIX):
        name = value.removeprefix(_SCHEMAS_PREFIX)
        return _SCHEMAS_PREFIX + _PUBLISHED_NAMES.get(name, name)
    return value


class _ModelSchemas:
    """The schemas of every model that an endpoint takes or gives."""

    def __init__(self, endpoints: Sequence[Endpoint]) -> None:
        wanted = sorted(set(_iter_models(endpoints)), key=lambda each: (each[0].__name__, each[1]))
        self._refs, made = models_json_schema(
            wanted, ref_template=f"{_SCHEMAS_PREFIX}{{model}}", schema_generator=_UntitledJsonSchema
        )
        published = {_PUBLISHED_NAMES.get(name, name): schema for name, schema in made["$defs"].items()}
        self.by_name: dict[str, Schema] = {
            name: _publish_names(published[name]) for name in sorted(published)
        }
        for name in set(_PUBLISHED_NAMES.values()) & self.by_name.keys():
            self.by_name[name]["title"] = name
        for schema in self.by_name.values():
            if "description" in schema:
                schema["description"] = _unwrap(schema["description"])
        # Two models leave open what they hold, because each part is read, and may fail, on its own.
        verdict = self.by_name["VerdictView"]["properties"]
        verdict["problem"] = {"$ref": f"{_SCHEMAS_PREFIX}Problem"}
        items = self.by_name["SubmitBatch"]["properties"]["items"]
        items["items"] = {"anyOf": [{"$ref": f"{_SCHEMAS_PREFIX}SubmitRegistration"}, {}]}
        items["description"] = "Captures; anything else is answered with a verdict of its own."
        for model in {each.contract.query_model for each in endpoints} - {None}:
            del self.by_name[model.__name__]  # type: ignore[union-attr]
        # Asked for apart: a query's model is no component.
        self._queries = {
            each.contract.query_model: each.contract.query_model.model_json_schema(
                ref_template=f"{_SCHEMAS_PREFIX}{{model}}", schema_generator=_UntitledJsonSchema
            )
            for each in endpoints
            if each.contract.query_model is not None
        }

    def ref(self, model: type[BaseModel], mode: Mode) -> Schema:
        """Where a model's schema stands."""
        reference: Schema = _publish_names(self._refs[(model, mode)])
        return reference

    def iter_query_parameters(self, model: type[BaseModel]) -> Iterator[dict[str, Any]]:
        """The parameters of a query."""
        schema = self._queries[model]
        for name, told in schema["properties"].items():
            own = _remove_null(told)
            description = own.pop("description", None)
            parameter = {"name": name, "in": "query", "required": name in schema.get("required", ())}
            yield {**parameter, **({"description": description} if description else {}), "schema": own}


def _iter_models(endpoints: Sequence[Endpoint]) -> Iterator[tuple[type[BaseModel], Mode]]:
    for endpoint in endpoints:
        for taken in (endpoint.contract.body_model, endpoint.contract.query_model):
            if taken is not None:
                yield taken, "validation"
        for given in endpoint.responses.values():
            if isinstance(given, type):
                yield given, "serialization"


def _remove_null(schema: Schema) -> Schema:
    """What a parameter is when it is there: leaving it out is how it is null."""
    if "anyOf" not in schema:
        return dict(schema)
    (choice,) = [each for each in schema["anyOf"] if each != {"type": "null"}]
    return {**choice, **{key: value for key, value in schema.items() if key not in {"anyOf", "default"}}}


def _describe_operation(
    endpoint: Endpoint, schemas: _ModelSchemas, examples: Sequence[Example]
) -> dict[str, Any]:
    summary, _, more = endpoint.docstring.partition("\n\n")
    roles = endpoint.contract.roles
    parameters = [
        {"name": name, "in": "path", "required": True, **_PATH_PARAMETERS[name]}
        for name in endpoint.parameters
    ]
    if endpoint.contract.query_model is not None:
        parameters += schemas.iter_query_parameters(endpoint.contract.query_model)
    operation: dict[str, Any] = {
        "operationId": endpoint.name,
        "summary": _unwrap(summary),
        "tags": [_find_tag(endpoint.path)],
    }
    if more:
        operation["description"] = _unwrap(more)
    if parameters:
        operation["parameters"] = parameters
    if endpoint.contract.body_model is not None:
        operation["requestBody"] = {
            "required": True,
            "content": {
                _JSON: {
                    "schema": schemas.ref(endpoint.contract.body_model, "validation"),
                    **_make_examples(_iter_request_bodies(examples)),
                }
            },
        }
    operation["responses"] = {
        **{str(status): answer for status, answer in _iter_success_responses(endpoint, schemas, examples)},
        **{
            str(status): {"$ref": f"{_RESPONSES_PREFIX}{_name_problem_response(codes)}"}
            for status, codes in _group_problem_codes(endpoint).items()
        },
    }
    # One role is enough: each is an alternative of its own.
    operation["security"] = [] if roles is None else [{"bearer": [role]} for role in sorted(roles)]
    return operation


def _iter_success_responses(
    endpoint: Endpoint, schemas: _ModelSchemas, examples: Sequence[Example]
) -> Iterator[tuple[int, dict[str, Any]]]:
    for status, given in sorted(endpoint.responses.items()):
        told = _make_examples((each.title, each.answer) for each in examples if each.status == status)
        answer: dict[str, Any] = {"description": HTTPStatus(status).phrase, "headers": {}}
        for name in sorted({"X-Correlation-Id", *endpoint.contract.headers}):
            # A 304 says again how long the copy may be kept, and nothing of what it holds.
            if given is not None or name in {"X-Correlation-Id", "Cache-Control", "ETag"}:
                answer["headers"][name] = {**_HEADERS[name], "required": name not in _OPTIONAL_HEADERS}
        if isinstance(given, str):
            answer["content"] = {given: {"schema": {"type": "object" if given == _JSON else "string"}}}
        elif given is not None:
            answer["description"] = _unwrap((inspect.getdoc(given) or "").partition("\n\n")[0])
            answer["content"] = {
                _JSON: {"schema": schemas.ref(given, "serialization"), **told},
                **{each: _make_media_type(each) for each in endpoint.contract.other_media_types},
            }
        yield status, answer


def _make_media_type(media_type: str) -> Schema:
    """What is told of an answer in another form: a text is a string, and bytes have no schema."""
    return {"schema": {"type": "string"}} if media_type.startswith("text/") else {}


def _group_problem_codes(endpoint: Endpoint) -> dict[int, tuple[str, ...]]:
    """The codes that an endpoint can answer with, by their status."""
    by_status: dict[int, tuple[str, ...]] = {}
    for code in sorted(endpoint.list_codes()):
        status = load_codes()[code].status
        by_status[status] = (*by_status.get(status, ()), code)
    return dict(sorted(by_status.items()))


def _name_problem_response(codes: Sequence[str]) -> str:
    """The name of the response that holds one of these codes."""
    return "-or-".join(codes)


def _iter_problem_responses(endpoints: Sequence[Endpoint]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every response that is a problem, once for all endpoints that can give it."""
    for endpoint in endpoints:
        for status, codes in _group_problem_codes(endpoint).items():
            names = ["Content-Language", "X-Correlation-Id", *_STATUS_HEADERS.get(status, ())]
            # Which code it is, is all that differs between the answers of one status.
            one_of = {"properties": {"code": {"enum": list(codes)}}}
            content = {
                "schema": {"allOf": [{"$ref": f"{_SCHEMAS_PREFIX}Problem"}, one_of]},
                "examples": {code: {"$ref": f"{_EXAMPLES_PREFIX}{code}"} for code in codes},
            }
            yield (
                _name_problem_response(codes),
                {
                    "description": " ".join(f"`{code}`: {load_codes()[code].title.en}" for code in codes),
                    "headers": {name: {"$ref": f"{_HEADERS_PREFIX}{name}"} for name in names},
                    "content": {CONTENT_TYPE: content},
                },
            )


def _make_problem_example(code: str) -> dict[str, Any]:
    told = load_codes()[code]
    value = {"type": "about:blank", "code": code, "title": told.title.en, "status": told.status}
    if code in {"body_invalid", "rules_broken"}:
        field, field_code = _EXAMPLE_ERRORS[code]
        message = FIELD_MESSAGES[field_code].english
        value["errors"] = [{"field": field, "code": field_code, "message": message}]
    return {"summary": told.title.en, "value": value}


_EXAMPLE_ERRORS = {
    "body_invalid": ("worker.name", "field_missing"),
    "rules_broken": ("worker.nik", "nik_length"),
}


def _iter_request_bodies(examples: Sequence[Example]) -> Iterator[tuple[str, Any]]:
    """The bodies that were not refused, each once."""
    seen: list[Any] = []
    for example in examples:
        if example.is_success and example.body not in seen:
            seen.append(example.body)
            yield example.title, example.body


def _make_examples(named_values: Iterator[tuple[str, Any]]) -> dict[str, Any]:
    examples = {name: {"value": value} for name, value in named_values}
    return {"examples": examples} if examples else {}


def _find_tag(path: str) -> str:
    parts = path.strip("/").split("/")
    return parts[1] if parts[0] == "v1" and parts[1] != "openapi.json" else "this API"


def _unwrap(text: str) -> str:
    """Paragraphs as single lines."""
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in text.split("\n\n"))
