"""Parts of the OpenAPI document that come from no model: parameters, headers, problem schemas."""

from collections.abc import Mapping
from typing import Any

from chalicelib.languages import LANGUAGES

Schema = dict[str, Any]

SCHEMAS_PREFIX = "#/components/schemas/"

HEADERS_PREFIX = "#/components/headers/"

EXAMPLES_PREFIX = "#/components/examples/"

PARAMETERS_PREFIX = "#/components/parameters/"

# Every operation takes it, because each may answer with a problem.
ACCEPT_LANGUAGE: Schema = {
    "name": "Accept-Language",
    "in": "header",
    "required": False,
    "description": "The language of problems, summaries and labels: `id` (the default) or `en`. Weights may "
    "be given: `en, id;q=0.5`.",
    "schema": {"type": "string"},
    "example": "en",
}

# All path parameters. A route with another one raises KeyError.
PATH_PARAMETERS: Mapping[str, Schema] = {
    "campaign_id": {
        "description": "The campaign's id.",
        "schema": {"type": "string", "pattern": "^[a-z0-9][a-z0-9-]{1,62}[a-z0-9]$"},
        "example": "pasar-contoh-2024",
    },
    "capture_id": {
        "description": "The capture's id.",
        "schema": {"type": "string", "format": "uuid"},
        "example": "01926f3e-7c00-7000-8000-000000000001",
    },
    "client_id": {
        "description": "The client's id.",
        "schema": {"type": "string", "pattern": "^[a-z0-9][a-z0-9-]{0,62}[a-z0-9]$"},
        "example": "tablet-7",
    },
    "correction_id": {
        "description": "The correction's id.",
        "schema": {"type": "string", "format": "uuid"},
        "example": "01926f3e-7c00-7000-8000-000000000041",
    },
    "filename": {
        "description": "A file that the form needs, as its manifest names it.",
        "schema": {"type": "string", "pattern": "^[a-z]+\\.csv$"},
        "example": "occupations.csv",
    },
    "form_id": {
        "description": "The form's id, which is its campaign's.",
        "schema": {"type": "string", "pattern": "^[a-z0-9][a-z0-9-]{1,62}[a-z0-9]$"},
        "example": "pasar-contoh-2024",
    },
    "item_id": {
        "description": "The review item's id.",
        "schema": {"type": "string", "pattern": "^[0-9a-f]{32}$"},
        "example": "0f8c2d5e7b1a49c6930d4e5f6a7b8c9d",
    },
    "token": {
        "description": "The token of an officer's device.",
        "schema": {"type": "string", "pattern": "^daftar_[A-Za-z0-9_-]{43}$"},
        "example": "daftar_0000000000000000000000000000000000000000000",
    },
    "version": {
        "description": "The version of the form, as the list of forms names it.",
        "schema": {"type": "string", "pattern": "^[0-9]{10}-[0-9a-f]{8}$"},
        "example": "2026112901-0a1b2c3d",
    },
    "day": {
        "description": "A day of the campaign, in its zone.",
        "schema": {"type": "string", "format": "date"},
        "example": "2024-10-09",
    },
    "file": {
        "description": "The file's name.",
        "schema": {"type": "string"},
        "example": "main.js",
    },
    "folder": {
        "description": "The folder that the file is in.",
        "schema": {"type": "string"},
        "example": "scripts",
    },
    "reference": {
        "description": "The worker's reference. Lower case and other grouping are accepted.",
        "schema": {"type": "string", "pattern": "^[2-9A-HJKMNP-TV-Z]{3}(-[2-9A-HJKMNP-TV-Z]{3}){2}$"},
        "example": "7K4-M2Q-X9F",
    },
    "release": {
        "description": "The release of the web app, as its page names it.",
        "schema": {"type": "string", "pattern": "^[0-9a-f]{16}$"},
        "example": "0123456789abcdef",
    },
}

HEADERS: Mapping[str, Schema] = {
    "Cache-Control": {"description": "How long the answer may be cached.", "schema": {"type": "string"}},
    "Content-Encoding": {
        "description": "`gzip` for a client that accepts it.",
        "schema": {"type": "string", "const": "gzip"},
    },
    "Content-Language": {
        "description": "The language of `title` and of each `message`.",
        "schema": {"type": "string", "enum": [*LANGUAGES, ", ".join(LANGUAGES)]},
    },
    "Content-Disposition": {
        "description": "The file name of a download.",
        "schema": {"type": "string"},
    },
    "Content-Security-Policy": {
        "description": "What the page may load and run: nothing of another site.",
        "schema": {"type": "string"},
    },
    "ETag": {
        "description": "The version of the content, for `If-None-Match`.",
        "schema": {"type": "string"},
    },
    "Idempotent-Replayed": {
        "description": "`true` for a repeated request: the answer is the first one, byte for byte.",
        "schema": {"type": "string", "const": "true"},
    },
    "Referrer-Policy": {"description": "Links send no referrer.", "schema": {"type": "string"}},
    "Retry-After": {
        "description": "Seconds to wait before sending the same request again.",
        "schema": {"type": "string", "pattern": "^[0-9]+$"},
    },
    "Service-Worker-Allowed": {
        "description": "The widest scope of the service worker, relative to its address.",
        "schema": {"type": "string"},
    },
    "Strict-Transport-Security": {
        "description": "Browsers must use HTTPS.",
        "schema": {"type": "string"},
    },
    "Vary": {"description": "The request headers that the answer depends on.", "schema": {"type": "string"}},
    "WWW-Authenticate": {"description": "The authentication scheme to use.", "schema": {"type": "string"}},
    "X-Content-Type-Options": {
        "description": "Browsers must not guess the type.",
        "schema": {"type": "string"},
    },
    "X-OpenRosa-Accept-Content-Length": {
        "description": "The bytes of files that one request may carry.",
        "schema": {"type": "string", "pattern": "^[0-9]+$"},
    },
    "X-OpenRosa-Version": {
        "description": "The version of OpenRosa's protocol.",
        "schema": {"type": "string", "const": "1.0"},
    },
    "X-Correlation-Id": {
        "description": "The id of the request, as in its log lines. API Gateway's own answers "
        "have it as `request_id` in the body.",
        "schema": {"type": "string"},
    },
}

# Headers that a success may lack; it has all others that the endpoint names.
OPTIONAL_HEADERS = {"Content-Disposition", "Content-Encoding", "Idempotent-Replayed"}

STATUS_HEADERS: Mapping[int, tuple[str, ...]] = {
    401: ("WWW-Authenticate",),
    429: ("Retry-After",),
    503: ("Retry-After",),
}

PROBLEM_SCHEMA: Schema = {
    "title": "Problem",
    "description": "A refusal (RFC 9457). `code` does not change; `title` is for people.",
    "type": "object",
    "required": ["type", "code", "title", "status"],
    "additionalProperties": False,
    "properties": {
        "type": {"type": "string", "const": "about:blank"},
        "code": {"$ref": f"{SCHEMAS_PREFIX}ProblemCode"},
        "title": {"type": "string", "description": "In the language of the request; API Gateway gives both."},
        "status": {"type": "integer"},
        "errors": {
            "type": "array",
            "description": "All invalid fields.",
            "items": {"$ref": f"{SCHEMAS_PREFIX}FieldError"},
        },
        "request_id": {"type": "string", "description": "Only in answers of API Gateway itself."},
    },
}

FIELD_ERROR_SCHEMA: Schema = {
    "title": "FieldError",
    "description": "One invalid field. Its value is never repeated.",
    "type": "object",
    "required": ["field", "code", "message"],
    "additionalProperties": False,
    "properties": {
        "field": {"type": "string", "description": "A dotted path; empty for the whole."},
        "code": {"$ref": f"{SCHEMAS_PREFIX}FieldCode"},
        "message": {"type": "string", "description": "For the person who typed it."},
    },
}
