"""The answers that API Gateway makes itself, as problem details (RFC 9457).

API Gateway does not know the client's language, so the titles are in both. They are not resources of the
type AWS::ApiGateway::GatewayResponse: SAM puts them into the API's definition, so that they are live with the
first deployment and a change makes a new one. A separate resource could be created after the deployment, and
an update of the definition would remove it.
"""

import json
from typing import Any

from chalicelib.http.headers import SECURITY_HEADERS
from chalicelib.http.problem_texts import PROBLEMS, Problem
from chalicelib.http.problems import CONTENT_TYPE

_OWN_PROBLEMS = {
    "request_invalid": Problem(400, "Permintaan tidak sesuai format.", "The request is malformed."),
    "request_refused": Problem(403, "Permintaan ditolak.", "The request was refused."),
    "route_unknown": Problem(404, "Alamat ini tidak dikenal.", "This route is unknown."),
    "too_many_requests": Problem(
        429, "Terlalu banyak permintaan, tunggu sebentar.", "Too many requests, wait a moment."
    ),
}

_BEARER = {"WWW-Authenticate": "Bearer"}
_SOON = {"Retry-After": "2"}

# By API Gateway's name of the answer.
_RESPONSES: dict[str, tuple[str, dict[str, str]]] = {
    "UNAUTHORIZED": ("token_missing_or_unknown", _BEARER),
    # The token is good, and none of its roles may call the route. The API answers a revoked token.
    "ACCESS_DENIED": ("role_not_allowed", {}),
    # A path or method that is not in the definition.
    "MISSING_AUTHENTICATION_TOKEN": ("route_unknown", {}),
    "RESOURCE_NOT_FOUND": ("route_unknown", {}),
    # No route is signed. API Gateway reads a signature, or a bearer token that it takes for one, only on an
    # unknown route.
    "INVALID_SIGNATURE": ("route_unknown", {}),
    "EXPIRED_TOKEN": ("route_unknown", {}),
    "BAD_REQUEST_BODY": ("request_invalid", {}),
    "BAD_REQUEST_PARAMETERS": ("request_invalid", {}),
    "REQUEST_TOO_LARGE": ("body_too_large", {}),
    "UNSUPPORTED_MEDIA_TYPE": ("media_type_unsupported", {}),
    "THROTTLED": ("too_many_requests", {"Retry-After": "1"}),
    "QUOTA_EXCEEDED": ("too_many_requests", {"Retry-After": "60"}),
    # The authorizer failed, for instance because its table did not answer.
    "AUTHORIZER_FAILURE": ("try_again", _SOON),
    "AUTHORIZER_CONFIGURATION_ERROR": ("try_again", _SOON),
    "API_CONFIGURATION_ERROR": ("try_again", _SOON),
    "INTEGRATION_FAILURE": ("try_again", _SOON),
    "INTEGRATION_TIMEOUT": ("try_again", _SOON),
    "WAF_FILTERED": ("request_refused", {}),
    # The only other 4xx is a malformed signature, which a bearer token is on a route that does not exist.
    "DEFAULT_4XX": ("route_unknown", {}),
    # The other 5xx, mainly a function that crashed.
    "DEFAULT_5XX": ("try_again", _SOON),
}


def make_gateway_responses() -> dict[str, Any]:
    """Return the property `GatewayResponses` of the API."""
    return {kind: _make_response(code, headers) for kind, (code, headers) in _RESPONSES.items()}


def make_problem(code: str, *, request_id: str | None) -> dict[str, Any]:
    """Return the body of an answer, without a request's id if that is not known."""
    problem = PROBLEMS.get(code) or _OWN_PROBLEMS[code]
    return {
        "type": "about:blank",
        "code": code,
        "status": problem.status,
        **({"request_id": request_id} if request_id else {}),
        "title": f"{problem.indonesian} / {problem.english}",
    }


def _make_response(code: str, headers: dict[str, str]) -> dict[str, Any]:
    body = make_problem(code, request_id="$context.requestId")
    all_headers = {"Content-Type": CONTENT_TYPE, "Content-Language": "id, en", **SECURITY_HEADERS, **headers}
    return {
        "StatusCode": str(body["status"]),
        # A constant stands in single quotes, and cannot hold one.
        "ResponseParameters": {"Headers": {name: f"'{value}'" for name, value in all_headers.items()}},
        "ResponseTemplates": {"application/json": json.dumps(body)},
    }
