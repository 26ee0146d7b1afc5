"""The authorizer: identifies callers by their bearer tokens for API Gateway."""

from typing import Any

from chalicelib import observability
from chalicelib.clients.errors import TokenRevoked, TokenUnknown
from chalicelib.clients.model import Client
from chalicelib.clients.service import ClientRegistry, LastSeenTracker, Token

_SCHEME = "bearer"


class Unauthorized(Exception):
    """Makes API Gateway answer 401, which it does only for an error with exactly this message."""

    def __init__(self) -> None:
        super().__init__("Unauthorized")


def build_policy(
    registry: ClientRegistry, last_seen_tracker: LastSeenTracker, authorization: str, method_arn: str
) -> dict[str, Any]:
    """Return a policy that allows the holder of a valid token every route; routes check roles and campaigns.

    A revoked or expired token is denied, for which the gateway has an answer of its own. Raise Unauthorized
    for anything else.
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
        return _build_statement("Deny", principal="revoked", method_arn=method_arn)
    except Exception as error:
        # An unknown token is an error of the function too, so the alarm cannot watch Lambda's own count.
        observability.count("AuthorizerErrors")
        observability.log_exception(error, "token not checked", {})
        raise
    record_last_seen(last_seen_tracker, client, token)
    return {
        **_build_statement("Allow", principal=client.client_id, method_arn=method_arn),
        "context": client.caller.to_context(),
    }


def record_last_seen(last_seen_tracker: LastSeenTracker, client: Client, token: Token) -> None:
    """Record a call of a client. A failure is logged: the call is valid all the same."""
    try:
        last_seen_tracker.record_call(client, token)
    except Exception as error:  # noqa: BLE001 - whatever failed, the call goes on
        observability.log_exception(error, "client last seen not recorded", {"client_id": client.client_id})


def _build_statement(effect: str, *, principal: str, method_arn: str) -> dict[str, Any]:
    # The gateway reuses the answer for every route of the stage, so it must not name only the requested one.
    api, stage, *_ = method_arn.split("/")
    return {
        "principalId": principal,
        "policyDocument": {
            "Version": "2012-10-17",
            "Statement": [{"Action": "execute-api:Invoke", "Effect": effect, "Resource": f"{api}/{stage}/*"}],
        },
    }
