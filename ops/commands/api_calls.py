"""Call the API of a stack for a command."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlencode

import httpx

from ops.api_client import ApiClient
from ops.commands.api_access import ApiAccess
from ops.errors import OperationError, StackUnavailable
from ops.refusals import ApiRefusal

LANGUAGE = "en"
# A person waits for the answer.
_MAX_ATTEMPTS = 3


@contextmanager
def connect(access: ApiAccess, client: str) -> Iterator[ApiClient]:
    """Yield the API with the token of one of the stack's clients. Raise StackUnavailable if it has none."""
    token = access.find_token(client)
    if token is None:
        raise StackUnavailable(f"this stack has no client {client!r}")
    api = ApiClient(access.api_url, token, language=LANGUAGE, max_attempts=_MAX_ATTEMPTS)
    try:
        yield api
    finally:
        api.close()


def call_api(api: ApiClient, method: str, path: str, body: str | None = None) -> Any:
    """Return the JSON of the API's answer, None if it has no body. Raise OperationError for a refusal."""
    response = api.send(method, path, body)
    if not response.is_success:
        raise make_refusal_error(response)
    if not response.content:
        return None
    try:
        return response.json()
    except ValueError:
        raise OperationError(f"{method} {path}: the answer is not JSON", code="api_unavailable") from None


def call_as_admin(access: ApiAccess, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
    """Call the API with an admin's token."""
    with connect(access, "admin") as api:
        return call_api(api, method, path, None if body is None else json.dumps(body))


def list_as_admin(access: ApiAccess, path: str, key: str, **query: str) -> list[dict[str, Any]]:
    """Return all of a list of the API, whose pages have it under `key`, with an admin's token."""
    listed: list[dict[str, Any]] = []
    with connect(access, "admin") as api:
        while True:
            page = call_api(api, "GET", f"{path}?{urlencode(query)}")
            listed += page[key]
            if page["cursor"] is None:
                return listed
            query["cursor"] = page["cursor"]


def make_refusal_error(response: httpx.Response) -> OperationError:
    """Return a refusal of the API as an error with one readable line."""
    refusal = ApiRefusal.from_response(response)
    return OperationError(str(refusal), code=refusal.code, fields=refusal.fields)
