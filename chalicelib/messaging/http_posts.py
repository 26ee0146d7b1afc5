"""One POST to a provider, without retries: no provider has an idempotency key for sending.

The standard library's HTTP client is enough for one request, and distinguishes a failed connection from a
lost answer.
"""

import json
from collections.abc import Mapping
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from chalicelib.messaging.errors import OutcomeUnknown, TransientFailure

_CONNECT_TIMEOUT_SECONDS = 2
_RESPONSE_TIMEOUT_SECONDS = 10
_MAX_RESPONSE_BYTES = 64 * 1024


class HttpAnswer(NamedTuple):
    """The status of an HTTP response, and its body if that is a JSON object."""

    status: int
    body: dict[str, Any]


def post(url: str, body: str | bytes, headers: Mapping[str, str], *, gateway: str) -> HttpAnswer:
    """Send one POST. Raise TransientFailure without a connection, OutcomeUnknown if the answer was lost."""
    parts = urlsplit(url)
    # A new one for each message: a kept connection that was closed looks the same as a lost answer.
    make = HTTPSConnection if parts.scheme == "https" else HTTPConnection
    connection = make(parts.hostname or "", parts.port, timeout=_CONNECT_TIMEOUT_SECONDS)
    try:
        connection.connect()
    except OSError as error:
        raise TransientFailure(type(error).__name__, gateway=gateway) from None
    try:
        connection.sock.settimeout(_RESPONSE_TIMEOUT_SECONDS)
        connection.request("POST", parts.path, body, dict(headers))
        response = connection.getresponse()
        return HttpAnswer(response.status, _parse_object(response.read(_MAX_RESPONSE_BYTES)))
    except (OSError, HTTPException) as error:
        # The request was sent, or may have been.
        raise OutcomeUnknown(type(error).__name__, gateway=gateway) from None
    finally:
        connection.close()


def _parse_object(body: bytes) -> dict[str, Any]:
    try:
        document = json.loads(body)
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}
