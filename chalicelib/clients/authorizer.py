"""The answer of the authorizer to API Gateway, and the caller as the API reads it back from there."""

from collections.abc import Mapping
from typing import Any

from chalice.app import Authorizer, Chalice

from chalicelib.clients.errors import TokenRevoked, TokenUnknown
from chalicelib.clients.model import Caller, Channel, Role
from chalicelib.clients.service import Registry, Token

_SCHEME = "bearer"


class Unauthorized(Exception):
    """API Gateway answers 401 to an authorizer that fails with just this word."""

    def __init__(self) -> None:
        super().__init__("Unauthorized")


def policy(registry: Registry, authorization: str, method_arn: str) -> dict[str, Any]:
    """Allow a holder of a good token everywhere: the routes themselves check its roles and campaigns.

    A revoked or expired token is denied by policy, which the gateway answers with a code of its own.
    Raises Unauthorized for anything else.
    """
    scheme, _, token = authorization.strip().partition(" ")
    if scheme.lower() != _SCHEME:
        raise Unauthorized
    try:
        caller = registry.identify(Token(token.strip()))
    except TokenUnknown:
        raise Unauthorized from None
    except TokenRevoked:
        return _statement("Deny", principal="revoked", method_arn=method_arn)
    return {
        **_statement("Allow", principal=caller.client_id, method_arn=method_arn),
        "context": {
            "client_id": caller.client_id,
            "roles": ",".join(sorted(caller.roles)),
            "channel": str(caller.channel),
            "campaigns": ",".join(sorted(caller.campaigns)),
        },
    }


def protect(app: Chalice, check: Authorizer) -> None:
    """Put every route behind the authorizer, so that forgetting it on a new route is not possible."""
    for methods in app.routes.values():
        for entry in methods.values():
            entry.authorizer = check


def caller_from(context: Mapping[str, str]) -> Caller:
    """The caller that `policy` put into the request's context;

    API Gateway alone can have written it there.
    """
    return Caller(
        client_id=context["client_id"],
        roles=frozenset(Role(role) for role in context["roles"].split(",")),
        channel=Channel(context["channel"]),
        campaigns=frozenset(filter(None, context["campaigns"].split(","))),
    )


def _statement(effect: str, *, principal: str, method_arn: str) -> dict[str, Any]:
    # The gateway keeps the answer for every route of the stage, so it must not name just the one asked for.
    api, stage, *_ = method_arn.split("/")
    return {
        "principalId": principal,
        "policyDocument": {
            "Version": "2012-10-17",
            "Statement": [{"Action": "execute-api:Invoke", "Effect": effect, "Resource": f"{api}/{stage}/*"}],
        },
    }
