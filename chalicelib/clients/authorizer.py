"""The authorizer: identifies callers by their bearer tokens for API Gateway."""

from collections.abc import Callable
from typing import Any

from chalicelib import observability
from chalicelib.callers import REFUSED_TOKEN_CONTEXT, Role
from chalicelib.clients.errors import TokenUnknown
from chalicelib.clients.model import Client
from chalicelib.clients.service import ClientRegistry, LastSeenTracker, Token
from chalicelib.http.route_access import RouteAccess
from chalicelib.refusals import TokenRevoked

_SCHEME = "bearer"


class Unauthorized(Exception):
    """Makes API Gateway answer 401, which it does only for an error with exactly this message."""

    def __init__(self) -> None:
        super().__init__("Unauthorized")


FindAccess = Callable[[frozenset[Role]], RouteAccess]


def build_policy(
    registry: ClientRegistry,
    last_seen_tracker: LastSeenTracker,
    authorization: str,
    method_arn: str,
    *,
    find_access: FindAccess,
) -> dict[str, Any]:
    """Return a policy that allows the holder of a valid token the routes that its roles may call.

    The routes check roles again, and campaigns. The holder of a revoked or expired token is let through
    without a caller: API Gateway has one answer for all that a policy denies, and the API has one of its own
    for such a token. Raise Unauthorized for anything else.
    """
    scheme, _, credentials = authorization.strip().partition(" ")
    if scheme.lower() != _SCHEME:
        raise Unauthorized
    token = Token(credentials.strip())
    try:
        client = registry.identify(token)
    except TokenUnknown:
        raise Unauthorized from None
    except TokenRevoked:
        return {
            **_build_document(RouteAccess(["*"], []), principal="revoked", method_arn=method_arn),
            "context": dict(REFUSED_TOKEN_CONTEXT),
        }
    except Exception as error:
        # An unknown token is an error of the function too, so the alarm cannot watch Lambda's own count.
        observability.count("AuthorizerErrors")
        observability.log_exception(error, "token not checked", {})
        raise
    record_last_seen(last_seen_tracker, client, token)
    return {
        **_build_document(find_access(client.roles), principal=client.client_id, method_arn=method_arn),
        "context": client.caller.to_context(),
    }


def record_last_seen(last_seen_tracker: LastSeenTracker, client: Client, token: Token) -> None:
    """Record a call of a client. A failure is logged: the call is valid all the same."""
    try:
        last_seen_tracker.record_call(client, token)
    except Exception as error:  # noqa: BLE001 - whatever failed, the call goes on
        observability.log_exception(error, "client last seen not recorded", {"client_id": client.client_id})


def _build_document(access: RouteAccess, *, principal: str, method_arn: str) -> dict[str, Any]:
    # The gateway reuses the answer for every route of the stage, so it must not name only the requested one.
    api, stage, *_ = method_arn.split("/")
    statements = [
        {
            "Action": "execute-api:Invoke",
            "Effect": effect,
            "Resource": [f"{api}/{stage}/{route}" for route in routes],
        }
        for effect, routes in (("Allow", access.allowed), ("Deny", access.denied))
        if routes
    ]
    return {"principalId": principal, "policyDocument": {"Version": "2012-10-17", "Statement": statements}}
