"""Events of API Gateway for our function, after the authorizer has identified the caller."""

import json
from collections.abc import Mapping
from typing import Any

MANAGER = {"client_id": "office", "roles": "manager", "channel": "office", "campaigns": "*"}
ADMIN = {"client_id": "admin", "roles": "admin", "channel": "office", "campaigns": "*"}
KIOSK = {"client_id": "kiosk-1", "roles": "kiosk", "channel": "kiosk", "campaigns": "*"}


def make_campaign_event(campaign: Mapping[str, Any]) -> dict[str, Any]:
    """Return the event of a manager's `POST /v1/campaigns`."""
    return make_request_event("POST", "/v1/campaigns", json.dumps(campaign), caller=MANAGER)


def make_registration_event(
    capture: Mapping[str, Any], *, caller: Mapping[str, str] = KIOSK
) -> dict[str, Any]:
    """Return the event of a `POST /v1/registrations`, by default a kiosk's."""
    return make_request_event("POST", "/v1/registrations", json.dumps(capture), caller=caller)


def make_request_event(
    method: str,
    path: str,
    body: str,
    *,
    caller: Mapping[str, str],
    path_parameters: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Return the event of a request; `path` is the route's, with its parameters in braces."""
    headers = {
        "accept": "*/*",
        "accept-language": "id",
        "authorization": "Bearer not-read-behind-the-gateway",
        "content-type": "application/json",
        "host": "alone.execute-api.ap-southeast-3.amazonaws.com",
        "user-agent": "tablet/1.0",
        "x-forwarded-for": "203.0.113.7",
        "x-forwarded-port": "443",
        "x-forwarded-proto": "https",
    }
    return {
        "resource": path,
        "path": path,
        "httpMethod": method,
        "headers": headers,
        "multiValueHeaders": {name: [value] for name, value in headers.items()},
        "queryStringParameters": None,
        "multiValueQueryStringParameters": None,
        "pathParameters": path_parameters,
        "stageVariables": None,
        "requestContext": {
            "accountId": "000000000000",
            "apiId": "alone",
            "authorizer": {**caller, "principalId": caller["client_id"]},
            "httpMethod": method,
            "identity": {"sourceIp": "203.0.113.7", "userAgent": "tablet/1.0"},
            "path": f"/api{path}",
            "protocol": "HTTP/1.1",
            "requestId": "c6af9ac6-7b61-11e6-9a41-93e8deadbeef",
            "resourcePath": path,
            "stage": "api",
        },
        "body": body,
        "isBase64Encoded": False,
    }
