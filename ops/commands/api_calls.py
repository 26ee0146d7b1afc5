"""Call the API of the local stack for a command."""

import json
from contextlib import closing
from typing import Any

from ops.api_client import ApiClient
from ops.commands.local_stack import find_local_stack
from ops.errors import OperationError


def call_api(api: ApiClient, method: str, path: str, body: str | None = None) -> Any:
    """Return the JSON of the API's answer, None if it has no body. Raise OperationError for a refusal."""
    response = api.send(method, path, body)
    if not response.is_success:
        raise OperationError(f"{method} {path}: {response.status_code} {response.text}")
    return response.json() if response.content else None


def call_as_admin(method: str, path: str, body: dict[str, Any] | None = None) -> Any:
    """Call the local stack's API with its admin token."""
    description = find_local_stack().describe()
    with closing(ApiClient(description.api_url, description.tokens["admin"])) as api:
        return call_api(api, method, path, None if body is None else json.dumps(body))
