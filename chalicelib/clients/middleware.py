"""Middleware of the HTTP routes that records from where tokens are used."""

from collections.abc import Callable
from typing import Any

from chalicelib import observability
from chalicelib.clients.uses import TokenUseTracker

_SERVER_ERROR = 500


def record_use(get_tracker: Callable[[], TokenUseTracker], request: Any, get_response: Any) -> Any:
    """Answer a request, and record from where its caller sent it.

    A request that failed here is not looked at: what failed, such as a table, would fail again. Neither is
    one from a worker's own phone: all phones of a link are one client, each in a network of its own.
    """
    response = get_response(request)
    caller = request.context.get("authorizer") or {}
    client_id = caller.get("client_id")
    address = str((request.context.get("identity") or {}).get("sourceIp", ""))
    if client_id is not None and "link_id" not in caller and response.status_code < _SERVER_ERROR:
        try:
            for flag in get_tracker().record_call(client_id, address):
                observability.count("UnusualTokenUses", flag=flag)
        except Exception as error:  # noqa: BLE001 - a use that could not be recorded changes no answer
            observability.log_exception(error, "token use not recorded", {"client_id": client_id})
    return response
