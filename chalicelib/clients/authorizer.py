"""The answer of the authorizer to API Gateway, and the caller as the API reads it back from there."""

from collections.abc import Callable, Mapping
from typing import Any

from chalice.app import Authorizer, Chalice

from chalicelib import observability
from chalicelib.callers import Caller, Channel, DailyCap, Role
from chalicelib.clients.errors import TokenRevoked, TokenUnknown
from chalicelib.clients.model import Client
from chalicelib.clients.service import ClientRegistry, LastSeenTracker, Token

_SCHEME = "bearer"


class Unauthorized(Exception):
    """API Gateway answers 401 to an authorizer that fails with just this word."""

    def __init__(self) -> None:
        super().__init__("Unauthorized")


def build_policy(
    registry: ClientRegistry, last_seen_tracker: LastSeenTracker, authorization: str, method_arn: str
) -> dict[str, Any]:
    """Allow a holder of a good token everywhere: the routes themselves check its roles and campaigns.

    A revoked or expired token is denied by policy, which the gateway answers with a code of its own.
    Raises Unauthorized for anything else.
    """
    scheme, _, written = authorization.strip().partition(" ")
    if scheme.lower() != _SCHEME:
        raise Unauthorized
    token = Token(written.strip())
    try:
        client = registry.identify(token)
    except TokenUnknown:
        raise Unauthorized from None
    except TokenRevoked:
        return _build_statement("Deny", principal="revoked", method_arn=method_arn)
    _record_last_seen(last_seen_tracker, client, token)
    return {
        **_build_statement("Allow", principal=client.client_id, method_arn=method_arn),
        "context": _build_context(client.caller),
    }


def protect_routes(
    app: Chalice, route_authorizer: Authorizer, *, is_public: Callable[[Callable[..., Any]], bool]
) -> None:
    """Put every route behind the authorizer but those whose view says that it is public, so that forgetting
    it on a new route is not possible.
    """
    for methods in app.routes.values():
        for entry in methods.values():
            if not is_public(entry.view_function):
                entry.authorizer = route_authorizer


def parse_caller(context: Mapping[str, str]) -> Caller:
    """The caller that `build_policy` put into the request's context;

    API Gateway alone can have written it there.
    """
    flag, _, cap = context.get("daily_cap", "").partition("/")
    return Caller(
        client_id=context["client_id"],
        roles=frozenset(Role(role) for role in context["roles"].split(",")),
        channel=Channel(context["channel"]),
        campaigns=frozenset(filter(None, context["campaigns"].split(","))),
        daily_cap=DailyCap(flag=int(flag), cap=int(cap)) if cap else None,
    )


def _build_context(caller: Caller) -> dict[str, str]:
    own = {} if caller.daily_cap is None else {"daily_cap": f"{caller.daily_cap.flag}/{caller.daily_cap.cap}"}
    return {
        "client_id": caller.client_id,
        "roles": ",".join(sorted(caller.roles)),
        "channel": str(caller.channel),
        "campaigns": ",".join(sorted(caller.campaigns)),
        **own,
    }


def _record_last_seen(last_seen_tracker: LastSeenTracker, client: Client, token: Token) -> None:
    try:
        last_seen_tracker.record_call(client, token)
    except Exception as error:  # noqa: BLE001 - whether a call was noted must not decide whether it is let in
        observability.log_exception(error, "client last seen not recorded", {"client_id": client.client_id})


def _build_statement(effect: str, *, principal: str, method_arn: str) -> dict[str, Any]:
    # The gateway keeps the answer for every route of the stage, so it must not name just the one asked for.
    api, stage, *_ = method_arn.split("/")
    return {
        "principalId": principal,
        "policyDocument": {
            "Version": "2012-10-17",
            "Statement": [{"Action": "execute-api:Invoke", "Effect": effect, "Resource": f"{api}/{stage}/*"}],
        },
    }
