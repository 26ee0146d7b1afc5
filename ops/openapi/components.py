"""Parts of the OpenAPI document that come from no model: path parameters, headers, problem schemas."""

from collections.abc import Mapping
from typing import Any

from chalicelib.http.problems import FIELD_MESSAGES
from chalicelib.languages import LANGUAGES

Schema = dict[str, Any]

SCHEMAS_PREFIX = "#/components/schemas/"

HEADERS_PREFIX = "#/components/headers/"

EXAMPLES_PREFIX = "#/components/examples/"

# All path parameters. A route with another one raises KeyError.
PATH_PARAMETERS: Mapping[str, Schema] = {
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

HEADERS: Mapping[str, Schema] = {
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
    "Strict-Transport-Security": {
        "description": "The API is called by HTTPS only.",
        "schema": {"type": "string"},
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

# Headers that a success may lack; it has all others that the endpoint names.
OPTIONAL_HEADERS = {"Content-Disposition", "Idempotent-Replayed"}

STATUS_HEADERS: Mapping[int, tuple[str, ...]] = {
    401: ("WWW-Authenticate",),
    429: ("Retry-After",),
    503: ("Retry-After",),
}

PROBLEM_SCHEMA: Schema = {
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
            "items": {"$ref": f"{SCHEMAS_PREFIX}FieldError"},
        },
        "request_id": {"type": "string", "description": "Where API Gateway itself has answered."},
    },
}

FIELD_ERROR_SCHEMA: Schema = {
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
